"""What is measured: the parts, their cases, and who takes part in each with which command."""

import dataclasses
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import sys
from typing import Callable, Optional

import measuring

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "release"

# Large tensors are taken from the heap and kept, instead of being asked of the system and given back in every
# step, which made PyTorch's step on 512 tokens more than twice as fast. Keras did not gain by it.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592"}

KERAS = {
    "default": "Keras, default",
    "jit": "Keras, `jit_compile=True`",
    "several": "Keras, `jit_compile=True`, 16 steps a call",
}
TORCH = {
    "eager": "PyTorch, eager",
    "fused": "PyTorch, fused Adam",
    "compile": "PyTorch, `torch.compile`, fused Adam",
    "sdpa": "PyTorch, fused attention and Adam",
}


@dataclasses.dataclass
class Command:
    """A process to measure; `read` gives its figures from what it printed and the folder it was given as @SCRATCH@, where its
    stderr is too. For @SEED@ stands the number of the round, for @SPAWNED@ when it was started."""

    arguments: list
    threads: int = 2
    env: dict = dataclasses.field(default_factory=dict)
    until: Optional[str] = None
    read: Callable = lambda printed, scratch: json.loads(printed.strip().splitlines()[-1])


@dataclasses.dataclass
class Contender:
    name: str
    command: Command
    most: int = 1000

    def rounds(self, options):
        return 1 if options.quick else options.repeats if options.patient else min(options.repeats, self.most)


@dataclasses.dataclass
class Case:
    name: str
    values: dict
    contenders: list


@dataclasses.dataclass
class Part:
    name: str
    cases: Callable
    prepare: Optional[Callable] = None


def worker(library, task, threads, env=None, **arguments):
    words = json.dumps(arguments | {"threads": threads})
    for number in ("@SPAWNED@", "@SEED@"):
        words = words.replace(f'"{number}"', number)
    return Command([sys.executable, str(HERE / f"worker_{library}.py"), task, words], threads, env or {})


def program():
    found = TARGET / "attentive"
    return (
        str(found)
        if found.exists()
        else sys.exit(f"error: no {found}; `cargo build --release --workspace --bins --benches`")
    )


def bench(name, target=TARGET):
    """The newest build of a benchmark of crates/train/benches."""
    built = [path for path in (target / "deps").glob(f"{name}-*") if not path.suffix and os.access(path, os.X_OK)]
    if not built:
        sys.exit(f"error: no {name} in {target}/deps; `cargo build --release --workspace --bins --benches`")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def told(run):
    if run.get("failed"):
        return run["failed"]
    figures = [
        (name, run[name])
        for name in ("ms", "train_s", "accuracy", "texts_per_s", "latency_us", "seconds")
        if name in run
    ]
    figures += [("wall", run["wall_s"]), ("MiB", run["peak_bytes"] / 2**20), ("others", run["busy_during"])]
    return "  ".join(f"{name} {value:,.3g}" if value < 1000 else f"{name} {value:,.0f}" for name, value in figures)


# Steps.

REFERENCE = {"length": 100, "dim": 64, "batch_size": 32, "vocab_size": 10_000}
LONG = REFERENCE | {"length": 512, "dim": 128}


def amount(values, quick):
    """How many steps are taken: by a guess of what one costs, so that a process is done in seconds."""
    length, dim, batch_size, vocab_size = (values[name] for name in ("length", "dim", "batch_size", "vocab_size"))
    guess = 12 * batch_size * length**2 * dim / 3e10 + 28 * vocab_size * dim / 1e10 + 2e-4
    seconds = 0.3 if quick else 1.5
    warm_up = int(min(20, max(2, 0.5 / guess)))
    block = int(min(10, max(1, 0.2 / guess)))
    blocks = min(40, max(3, 3 * seconds / guess / block))
    most = max(3.0, (4e6 / (length * batch_size) - warm_up) / block)
    return {"steps": warm_up + block * int(min(blocks, most)), "warm_up": warm_up, "block": block, "seconds": seconds}


