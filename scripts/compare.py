#!/usr/bin/env python3
"""`attentive quick` beside simple peers on public corpora, each trained and scored on the same files.

    compare.py DATA --attentive PATH [--fasttext PATH] [--results DIR] [--only NAME ...] [--who NAME ...] [--seeds 1,2,3]
    compare.py DATA --results DIR --table
    compare.py DATA --results DIR --curves

DATA is a folder with one sub-folder per corpus, unpacked (the corpora are those of scripts/bench_linear.py). Every training is a
process of its own, whose CPU-seconds and largest memory are measured. What is measured, and the predictions, go to files in
DIR, so that an interrupted round continues; `--table` writes the table of docs/results.md from them. A corpus with a number behind
it, as `mr@64`, is trained on so many examples of each label; `--curves` draws those to docs/learning-curves.svg. Needs scikit-learn, for one
peer spaCy, and fastText's command for two; it is a measuring tool and no part of the program.

The peers:
  lr           words and pairs of words, min_df 2, sublinear TF, logistic regression with C = 8 (Chinese: characters and pairs)
  lr-chars     the same with character n-grams of 2 to 5 inside words (Chinese: 1 to 3), at most 300,000
  svm-chars    those features with LinearSVC, C = 0.2
  nbsvm        words and pairs, binary, weighted by naive-Bayes ratios, LinearSVC with C = 1, mixed with a quarter of the mean weight
               (Wang & Manning 2012)
  fasttext     word pairs, 25 epochs, rate 0.5, dimension 100
  autotune     fastText's autotune for two minutes on a tenth of the training examples
  spacy        spaCy's bag-of-words text classifier (TextCatBOW), the best of ten epochs on a tenth held out
With several labels a text, the peers' one threshold is the best on a tenth held out.
"""

import argparse
import json
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import bench_linear

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "results.md"
BEGIN, END = "<!-- compare: begin, written by scripts/compare.py -->", "<!-- compare: end -->"
PEERS = ["lr", "lr-chars", "svm-chars", "nbsvm", "fasttext", "autotune", "spacy"]
CORPORA = [name for name in bench_linear.CORPORA if name != "sst2-glue"]
SEVERAL = ("goemotions", "reuters21578")


