#!/usr/bin/env python3
"""Trains models in Keras, imports them, and compares what attentive makes of them with Keras itself.

    scripts/check_import.py [FOLDER] [--attentive PATH] [--only WORD]

FOLDER holds one folder per corpus, as for scripts/check_exports.py, which runs this as well; without it the shipped dataset is
used. Each model is trained for two epochs in Keras on some hundred real texts and saved; `attentive import` makes a run of it,
whose probabilities may differ from Keras' by 1e-6; two more epochs here and two more there must come to the same weights within
1e-5. A batch holds all examples, so that their order is the same. Keras computes with PyTorch. Models with a TextVectorization
layer are made in another process with TensorFlow, where it is there, and their ids are compared too; the epochs after that are
PyTorch's again, because Keras on TensorFlow comes to other weights than on PyTorch where a token is in a batch twice.
"""

import argparse
import csv
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None
MAKES_TEXT = "--make-text" in sys.argv
os.environ["KERAS_BACKEND"] = "tensorflow" if MAKES_TEXT else "torch"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
ROOT = Path(__file__).resolve().parent.parent
WEIGHTS, PROBABILITIES = 1e-5, 1e-6
LENGTH, DIM, EPOCHS, TOKENS = 20, 8, 2, 500
FIT = {"epochs": EPOCHS, "batch_size": 100_000, "shuffle": False, "verbose": 0}
# What texts may hold that the corpora do not.
TEXTS = ["É é École\u00a0x", "a\x0bb\x0cc -- d_e", "", "!?", "日本 Ünïcode 😀 it's", "\u2028a\u2028 \x85b"]

# Name, data, and options of `build`.
MODELS = [
    ("the reference model, padding masked", "two labels", {}),
    ("the reference model as it is, padding a token", "two labels", {"mask": False}),
    ("scaled", "two labels", {"attention": {"use_scale": True}}),
    ("concat and scaled", "two labels", {"attention": {"use_scale": True, "score_mode": "concat"}}),
    ("no attention, max pooling, Sequential", "two labels", {"attention": None, "mask": False, "pooling": "max"}),
    ("AdamW with a limit on gradients", "two labels", {"adamw": True}),
    ("logits", "two labels", {"logits": True}),
    ("a softmax of three", "three labels", {}),
    ("the weights alone", "two labels", {"weights_only": True}),
    ("TextVectorization", "two labels", {"text": True}),
    ("TextVectorization with a given vocabulary, lower case alone", "two labels", {"text": "lower"}),
    ("TextVectorization, three labels, Sequential", "three labels", {"text": True, "attention": None}),
    ("TextVectorization, padding a token, scaled", "two labels", {"text": True, "mask": False, "attention": {"use_scale": True}}),
]

CONFIG = """backend = "flex"
[data]
train = "{data}"
[model]
max_length = {length}
{model}
[train]
epochs = {epochs}
batch_size = 100000
"""