def step(values, options, backend, name="train_step", target=TARGET, form=None):
    words = [bench(name, target), "--backend", backend] + (["--form", form] if form else [])
    for key, value in (values | amount(values, options.quick)).items():
        words += [f"--{key.replace('_', '-')}", str(value)]
    return words


def ours(values, options, threads, backend="flex", **more):
    return Contender(f"Attentive, {backend}", Command(step(values, options, backend), threads), **more)


def composed(values, options, threads, backend, mimalloc):
    """The reference model written with Burn alone: with the system's allocator, or with the one that we have."""
    name, form = ("train_step", "composed") if mimalloc else ("composed_step", None)
    who = f"Burn composed, {backend}" + (", mimalloc" if mimalloc else "")
    return Contender(who, Command(step(values, options, backend, name, form=form), threads))


def keras(form, values, options, threads, **more):
    command = worker("keras", "train_step", threads, form=form, **values, **amount(values, options.quick))
    return Contender(KERAS[form], command, **more)


def torch(form, values, options, threads, device="cpu", **more):
    arguments = values | amount(values, options.quick) | {"device": device}
    command = worker("torch", "train_step", threads, KEEP_MEMORY, form=form, **arguments)
    return Contender(TORCH[form], command, **more)


def step_cases(options, prepared, kept):
    for threads in [options.threads] + [1] * options.one_thread:
        for name, values in (("reference", REFERENCE), ("long", LONG)):
            contenders = [ours(values, options, threads), keras("default", values, options, threads)]
            contenders += [torch("eager", values, options, threads), ours(values, options, threads, "ndarray")]
            contenders += [keras("jit", values, options, threads), torch("fused", values, options, threads)]
            contenders += [torch("compile", values, options, threads), torch("sdpa", values, options, threads)]
            if name == "reference":  # where a step is long, what is between two steps does not count
                contenders += [keras("several", values, options, threads)]
            for mimalloc in (False, True):
                for backend in ("flex", "ndarray"):
                    contenders += [composed(values, options, threads, backend, mimalloc)]
            yield Case(
                name if threads == options.threads else f"{name}, one thread", values | {"threads": threads}, contenders
            )


# What keeps the libraries of the others from using AVX-512.
AVX2_ALONE = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
}


def avx2_cases(options, prepared, kept):
    if not options.avx2:
        sys.exit("error: the part avx2 needs a build without AVX-512: `--avx2 TARGET`")
    for name, values in (("reference", REFERENCE), ("long", LONG)):
        words = step(values, options, "flex", target=options.avx2 / "release")
        contenders = [Contender("Attentive, flex", Command(words, options.threads))]
        contenders += [keras(form, values, options, options.threads) for form in ("default", "jit")]
        contenders += [torch(form, values, options, options.threads) for form in ("eager", "fused", "compile", "sdpa")]
        for contender in contenders:
            contender.command.env = contender.command.env | AVX2_ALONE
        yield Case(name, values | {"threads": options.threads}, contenders)


def gpu_cases(options, prepared, kept):
    for name, values in (("reference", REFERENCE), ("long", LONG)):
        forms = [torch(form, values, options, options.threads, "cuda") for form in TORCH]
        yield Case(name, values, [ours(values, options, options.threads, "wgpu"), *forms])


# Curves.

# The reference model itself is measured once and stands on every curve but the first.
CURVES = {
    "length": (32, 128, 512, 2048, 8192, 16384),
    "vocab_size": (1000, 100_000, 1_000_000),
    "batch_size": (1, 8, 64, 256),
    "threads": (1,),
}

# Left out of the curves: compiling each shape anew takes many times as long as measuring it, and Adam that is not fused
# falls behind where the vocabulary is large.
NOT_ON_CURVES = ("compile", "several", "eager")


