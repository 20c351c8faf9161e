"""The tables of docs/benchmarks.md, from the results kept: medians over the rounds, and ratios to the fastest peer."""

import os
import statistics
import sys

BEGIN, END = "<!-- benchmarks: begin, written by scripts/bench_peers.py -->", "<!-- benchmarks: end -->"

# Above these shares of all cores in use by others, a figure is marked.
BUSY_BEFORE, BUSY_DURING = 0.15, 0.05
MARK = " †"
OURS = "Attentive"


def is_busy(run):
    """Whether others were at work before or during it."""
    return run["busy_before"] > BUSY_BEFORE or run["busy_during"] > BUSY_DURING


class Row:
    """What one contender measured in a case, over its rounds."""

    def __init__(self, who, runs):
        self.who, self.runs = who, [run for run in runs if not run.get("failed")]
        self.failed = next((run["failed"] for run in runs if run.get("failed")), None) if not self.runs else None
        self.mark = MARK if sum(map(is_busy, self.runs)) * 2 > len(self.runs) else ""

    def values(self, name):
        return [run[name] for run in self.runs if run.get(name) is not None]

    def median(self, name):
        values = self.values(name)
        return statistics.median(values) if values else None

    def cell(self, name, form, scale=1.0):
        median = self.median(name)
        return "–" if median is None else form.format(median * scale) + self.mark

    def spread(self, name, form, scale=1.0):
        values = self.values(name)
        return "–" if not values else f"{form.format(min(values) * scale)} to {form.format(max(values) * scale)}"

    def memory(self):
        return f"{max(self.values('peak_bytes')) / 2**20:,.0f}" if self.runs else "–"


def rows(part, case):
    names = list(dict.fromkeys(run["who"] for run in part["runs"] if run["case"] == case))
    return [Row(who, [run for run in part["runs"] if run["case"] == case and run["who"] == who]) for who in names]


def case_names(part):
    return list(dict.fromkeys(run["case"] for run in part["runs"]))


def table(titles, lines):
    return "\n".join(["| " + " | ".join(cells) + " |" for cells in [titles, ["---"] * len(titles), *lines]])


def ratio(value, best):
    return "–" if value is None or best is None else f"{value / best:.2f}"


def fastest_peer(rows, name, smallest=True):
    medians = [row.median(name) for row in rows if not row.who.startswith(OURS) and row.median(name) is not None]
    return (min if smallest else max)(medians) if medians else None


def ordered(rows, name):
    """By this figure; what failed stands last."""
    return sorted(rows, key=lambda row: (row.median(name) is None, row.median(name) or 0))


def failures(row, cells):
    return [row.who, row.failed, *["–"] * (cells - 2)]


def steps(part):
    texts = []
    for case in case_names(part):
        found = rows(part, case)
        values = next(run["values"] for run in part["runs"] if run["case"] == case)
        titles = [
            "train step",
            "ms",
            "range of the rounds",
            "examples/s",
            "throughput ÷ fastest peer's",
            "peak MiB",
            "rounds",
        ]
        peer = fastest_peer(found, "ms")
        lines = []
        for row in ordered(found, "ms"):
            if row.failed:
                lines.append(failures(row, len(titles)))
                continue
            ms = row.median("ms")
            lines.append(
                [
                    row.who,
                    row.cell("ms", "{:,.2f}"),
                    row.spread("ms", "{:,.2f}"),
                    row.cell("examples_per_s", "{:,.0f}"),
                    "–" if peer is None else f"{peer / ms:.2f}",
                    row.memory(),
                    str(len(row.runs)),
                ]
            )
        heading = (
            f"**{case}**: batch {values['batch_size']} × {values['length']} tokens, vocabulary {values['vocab_size']:,}, "
            f"dim {values['dim']}" + (f", threads {values['threads']}" if "threads" in values else "")
        )
        texts.append("\n\n".join([heading, table(titles, lines), *beside_composed(found)]))
    return "\n\n".join(texts)


def beside_composed(found):
    """A line on how many times as fast as the same model written with Burn alone each backend is."""
    by, told = {row.who: row.median("ms") for row in found}, []
    for backend in ("flex", "ndarray"):
        own, plain = by.get(f"{OURS}, {backend}"), by.get(f"Burn composed, {backend}")
        same = by.get(f"Burn composed, {backend}, mimalloc")
        if own and plain and same:
            told.append(f"on {backend} {plain / own:.1f} times, and {same / own:.1f} times with the allocator that we have")
    return [f"Beside the model written with Burn's own operations: {'; '.join(told)}."] if told else []


