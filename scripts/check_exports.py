#!/usr/bin/env python3
"""Trains a small model of every kind on real texts, exports it, and compares what other programs compute with attentive.

    scripts/check_exports.py [FOLDER] [--attentive PATH] [--only WORD]

FOLDER holds one folder per corpus, as their PROVENANCE.txt describe them; without it the shipped dataset is used, and what
needs pairs, several labels or Chinese is left out. Each model is trained for an epoch on some hundred examples and exported as
a bundle, which `attentive verify` runs again; as safetensors, which the exported `model_torch.py` runs in PyTorch; and as
ONNX, which onnxruntime runs and the ONNX checker checks; one also in fewer bits, without unused words, and from its bundle; and, where Keras has the layers, as `.keras`, which `load_model` opens.
No probability of the examples, among them empty, very long, emoji and Chinese texts, may differ by more than 1e-5 from
attentive's own. Last, some epochs here and some more in Keras are compared with all of them here, weight by weight, and
scripts/check_import.py does the same the other way round.

The packages are installed from PyPI into a virtual environment in the cache directory when they are not there.
"""

import argparse
import csv
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PACKAGES = ["torch", "safetensors", "tokenizers", "onnx", "onnxruntime", "numpy", "keras"]
os.environ["KERAS_BACKEND"] = "torch"
ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 1e-5
EXAMPLES = 400

# Data sets: the file, its settings below `data`, and further sections.
DATA = {
    "quickstart": (ROOT / "datasets/quickstart/train.csv", ""),
    "two labels": ("sst2/glue/train.tsv", 'text = "sentence"'),
    "three labels": ("airline_tweets/Tweets.csv", 'label = "airline_sentiment"'),
    "several labels": ("goemotions/train.tsv", "header = false\ntext = 0\nlabel = 1\nmulti_label = true"),
    "pairs": ("pairs/sick/SICK.txt", 'text = ["sentence_A", "sentence_B"]\nlabel = "entailment_label"\nformat = "tsv"'),
    "Chinese": ("zh_chnsenticorp/train.tsv", 'text = "text_a"'),
}

