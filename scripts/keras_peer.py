#!/usr/bin/env python3
"""The reference model in Keras itself, on the same vocabulary, to compare accuracy and speed with.

    keras_peer.py sst2|imdb --tokenizer runs/NAME/tokenizer.json [--seeds 1 2 3] [--epochs 5] [--threads N]

Embedding(10000, 64) -> Attention()([e, e]) -> GlobalAveragePooling1D -> Dense(1, sigmoid); Adam, batches of 32,
length 100: longer texts keep their first 100 tokens, shorter ones are padded behind with 0; nothing is masked.
The corpora are those that scripts/fetch_dataset.sh puts into datasets/. Prints one line of JSON for each seed:
loss, accuracy (with validation where the corpus has it) and seconds of each epoch, test accuracy, total seconds.
Needs tensorflow and tokenizers; it is a measuring tool and no part of the program.
"""

import argparse
import json
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from tokenizers import Tokenizer

DATASETS = pathlib.Path(__file__).resolve().parent.parent / "datasets"


def sst2():
    """Each split as (texts, targets)."""
    splits = {}
    for name, file in (("train", "train"), ("validation", "dev"), ("test", "test")):
        lines = (DATASETS / "sst2" / f"{file}.tsv").read_text("utf-8").split("\n")[1:-1]
        labels, texts = zip(*(line.split("\t") for line in lines))
        splits[name] = list(texts), np.array(labels, "float32")
    return splits


def imdb():
    splits = {}
    for name in ("train", "test"):
        files = sorted((DATASETS / "imdb" / name).glob("*/*.txt"))
        targets = np.array([f.parent.name == "pos" for f in files], "float32")
        splits[name] = [f.read_text("utf-8") for f in files], targets
    return splits


def encode(tokenizer, texts, length, vocab_size):
    """Ids [examples, length]: the first `length` tokens, padded behind with 0."""
    # What the file itself says about padding and truncation must not matter.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    ids = np.zeros((len(texts), length), "int32")
    for row, encoding in zip(ids, tokenizer.encode_batch(texts, add_special_tokens=False)):
        kept = encoding.ids[:length]
        row[: len(kept)] = kept
    if ids.max() >= vocab_size:
        raise SystemExit(f"id {ids.max()} is outside a vocabulary of {vocab_size}: give `--vocab-size`")
    return ids


def model(vocab_size, dim, length):
    ids = keras.Input((length,), dtype="int32")
    embedded = keras.layers.Embedding(vocab_size, dim)(ids)
    attended = keras.layers.Attention()([embedded, embedded])
    pooled = keras.layers.GlobalAveragePooling1D()(attended)
    built = keras.Model(ids, keras.layers.Dense(1, activation="sigmoid")(pooled))
    built.compile(keras.optimizers.Adam(), "binary_crossentropy", metrics=["accuracy"])
    return built


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch, without the validation that follows it."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()
        self.seconds.append(None)

    def on_train_batch_end(self, batch, logs=None):
        self.seconds[-1] = time.perf_counter() - self.start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", choices=("sst2", "imdb"))
    parser.add_argument("--tokenizer", required=True, help="a Hugging Face tokenizer.json")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--length", type=int, default=100)
    parser.add_argument("--vocab-size", type=int, default=10000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    parser.add_argument("--limit", type=int, help="use only so many training examples, drawn with a fixed seed")
    args = parser.parse_args()
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)

    tokenizer = Tokenizer.from_file(args.tokenizer)
    splits = {
        name: (encode(tokenizer, texts, args.length, args.vocab_size), targets)
        for name, (texts, targets) in {"sst2": sst2, "imdb": imdb}[args.corpus]().items()
    }
    if args.limit:
        drawn = np.random.default_rng(0).permutation(len(splits["train"][1]))[: args.limit]
        splits["train"] = tuple(side[drawn] for side in splits["train"])

    for seed in args.seeds:
        keras.utils.set_random_seed(seed)
        built = model(args.vocab_size, args.dim, args.length)
        clock = Clock()
        history = built.fit(
            *splits["train"],
            batch_size=args.batch_size,
            epochs=args.epochs,
            shuffle=True,
            validation_data=splits.get("validation"),
            callbacks=[clock],
            verbose=0,
        ).history
        test = built.evaluate(*splits["test"], batch_size=256, verbose=0)
        report = {
            "corpus": args.corpus,
            "keras": keras.__version__,
            "seed": seed,
            "train_examples": len(splits["train"][1]),
            "parameters": built.count_params(),
            "epochs": [
                {name: round(float(values[e]), 4) for name, values in history.items()}
                | {"seconds": round(clock.seconds[e], 2)}
                for e in range(args.epochs)
            ],
            "test_accuracy": round(float(test[1]), 4),
            "train_seconds": round(sum(clock.seconds), 2),
        }
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