def trainings(part):
    titles = ["corpus", "", "epochs", "an epoch, s", "training alone, s", "whole process, s", "test accuracy", "its range"]
    titles += ["peak MiB", "rounds"]
    lines, ratios = [], []
    for case in case_names(part):
        found = rows(part, case)
        for row in found:
            if row.failed:
                lines.append([case, *failures(row, len(titles) - 1)])
                continue
            lines.append(
                [
                    case,
                    row.who,
                    row.cell("epochs", "{:.0f}").replace(MARK, ""),
                    row.cell("epoch_s", "{:,.1f}"),
                    row.cell("train_s", "{:,.2f}"),
                    row.cell("wall_s", "{:,.2f}"),
                    row.cell("accuracy", "{:.1f} %", 100).replace(MARK, ""),
                    row.spread("accuracy", "{:.1f}", 100),
                    row.memory(),
                    str(len(row.runs)),
                ]
            )
        by = {row.who: row for row in found}
        keras, bigram = by.get("Keras, reference model"), by.get("fastText, 1-2-grams")
        for row in found:
            if row.who.startswith(OURS) and row.runs:
                own = row.median("wall_s")
                fit = keras.median("train_s") if keras else None
                fasttext = bigram.median("train_s") if bigram else None
                ratios.append([case, row.who, ratio(fit, own), ratio(own, fasttext)])
    against = table(
        ["corpus", "", "Keras' `fit` ÷ our whole process", "our whole process ÷ fastText's training, 1-2-grams"], ratios
    )
    return f"{table(titles, lines)}\n\n{against}"


def predict(part):
    texts = []
    loaded = rows(part, "loaded")
    if loaded:
        count = next(run["values"]["texts"] for run in part["runs"] if run["case"] == "loaded")
        peer = fastest_peer(loaded, "texts_per_s", smallest=False)
        titles = [
            f"model loaded, {count:,} texts",
            "texts/s",
            "÷ fastest peer",
            "one text, µs",
            "90th percentile, µs",
            "peak MiB",
            "rounds",
        ]
        lines = [
            (
                failures(row, len(titles))
                if row.failed
                else [
                    row.who,
                    row.cell("texts_per_s", "{:,.0f}"),
                    ratio(row.median("texts_per_s"), peer),
                    row.cell("latency_us", "{:,.1f}"),
                    row.cell("latency_us_p90", "{:,.1f}"),
                    row.memory(),
                    str(len(row.runs)),
                ]
            )
            for row in reversed(ordered(loaded, "texts_per_s"))
        ]
        texts.append(table(titles, sorted(lines, key=lambda cells: cells[2] == "–")))
    whole, cold = rows(part, "whole"), {row.who: row for row in rows(part, "cold")}
    if whole:
        count = next(run["values"]["texts"] for run in part["runs"] if run["case"] == "whole")
        peer = fastest_peer(whole, "wall_s")
        titles = [
            f"whole process, {count:,} texts from file to file",
            "s",
            "texts/s",
            "speed ÷ fastest peer's",
            "one text, ms",
            "peak MiB",
            "rounds",
        ]
        lines = []
        for row in ordered(whole, "wall_s"):
            if row.failed:
                lines.append(failures(row, len(titles)))
                continue
            wall, single = row.median("wall_s"), cold.get(row.who)
            lines.append(
                [
                    row.who,
                    row.cell("wall_s", "{:,.2f}"),
                    f"{count / wall:,.0f}",
                    ratio(peer, wall) if peer else "–",
                    single.cell("wall_s", "{:,.0f}", 1e3) if single and single.runs else "–",
                    row.memory(),
                    str(len(row.runs)),
                ]
            )
        texts.append(table(titles, lines))
    return "\n\n".join(texts)


def start(part):
    titles = ["from the start of the process to the first step done", "s", "range of the rounds", "peak MiB", "rounds"]
    lines = [
        (
            failures(row, len(titles))
            if row.failed
            else [
                row.who,
                row.cell("seconds", "{:.2f}"),
                row.spread("seconds", "{:.2f}"),
                row.memory(),
                str(len(row.runs)),
            ]
        )
        for row in ordered(rows(part, "first step"), "seconds")
    ]
    return table(titles, lines)


AXES = {"length": "length", "vocab_size": "vocabulary", "batch_size": "batch size", "threads": "threads"}


