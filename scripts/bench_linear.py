#!/usr/bin/env python3
"""The linear classifier beside scikit-learn with the same features, on public corpora.

    cargo build --release -p attentive-linear --example bench
    bench_linear.py DATA [--bench PATH] [--results FILE] [--only NAME ...] [--words] [--folds]

DATA is a folder with one sub-folder per corpus, unpacked. Every corpus becomes a train and a test part once; both programs get the
same files, one after the other, each in a process of its own. scikit-learn solves with liblinear, one label against the rest. Each
finished corpus is appended to FILE, so that an interrupted run continues; the table is printed from it at the end.
`--words` leaves the characters out. `--folds` never reads the test part: it cuts the train part in three and scores each third by
what the others teach.
Needs scikit-learn; it is a measuring tool and no part of the program.
"""

import argparse
import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

csv.field_size_limit(1 << 24)
LOGISTIC_C, SVM_C = 8.0, 0.2


# ---- corpora: name → (train, test, names of the labels), each example (text, [label, …])


def table(path, text, label, *, encoding="utf-8", header=False, split=None):
    with open(path, encoding=encoding, newline="") as f:
        rows = list(csv.reader(f)) if split is None else [line.rstrip("\r\n").split(split) for line in f]
    return [(row[text], [row[label]]) for row in rows[header:] if len(row) > max(text, label)]


def pairs(path, first, second, label, *, header=False, keep=lambda row: True):
    with open(path, encoding="utf-8-sig", newline="") as f:
        rows = [line.rstrip("\r\n").split("\t") for line in f][header:]
    return [(row[first] + "\n" + row[second], [row[label]]) for row in rows if keep(row)]


def folders(path, pattern):
    return [(f.read_text("utf-8"), [f.parent.name]) for f in sorted(path.glob(pattern))]


def parted(examples, part=0.2):
    """A test part of every label, always the same."""
    by_label = {}
    for example in examples:
        by_label.setdefault(example[1][0], []).append(example)
    train, test = [], []
    for label in sorted(by_label):
        of_label = by_label[label]
        random.Random(7).shuffle(of_label)
        cut = round(part * len(of_label))
        test += of_label[:cut]
        train += of_label[cut:]
    random.Random(8).shuffle(train)
    return train, test


def lines_beside(texts, labels, encoding):
    with open(texts, encoding=encoding) as t, open(labels, encoding=encoding) as l:
        return [(text.rstrip("\n"), [label.strip()]) for text, label in zip(t, l)]


def json_lines(path):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    return [(row["text"], row.get("labels", row.get("topics", row.get("label")))) for row in rows]


def trec(path, fine):
    with open(path, encoding="latin-1") as f:
        rows = [line.rstrip("\n").split(" ", 1) for line in f]
    return [(text, [label if fine else label.split(":")[0]]) for label, text in rows]


def goemotions(path):
    return [(text, labels[0].split(",")) for text, labels in table(path, 0, 1, split="\t")]


def read(name, data):
    folder = data / name.split("-")[0]
    if name == "ag_news":
        train = table(folder / "derived/train_29k.csv", 1, 0, header=True)
        return train, table(folder / "derived/test_7600.csv", 1, 0, header=True)
    if name == "airline_tweets":
        return parted(table(folder / "Tweets.csv", 10, 1, header=True))
    if name == "financial_phrasebank":
        return parted(table(folder / "all-data.csv", 1, 0, header=True, encoding="latin-1"))
    if name == "goemotions":
        return goemotions(folder / "train.tsv") + goemotions(folder / "dev.tsv"), goemotions(folder / "test.tsv")
    if name == "imdb":
        return folders(folder / "aclImdb/train", "*/*.txt"), folders(folder / "aclImdb/test", "*/*.txt")
    if name == "mr":
        both = [lines_beside(folder / f"pte_split/text_{s}.txt", folder / f"pte_split/label_{s}.txt", "cp1252")
                for s in ("train", "test")]
        return both[0], both[1]
    if name == "ohsumed":
        return folders(folder / "train", "*/*"), folders(folder / "test", "*/*")
    if name == "pairs-snli":
        train = pairs(folder / "snli/cat_train_18k.tsv", 2, 3, 0)
        return train, pairs(folder / "snli/cat_heldout_2k.tsv", 2, 3, 0)
    if name == "pairs-sick":
        part = lambda keep: pairs(folder / "sick/SICK.txt", 1, 2, 3, header=True, keep=lambda row: row[-1] in keep)
        return part(("TRAIN", "TRIAL")), part(("TEST",))
    if name == "pairs-mrpc":
        part = lambda split: pairs(folder / f"mrpc/msr_paraphrase_{split}.txt", 3, 4, 0, header=True)
        return part("train"), part("test")
    if name == "reuters21578":
        return json_lines(folder / "train.jsonl"), json_lines(folder / "test.jsonl")
    if name == "sms_spam":
        return parted(table(folder / "SMSSpamCollection", 1, 0, split="\t"))
    if name == "sst2":
        part = lambda split: table(folder / f"sentences_only/{split}.tsv", 0, 1, split="\t")
        return part("train") + part("dev"), part("test")
    if name == "sst2-glue":
        part = lambda split: table(folder / f"glue/{split}.tsv", 1, 0, split="\t", header=True)
        return part("train") + part("dev"), part("test")
    if name in ("trec", "trec-fine"):
        train, test = (trec(folder / f"sent-conv-raw/TREC.{split}", name != "trec") for split in ("train", "test"))
        return train, test
    if name == "zh_chnsenticorp":
        part = lambda split: table(folder / f"{split}.tsv", 1, 0, split="\t", header=True)
        return part("train") + part("dev"), part("test")
    sys.exit(f"no corpus `{name}`")


