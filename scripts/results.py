#!/usr/bin/env python3
"""Reproduces the table of docs/results.md: trains every listed config with several seeds and reads the runs' reports.

    results.py                              run what is missing, then rewrite the table
    results.py --only trec mr --seeds 1,2   only these; the table shows all runs kept, these and others
    results.py --again --only trec          train anew, even where a finished run is kept
    results.py --table                      train nothing, rewrite the table from the runs kept

Runs are kept in RUNS/NAME-sSEED (default: runs/results), with what was printed (.log) and how long it took (.json) beside
each, so an interrupted round goes on where it stopped. The table goes to stdout and between the two marker lines of
docs/results.md. Corpora come from scripts/fetch_dataset.sh. Only the standard library is used; Python 3.9 or newer.
"""

import argparse
import concurrent.futures
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "results.md"
BEGIN, END = "<!-- results: begin, written by scripts/results.py -->", "<!-- results: end -->"

# Where each headline metric is in a split of report.json.
METRICS = {
    "accuracy": ("accuracy", ("accuracy",)),
    "micro_f1": ("micro F1", ("micro_avg", "f1")),
    "macro_f1": ("macro F1", ("macro_avg", "f1")),
}

# What reached the reference values, measured on the same files with scikit-learn and fastText, untuned.
FASTTEXT = "fastText, 1-2-grams"
LOGISTIC = "TF-IDF LR, 1-2-grams"
PAIR_LOGISTIC = "LR, words of both sides and overlap"

# Config, headline metric, reference value in percent, what reached it, and what to know about the reference.
CORPORA = (
    ("sst2", "accuracy", 81.8, FASTTEXT, ""),
    ("imdb", "accuracy", 89.8, FASTTEXT, ""),
    ("ag_news", "accuracy", 89.7, FASTTEXT, "29,557 training examples for both"),
    ("mr", "accuracy", 75.5, FASTTEXT, ""),
    ("trec", "accuracy", 90.6, FASTTEXT, ""),
    ("zh_chnsenticorp", "accuracy", 91.2, FASTTEXT + " of characters", "28 % of test is in train"),
    ("goemotions", "micro_f1", 56.0, LOGISTIC, "threshold 0.2, chosen on dev"),
    ("snli", "accuracy", 67.8, PAIR_LOGISTIC, "18,000 training pairs for both"),
    ("sick", "accuracy", 81.1, PAIR_LOGISTIC, "trained on train and validation"),
    ("mrpc", "accuracy", 73.6, PAIR_LOGISTIC, ""),
    ("sms_spam", "accuracy", 98.9, FASTTEXT, "by cross-validation, not on this split"),
)


class Run:
    """One config with one seed, and the files it leaves under the folder of runs."""

    def __init__(self, runs, name, seed):
        self.name, self.seed = name, seed
        self.config = ROOT / "configs" / f"{name}.toml"
        self.dir = runs / f"{name}-s{seed}"
        self.log = runs / f"{name}-s{seed}.log"
        self.notes = runs / f"{name}-s{seed}.json"

    def report(self):
        """The report of a finished run, else nothing."""
        return read_json(self.dir / "report.json")

    def seconds(self):
        return (read_json(self.notes) or {}).get("seconds")

    def is_stale(self):
        """Whether the config is known to have changed since."""
        made_from = (read_json(self.notes) or {}).get("config_sha256")
        return made_from is not None and self.config.exists() and made_from != digest(self.config)

    def train(self, binary):
        """Trains; returns what went wrong, or nothing."""
        command = [binary, "train", str(self.config.relative_to(ROOT)), "--set", f"seed={self.seed}"]
        command += ["--run-dir", str(self.dir), "--overwrite"]
        config_sha256 = digest(self.config)
        # A report left by an earlier run must not pass for this one's.
        (self.dir / "report.json").unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)
        start = time.monotonic()
        with open(self.log, "w", encoding="utf-8") as log:
            status = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode
        seconds = time.monotonic() - start
        if status != 0:
            last = self.log.read_text("utf-8", "replace").strip().splitlines()[-4:]
            return "\n".join([f"exit status {status}, see {self.log}", *last])
        if self.report() is None:
            return f"exit status 0, but there is no readable {self.dir / 'report.json'}"
        notes = {"seconds": round(seconds, 1), "config_sha256": config_sha256}
        self.notes.write_text(json.dumps(notes) + "\n", "utf-8")
        return None


def read_json(path):
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def headline(report, metric):
    """The metric of the test split in percent, or nothing where it is missing or not finite."""
    value = report.get("splits", {}).get("test")
    for key in METRICS[metric][1]:
        value = value.get(key) if isinstance(value, dict) else None
    return 100 * value if isinstance(value, (int, float)) and math.isfinite(value) else None


def kept_seeds(runs, name):
    found = (re.fullmatch(rf"{name}-s(\d+)", path.name) for path in runs.glob(f"{name}-s*"))
    return sorted(int(match[1]) for match in found if match)