def measured(command, **options):
    """CPU-seconds and the most memory, in megabytes, of a process that succeeds."""
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command} failed:\n{error.decode()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


# ---- the program


def attentive(args, name, train, test, seed, folder):
    several, pair = name in SEVERAL, name.startswith("pairs-")
    for part, examples in (("train", train), ("test", test)):
        with open(folder / f"{part}.jsonl", "w") as f:
            for text, labels in examples:
                texts = dict(zip(("first", "second"), text.split("\n", 1))) if pair else {"text": text}
                f.write(json.dumps(texts | {"label": labels if several else labels[0]}) + "\n")
    columns = ["--text", "first,second", "--label", "label"] if pair else []
    quick = [args.attentive, "quick", "train.jsonl", "--test", "test.jsonl", "--name", "run", "--quiet", *columns,
             "--set", f"seed={seed}", "--set", "train.baseline=false"]
    cpu, memory = measured(quick, cwd=folder)
    predict = [args.attentive, "predict", "runs/run", "--input", "test.jsonl", "--output", "said.jsonl", "--quiet"]
    measured(predict, cwd=folder)
    rows = [json.loads(line) for line in open(folder / "said.jsonl")]
    said = [row["predicted_labels"] if several else [row["predicted_label"]] for row in rows]
    return said, cpu, memory


# ---- the peers, each in a process of its own


def fasttext(args, name, train, test, seed, folder, autotune):
    def line(text, labels):
        words = re.sub(r"([.,!?()'\"/;:])", r" \1 ", text.lower()).split()
        if is_chinese(text):
            words = list("".join(words))
        return " ".join([f"__label__{label.replace(' ', '_')}" for label in labels] + words) + "\n"

    rows = [line(*example) for example in train]
    random.Random(seed).shuffle(rows)
    cut = len(rows) // 10 if autotune else 0
    (folder / "train").write_text("".join(rows[cut:]))
    (folder / "held").write_text("".join(rows[:cut]))
    (folder / "test").write_text("".join(line(text, []) for text, _ in test))
    several = ["-loss", "ova"] if name in SEVERAL else []
    command = [args.fasttext, "supervised", "-input", "train", "-output", "model", "-thread", "2", "-seed", str(seed)]
    if autotune:
        command += ["-autotune-validation", "held", "-autotune-duration", "120"]
    else:
        command += ["-wordNgrams", "2", "-epoch", "25", "-lr", "0.5", "-dim", "100", *several]
    cpu, memory = measured(command, cwd=folder)
    many = ["-1", "0.3"] if name in SEVERAL else ["1"]
    out = subprocess.run([args.fasttext, "predict", "model.bin", "test", *many], cwd=folder, stdout=subprocess.PIPE, check=True)
    names = {label.replace(" ", "_"): label for _, labels in train for label in labels}
    lines = out.stdout.decode().split("\n")[: len(test)]
    return [[names[label.removeprefix("__label__")] for label in line.split() if label.startswith("__label__")] for line in lines], cpu, memory


def is_chinese(text):
    return 4 * sum("\u4e00" <= c <= "\u9fff" for c in text) > len(text)


def peer(args, name, train, test, seed, folder, who):
    with open(folder / "job.json", "w") as f:
        json.dump({"train": train, "test": test, "several": name in SEVERAL, "seed": seed, "who": who}, f)
    cpu, memory = measured([sys.executable, __file__, args.data, "--worker", folder])
    return json.load(open(folder / "said.json")), cpu, memory


def worker(folder):
    job = json.load(open(folder / "job.json"))
    train, test = job["train"], [text for text, _ in job["test"]]
    said = spacy_says(job, train, test) if job["who"] == "spacy" else linear_says(job, train, test)
    json.dump(said, open(folder / "said.json", "w"))


def linear_says(job, train, test):
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_union
    from sklearn.svm import LinearSVC

    chinese = sum(is_chinese(text) for text, _ in train[:200]) > 100
    names = sorted({label for _, labels in train for label in labels})
    who = job["who"]

    def features():
        shared = dict(min_df=2, sublinear_tf=True) if who != "nbsvm" else dict(min_df=2, binary=True, use_idf=False, norm=None)
        parts = [TfidfVectorizer(analyzer="char" if chinese else "word", ngram_range=(1, 2), **shared)]
        if who.endswith("chars"):
            analyzer, ngrams = ("char", (1, 3)) if chinese else ("char_wb", (2, 5))
            parts.append(TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, max_features=300_000, **shared))
        return make_union(*parts)

    def decide(x, y, z):
        """The decision of one label against the rest."""
        if y.all() or not y.any():
            return np.full(z.shape[0], 1.0 if y.all() else -1.0)
        if who == "nbsvm":
            p, q = (np.asarray(x[y == side].sum(0)).ravel() + 1 for side in (1, 0))
            ratio = np.log((p / p.sum()) / (q / q.sum()))
            model = LinearSVC(C=1).fit(x.multiply(ratio).tocsr(), y)
            w = model.coef_.ravel()
            w = 0.75 * np.abs(w).mean() + 0.25 * w
            return z.multiply(ratio).tocsr() @ w + model.intercept_[0]
        model = LinearSVC(C=0.2) if who.startswith("svm") else LogisticRegression(solver="liblinear", C=8, max_iter=1000)
        return model.fit(x, y).decision_function(z)

    def decisions(train, test):
        union = features()
        x, z = union.fit_transform([text for text, _ in train]).tocsr(), None
        z = union.transform(test).tocsr()
        y = np.array([[name in labels for name in names] for _, labels in train], dtype=int)
        if len(names) == 2 and not job["several"]:
            second = decide(x, y[:, 1], z)
            return np.stack([-second, second], 1)
        return np.stack([decide(x, y[:, k], z) for k in range(len(names))], 1)

    found = decisions(train, test)
    if not job["several"]:
        return [[names[k]] for k in found.argmax(1)]
    order = list(range(len(train)))
    random.Random(job["seed"]).shuffle(order)
    cut = len(train) // 10
    held, rest = [train[i] for i in order[:cut]], [train[i] for i in order[cut:]]
    of_held = decisions(rest, [text for text, _ in held])
    truth = np.array([[name in labels for name in names] for _, labels in held])
    micro = lambda at: 2 * ((of_held > at) & truth).sum() / max(1, (of_held > at).sum() + truth.sum())
    best = max(np.quantile(of_held, np.linspace(0.5, 1, 400)), key=micro)
    return [[names[k] for k in np.flatnonzero(row > best)] for row in found]


