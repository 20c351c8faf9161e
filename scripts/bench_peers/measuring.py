"""What the workers of scripts/bench_peers.py share: arguments, corpora, blocks of steps, and the one line of JSON.

A worker is called as `worker.py TASK ARGUMENTS`, with the arguments as JSON, and prints its result as the last line.
"""

import csv
import importlib.metadata
import json
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATASETS = ROOT / "datasets"
SEED = 1


def run(tasks):
    """Calls the task that the command line names and prints what it gives."""
    arguments = json.loads(sys.argv[2])
    print(json.dumps(tasks[sys.argv[1]](**arguments)), flush=True)


def need(*packages):
    """Ends the process with word of a package that is not installed; else gives the versions."""
    versions = {}
    for package in packages:
        names = package.split("|")
        found = [name for name in names if _version(name)]
        if not found:
            print(json.dumps({"missing": names[0]}))
            sys.exit(3)
        versions[names[0]] = _version(found[0])
    return versions


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def texts(corpus, split):
    """The texts of a split and their targets, counted from 0, as scripts/fetch_dataset.sh lays them out."""
    folder = DATASETS / corpus
    if corpus == "imdb":
        files = sorted((folder / split).glob("*/*.txt"))
        return [file.read_text("utf-8") for file in files], [int(file.parent.name == "pos") for file in files]
    if corpus == "sst2":
        lines = (folder / f"{split}.tsv").read_text("utf-8").split("\n")[1:-1]
        rows = [line.split("\t") for line in lines]
        return [row[1] for row in rows], [int(row[0]) for row in rows]
    with open(folder / f"{split}.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [int(row["label"]) - 1 for row in rows]


def drawn(examples, length, vocab_size):
    """Ids with the same chance each, and targets that alternate, as the program's own benchmark has them."""
    import numpy as np

    ids = np.random.default_rng(SEED).integers(2, vocab_size, (examples, length), dtype="int32")
    return ids, (np.arange(examples) % 2).astype("float32")


def summary(blocks, batch_size, **more):
    """The figures of blocks of steps, each in milliseconds a step."""
    ordered = sorted(blocks)
    at = lambda share: ordered[round((len(ordered) - 1) * share)]
    median = statistics.median(ordered)
    figures = {"ms": median, "ms_p10": at(0.1), "ms_p90": at(0.9), "blocks": len(ordered)}
    return figures | {"examples_per_s": batch_size / median * 1e3} | more


def timed_blocks(step, sync, warm_up, block, most, seconds):
    """Milliseconds a step of blocks of steps, after the warm-up, until time or steps are up."""
    for _ in range(warm_up):
        step()
    sync()
    blocks, start = [], time.perf_counter()
    for _ in range(max(2, most // block)):
        begun = time.perf_counter()
        for _ in range(block):
            step()
        sync()
        now = time.perf_counter()
        blocks.append((now - begun) / block * 1e3)
        if now - start > seconds and len(blocks) >= 2:
            break
    return blocks


def latency(classify, texts, singles):
    """Microseconds for one text: median and 90th percentile of so many, after 20 that do not count."""
    for text in texts[:20]:
        classify(text)
    each = []
    for text in texts[:singles]:
        start = time.perf_counter()
        classify(text)
        each.append((time.perf_counter() - start) * 1e6)
    each.sort()
    return {"latency_us": each[len(each) // 2], "latency_us_p90": each[len(each) * 9 // 10]}


def predicting(classify_all, classify_one, input, output, singles):
    """What a loaded model does: all texts of a file to a file of labels, then texts one by one."""
    lines = pathlib.Path(input).read_text("utf-8").splitlines()
    if singles:
        classify_all(lines[:1000])
    start = time.perf_counter()
    labels = classify_all(lines)
    seconds = time.perf_counter() - start
    if output:
        pathlib.Path(output).write_text("\n".join(map(str, labels)) + "\n", "utf-8")
    figures = {"texts": len(lines), "texts_per_s": len(lines) / seconds}
    return figures | (latency(classify_one, lines, singles) if singles else {})
