#!/usr/bin/env python3
"""Bag-of-words baseline: TF-IDF logistic regression, with words and with words plus pairs of words.

    bag_of_words.py TRAIN TEST [--text COL --label COL] [--no-header] [--leaks] [--tags FILE]

TRAIN and TEST are CSV (`.csv`), unquoted TSV (`.tsv`, `.txt`) or folders with one sub-folder per label.
COL is a column name or a number counted from 0. Prints accuracy and macro F1 for each feature set.
`--leaks` adds models that see only the length, only the first three words, and only the last three words.
`--tags FILE` names one tag per test example, one a line: accuracy is then also printed per tag.
Needs scikit-learn; it is a measuring tool and no part of the program.
"""

import argparse
import csv
import pathlib
import sys

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline

# Reviews and news can be far longer than the reader's default limit for one field.
csv.field_size_limit(1 << 24)

# One-letter words count too: the default pattern drops "a", "i" and the "t" of "don't".
WORD = r"(?u)\b\w+\b"


def read(path, text, label, header, encoding):
    """The texts and labels of a CSV file, an unquoted TSV file or a folder of labelled folders."""
    path = pathlib.Path(path)
    if path.is_dir():
        # Folders beside the labelled ones (`unsup` in IMDB) are not labels.
        files = [f for f in sorted(path.glob("*/*.txt")) if f.parent.name != "unsup"]
        return [f.read_text(encoding) for f in files], [f.parent.name for f in files]
    with open(path, encoding=encoding, newline="") as f:
        if path.suffix == ".csv":
            rows = list(csv.reader(f))
        else:
            rows = [line.rstrip("\r\n").split("\t") for line in f]
    names = rows.pop(0) if header else []

    def column(which):
        if which in names:
            return names.index(which)
        if which.isdigit():
            return int(which)
        sys.exit(f"{path}: no column `{which}`; columns: {names}")

    text, label = column(text), column(label)
    return [row[text] for row in rows], [row[label] for row in rows]


def logistic():
    return LogisticRegression(max_iter=1000, C=4.0)


def words(ngrams):
    features = TfidfVectorizer(lowercase=True, ngram_range=(1, ngrams), sublinear_tf=True, token_pattern=WORD)
    return make_pipeline(features, logistic())


def score(name, model, train, test):
    model.fit(*train)
    predicted = model.predict(test[0])
    accuracy = accuracy_score(test[1], predicted)
    macro = f1_score(test[1], predicted, average="macro")
    print(f"{name:<22} accuracy {100 * accuracy:5.1f} %   macro F1 {100 * macro:5.1f} %")
    return predicted


def lengths(texts):
    """Words and characters, in bins, so that the model need not assume a straight line."""
    sizes = np.array([[len(t.split()), len(t) // 6] for t in texts])
    return np.eye(64)[np.minimum(sizes[:, 0], 63)] + np.eye(64)[np.minimum(sizes[:, 1], 63)][:, ::-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--text", default="text")
    parser.add_argument("--label", default="label")
    parser.add_argument("--encoding", default="utf-8")
    parser.add_argument("--no-header", action="store_true")
    parser.add_argument("--leaks", action="store_true")
    parser.add_argument("--tags")
    args = parser.parse_args()

    sides = [read(p, args.text, args.label, not args.no_header, args.encoding) for p in (args.train, args.test)]
    train, test = sides
    print(f"{len(train[0])} train, {len(test[0])} test, {len(set(train[1]))} labels")
    by_words = score("words", words(1), train, test)
    by_pairs = score("words and pairs", words(2), train, test)

    if args.leaks:
        sized = [(lengths(texts), labels) for texts, labels in sides]
        score("length only", logistic(), *sized)
        for name, cut in (("first three words", slice(3)), ("last three words", slice(-3, None))):
            ends = [([" ".join(t.split()[cut]) for t in texts], labels) for texts, labels in sides]
            score(name, words(2), *ends)

    if args.tags:
        tags = pathlib.Path(args.tags).read_text("utf-8").split()
        if len(tags) != len(test[1]):
            sys.exit(f"{args.tags}: {len(tags)} tags for {len(test[1])} test examples")
        right = np.array([[a == y, b == y] for a, b, y in zip(by_words, by_pairs, test[1])])
        for tag in sorted(set(tags)):
            here = right[np.array(tags) == tag]
            print(f"  {tag:<14} n {len(here):4}   words {100 * here[:, 0].mean():5.1f} %   pairs {100 * here[:, 1].mean():5.1f} %")


if __name__ == "__main__":
    main()