def on_curve(part, curve):
    """The runs of a curve with their place on it, in its order; the reference model is a point of all but the first."""
    runs = [run | {"x": run["values"]["x"]} for run in part["runs"] if run["values"]["curve"] == curve]
    if curve != "length":
        runs += [run | {"x": run["values"][curve]} for run in part["runs"] if run["values"]["curve"] == "reference"]
    return sorted(runs, key=lambda run: run["x"])


def scaling(part):
    """One table for each curve, in milliseconds a step; peak memory beside it."""
    texts = ["![Step time over length, vocabulary, batch size and threads](benchmarks-scaling.svg)"]
    for curve, title in AXES.items():
        runs = on_curve(part, curve)
        names = list(dict.fromkeys(run["who"] for run in part["runs"] if run["who"] in {run["who"] for run in runs}))
        lines = []
        for x in dict.fromkeys(run["x"] for run in runs):
            here = [run for run in runs if run["x"] == x]
            found = [Row(who, [run for run in here if run["who"] == who]) for who in names]
            cells = [f"{x:,}"] + ([str(here[0]["values"]["batch_size"])] if curve == "length" else [])
            for row in found:
                shown = f"{row.cell('ms', '{:,.2f}')} ({row.memory()})" if row.runs else row.failed or ""
                cells.append(shown)
            own = next((row.median("ms") for row in found if row.who.startswith(OURS)), None)
            lines.append([*cells, ratio(fastest_peer(found, "ms"), own)])
        if lines:
            batch = ["batch size"] if curve == "length" else []
            titles = [title, *batch, *[f"{name}: ms (peak MiB)" for name in names], "our throughput ÷ fastest peer's"]
            texts.append(table(titles, lines))
    return "\n\n".join(texts)


HEADINGS = {
    "steps": ("Train step", steps),
    "avx2": ("Train step without AVX-512", steps),
    "trainings": ("From files to test accuracy", trainings),
    "predict": ("Predictions", predict),
    "scaling": ("Scaling", scaling),
    "start": ("Start", start),
    "gpu": ("On a GPU", steps),
}


def machine_line(about):
    return (
        f"{about['cpu']} ({about['family']}), {about['cores']} cores, {', '.join(about['flags'])}, cache {about['cache']}, "
        f"{about['memory_gib']} GiB; {about['system']}; Python {about['python']}"
    )


def text(data):
    parts = []
    for name, (heading, write) in HEADINGS.items():
        part = data["parts"].get(name)
        if not part or not part["runs"]:
            continue
        versions = {}
        for run in part["runs"]:
            versions |= run.get("versions", {})
        marked = sum(map(is_busy, part["runs"]))
        days = sorted({run["at"][:10] for run in part["runs"]})
        when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        commits = ", ".join(dict.fromkeys(run["commit"] for run in part["runs"]))
        notes = [f"{machine_line(part['about'])}; commit {commits}; {when}"]
        if versions:
            notes.append(", ".join(f"{library} {version}" for library, version in sorted(versions.items())))
        loads = [run["load"] for run in part["runs"]]
        notes.append(
            f"{len(part['runs'])} processes; load average {min(loads):.1f} to {max(loads):.1f}; "
            f"in {marked} of them others used the cores too"
        )
        quick = (
            "\n\n**A quick run, which shows only that the measuring works.**"
            if any(run["quick"] for run in part["runs"])
            else ""
        )
        parts.append(f"## {heading}{quick}\n\n{write(part)}\n\n" + "  \n".join(f"<sub>{note}</sub>" for note in notes))
    if not parts:
        return None
    legend = f"†: in most rounds others used more than {BUSY_DURING:.0%} of the cores, or more than {BUSY_BEFORE:.0%} just before."
    return "\n\n".join([legend, *parts])


def write(data, docs):
    found = text(data)
    if found is None:
        sys.exit("error: there are no results")
    page = docs / "benchmarks.md"
    old = page.read_text("utf-8")
    if old.count(BEGIN) != 1 or old.count(END) != 1 or old.index(BEGIN) > old.index(END):
        sys.exit(f"error: {page} has not exactly the two lines\n  {BEGIN}\n  {END}\nin this order")
    before, after = old[: old.index(BEGIN) + len(BEGIN)], old[old.index(END) :]
    # Written beside and renamed, so that the prose survives an interruption.
    part = page.with_suffix(".part")
    part.write_text(f"{before}\n\n{found}\n\n{after}", "utf-8")
    os.replace(part, page)