def spacy_says(job, train, test):
    import spacy
    from spacy.training import Example
    from spacy.util import minibatch

    spacy.util.fix_random_seed(job["seed"])
    chinese = sum(is_chinese(text) for text, _ in train[:200]) > 100
    nlp = spacy.blank("zh" if chinese else "en")
    names = sorted({label for _, labels in train for label in labels})
    pipe = nlp.add_pipe("textcat_multilabel" if job["several"] else "textcat")
    for name in names:
        pipe.add_label(name)
    examples = [Example.from_dict(nlp.make_doc(text), {"cats": {name: float(name in labels) for name in names}}) for text, labels in train]
    random.Random(job["seed"]).shuffle(examples)
    held, rest = examples[: len(examples) // 10], examples[len(examples) // 10:]
    optimizer = nlp.initialize(lambda: rest[:100])
    key = "cats_micro_f"
    best, weights = -1.0, None
    for _ in range(10):
        random.shuffle(rest)
        for batch in minibatch(rest, size=64):
            nlp.update(batch, sgd=optimizer, drop=0.2)
        score = nlp.evaluate(held)[key]
        if score > best:
            best, weights = score, nlp.to_bytes()
    nlp.from_bytes(weights)
    says = []
    for doc in nlp.pipe(test):
        says.append([name for name, p in doc.cats.items() if p > 0.5] if job["several"] else [max(doc.cats, key=doc.cats.get)])
    return says


# ---- scores


def scores(said, truth, several):
    """Accuracy, or micro F1 with several labels, and macro F1 over the labels that training knows or the test part has; in percent."""
    names = sorted({label for labels in truth + said for label in labels})
    hit, told, there = ({name: 0 for name in names} for _ in range(3))
    for ours, theirs in zip(said, truth):
        for label in ours:
            told[label] += 1
            hit[label] += label in theirs
        for label in theirs:
            there[label] += 1
    f1 = lambda h, t, n: 2 * h / (t + n) if t + n else 0.0
    macro = sum(f1(hit[name], told[name], there[name]) for name in names) / len(names)
    if several:
        main = f1(sum(hit.values()), sum(told.values()), sum(there.values()))
    else:
        main = sum(ours == theirs for ours, theirs in zip(said, truth)) / len(truth)
    return 100 * main, 100 * macro


def difference(ours, theirs, truth, several):
    """How far ours is ahead, in points, and the standard error of that, over the same texts."""
    if several:
        rng = random.Random(0)
        rows = list(range(len(truth)))
        deltas = []
        for _ in range(200):
            some = [rng.choice(rows) for _ in rows]
            pick = lambda lists: [lists[i] for i in some]
            deltas.append(scores(pick(ours), pick(truth), True)[0] - scores(pick(theirs), pick(truth), True)[0])
        mean = sum(deltas) / len(deltas)
        ahead = scores(ours, truth, True)[0] - scores(theirs, truth, True)[0]
        return ahead, math.sqrt(sum((d - mean) ** 2 for d in deltas) / (len(deltas) - 1))
    better = sum(a == t != b for a, b, t in zip(ours, theirs, truth))
    worse = sum(b == t != a for a, b, t in zip(ours, theirs, truth))
    n = len(truth)
    return 100 * (better - worse) / n, 100 * math.sqrt(max(better + worse - (better - worse) ** 2 / n, 0)) / n


# ---- rounds and the table


def kept(results, name, who, seed):
    return results / f"{name}.{who}.{seed}.json"


def read(name, data):
    """The train and the test part; of the train part so many examples of each label as stand behind an `@`."""
    corpus, _, most = name.partition("@")
    train, test = bench_linear.read(corpus, data)
    if most:
        random.Random(11).shuffle(train)
        seen = {}
        for example in train:
            seen.setdefault(example[1][0], []).append(example)
        train = [example for of_label in seen.values() for example in of_label[: int(most)]]
        random.Random(12).shuffle(train)
    return train, test


def run(args):
    for name in args.only:
        parts = None
        for who in args.who:
            for seed in args.seeds if who == "attentive" else args.seeds[:1]:
                path = kept(args.results, name, who, seed)
                if path.exists():
                    continue
                train, test = parts = parts or read(name, args.data)
                with tempfile.TemporaryDirectory() as temporary:
                    folder = pathlib.Path(temporary)
                    start = time.perf_counter()
                    if who == "attentive":
                        said, cpu, memory = attentive(args, name, train, test, seed, folder)
                    elif who in ("fasttext", "autotune"):
                        said, cpu, memory = fasttext(args, name, train, test, seed, folder, who == "autotune")
                    else:
                        said, cpu, memory = peer(args, name, train, test, seed, folder, who)
                truth = [labels for _, labels in test]
                main, macro = scores(said, truth, name in SEVERAL)
                row = {"cpu": cpu, "memory": memory, "seconds": time.perf_counter() - start, "score": main, "macro": macro,
                       "train": len(train), "said": said, "truth": truth}
                path.write_text(json.dumps(row))
                print(f"{name:22} {who:10} {seed}  {main:5.1f}  macro {macro:5.1f}  {cpu:6.1f} CPU-s  {memory:6.0f} MB", flush=True)


def table(args):
    lines = ["| corpus | train | " + " | ".join(["attentive quick", *PEERS]) + " | ahead of the best peer by |", "|---" * (len(PEERS) + 4) + "|"]
    ahead_of_all, within, counted = 0, 0, 0
    for name in args.only:
        ours = [json.loads(path.read_text()) for seed in args.seeds if (path := kept(args.results, name, "attentive", seed)).exists()]
        theirs = {who: json.loads(path.read_text()) for who in PEERS if (path := kept(args.results, name, who, args.seeds[0])).exists()}
        if not ours or not theirs:
            continue
        mean = lambda key: sum(row[key] for row in ours) / len(ours)
        spread = f" ± {(sum((row['score'] - mean('score')) ** 2 for row in ours) / (len(ours) - 1)) ** 0.5:.1f}" if len(ours) > 1 else ""
        cell = lambda row: f"{row['score']:.1f} ({row['macro']:.1f}), {row['cpu']:.0f} s, {row['memory']:.0f} MB"
        own = f"**{mean('score'):.1f}**{spread} ({mean('macro'):.1f}), {mean('cpu'):.0f} s, {mean('memory'):.0f} MB"
        best = max(theirs, key=lambda who: theirs[who]["score"])
        lead, error = difference(ours[0]["said"], theirs[best]["said"], ours[0]["truth"], name in SEVERAL)
        counted += 1
        ahead_of_all += lead > 0
        within += lead >= -error
        cells = [cell(theirs[who]) if who in theirs else "" for who in PEERS]
        lines.append(f"| {name} | {ours[0]['train']:,} | {own} | {' | '.join(cells)} | {lead:+.1f} ± {error:.1f} ({best}) |")
    lines += ["", f"Ahead of the best peer on {ahead_of_all} of {counted}, within one standard error of it or ahead on {within}."]
    text = "\n".join(lines)
    print(text)
    page = PAGE.read_text()
    if BEGIN in page:
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def curves(args):
    """A panel for each corpus: accuracy on test against examples of each label, ours and the baseline's."""
    size, corpora = (220, 170), sorted({path.name.split("@")[0] for path in args.results.glob("*@*")})
    parts = []
    for panel, corpus in enumerate(corpora):
        points = {who: [] for who in ("attentive", "lr")}
        for most in (64, 256, 1024):
            for who in points:
                found = [json.loads(path.read_text())["score"] for path in args.results.glob(f"{corpus}@{most}.{who}.*.json")]
                if found:
                    points[who].append((most, sum(found) / len(found)))
        scores = [score for found in points.values() for _, score in found]
        low, high = min(scores) - 2, max(scores) + 2
        x = lambda most: panel * size[0] + 40 + (math.log2(most) - 6) / 4 * (size[0] - 70)
        y = lambda score: 30 + (high - score) / (high - low) * (size[1] - 70)
        parts.append(f'<text x="{panel * size[0] + 40}" y="18" font-weight="bold">{corpus}</text>')
        for most in (64, 256, 1024):
            parts.append(f'<text x="{x(most):.0f}" y="{size[1] - 18}" text-anchor="middle">{most}</text>')
        for score in (min(scores), max(scores)):
            parts.append(f'<text x="{x(64) - 6:.0f}" y="{y(score) + 4:.0f}" text-anchor="end">{score:.0f}</text>')
        for who, colour in (("lr", "#888"), ("attentive", "#c33")):
            line = " ".join(f"{x(most):.1f},{y(score):.1f}" for most, score in points[who])
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            parts += [f'<circle cx="{x(most):.1f}" cy="{y(score):.1f}" r="3" fill="{colour}"/>' for most, score in points[who]]
            print(corpus, who, " ".join(f"{most}: {score:.1f}" for most, score in points[who]))
    key = '<text x="40" y="168" fill="#c33">attentive quick</text><text x="140" y="168" fill="#888">the baseline (lr)</text>'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0] * len(corpora)} {size[1] + 4}" font-family="sans-serif" font-size="11">'
    (ROOT / "docs" / "learning-curves.svg").write_text(text + "".join(parts) + key + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--attentive", default="target/release/attentive", type=pathlib.Path)
    parser.add_argument("--fasttext", default="fasttext")
    parser.add_argument("--results", type=pathlib.Path, default=pathlib.Path("compare"))
    parser.add_argument("--only", nargs="*", default=CORPORA)
    parser.add_argument("--who", nargs="*", default=["attentive", *PEERS])
    parser.add_argument("--seeds", default="1,2,3", type=lambda text: [int(seed) for seed in text.split(",")])
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--curves", action="store_true")
    parser.add_argument("--worker", type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return worker(args.worker)
    args.attentive = args.attentive.resolve()
    args.results.mkdir(parents=True, exist_ok=True)
    return table(args) if args.table else curves(args) if args.curves else run(args)


if __name__ == "__main__":
    main()