def fastest(kept, names, otherwise):
    """The form of a library that was the fastest where the reference model was measured."""
    runs = [run for run in kept["parts"].get("steps", {}).get("runs", []) if run["case"] == "reference" and "ms" in run]
    measured = {form: [run["ms"] for run in runs if run["who"] == name] for form, name in names.items()}
    medians = {form: statistics.median(ms) for form, ms in measured.items() if ms and form not in NOT_ON_CURVES}
    return min(medians, key=medians.get) if medians else otherwise


def at_point(curve, x, threads):
    """The reference model but for `x`; long texts come fewer at a time."""
    values = REFERENCE | {"threads": threads} | ({curve: x} if curve in CURVES else {})
    if curve == "length":
        values["batch_size"] = max(1, min(32, 4096 // x))
    return values


def curve_cases(options, prepared, kept):
    keras_form, torch_form = fastest(kept, KERAS, "jit"), fastest(kept, TORCH, "fused")
    points = [("reference", 0)] + [
        (curve, x) for curve, xs in CURVES.items() for x in (xs[:1] if options.quick else xs)
    ]
    for curve, x in points:
        values = at_point(curve, x, options.threads)
        threads = values.pop("threads")
        contenders = [ours(values, options, threads, most=3)]
        # Past some length the fused attention is PyTorch's fastest form: both are measured there.
        forms = [torch_form] + (["sdpa"] if values["length"] >= 512 and torch_form != "sdpa" else [])
        contenders += [torch(form, values, options, threads, most=3) for form in forms]
        contenders += [keras(keras_form, values, options, threads, most=2)]
        yield Case(f"{curve}={x}" if x else curve, {"curve": curve, "x": x} | values | {"threads": threads}, contenders)


# Whole trainings.

LABELS = {"sst2": 2, "ag_news": 4, "imdb": 2}

# As fastText's own examples prepare texts: lower case, punctuation apart.
PUNCTUATION = re.compile(r"([.!?,'/()\":;<>\-\\])")


def fasttext_line(text):
    return " ".join(PUNCTUATION.sub(r" \1 ", text.replace("<br />", " ").lower()).split())


def prepare_trainings(options):
    """FastText's files, which are made outside the measured time, and a reference config for AG News."""
    for corpus in corpora(options):
        for split in ("train", "test"):
            path = options.work / f"{corpus}.{split}.fasttext"
            if not path.exists():
                texts, targets = measuring.texts(corpus, split)
                lines = [f"__label__{target} {fasttext_line(text)}" for text, target in zip(texts, targets)]
                random.Random(measuring.SEED).shuffle(lines)  # fastText takes them as they come
                path.write_text("\n".join(lines) + "\n", "utf-8")
    reference = (ROOT / "configs" / "keras_sst2.toml").read_text("utf-8").replace("datasets/sst2/", "datasets/ag_news/")
    reference = re.sub(r"^#.*\n", "", reference, flags=re.MULTILINE)
    reference = reference.replace(".tsv", ".csv").replace('text = "sentence"\nlabel = "label"\n', "")
    reference = re.sub(r"labels = \{.*\}\n", "", reference).replace('name = "keras_sst2"', 'name = "keras_ag_news"')
    (options.work / "keras_ag_news.toml").write_text(reference, "utf-8")


def corpora(options):
    chosen = options.corpora.split(",")
    for corpus in chosen:
        if not (ROOT / "datasets" / corpus).exists():
            options.tell(f"datasets/{corpus} is missing: scripts/fetch_dataset.sh {corpus}")
    return [corpus for corpus in chosen if (ROOT / "datasets" / corpus).exists()]


def trained(config, options, *more):
    words = [program(), "train", str(config), "--run-dir", "@SCRATCH@/run", "--backend", "flex", *more]
    words += ["--set", "seed=@SEED@"]

    def read(printed, scratch):
        report = json.loads((pathlib.Path(scratch) / "run" / "report.json").read_text("utf-8"))
        told = (pathlib.Path(scratch) / "stderr").read_text("utf-8")
        epochs = [float(seconds) for seconds in re.findall(r"^epoch .* ([0-9.]+) s  weights", told, re.MULTILINE)]
        accuracy = report["splits"]["test"]["accuracy"]
        return {"accuracy": accuracy, "epochs": report["epochs_trained"], "epoch_s": statistics.median(epochs)}

    return Command(words + (["--set", "train.epochs=1"] if options.quick else []), options.threads, read=read)


def training_cases(options, prepared, kept):
    epochs = 1 if options.quick else 5
    for corpus in corpora(options):
        files = {split: str(options.work / f"{corpus}.{split}.fasttext") for split in ("train", "test")}
        reference = ROOT / "configs" / f"keras_{corpus}.toml"
        reference = reference if reference.exists() else options.work / f"keras_{corpus}.toml"
        trained_by = lambda library, **how: worker(library, "fit", options.threads, epochs=epochs, seed="@SEED@", **how)
        contenders = [
            Contender(f"Attentive, configs/{corpus}.toml", trained(f"configs/{corpus}.toml", options)),
            Contender("fastText, 1-grams", trained_by("fasttext", ngrams=1, **files)),
            Contender("Keras, reference model", trained_by("keras", corpus=corpus, labels=LABELS[corpus]), most=3),
            Contender("fastText, 1-2-grams", trained_by("fasttext", ngrams=2, **files)),
            Contender("Attentive, reference model", trained(reference, options), most=3),
        ]
        yield Case(corpus, {"corpus": corpus}, contenders)


# Predictions.


def prepare_predictions(options):
    """Models of SST-2 trained for an epoch, which does not change how long they take, and 100,000 texts."""
    models = options.work / "models"
    models.mkdir(parents=True, exist_ok=True)
    built = pathlib.Path(program()).stat().st_mtime
    paths = {
        name: models / name
        for name in (
            "config",
            "reference",
            "keras.keras",
            "unigrams.bin",
            "bigrams.bin",
            "sklearn.pickle",
            "model.onnx",
        )
    }
    # Of the training split most are fragments of sentences.
    texts = [text for split in ("dev", "test") for text in measuring.texts("sst2", split)[0]]
    count = 5000 if options.quick else 100_000
    many, one = options.work / f"texts-{count}.txt", options.work / "text.txt"
    many.write_text("\n".join((texts * (count // len(texts) + 1))[:count]) + "\n", "utf-8")
    one.write_text(texts[-1] + "\n", "utf-8")

    def make(path, command):
        if not path.exists():
            options.tell(f"making {path.relative_to(options.work)}")
            run = options.measure(command)
            if run.get("failed"):
                options.tell(f"{path.name}: {run['failed']}")

    for name, config in (("config", "sst2"), ("reference", "keras_sst2")):
        made = paths[name] / "report.json"
        if made.exists() and made.stat().st_mtime < built:
            made.unlink()
        words = [program(), "train", f"configs/{config}.toml", "--quiet", "--run-dir", str(paths[name]), "--overwrite"]
        words += ["--backend", "flex", "--set", "train.epochs=1"]
        make(made, Command(words, options.threads, read=lambda printed, scratch: {}))
    fasttext_files = {split: str(options.work / f"sst2.{split}.fasttext") for split in ("train", "test")}
    if not pathlib.Path(fasttext_files["train"]).exists():
        options.corpora, asked = "sst2", options.corpora
        prepare_trainings(options)
        options.corpora = asked
    for name, ngrams in (("unigrams.bin", 1), ("bigrams.bin", 2)):
        arguments = {"ngrams": ngrams, "epochs": 5, "save": str(paths[name]), **fasttext_files}
        make(paths[name], worker("fasttext", "fit", options.threads, **arguments))
    keras_fit = worker(
        "keras", "fit", options.threads, corpus="sst2", labels=2, epochs=1, save=str(paths["keras.keras"])
    )
    make(paths["keras.keras"], keras_fit)
    make(
        paths["sklearn.pickle"],
        Command(
            [
                sys.executable,
                str(HERE / "worker_sklearn.py"),
                "fit",
                json.dumps({"corpus": "sst2", "save": str(paths["sklearn.pickle"])}),
            ]
        ),
    )
    make(
        paths["model.onnx"],
        Command(
            [sys.executable, str(HERE / "worker_onnx.py"), "build", json.dumps({"save": str(paths["model.onnx"])})]
        ),
    )
    return {"paths": paths, "many": many, "one": one, "count": count}


def prediction_cases(options, prepared, kept):
    paths, threads = prepared["paths"], options.threads
    tokenizer = str(paths["reference"] / "tokenizer.json")
    libraries = {
        "fastText by Python, 1-grams": ("fasttext", {"model": str(paths["unigrams.bin"])}),
        "fastText by Python, 1-2-grams": ("fasttext", {"model": str(paths["bigrams.bin"])}),
        "Keras, reference model": ("keras", {"model": str(paths["keras.keras"])}),
        "scikit-learn, TF-IDF and logistic regression": ("sklearn", {"model": str(paths["sklearn.pickle"])}),
        "onnxruntime and tokenizers, reference model": (
            "onnx",
            {"model": str(paths["model.onnx"]), "tokenizer": tokenizer},
        ),
    }
    runs = {"Attentive, configs/sst2.toml": paths["config"], "Attentive, reference model": paths["reference"]}

    singles = 200 if options.quick else 2000
    contenders = [
        Contender(name, Command([bench("predict"), str(run), str(prepared["many"]), str(singles)], threads))
        for name, run in runs.items()
    ]
    for name, (library, arguments) in libraries.items():
        command = worker(
            library, "predict", threads, input=str(prepared["many"]), output=None, singles=singles, **arguments
        )
        contenders.append(Contender(name, command, most=3 if library == "keras" else 1000))
    yield Case("loaded", {"texts": prepared["count"]}, contenders)

    fasttext = shutil.which("fasttext", path=f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for case, path, count in (("whole", prepared["many"], prepared["count"]), ("cold", prepared["one"], 1)):
        nothing = lambda printed, scratch: {}
        contenders = [
            Contender(
                name,
                Command(
                    [
                        program(),
                        "predict",
                        str(run),
                        "--quiet",
                        "--input",
                        str(path),
                        "--output",
                        "@SCRATCH@/labels.txt",
                    ],
                    threads,
                    read=nothing,
                ),
            )
            for name, run in runs.items()
        ]
        for name, model in (("fastText, 1-grams", "unigrams.bin"), ("fastText, 1-2-grams", "bigrams.bin")):
            if fasttext:
                contenders.append(
                    Contender(name, Command([fasttext, "predict", str(paths[model]), str(path)], threads, read=nothing))
                )
        for name, (library, arguments) in libraries.items():
            if library == "fasttext" and fasttext:
                continue
            command = worker(
                library, "predict", threads, input=str(path), output="@SCRATCH@/labels.txt", singles=0, **arguments
            )
            contenders.append(Contender(name, command, most=3 if library == "keras" else 1000))
        yield Case(case, {"texts": count}, contenders)


# The start.


def start_cases(options, prepared, kept):
    words = [program(), "train", "configs/quickstart.toml", "--verbose", "--set", "train.log_every=1"]
    words += ["--run-dir", "@SCRATCH@/run", "--backend", "flex"]
    values = dict(REFERENCE)
    contenders = [
        Contender("Attentive, configs/quickstart.toml", Command(words, options.threads, until=" step 1/")),
        Contender("Keras, reference model", worker("keras", "start", options.threads, spawned="@SPAWNED@", **values)),
        Contender(
            TORCH["fused"], worker("torch", "start", options.threads, spawned="@SPAWNED@", form="fused", **values)
        ),
    ]
    yield Case("first step", {}, contenders)


PARTS = (
    Part("steps", step_cases),
    Part("predict", prediction_cases, prepare_predictions),
    Part("start", start_cases),
    Part("scaling", curve_cases),
    Part("trainings", training_cases, prepare_trainings),
    Part("avx2", avx2_cases),
    Part("gpu", gpu_cases),
)