# A data set, and what the config says of the model.
MODELS = [
    ("two labels", "attention.none = {}"),
    ("two labels", "attention.dot = {}"),
    ("two labels", "attention.dot = { use_scale = true }"),
    ("two labels", 'attention.dot = { use_scale = true, score_mode = "concat" }'),
    ("two labels", "attention.scaled_dot = {}"),
    ("two labels", 'attention.scaled_dot = { dim = 6 }\npositions = "rotary"\npooling = "max"'),
    ("two labels", "attention.additive = {}"),
    ("two labels", 'attention.additive = { dim = 6 }\npositions = "learned"\npooling = "attention"'),
    ("two labels", "attention.multi_head = { n_heads = 2 }"),
    ("two labels", 'attention.multi_head = { n_heads = 4 }\npositions = "rotary"\npooling = "first"'),
    ("two labels", "attention.transformer = { n_heads = 2, d_feed_forward = 12 }"),
    ("two labels", 'attention.transformer = { n_heads = 2, activation = "gelu", norm = "post" }\npositions = "sinusoidal"'),
    ("two labels", 'attention.transformer = { n_heads = 4, n_layers = 1 }\npositions = "rotary"\npooling = "attention"'),
    ("two labels", 'attention.dot = {}\nmasking = false\npadding = "max_length"'),
    ("two labels", 'attention.dot = {}\nmasking = false\npadding = "max_length"\npooling = "max"'),
    ("two labels", 'attention.multi_head = {}\nmasking = false\npadding = "max_length"\npooling = "attention"'),
    ("two labels", 'head = "softmax"\npooling = "max"'),
    ("two labels", 'truncate = "tail"\npositions = "learned"\nmax_length = 6'),
    ("two labels", 'truncate = "both"\npositions = "sinusoidal"\nmax_length = 7\n[features]\nword_ngrams = 2\nbuckets = 500'),
    ("two labels", 'max_length = 6\npositions = "learned"\nwindows = { stride = 4 }'),
    ("two labels", 'max_length = 6\nwindows = { stride = 5, pool = "max" }\n[features]\nword_ngrams = 3\nbuckets = 500'),
    ("two labels", "pooling = 'attention'\n[features]\nword_ngrams = 2\nbuckets = 999\ncharacter_ngrams = { min = 1, max = 4 }"),
    ("two labels", "[tokenizer.bpe]\nvocab_size = 500\n[features]\nword_ngrams = 2\nbuckets = 500"),
    ("two labels", "[tokenizer.wordpiece]\nvocab_size = 500"),
    ("two labels", "[tokenizer.unigram]\nvocab_size = 500"),
    ("two labels", "[tokenizer.word]\naccents = false\npunctuation = 'drop'\nvocab_size = 300"),
    ("three labels", "attention.dot = {}\npooling = 'attention'"),
    ("three labels", 'attention.transformer = { n_heads = 2 }\npositions = "learned"\npooling = "first"'),
    ("several labels", "attention.multi_head = { n_heads = 2 }\npooling = 'max'\n[train]\nthreshold = 'tuned'"),
    ("several labels", "[features]\nword_ngrams = 2\nbuckets = 500"),
    ("three labels", "attention.dot = { use_scale = true }"),
    ("several labels", "attention.dot = {}"),
    ("pairs", "attention.bidirectional = {}"),
    ("pairs", 'attention.bidirectional = { d_compare = 6 }\npositions = "learned"\npooling = "max"'),
    ("pairs", 'attention.bidirectional = {}\nmasking = false\npadding = "max_length"\npooling = "attention"'),
    ("pairs", 'attention.none = {}\npair = "compare"'),
    ("pairs", 'attention.multi_head = { n_heads = 2 }\npair = "compare"\npositions = "learned"\npooling = "max"'),
    ("pairs", 'attention.dot = {}\npair = "join"\nmasking = false\npadding = "max_length"'),
    ("pairs", 'attention.transformer = { n_heads = 2 }\npair = "join"\nmax_length = 6\npositions = "sinusoidal"'),
    ("Chinese", "attention.dot = {}\n[tokenizer.char]\n[features]\nword_ngrams = 2\nbuckets = 500"),
    ("two labels", "[features.linear]\n"),
    ("two labels", "head = 'softmax'\nattention.dot = {}\n[features.linear]\nwords = 3\ncharacters = 0"),
    ("two labels", "max_length = 6\nwindows = { stride = 4 }\n[features]\nword_ngrams = 2\nbuckets = 500\n[features.linear]\n"),
    ("two labels", "max_length = 6\nwindows = { stride = 5, pool = 'max' }\n[features.linear]\nmax_features = 500"),
    ("two labels", "[features.linear]\nalone = true"),
    ("two labels", "[features.linear]\nalone = true\nwords = 0\ncharacters = 3"),
    ("three labels", "[features.linear]\n"),
    ("three labels", "[features.linear]\nalone = true"),
    ("several labels", "[features.linear]\n"),
    ("several labels", "[features.linear]\nalone = true\n[train]\nthreshold = 'tuned'"),
    ("Chinese", "[features.linear]\n"),
    ("Chinese", "[features.linear]\nalone = true"),
]

# Models that some epochs train here and some in Keras.
GOING_ON = [
    "attention.dot = {}",
    'attention.dot = { use_scale = true, score_mode = "concat" }',
    'masking = false\npadding = "max_length"\nmax_length = 20',
]