def rows_of(folder):
    """Texts and labels by name of the data."""
    sources = {"two labels": (ROOT / "datasets/quickstart/train.csv", ",", "text", "label")}
    if folder:
        sources["two labels"] = (folder / "sst2/glue/train.tsv", "\t", "sentence", "label")
        sources["three labels"] = (folder / "airline_tweets/Tweets.csv", ",", "text", "airline_sentiment")
    found = {}
    for name, (file, delimiter, text, label) in sources.items():
        quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
        with open(file, encoding="utf-8", newline="") as lines:
            rows = [(row[text], row[label]) for row in csv.DictReader(lines, delimiter=delimiter, quoting=quoting)]
        rows = [(text, label) for text, label in rows if text.strip()]
        found[name] = rows[:: max(1, len(rows) // 300)]
    return found


class Checker:
    def __init__(self, attentive, work):
        self.attentive, self.work = attentive, work

    def run(self, *arguments, **options):
        done = subprocess.run(
            [self.attentive, *map(str, arguments)], capture_output=True, text=True, cwd=self.work, **options
        )
        if done.returncode != 0:
            raise RuntimeError(f"attentive {arguments[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def config(self, name, model=""):
        text = CONFIG.format(data="data.csv", length=LENGTH, model=model, epochs=EPOCHS)
        (self.work / name).write_text(text)

    def check(self, name, rows, options):
        """By how much a probability differs after the import, and a weight after as many epochs more."""
        import keras
        import numpy
        from tokenizers import Tokenizer

        with open(self.work / "data.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
        texts, labels = [row[0] for row in rows], sorted({row[1] for row in rows})
        targets = numpy.array([labels.index(label) for _, label in rows])
        self.config("config.toml")
        saved, arguments = self.work / "model.keras", []
        if options.get("text"):
            made = [sys.executable, __file__, "--make-text", json.dumps(options), "--work", str(self.work)]
            done = subprocess.run(made, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            made = numpy.load(self.work / "made.npz")
            inputs, expected = made["ids"], made["expected"]
            model = build(TOKENS, texts, len(labels), {**options, "text": None})
            model.set_weights([made[f"weight-{i}"] for i in range(len(model.weights))])
            for i, variable in enumerate(model.optimizer.variables):
                variable.assign(made[f"state-{i}"])
        else:
            self.run("train", "config.toml", "--run-dir", "words", "--overwrite", "--quiet", "--set", "train.epochs=1")
            tokenizer = Tokenizer.from_file(str(self.work / "words/tokenizer.json"))
            inputs = numpy.zeros((len(texts), LENGTH), dtype="int32")
            for row, text in zip(inputs, texts):
                ids = tokenizer.encode(text).ids[:LENGTH]
                row[: len(ids)] = ids
            arguments = ["--tokenizer", "words/tokenizer.json"]
            keras.utils.set_random_seed(3)
            # Rows that no token has are left out.
            model = build(tokenizer.get_vocab_size() + 7, texts, len(labels), options)
            model.fit(inputs, targets, **FIT)
            expected = keras.ops.convert_to_numpy(model(inputs))
            if options.get("weights_only"):
                saved = self.work / "model.weights.h5"
                self.config("config.toml", f"embedding = {{ dim = {DIM} }}\n[train.optimizer.adam]\nlearning_rate = 1e-2\n")
                model.save_weights(saved)
            else:
                model.save(saved)
        if options.get("logits"):
            expected = 1 / (1 + numpy.exp(-expected))
        self.run("import", saved.name, "--config", "config.toml", "--output", "run", *arguments)
        flat = [" ".join(text.split("\n")) for text in texts]
        found = [json.loads(line) for line in self.run("predict", "run", "--json", input="\n".join(flat)).splitlines()]
        found = numpy.array([[row["probabilities"][label] for label in labels] for row in found])
        expected = expected if len(labels) > 2 else numpy.hstack([1 - expected, expected])
        # A text without tokens is NaN in Keras where padding is masked.
        probabilities = float(numpy.nanmax(abs(found - expected)))
        if options.get("text"):
            self.same_ids([*texts, *TEXTS], numpy.vstack([made["ids"], made["more_ids"]]))
        self.run("resume", "run", "--quiet")
        model.fit(inputs, targets, **FIT)
        self.run("export", "run", "--format", "safetensors", "--output", "exported")
        weights = compare(model, self.work / "exported/model.safetensors")
        assert "as it should be" in self.run("verify", "run", "--quiet")
        for made in ("run", "exported", "words"):
            shutil.rmtree(self.work / made, ignore_errors=True)
        saved.unlink()
        return probabilities, weights

    def same_ids(self, texts, expected):
        for text, row in zip(texts, expected.tolist()):
            if "\n" not in text:
                ids = json.loads(self.run("tokenize", "run", "--json", "--", text))["ids"][:LENGTH]
                assert ids + [0] * (LENGTH - len(ids)) == row, (text, ids, row)


def make_text(options, work):
    """Makes and trains a model with a TextVectorization layer."""
    import keras
    import numpy

    rows = list(csv.reader(open(work / "data.csv", encoding="utf-8", newline="")))[1:]
    texts, labels = [row[0] for row in rows], sorted({row[1] for row in rows})
    targets = numpy.array([labels.index(label) for _, label in rows])
    keras.utils.set_random_seed(3)
    model = build(TOKENS, texts, len(labels), options)
    strings = lambda texts: keras.ops.convert_to_tensor(texts, dtype="string")
    model.fit(strings(texts), targets, **FIT)
    model.save(work / "model.keras")
    vectorization = next(layer for layer in model.layers if layer.name.startswith("text_vectorization"))
    found = {"ids": vectorization(strings(texts)), "more_ids": vectorization(strings(TEXTS)), "expected": model(strings(texts))}
    found.update({f"weight-{i}": weight for i, weight in enumerate(model.weights)})
    found.update({f"state-{i}": variable for i, variable in enumerate(model.optimizer.variables)})
    numpy.savez(work / "made.npz", **{name: keras.ops.convert_to_numpy(value) for name, value in found.items()})


def build(n_tokens, texts, n_labels, options):
    import keras
    from keras import layers

    chain = []
    if options.get("text"):
        settings = {"standardize": "lower"} if options["text"] == "lower" else {}
        vectorization = layers.TextVectorization(n_tokens, output_sequence_length=LENGTH, **settings)
        vectorization.adapt(texts)
        if options["text"] == "lower":
            vocabulary = vectorization.get_vocabulary()[2:]
            vectorization = layers.TextVectorization(vocabulary=vocabulary, output_sequence_length=LENGTH, **settings)
        chain.append(vectorization)
    chain.append(layers.Embedding(n_tokens, DIM, mask_zero=options.get("mask", True)))
    attention = options.get("attention", {})
    pooling = layers.GlobalMaxPooling1D() if options.get("pooling") == "max" else layers.GlobalAveragePooling1D()
    units, activation = (1, "sigmoid") if n_labels == 2 else (n_labels, "softmax")
    dense = layers.Dense(units, activation="linear" if options.get("logits") else activation)
    entry = keras.Input((), dtype="string") if options.get("text") else keras.Input((LENGTH,), dtype="int32")
    if attention is None:
        model = keras.Sequential([entry, *chain, pooling, dense])
    else:
        last = entry
        for layer in chain:
            last = layer(last)
        model = keras.Model(entry, dense(pooling(layers.Attention(**attention)([last, last]))))
    loss = "binary_crossentropy" if units == 1 else "sparse_categorical_crossentropy"
    if options.get("logits"):
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(1e-2)
    if options.get("adamw"):
        optimizer = keras.optimizers.AdamW(1e-2, weight_decay=0.01, global_clipnorm=0.01)
    model.compile(optimizer, loss, metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    return model


def compare(model, file):
    """By how much a weight differs."""
    import keras
    from safetensors.numpy import load_file

    expected = load_file(file)
    names = ["embedding.weight", "attention.scale", "attention.concat_weight", "head.weight", "head.bias"]
    expected = [expected[name] for name in names if name in expected]
    found = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    found[0] = found[0][: len(expected[0])]
    assert len(found) == len(expected)
    return max(float(abs(f.reshape(e.shape) - e).max()) for f, e in zip(found, expected))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--attentive", default="attentive")
    parser.add_argument("--only", default="")
    parser.add_argument("--make-text", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if MAKES_TEXT:
        return make_text(json.loads(arguments.make_text), arguments.work)
    data = rows_of(arguments.folder and arguments.folder.resolve())
    failed = []
    with tempfile.TemporaryDirectory(prefix="attentive-import-") as work:
        checker = Checker(arguments.attentive, Path(work))
        for name, of, options in MODELS:
            if arguments.only not in name:
                continue
            if of not in data or (options.get("text") and not HAS_TENSORFLOW):
                print(f"left out  imported: {name}", flush=True)
                continue
            try:
                probabilities, weights = checker.check(name, data[of], options)
                good = probabilities <= PROBABILITIES and weights <= WEIGHTS
                told = f"probabilities {probabilities:.1e}, weights {weights:.1e} after {EPOCHS} epochs there and {EPOCHS} here"
            except Exception as error:  # noqa: BLE001  (all failures are told at the end)
                good, told = False, f"{type(error).__name__}: {error}"
            print(f"{'ok' if good else 'FAILED':9} imported: {name}: {told}", flush=True)
            failed += [] if good else [name]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
