#!/usr/bin/env python3
"""Sets the program beside Keras, PyTorch, fastText, scikit-learn and onnxruntime, in one run on the same cores.

    bench_peers.py --install DIR           make a virtual environment with all of them, and build the program `fasttext`
    DIR/bin/python bench_peers.py          measure everything and rewrite the tables of docs/benchmarks.md
    ... --only steps,predict               only these of: steps, trainings, predict, scaling, start, avx2, gpu
    ... --quick                            little of everything, to see whether it works
    ... --tables                           measure nothing; rewrite tables and picture from the results kept

Build first: `cargo build --release --workspace --bins --benches`. Corpora come from scripts/fetch_dataset.sh. Every measurement is a
process of its own, and those that are compared take turns. Results are kept in runs/bench/results.json, where a part that
is measured again replaces what it measured before. This file needs the standard library of Python 3.9 or newer on Linux;
what the others need is in scripts/bench_peers/requirements.txt.
"""

import argparse
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "bench_peers"))

import cases  # noqa: E402  (beside this file)
import machine  # noqa: E402
import tables  # noqa: E402

WORK = ROOT / "runs" / "bench"

AVX2 = """for the part avx2, a target directory with benchmarks that were built with
a copy of macerator whose build.rs says `avx512: { target_arch = "none" }`: cargo build --release -p attentive-train --benches --target-dir
TARGET --config 'patch.crates-io.macerator.path="COPY"'"""


def install(directory):
    """A virtual environment with every peer, and fastText's own program in it."""
    directory = pathlib.Path(directory).resolve()
    python = directory / "bin" / "python"
    requirements = HERE / "bench_peers" / "requirements.txt"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    pip = [python, "-m", "pip", "install"]
    subprocess.run([*pip, "pybind11", "wheel", "setuptools>=77,<82"], check=True)
    # fastText's build looks for pybind11 where it is installed.
    subprocess.run([*pip, "--no-build-isolation", "-r", requirements], check=True)
    version = next(line.strip() for line in requirements.read_text().splitlines() if line.startswith("fasttext=="))
    with tempfile.TemporaryDirectory() as scratch:
        download = [python, "-m", "pip", "download", "--no-deps", "--no-build-isolation", "--no-binary", ":all:"]
        subprocess.run([*download, "-d", scratch, version], check=True)
        with tarfile.open(next(pathlib.Path(scratch).glob("*.tar.gz"))) as archive:
            archive.extractall(scratch)
        sources = sorted(pathlib.Path(scratch).glob("*/src/*.cc"))
        flags = ["-O3", "-funroll-loops", "-march=native", "-pthread", "-std=c++17", "-include", "cstdint"]
        subprocess.run(["g++", *flags, *sources, "-o", directory / "bin" / "fasttext"], check=True)
    print(f"next: {python} {sys.argv[0]}")


class Results:
    """The results file: for each part and case, what every contender measured, and on which machine."""

    def __init__(self, path):
        self.path = path
        self.data = {"parts": {}}
        if path.exists():
            self.data = json.loads(path.read_text("utf-8"))

    def begin(self, part, about, keep):
        """Forgets what a part measured before, but for the runs to keep."""
        kept = [run for run in self.data["parts"].get(part, {}).get("runs", []) if keep(run)]
        self.data["parts"][part] = {"about": about, "runs": kept}

    def add(self, part, run):
        self.data["parts"][part]["runs"].append(run)
        self.write()

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = self.path.with_suffix(".part")
        kept.write_text(json.dumps(self.data, indent=1) + "\n", "utf-8")
        os.replace(kept, self.path)


def environment(command, scratch, gpu):
    """The variables of a measured process: as many threads as asked for, and nothing cached by an earlier one."""
    count = str(command.threads)
    names = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    env = os.environ | {name: count for name in names} | {"XDG_CACHE_HOME": scratch, "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Compiled code may stay: it is not part of a step.
    env["TORCHINDUCTOR_CACHE_DIR"] = str(WORK / "inductor")
    if not gpu:
        env["CUDA_VISIBLE_DEVICES"] = ""
    return env | command.env


def measure(command, limits, gpu=False, seed=1):
    """Runs a command alone and gives what it measured, its wall time, peak memory, and how busy others were."""
    before = machine.busy_share(0.3)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        arguments = [word.replace("@SCRATCH@", scratch).replace("@SEED@", str(seed)) for word in command.arguments]
        sampled, start, spawned = machine.cpu_times(), time.perf_counter(), time.time()
        arguments = [word.replace("@SPAWNED@", repr(spawned)) for word in arguments]
        with open(os.path.join(scratch, "stdout"), "w+") as out, open(os.path.join(scratch, "stderr"), "w+") as err:
            pin = lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: command.threads])
            process = subprocess.Popen(
                arguments,
                cwd=ROOT,
                env=environment(command, scratch, gpu),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE if command.until else err,
                preexec_fn=pin,
                text=True,
                start_new_session=True,
            )
            try:
                ended = watch(process, command, limits, start)
            finally:
                if process.returncode is None:
                    end(process)
            wall = time.perf_counter() - start
            others = machine.others_share(sampled, wall, ended["cpu_s"])
            out.seek(0)
            err.seek(0)
            printed, told = out.read(), err.read()
        run = {"wall_s": wall, "busy_before": before, "busy_during": others, "load": os.getloadavg()[0], **ended}
        if ended.get("stopped"):
            return run | {"failed": ended["stopped"]}
        if command.until:
            return run
        if ended["status"] != 0:
            missing = [json.loads(line)["missing"] for line in printed.splitlines() if line.startswith('{"missing"')]
            reason = f"{missing[0]} is not installed" if missing else (told.strip().splitlines() or ["no message"])[-1]
            return run | {"failed": reason[:200], "status": ended["status"], "missing": bool(missing)}
        try:
            return run | command.read(printed, scratch)
        except (OSError, ValueError, LookupError) as problem:
            return run | {"failed": f"its figures cannot be read: {problem}"[:200]}


