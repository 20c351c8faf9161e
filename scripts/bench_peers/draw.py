"""Draws the scaling curves of a results file as docs/benchmarks-scaling.svg: `draw.py RESULTS.json DOCS [FILE.png]`."""

import json
import math
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

import tables

PANELS = (
    ("length", "Tokens in a text", "ms a step"),
    ("vocab_size", "Tokens in the vocabulary", "ms a step"),
    ("batch_size", "Texts in a step", "examples a second"),
    ("threads", "Threads", "examples a second"),
)
NOTES = {
    "length": "32 texts a step, or as many as make 4,096 tokens",
    "vocab_size": "32 texts of 100 tokens a step",
    "batch_size": "texts of 100 tokens",
    "threads": "32 texts of 100 tokens a step",
}
# Colours that stay apart for the colour-blind, each with a marker of its own.
STYLES = {"Attentive": ("#D55E00", "o"), "PyTorch": ("#0072B2", "s"), "Keras": ("#555555", "^")}


def labels(ticks):
    """A label for each tick, but for one whose right neighbour needs the room."""
    sizes = ((1_000_000, "M"), (1000, "k"))
    texts = [next((f"{x // size}{end}" for size, end in sizes if x % size == 0), f"{x:,}") for x in ticks]
    crowded = [x > 1000 and right < 4 * x for x, right in zip(ticks, [*ticks[1:], math.inf])]
    return ["" if hidden else text for text, hidden in zip(texts, crowded)]


def fastest(runs, figure):
    """For each library and point the median of its fastest form."""
    best = max if figure == "examples_per_s" else min
    points = {}
    for library in STYLES:
        forms = {}
        for run in runs:
            if run["who"].startswith(library) and not run.get("failed"):
                forms.setdefault((run["x"], run["who"]), []).append(run[figure])
        for (x, _), values in forms.items():
            mine = points.setdefault(library, {})
            median = statistics.median(values)
            mine[x] = best(mine[x], median) if x in mine else median
    return points


def main(results, docs, copy=None):
    part = json.loads(pathlib.Path(results).read_text("utf-8"))["parts"]["scaling"]
    plt.rcParams |= {
        "font.family": "DejaVu Sans",
        "font.size": 11,
        "svg.fonttype": "path",
        "svg.hashsalt": "benchmarks",
    }
    figure, axes = plt.subplots(2, 2, figsize=(10, 7.6), facecolor="white")
    for axis, (curve, across, up) in zip(axes.flat, PANELS):
        name = "ms" if up.startswith("ms") else "examples_per_s"
        points = fastest(tables.on_curve(part, curve), name)
        for library, found in points.items():
            colour, marker = STYLES[library]
            xs = sorted(found)
            axis.plot(
                xs, [found[x] for x in xs], color=colour, marker=marker, markersize=6, linewidth=1.8, label=library
            )
        axis.set_xscale("log", base=2 if curve != "vocab_size" else 10)
        axis.set_yscale("log")
        ticks = sorted({x for found in points.values() for x in found})
        axis.xaxis.set_major_locator(FixedLocator(ticks))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_ticklabels(labels(ticks))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,.10g}"))
        # A scale of less than two decades would have one number or none.
        low, high = axis.get_ylim()
        axis.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5) if high / low < 100 else (1,)))
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel(across)
        axis.set_ylabel(up)
        axis.set_title(NOTES[curve], fontsize=9, color="#444444", loc="left")
        axis.grid(True, which="major", color="#DDDDDD", linewidth=0.8)
        axis.set_axisbelow(True)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    handles, names = max((axis.get_legend_handles_labels() for axis in axes.flat), key=lambda pair: len(pair[0]))
    about = part["about"]
    title = f"Train step of the reference model, {about['cpu']}, {about['cores']} cores, f32"
    figure.text(0.5, 0.985, title, ha="center", va="top", fontsize=13)
    if sum(map(tables.is_busy, part["runs"])) * 4 > len(part["runs"]):
        warning = "provisional: taken while others used the cores too"
        figure.text(0.5, 0.955, warning, ha="center", va="top", fontsize=9, color="#B00000")
    figure.legend(handles, names, loc="upper center", ncol=len(names), frameon=False, bbox_to_anchor=(0.5, 0.945))
    figure.tight_layout(rect=(0, 0, 1, 0.905), h_pad=1.6)
    path = pathlib.Path(docs) / "benchmarks-scaling.svg"
    figure.savefig(path, metadata={"Date": None})
    if copy:
        figure.savefig(copy, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