CORPORA = ["trec", "trec-fine", "mr", "sst2", "sms_spam", "financial_phrasebank", "airline_tweets", "pairs-mrpc", "pairs-sick",
           "pairs-snli", "zh_chnsenticorp", "ohsumed", "sst2-glue", "ag_news", "goemotions", "reuters21578", "imdb"]


def write(examples, ids, path):
    """Labels that only the test part has count as none."""
    with open(path, "w", encoding="utf-8") as f:
        for text, labels in examples:
            f.write(json.dumps({"text": text, "labels": [ids.get(label, len(ids)) for label in labels]}) + "\n")


# ---- the two programs


def settings(words_only):
    return {"characters": 0} if words_only else {}


def attentive(bench, folder, job):
    out = folder / "logits"
    done = subprocess.run([bench, folder / "train", folder / "test", out, json.dumps(job)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout), out


def load(path):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    return [row["text"] for row in rows], [row["labels"] for row in rows]


def scikit_learn(folder, job):
    """Runs in a process of its own (`--worker`)."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import FeatureUnion
    from sklearn.svm import LinearSVC

    train, train_labels = load(folder / "train")
    test, _ = load(folder / "test")
    chinese = sum("\u4e00" <= c <= "\u9fff" for text in train[:200] for c in text) > 200
    shared = dict(min_df=2, sublinear_tf=True)
    word = TfidfVectorizer(analyzer="char" if chinese else "word", ngram_range=(1, 2), **shared)
    parts = [("words", word)]
    if job["features"].get("characters", 5):
        analyzer, ngrams = ("char", (1, 3)) if chinese else ("char_wb", (2, 5))
        parts.append(("characters", TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, max_features=300_000, **shared)))
    start, cpu = time.perf_counter(), time.process_time()
    clock = lambda: time.process_time() - cpu
    union = FeatureUnion(parts)
    x = union.fit_transform(train).tocsr()
    fitted, fitted_cpu = time.perf_counter(), clock()
    z = union.transform(test).tocsr()
    result = {"features": x.shape[1], "features_seconds": fitted - start, "features_cpu": fitted_cpu, "test_rows_seconds": time.perf_counter() - fitted, "solved": []}
    several, n_labels = job["multi_label"], job["n_labels"]
    y = np.zeros((len(train), n_labels), dtype=int)
    for row, labels in zip(y, train_labels):
        row[labels] = 1
    logits = []
    for solver in job["solvers"]:
        start, before = time.perf_counter(), clock()
        if solver["loss"] == "logistic":
            model, loss = LogisticRegression(solver="liblinear", C=solver["c"], max_iter=1000), lambda m: np.logaddexp(0, -m)
        else:
            model, loss = LinearSVC(C=solver["c"]), lambda m: np.maximum(0, 1 - m) ** 2
        one_decides = n_labels == 2 and not several
        model = model if one_decides else OneVsRestClassifier(model)
        model.fit(x, y[:, 1] if one_decides else y)
        seconds, spent = time.perf_counter() - start, clock() - before
        models = [model] if one_decides else model.estimators_
        objective = 0.0
        of_test = np.zeros((len(test), n_labels))
        for label, m in enumerate(models):
            if not hasattr(m, "coef_"):  # a label of all examples, or of none
                of_test[:, label] = m.decision_function(z)
                continue
            w, b = m.coef_.ravel(), float(np.ravel(m.intercept_)[0])
            sign = 2 * y[:, 1 if one_decides else label] - 1
            objective += 0.5 * (w @ w + b * b) + solver["c"] * loss(sign * (x @ w + b)).sum()
            of_test[:, 1 if one_decides else label] = z @ w + b
        if one_decides:
            of_test[:, 0], of_test[:, 1] = -of_test[:, 1] / 2, of_test[:, 1] / 2
        logits.append(of_test.astype("<f4"))
        result["solved"].append({"seconds": seconds, "cpu": spent, "objective": float(objective)})
    np.stack(logits).tofile(folder / "logits")
    return result


# ---- scores


def scored(folder, path, job, labels):
    import numpy as np
    from sklearn.metrics import f1_score

    n_labels = job["n_labels"]
    logits = np.fromfile(path, "<f4").reshape(len(job["solvers"]), len(labels), n_labels)
    scores = []
    for of_solver in logits:
        if job["multi_label"]:
            truth = np.zeros((len(labels), n_labels + 1), dtype=int)
            for row, of_example in zip(truth, labels):
                row[of_example] = 1
            truth, found = truth[:, :n_labels], of_solver > 0
            scores.append({average: 100 * f1_score(truth, found, average=average, zero_division=0) for average in ("micro", "macro")})
        else:
            truth, found = np.array([of_example[0] for of_example in labels]), of_solver.argmax(1)
            scores.append({"accuracy": 100 * float((truth == found).mean()),
                           "macro": 100 * f1_score(truth, found, average="macro", labels=range(n_labels), zero_division=0)})
    return scores


def measure(name, train, test, args):
    labels = sorted({label for _, of in train for label in of})
    ids = {label: index for index, label in enumerate(labels)}
    multi_label = name in ("goemotions", "reuters21578")
    solvers = [{"loss": "logistic", "c": LOGISTIC_C}, {"loss": "squared_hinge", "c": SVM_C}]
    job = {"n_labels": len(labels), "multi_label": multi_label, "features": settings(args.words), "solvers": solvers}
    row = {"corpus": name, "words": args.words, "folds": args.folds, "train": len(train), "test": len(test), "labels": len(labels)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        write(train, ids, folder / "train")
        write(test, ids, folder / "test")
        truth = load(folder / "test")[1]
        row["attentive"], out = attentive(args.bench, folder, job)
        row["attentive"]["scores"] = scored(folder, out, job, truth)
        worker = [sys.executable, __file__, str(args.data), "--worker", str(folder), json.dumps(job)]
        row["scikit-learn"] = json.loads(subprocess.run(worker, stdout=subprocess.PIPE, check=True).stdout)
        row["scikit-learn"]["scores"] = scored(folder, folder / "logits", job, truth)
    return row


def show(rows):
    """CPU-seconds first, because the wall time depends on what else runs."""
    print("| corpus | train / test / labels | solver | score, ours | scikit-learn | macro F1, ours | scikit-learn "
          "| features, CPU-s (wall): ours | scikit-learn | solving, CPU-s (wall): ours | scikit-learn | objective |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        ours, theirs = row["attentive"], row["scikit-learn"]
        for index, solver in enumerate(("logistic", "SVM")):
            a, b = ours["scores"][index], theirs["scores"][index]
            score = "micro" if "micro" in a else "accuracy"
            x, y = ours["solved"][index], theirs["solved"][index]
            times = [f"{part['features_cpu']:.1f} ({part['features_seconds']:.1f})" for part in (ours, theirs)]
            times += [f"{part['cpu']:.1f} ({part['seconds']:.1f})" for part in (x, y)]
            sizes = f"{row['train']:,} / {row['test']:,} / {row['labels']}"
            print(f"| {row['corpus']} | {sizes} | {solver} | {a[score]:.1f} | {b[score]:.1f} | {a['macro']:.1f} | {b['macro']:.1f} "
                  f"| {' | '.join(times)} | {x['objective'] / y['objective'] - 1:+.0e} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--bench", default="target/release/examples/bench")
    parser.add_argument("--results", type=pathlib.Path, default="linear.jsonl")
    parser.add_argument("--only", nargs="*", default=CORPORA)
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--folds", action="store_true")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        folder, job = args.worker
        print(json.dumps(scikit_learn(pathlib.Path(folder), json.loads(job))))
        return
    rows = [json.loads(line) for line in open(args.results)] if args.results.exists() else []
    of_this = lambda row: (row["words"], row["folds"]) == (args.words, args.folds) and row["corpus"] in args.only
    done = {row["corpus"] for row in rows if of_this(row)}
    for name in args.only:
        if name in done:
            continue
        train, test = read(name, args.data)
        if args.folds:
            order = list(range(len(train)))
            random.Random(3).shuffle(order)
            train, test = [train[i] for i in order[len(train) // 3:]], [train[i] for i in order[:len(train) // 3]]
        row = measure(name, train, test, args)
        rows.append(row)
        with open(args.results, "a") as f:
            f.write(json.dumps(row) + "\n")
        print(name, "measured", file=sys.stderr)
    show([row for row in rows if of_this(row)])


if __name__ == "__main__":
    main()
