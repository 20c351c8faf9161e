#!/usr/bin/env python3
"""Sets reading, encoding and batching beside Python's `datasets` and `tokenizers`, in one run on the same cores.

    scripts/bench_data.py FILE.csv TEXT LABEL TOKENIZER.json [--max-length N] [--batch-size N] [--repeats N]

FILE is a csv or tsv file with a header; TOKENIZER is what a run of Attentive wrote. Both sides read the same file, use
the same tokenizer file on all cores, cut at the same length, and pad to the longest text of a batch; the ids must be the
same. The best of the repeats counts, and the two sides take turns. Needs `pip install datasets tokenizers numpy`.
Python encodes in two ways: `Dataset.map` as its documentation shows, and `encode_batch` on all texts at once.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")


def attentive(arguments):
    """One run of the example `pipeline`, with nothing in its cache."""
    with tempfile.TemporaryDirectory() as cache:
        command = [TARGET / "release/examples/pipeline", arguments.file, arguments.text, arguments.label,
                   arguments.tokenizer, str(arguments.max_length), str(arguments.batch_size)]
        output = subprocess.run(command, check=True, capture_output=True, text=True,
                                env=os.environ | {"XDG_CACHE_HOME": cache})
        return json.loads(output.stdout)


def python(arguments):
    """The same in Python, in a process of its own, with nothing in its cache."""
    with tempfile.TemporaryDirectory() as cache:
        output = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--worker"], check=True, capture_output=True,
                                text=True, env=os.environ | {"HF_HOME": cache, "HF_HUB_OFFLINE": "1"})
        return json.loads(output.stdout.splitlines()[-1])


def worker(arguments):
    import csv

    import datasets
    import numpy
    import tokenizers

    datasets.disable_progress_bars()
    csv.field_size_limit(1 << 24)
    start = time.perf_counter()
    tabs = arguments.file.endswith(".tsv")
    options = {"sep": "\t", "quoting": csv.QUOTE_NONE} if tabs else {}
    texts = datasets.Dataset.from_csv(arguments.file, keep_default_na=False, **options)
    read = time.perf_counter() - start

    tokenizer = tokenizers.Tokenizer.from_file(arguments.tokenizer)
    tokenizer.encode_special_tokens = True
    tokenizer.enable_truncation(arguments.max_length)
    start = time.perf_counter()
    encoded = texts.map(
        lambda rows: {"ids": [encoding.ids for encoding in tokenizer.encode_batch(rows[arguments.text])]},
        batched=True, remove_columns=texts.column_names)
    mapped = time.perf_counter() - start
    rows = list(texts[arguments.text])
    start = time.perf_counter()
    at_once = [encoding.ids for encoding in tokenizer.encode_batch_fast(rows)]
    encode = time.perf_counter() - start

    start = time.perf_counter()
    pad = tokenizer.token_to_id("[PAD]") or 0
    for rows in encoded.shuffle(seed=1).iter(batch_size=arguments.batch_size):
        ids = rows["ids"]
        batch = numpy.full((len(ids), max(map(len, ids)) or 1), pad, dtype=numpy.int32)
        for row, own in zip(batch, ids):
            row[:len(own)] = own
    batches = time.perf_counter() - start

    digest = hashlib.sha256()
    for ids in at_once:
        digest.update(numpy.asarray(ids, dtype="<u4").tobytes() + b"\xff" * 4)
    print(json.dumps({"texts": len(at_once), "read": read, "encode": encode, "map": mapped, "batches": batches,
                      "ids": digest.hexdigest()}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ["file", "text", "label", "tokenizer"]:
        parser.add_argument(name)
    parser.add_argument("--max-length", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(arguments)
    ours, theirs = [], []
    for _ in range(arguments.repeats):
        ours.append(attentive(arguments))
        theirs.append(python(arguments))
    if any(run[key] != ours[0][key] for run in theirs for key in ["texts", "ids"]):
        sys.exit("the two sides do not give the same ids")
    best = lambda runs, key: min(run[key] for run in runs)
    texts = ours[0]["texts"]
    print(f"{texts:,} texts, the same ids; seconds, best of {arguments.repeats}, {os.cpu_count()} cores")
    print(f"{'':34}{'Attentive':>10}{'Python':>10}{'ratio':>8}")
    for name, key, other in [
        ("reading", "read", "read"),
        ("encoding, Dataset.map", "encode", "map"),
        ("encoding, encode_batch_fast", "encode", "encode"),
        (f"an epoch of batches of {arguments.batch_size}", "batches", "batches"),
    ]:
        own, their = best(ours, key), best(theirs, other)
        print(f"{name:34}{own:10.2f}{their:10.2f}{their / own:7.1f}x")


if __name__ == "__main__":
    main()
