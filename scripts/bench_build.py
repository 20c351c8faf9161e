#!/usr/bin/env python3
"""Measures cold builds: CPU-seconds, wall time, critical path, and the size of the command, for each set of features.

    scripts/bench_build.py [--only NAME]... [--directory DIR] [--write]

Each build starts from an empty target directory under DIR (default: a temporary one, removed at the end); `tests` builds on
top of `default`. What was measured is kept in DIR as NAME.json, and not measured again. CPU-seconds are user and system time
of cargo and all it starts. The critical path is how long the build would take on any number of cores: the longest chain of
crates that wait for one another, where a crate waits for the metadata of those it uses, and the command for all of them.
Other work on the machine makes both longer. Sizes are of the command without symbols. `--write` puts the tables into
ARCHITECTURE.md.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILDS = {
    "flex": "build --release -p attentive --no-default-features --features flex",
    "default": "build --release -p attentive",
    "tests": "test --release --workspace --no-run",
    "wgpu": "build --release -p attentive --features wgpu",
    "dist": "build --profile dist -p attentive",
    "dist-wgpu": "build --profile dist -p attentive --features wgpu",
}
ON_TOP = {"tests": "default"}
# Crates that take less than this many seconds are one row of the table.
SHOWN = 10.0
BEGIN, END = "<!-- written by scripts/bench_build.py -->\n", "<!-- end -->\n"


def measured(name, directory):
    """The figures of a build: those of an earlier run in this directory, or new ones."""
    file = directory / f"{name}.json"
    if not file.exists():
        file.write_text(json.dumps(build(name, directory)))
    return json.loads(file.read_text())


def build(name, directory):
    target = directory / ON_TOP.get(name, name)
    if name not in ON_TOP and target.exists():
        raise SystemExit(f"{target} is there already: a cold build needs an empty directory")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["cargo", *BUILDS[name].split(), "--timings", "--quiet"], check=True, cwd=ROOT,
                   env=os.environ | {"CARGO_TARGET_DIR": str(target)})
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    page = (target / "cargo-timings/cargo-timing.html").read_text()
    units = json.loads(re.search(r"const UNIT_DATA = (\[.*?\]);", page, re.S).group(1))
    profile = "dist" if name.startswith("dist") else "release"
    size = None if name in ON_TOP else stripped(target / profile / "attentive")
    return {"cpu": cpu, "wall": wall, "path": critical_path(units), "size": size, "crates": crates(units)}


def stripped(command):
    with tempfile.TemporaryDirectory() as scratch:
        copy = pathlib.Path(scratch) / "attentive"
        subprocess.run(["strip", "-o", copy, command], check=True)
        return copy.stat().st_size


def key(unit):
    return unit["name"], unit["version"]


def crates(units):
    """Seconds of each crate, its build script and tests included."""
    seconds = {}
    for unit in units:
        seconds[unit["name"]] = seconds.get(unit["name"], 0.0) + unit["duration"]
    return seconds


def dependencies():
    """The packages that each package is compiled with, features aside: those without units are passed over later."""
    metadata = json.loads(subprocess.run(["cargo", "metadata", "--format-version=1", "--all-features"], check=True,
                                         cwd=ROOT, capture_output=True, text=True).stdout)
    names = {package["id"]: (package["name"], package["version"]) for package in metadata["packages"]}
    uses = lambda node: [names[dep["pkg"]] for dep in node["deps"]
                         if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])]
    return {names[node["id"]]: uses(node) for node in metadata["resolve"]["nodes"]}


def critical_path(units):
    """Seconds that the build would take on any number of cores."""
    packages, graph = {}, dependencies()
    for unit in units:
        package = packages.setdefault(key(unit), {"metadata": 0.0, "whole": 0.0, "script": 0.0})
        sections = dict(unit["sections"] or [])
        if "build-script" in unit["target"] or "build script" in unit["target"]:
            package["script"] += unit["duration"]
        else:
            package["metadata"] = max(package["metadata"], sections.get("frontend", {}).get("end", unit["duration"]))
            package["whole"] = max(package["whole"], unit["duration"])
    begun = {}

    def begin(package):
        """When the library of a package can begin: all it uses have their metadata, its build script has run."""
        if package not in begun:
            used = [used for used in graph.get(package, []) if used in packages]
            begun[package] = max([begin(one) + packages[one]["metadata"] for one in used], default=0.0)
            begun[package] += packages[package]["script"]
        return begun[package]

    command = ("attentive", next(unit["version"] for unit in units if unit["name"] == "attentive"))
    others = max(begin(package) + packages[package]["whole"] for package in packages if package != command)
    return max(begin(command), others) + packages[command]["whole"]


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    flags = next((line for line in lines if line.startswith("flags")), "")
    simd = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "SSE"
    return f"{model}, {os.cpu_count()} cores, {simd}"


def tables(results):
    rows = ["| build | CPU-seconds | wall time, s | critical path, s | crates | size, MB |", "|---|---|---|---|---|---|"]
    for name, result in results.items():
        size = "" if result["size"] is None else f"{result['size'] / 1e6:.1f}"
        after = f", after `{ON_TOP[name]}`" if name in ON_TOP else ""
        rows.append(f"| {name}: `cargo {BUILDS[name]}`{after} | {result['cpu']:,.0f} | {result['wall']:,.0f} "
                    f"| {result['path']:,.0f} | {len(result['crates'])} | {size} |")
    columns = [name for name in results if name not in ON_TOP]
    rows += ["", f"| seconds of each crate | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    longest = {}
    for name in columns:
        for crate, seconds in results[name]["crates"].items():
            longest[crate] = max(longest.get(crate, 0.0), seconds)
    shown = sorted((crate for crate in longest if longest[crate] >= SHOWN), key=longest.get, reverse=True)
    for crate in shown:
        cells = [results[name]["crates"].get(crate) for name in columns]
        rows.append(f"| {crate} | " + " | ".join("" if cell is None else f"{cell:.0f}" for cell in cells) + " |")
    rest = [sum(s for crate, s in results[name]["crates"].items() if crate not in shown) for name in columns]
    rows.append("| all others | " + " | ".join(f"{cell:.0f}" for cell in rest) + " |")
    return "\n".join(rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=BUILDS, help="measure this build (may be given several times)")
    parser.add_argument("--directory", type=pathlib.Path, help="where the target directories are made and left")
    parser.add_argument("--write", action="store_true", help="put the tables into ARCHITECTURE.md")
    arguments = parser.parse_args()
    chosen = arguments.only or list(BUILDS)
    chosen = [name for name in BUILDS if name in chosen or name in {ON_TOP.get(one) for one in chosen}]
    subprocess.run(["cargo", "fetch", "--quiet"], check=True, cwd=ROOT)
    with tempfile.TemporaryDirectory() as scratch:
        directory = arguments.directory or pathlib.Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        results = {name: measured(name, directory) for name in chosen}
    text = f"On {processor()}:\n\n{tables(results)}"
    print(text)
    if arguments.write:
        page = ROOT / "ARCHITECTURE.md"
        before, _, rest = page.read_text().partition(BEGIN)
        page.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