def with_packages():
    """Comes back where the packages are there; else starts again in an environment that has them."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if not missing:
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attentive" / "python"
    python = cache / "bin" / "python"
    if Path(sys.prefix) == cache:
        sys.exit(f"these packages were installed and are not there: {', '.join(missing)}")
    if not python.exists():
        venv.create(cache, with_pip=True)
    installed = subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], capture_output=True, text=True)
    if installed.returncode != 0:
        print(f"skipped: {', '.join(missing)} could not be installed: {installed.stderr.strip().splitlines()[-1:]}")
        sys.exit(0)
    sys.exit(subprocess.run([python, __file__, *sys.argv[1:]]).returncode)


def first_rows(source, target, has_header):
    """A part of a file that is small enough to train on in a second, from all over it."""
    lines = [line for line in source.read_bytes().split(b"\n") if line.strip()]
    head, rows = (lines[:1], lines[1:]) if has_header else ([], lines)
    step = max(1, len(rows) // EXAMPLES)
    target.write_bytes(b"\n".join(head + rows[::step]) + b"\n")


class Checker:
    def __init__(self, attentive, folder, work):
        self.attentive, self.work, self.failed = attentive, work, []
        self.data = {}
        for name, (file, settings) in DATA.items():
            source = Path(file) if name == "quickstart" else folder and folder / file
            if source and source.exists():
                copy = work / (name.replace(" ", "_") + ("".join(source.suffixes) or ".tsv"))
                copy = copy.with_suffix(".tsv") if 'format = "tsv"' in settings else copy
                # Rows of this corpus have line ends inside: all of it is read.
                if source.suffix == ".csv" and name != "quickstart":
                    copy.write_bytes(source.read_bytes())
                else:
                    first_rows(source, copy, "header = false" not in settings)
                self.data[name] = (copy, settings)
        if "two labels" not in self.data:
            self.data["two labels"] = self.data["quickstart"]

    def run(self, *arguments):
        done = subprocess.run([self.attentive, *map(str, arguments)], capture_output=True, text=True, cwd=self.work)
        if done.returncode != 0:
            raise RuntimeError(f"attentive {arguments[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def train(self, number, data, model):
        file, settings = self.data[data]
        model, *sections = model.split("\n[", 1)
        model, sections = (model, "[" + sections[0]) if sections else (model, "")
        if model.startswith("["):
            model, sections = "", model + "\n" + sections
        defaults = "" if "max_length" in model.replace('"max_length"', "") else "max_length = 24\n"
        train = "" if "[train]" in sections else "[train]\n"
        config = (
            f'seed = {number}\nbackend = "flex"\n[data]\ntrain = "{file}"\nvalidation = {{ fraction = 0.1 }}\n{settings}\n'
            f"[model]\nembedding = {{ dim = 8, bound = 1.0 }}\n{defaults}{model}\n{sections}\n{train}epochs = 1\n"
            "optimizer.adam = { learning_rate = 3e-2 }\n"
        )
        (self.work / f"{number}.toml").write_text(config)
        self.run("train", f"{number}.toml", "--run-dir", f"run-{number}", "--quiet")
        return self.work / f"run-{number}"

    def check(self, number, data, model):
        run = self.train(number, data, model)
        for name in ("bundle", "safetensors", "onnx"):
            self.run("export", run, "--format", name, "--output", f"{name}-{number}")
        verified = self.run("verify", f"bundle-{number}")
        assert "everything is as it should be" in verified, verified
        directory = self.work / f"safetensors-{number}"
        assert (directory / "examples.jsonl").read_bytes() == (self.work / f"bundle-{number}/examples.jsonl").read_bytes()
        found = {"torch": in_torch(directory), "onnx": in_onnx(directory, self.work / f"onnx-{number}")}
        if self.has_keras_layers(run, f"{number}.keras"):
            found["keras"] = in_keras(directory, self.work / f"{number}.keras")
        return found

    def has_keras_layers(self, run, output):
        """Exports a model for Keras if it can be."""
        command = [self.attentive, "export", run, "--format", "keras", "--output", output]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.work)
        assert done.returncode == 0 or "the format keras has nothing for" in done.stderr, done.stderr
        return done.returncode == 0

    def check_going_on(self, model, epochs=8):
        """By how much a weight differs between all epochs here, and half of them here and half in Keras. A batch holds all
        examples, so that their order is the same."""
        import keras
        import numpy
        from safetensors.numpy import load_file

        file, settings = self.data["two labels"]
        rows = file.read_bytes().split(b"\n")[:65]
        (self.work / f"few{file.suffix}").write_bytes(b"\n".join(rows) + b"\n")
        for name, n in (("all", epochs), ("half", epochs // 2)):
            config = (
                f'backend = "flex"\n[data]\ntrain = "few{file.suffix}"\n{settings}\n[model]\nembedding = {{ dim = 8 }}\n{model}\n'
                f"[train]\nepochs = {n}\nbatch_size = 1000\noptimizer.adam = {{ learning_rate = 1e-2 }}\n"
            )
            (self.work / f"{name}.toml").write_text(config)
            self.run("train", f"{name}.toml", "--run-dir", f"run-{name}", "--overwrite", "--quiet")
            self.run("export", f"run-{name}", "--format", "safetensors", "--output", f"torch-{name}")
        self.run("export", "run-half", "--format", "keras", "--output", "half.keras")
        classifier = module_of(self.work / "torch-half").Classifier.load(self.work / "torch-half")
        delimiter = "\t" if file.suffix == ".tsv" else ","
        table = list(csv.DictReader(open(self.work / f"few{file.suffix}", encoding="utf-8"), delimiter=delimiter,
                                    quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL))  # fmt: skip
        column = "sentence" if "sentence" in table[0] else "text"
        ids, _ = classifier.pad([classifier.ids(row[column]) for row in table])
        labels = list(classifier.config["id2label"].values())
        targets = numpy.array([labels.index(row["label"]) for row in table])
        half = keras.models.load_model(self.work / "half.keras")
        assert int(half.optimizer.iterations) == epochs // 2
        half.fit(ids.numpy().astype("int32"), targets, epochs=epochs - epochs // 2, batch_size=1000, shuffle=False, verbose=0)
        expected = load_file(self.work / "torch-all" / "model.safetensors")
        names = ["embedding.weight", "attention.scale", "attention.concat_weight", "head.weight", "head.bias"]
        expected = [expected[name] for name in names if name in expected]
        found = [keras.ops.convert_to_numpy(weight) for weight in half.weights]
        assert len(found) == len(expected)
        for name in ("run-all", "run-half", "torch-all", "torch-half"):
            shutil.rmtree(self.work / name)
        (self.work / "half.keras").unlink()
        return max(float(abs(f.reshape(e.shape) - e).max()) for f, e in zip(found, expected))

    def check_smaller(self, run):
        """The same in fewer bits and without unused words, from the run and from its bundle; the bundles run again."""
        found = {}
        small = {dtype: ["--dtype", dtype] for dtype in ("f16", "bf16", "int8")}
        small["pruned int8"] = ["--dtype", "int8", "--prune-vocabulary"]
        for name, options in small.items():
            bundle, torch, again = (f"{run.name}-{what}-{name}".replace(" ", "-") for what in ("bundle", "torch", "again"))
            self.run("export", run, "--format", "bundle", *options, "--output", bundle)
            verified = self.run("verify", bundle)
            assert "everything is as it should be" in verified, verified
            self.run("export", run, "--format", "safetensors", *options, "--output", torch)
            self.run("export", bundle, "--format", "safetensors", "--output", again)
            self.run("export", bundle, "--format", "onnx", "--output", f"{again}.onnx")
            found[name] = in_torch(self.work / torch)
            found["again"] = max(found.get("again", 0.0), in_torch(self.work / again))
            found["again"] = max(found["again"], in_onnx(self.work / again, self.work / f"{again}.onnx"))
        return found


def module_of(directory):
    sys.path[:] = [str(directory), *(path for path in sys.path if path != str(directory))]  # what it imports is beside it
    spec = importlib.util.spec_from_file_location("model_torch", directory / "model_torch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_torch(directory):
    """By how much a probability differs that PyTorch computes."""
    n, difference = module_of(directory).largest_difference(directory)
    assert n >= 64, n
    return difference


def in_onnx(directory, file):
    """By how much a probability differs that onnxruntime computes; the texts are encoded by the PyTorch module."""
    import numpy
    import onnx
    import onnxruntime
    import torch

    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    metadata = {key: json.loads(value) for key, value in session.get_modelmeta().custom_metadata_map.items()}
    classifier = module_of(directory).Classifier.load(directory)
    assert metadata["labels"] == list(classifier.config["id2label"].values())
    assert metadata["thresholds"] == classifier.config["thresholds"]
    if classifier.linear is not None:
        classifier.linear_ngrams = type(classifier.linear_ngrams)(metadata["ngrams.json"], metadata["characters.json"])
    given = ["ids", "mask", "second_ids", "second_mask", "ngrams", "ngram_mask"]

    def forward(*tensors, **of_linear):
        tensors = {**dict(zip(given, tensors)), **of_linear}
        inputs = {name: tensors[name].numpy() for name in names}
        inputs = {name: x if name == "linear_values" else x.astype(numpy.int64) for name, x in inputs.items()}
        logits, probabilities = session.run(["logits", "probabilities"], inputs)
        own = classifier.probabilities(torch.from_numpy(logits)).numpy()
        assert abs(own - probabilities).max() < 1e-6
        return torch.from_numpy(logits)

    classifier.forward = forward
    examples = [json.loads(line) for line in open(directory / "examples.jsonl", encoding="utf-8", newline="\n")]
    seconds = [example["second"] for example in examples] if classifier.config["text_pair"] else None
    found = classifier.predict([example["text"] for example in examples], seconds, batch_size=7)
    wrong = [i for i, (e, f) in enumerate(zip(examples, found)) if e["labels"] != as_list(f["label"])]
    assert not wrong, f"{len(wrong)} examples are decided otherwise"
    pairs = zip(examples, found)
    return max(abs(a - b) for e, f in pairs for a, b in zip(e["probabilities"], f["probabilities"].values()))


def in_keras(directory, file):
    """By how much a probability differs that Keras computes. A text without tokens is NaN there if padding is masked."""
    import keras
    import numpy

    model = keras.models.load_model(file)
    classifier = module_of(directory).Classifier.load(directory)
    masking, n_labels = classifier.config["model"]["masking"], len(classifier.config["id2label"])
    worst = 0.0
    for line in open(directory / "examples.jsonl", encoding="utf-8", newline="\n"):
        example = json.loads(line)
        ids = classifier.ids(example["text"])
        if not ids and masking:
            continue
        padded, _ = classifier.pad([ids + [0] * (3 if masking else 0)])
        row = keras.ops.convert_to_numpy(model(padded.numpy().astype(numpy.int32)))[0]
        row = [1 - row[0], row[0]] if classifier.config["head"] == "sigmoid" else row
        assert len(row) == n_labels
        worst = max(worst, max(abs(float(a) - b) for a, b in zip(row, example["probabilities"])))
    return worst


def as_list(label):
    return label if isinstance(label, list) else [label]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--attentive", default="attentive")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    with_packages()
    with tempfile.TemporaryDirectory(prefix="attentive-exports-") as work:
        checker = Checker(arguments.attentive, arguments.folder and arguments.folder.resolve(), Path(work))
        n, worst = 0, {}
        for number, (data, model) in enumerate(MODELS):
            title = f"{data}: " + model.replace("\n", "; ")
            if arguments.only not in title:
                continue
            if data not in checker.data:
                print(f"left out  {title}")
                continue
            try:
                found = checker.check(number, data, model)
                if n == 0:
                    found.update(checker.check_smaller(Path(work) / f"run-{number}"))
            except Exception as error:  # noqa: BLE001  (all failures are told at the end)
                checker.failed.append(f"{title}: {type(error).__name__}: {error}")
                print(f"FAILED    {title}")
                continue
            n += 1
            told = ", ".join(f"{name} {difference:.1e}" for name, difference in found.items())
            good = all(difference <= TOLERANCE for difference in found.values())
            print(f"{'ok' if good else 'DIFFERS':9} {title}: {told}", flush=True)
            if not good:
                checker.failed.append(f"{title}: {told}")
            for name, difference in found.items():
                worst[name] = max(worst.get(name, 0.0), difference)
        for model in GOING_ON:
            title = f"epochs here and in Keras: {model}".replace("\n", "; ")
            if arguments.only in title:
                difference = checker.check_going_on(model)
                print(f"{'ok' if difference <= TOLERANCE else 'DIFFERS':9} {title}: weights {difference:.1e}")
                checker.failed += [title] if difference > TOLERANCE else []
        imported = [sys.executable, ROOT / "scripts/check_import.py", "--attentive", checker.attentive, "--only", arguments.only]
        imported += [arguments.folder] if arguments.folder else []
        checker.failed += ["imports"] if subprocess.run(imported).returncode != 0 else []
        print(f"\n{n} models; largest differences: " + ", ".join(f"{name} {value:.1e}" for name, value in worst.items()))
        for failure in checker.failed:
            print(f"failed: {failure}")
        sys.exit(1 if checker.failed else 0)


if __name__ == "__main__":
    main()