def watch(process, command, limits, start):
    """Waits for a process, reads its peak memory as it goes, and ends it where it takes too much of anything."""
    seconds, memory = limits
    peak, stopped, first = 0, None, None
    while True:
        if command.until and first is None:
            # Line by line until the sign that it was started for; the rest of the run is of no interest.
            for line in process.stderr:
                if command.until in line:
                    break
            first = time.perf_counter() - start
            peak = max(peak, machine.peak_bytes(process.pid))
            end(process)
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            ended = {"status": process.returncode, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_bytes": peak}
            # The kernel's own figure misses no peak, but counts from the parent's size on, which is small.
            ended["peak_bytes"] = max(peak, usage.ru_maxrss * 1024)
            return ended | ({"stopped": stopped} if stopped else {}) | ({"seconds": first} if first else {})
        peak = max(peak, machine.peak_bytes(process.pid))
        if machine.resident_bytes(process.pid) > memory and not stopped:
            stopped = f"more than {memory / 2**30:.0f} GiB"
            end(process)
        elif time.perf_counter() - start > seconds and not stopped:
            stopped = f"more than {seconds:.0f} s"
            end(process)
        time.sleep(0.01 if time.perf_counter() - start < 2 else 0.05)


def end(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def measure_part(part, results, options):
    """All cases of a part: in every round each contender of a case once, one after the other."""
    prepared = part.prepare(options) if part.prepare else {}
    about = machine.describe()
    asked = options.corpora.split(",")
    results.begin(part.name, about, lambda run: part.name == "trainings" and run["case"] not in asked)
    for case in part.cases(options, prepared, results.data):
        gone = set()
        for round in range(max(contender.rounds(options) for contender in case.contenders)):
            for contender in case.contenders:
                if contender.name in gone or round >= contender.rounds(options):
                    continue
                run = measure(contender.command, (options.timeout, options.memory), part.name == "gpu", round + 1)
                if run.get("failed"):
                    gone.add(contender.name)  # it would fail again
                heading = {"case": case.name, "values": case.values, "who": contender.name, "round": round}
                heading |= {"at": now(), "commit": about["commit"], "quick": options.quick}
                results.add(part.name, heading | run)
                tell(f"{part.name} {case.name} {contender.name} [{round + 1}]: {cases.told(run)}")


def now():
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def tell(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [part.name for part in cases.PARTS]
    parser.add_argument("--install", metavar="DIR", help="make a virtual environment with the peers there, and stop")
    parser.add_argument("--only", metavar="A,B", help=f"only these parts of {','.join(names)}; avx2 and gpu are measured only so")
    parser.add_argument(
        "--quick", action="store_true", help="one round, few steps and small files: it shows only that it works"
    )
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default 5; what takes longest has 2 or 3), each with its own seed where something is trained")
    parser.add_argument("--patient", action="store_true", help="as many rounds for what takes longest")
    parser.add_argument("--threads", type=int, default=2, help="threads and cores of every process (default 2)")
    parser.add_argument("--one-thread", action="store_true", help="the training steps on one thread besides")
    parser.add_argument("--avx2", type=pathlib.Path, metavar="TARGET", help=AVX2)
    parser.add_argument(
        "--corpora", default="sst2,ag_news,imdb", help="corpora of the trainings (default sst2,ag_news,imdb)"
    )
    parser.add_argument(
        "--timeout", type=float, default=600, help="seconds after which a process is ended (default 600)"
    )
    parser.add_argument(
        "--memory", type=float, help="GiB at which a process is ended (default: three quarters of what is free)"
    )
    parser.add_argument("--results", type=pathlib.Path, default=WORK / "results.json", help="where results are kept")
    parser.add_argument("--tables", action="store_true", help="measure nothing, only rewrite tables and picture")
    options = parser.parse_args()
    if options.install:
        return install(options.install)
    only = options.only.split(",") if options.only else [name for name in names if name not in ("avx2", "gpu")]
    if unknown := set(only) - set(names):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    options.memory = options.memory * 2**30 if options.memory else 0.75 * machine.available_bytes()
    options.work = WORK
    options.measure = lambda command: measure(command, (options.timeout, options.memory))
    options.tell = tell
    WORK.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # by way of ending what is being measured

    results = Results(options.results)
    if not options.tables:
        for part in cases.PARTS:
            if part.name in only:
                start = time.perf_counter()
                measure_part(part, results, options)
                results.data["parts"][part.name]["seconds"] = time.perf_counter() - start
                results.write()
                tell(f"{part.name}: {time.perf_counter() - start:.0f} s in all")
    tables.write(results.data, ROOT / "docs")
    if results.data["parts"].get("scaling"):
        drawn = subprocess.run([sys.executable, HERE / "bench_peers" / "draw.py", options.results, ROOT / "docs"])
        if drawn.returncode:
            tell("the picture was not drawn")


if __name__ == "__main__":
    main()