def row(corpus, runs):
    """The table line of a corpus, or nothing when it has no finished run."""
    name, metric, value, reached_by, remark = corpus
    scores, seconds = {}, []
    for run in (Run(runs, name, seed) for seed in kept_seeds(runs, name)):
        report = run.report()
        if report is None:
            continue
        score = headline(report, metric)
        if score is None:
            print(f"warning: {run.dir} has no {METRICS[metric][0]} of a test split", file=sys.stderr)
            continue
        if run.is_stale():
            print(f"warning: configs/{name}.toml has changed since {run.dir} was trained", file=sys.stderr)
        scores[run.seed] = score
        if run.seconds() is not None:
            seconds.append(run.seconds())
    if not scores:
        return None
    spread = f" ± {statistics.stdev(scores.values()):.1f}" if len(scores) > 1 else ""
    each = ", ".join(f"{seed}: {score:.1f}" for seed, score in scores.items())
    duration = f"{statistics.mean(seconds):,.0f}" if seconds else "–"
    reference = f"{value:.1f} % ({reached_by}{'; ' + remark if remark else ''})"
    cells = (name, f"[{name}.toml](../configs/{name}.toml)", METRICS[metric][0])
    cells += (f"{statistics.mean(scores.values()):.1f}{spread} %", each, reference, duration)
    return "| " + " | ".join(cells) + " |"


def table(runs):
    lines = [line for line in (row(corpus, runs) for corpus in CORPORA) if line is not None]
    if not lines:
        return None
    titles = ("corpus", "config", "metric on test", "mean ± deviation", "each seed", "reference", "seconds")
    head = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    note = (
        "± is the sample standard deviation over the seeds. Seconds are the mean wall time of the whole command.\n"
        "References were measured on the same files, untuned, with scikit-learn (LR) and fastText."
    )
    return "\n".join([*head, *lines, "", note])


def write_page(text):
    page = PAGE.read_text("utf-8")
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        sys.exit(f"error: {PAGE} has not exactly the two lines\n  {BEGIN}\n  {END}\nin this order")
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    # Written beside and renamed, so that the prose survives an interruption.
    part = PAGE.with_suffix(".part")
    part.write_text(f"{before}\n\n{text}\n\n{after}", "utf-8")
    os.replace(part, PAGE)


def find_binary(given):
    """An absolute path, because runs are started in the project's folder."""
    if given is not None:
        found = shutil.which(given)
        return os.path.abspath(found) if found else sys.exit(f"error: {given} is no program")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = shutil.which(str(target / "release" / "attentive")) or shutil.which("attentive")
    return os.path.abspath(found) if found else sys.exit(f"error: no attentive in {target}/release; build it or name it with --binary")


def train_all(todo, binary, jobs):
    """Trains every run, `jobs` at a time; returns how many failed."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(run.train, binary): run for run in todo}
        try:
            for done, future in enumerate(concurrent.futures.as_completed(waiting), 1):
                run, problem = waiting[future], future.result()
                failed += problem is not None
                outcome = f"{run.seconds():,.0f} s" if problem is None else f"failed: {problem}"
                print(f"[{done}/{len(todo)}] {run.name} seed {run.seed}: {outcome}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [corpus[0] for corpus in CORPORA]
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--seeds", default="1,2,3", help="comma-separated (default 1,2,3)")
    parser.add_argument("--binary", help="the program (default: attentive in target/release, or on the PATH)")
    parser.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs" / "results", help="where runs are kept (default runs/results)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (default 1; with more, the seconds mean less)")
    parser.add_argument("--again", action="store_true", help="train anew where a finished run is kept")
    parser.add_argument("--table", action="store_true", help="train nothing, only rewrite the table")
    args = parser.parse_args()
    try:
        seeds = sorted({int(seed) for seed in args.seeds.split(",")})
    except ValueError:
        parser.error("--seeds takes integers, as in 1,2,3")
    if args.jobs < 1:
        parser.error("--jobs takes a number from 1 on")
    runs = args.runs.resolve()

    failed = 0
    if not args.table:
        binary = find_binary(args.binary)
        runs.mkdir(parents=True, exist_ok=True)
        todo = []
        for run in (Run(runs, name, seed) for name in names if name in args.only for seed in seeds):
            if not run.config.exists():
                print(f"warning: there is no configs/{run.name}.toml", file=sys.stderr)
                failed += 1
            elif args.again or run.report() is None:
                todo.append(run)
            else:
                print(f"kept {run.dir}", file=sys.stderr)
        try:
            failed += train_all(todo, binary, args.jobs)
        except KeyboardInterrupt:
            sys.exit("interrupted; finished runs are kept, and the next call goes on with the others")

    text = table(runs)
    if text is None:
        sys.exit(f"error: no finished run in {runs}")
    print(text)
    write_page(text)
    if failed:
        sys.exit(f"{failed} of the runs asked for are missing")


if __name__ == "__main__":
    main()
