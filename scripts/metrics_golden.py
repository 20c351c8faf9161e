"""Makes crates/train/tests/data/metrics_golden.json: random predictions and what scikit-learn says about them.

The Rust test `metrics::golden::scikit_learn_agrees` compares our metrics with these numbers. What scikit-learn does not
have (calibration error, bootstrap intervals, thresholds) is written here in NumPy, straight from the definitions. Run
it again only to add a case; the same versions (stored in the file) give the same bytes:

    pip install scikit-learn
    python scripts/metrics_golden.py
"""

import json
import platform
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import sklearn
from sklearn.dummy import DummyClassifier
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    cohen_kappa_score,
    confusion_matrix,
    hamming_loss,
    log_loss,
    matthews_corrcoef,
    precision_recall_fscore_support,
    roc_auc_score,
)

OUTPUT = Path(__file__).parent.parent / "crates/train/tests/data/metrics_golden.json"
DECIMALS = 4  # short in the file; f32 reads them back unchanged
EPSILON = float(np.finfo(np.float32).eps)
ONE_HALF = np.float32(0.5)


def binary(rng, n, positive_share, decimals=DECIMALS, low=0.01, high=0.99):
    """Targets and [1 - p, p]; p leans towards the target, within low..high."""
    targets = (rng.random(n) < positive_share).astype(int)
    p = np.clip(rng.normal(0.4 + 0.2 * targets, 0.2), low, high).round(decimals)
    return "one", [[int(t)] for t in targets], np.stack([1 - p, p], axis=1).round(decimals)


def several(rng, n, shares, decimals=DECIMALS):
    """Targets drawn with the given shares, and softmax probabilities that lean towards them."""
    targets = rng.choice(len(shares), size=n, p=shares)
    logits = rng.normal(size=(n, len(shares)))
    logits[np.arange(n), targets] += 1
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return "one", [[int(t)] for t in targets], probabilities.round(decimals).clip(10.0**-decimals)


def many(rng, n, shares, decimals=DECIMALS, low=0.01, high=0.99):
    """Each label present with its share, independently; probabilities that lean towards the truth."""
    truth = rng.random((n, len(shares))) < shares
    p = np.clip(rng.normal(0.3 + 0.3 * truth, 0.2), low, high).round(decimals)
    return "many", [np.flatnonzero(present).tolist() for present in truth], p


def cases(rng):
    """Name, task, targets and probabilities, and the thresholds to decide by (none: one half)."""
    yield "two labels, balanced", *binary(rng, 200, 0.5), []
    yield "two labels, imbalanced", *binary(rng, 200, 0.05), []
    yield "two labels, imbalanced, low threshold", *binary(rng, 150, 0.1), [0.375]
    yield "two labels, tied scores and one half", *binary(rng, 150, 0.4, decimals=1, low=0.1, high=0.9), []
    yield "two labels, sure of everything", *binary(rng, 60, 0.5, decimals=0, low=0, high=1), []
    yield "two labels, all scores equal", *binary(rng, 30, 0.5, low=0.5, high=0.5), []
    yield "two labels, no target is the second", *binary(rng, 50, 0.0), []
    yield "two labels, no target is the first", *binary(rng, 50, 1.0), []
    yield "two labels, the second is never predicted", *binary(rng, 50, 0.5, high=0.45), []
    yield "two labels, the first is never predicted", *binary(rng, 50, 0.5, low=0.55), []
    yield "two labels, one example", *binary(rng, 1, 1.0), []
    yield "three labels", *several(rng, 150, [0.5, 0.3, 0.2]), []
    yield "three labels, tied probabilities", *several(rng, 100, [0.3, 0.3, 0.4], decimals=1), []
    yield "six labels", *several(rng, 200, [0.3, 0.25, 0.2, 0.15, 0.07, 0.03]), []
    yield "six labels, two without a target", *several(rng, 60, [0.5, 0, 0.3, 0.2, 0, 0]), []
    yield "many of four labels", *many(rng, 150, [0.4, 0.3, 0.2, 0.1]), []
    yield "many of four labels, own thresholds", *many(rng, 100, [0.5, 0.3, 0.2, 0.1]), [0.5, 0.375, 0.625, 0.25]
    yield "many of three labels, tied scores", *many(rng, 100, [0.5, 0.3, 0.2], decimals=1, low=0, high=1), []
    yield "many of five labels, one nowhere, one everywhere", *many(rng, 60, [0.3, 0, 1, 0.2, 0.1]), []
    yield "many of two labels", *many(rng, 60, [0.6, 0.3]), []
    yield "many of one label", *many(rng, 60, [0.4]), []
    yield "many of twenty-eight labels", *many(rng, 60, [0.04] * 27 + [0.3]), []


def indicator(ids, n_labels):
    """A row per example with 1 for each label it has."""
    rows = np.zeros((len(ids), n_labels), dtype=int)
    for row, present in zip(rows, ids):
        row[present] = 1
    return rows


def decide(task, p32, thresholds):
    """The decisions as rows of 0 and 1, in the f32 of the model."""
    n, n_labels = p32.shape
    thresholds = np.array(thresholds or [0.5] * n_labels, dtype=np.float32)
    if task == "many":
        return (p32 > thresholds).astype(int)
    chosen = (p32[:, 1] > thresholds[-1]).astype(int) if n_labels == 2 else p32.argmax(axis=1)
    return indicator([[i] for i in chosen], n_labels)


def areas(metric, task, truth, p32):
    """The area of each label against the rest, and what the whole is said to have."""
    n_labels = truth.shape[1]
    defined = [0 < truth[:, i].sum() < len(truth) for i in range(n_labels)]
    each = [float(metric(truth[:, i], p32[:, i])) if defined[i] else None for i in range(n_labels)]
    if task == "one" and n_labels == 2:
        return each, each[1]
    if not any(defined):
        return each, None
    return each, float(metric(truth[:, defined], p32[:, defined], average="macro"))


def calibration_error(stated, true, bins=15):
    """Naeini et al. 2015, Guo et al. 2017: the mean over the bins of |confidence - accuracy|, by their sizes."""
    bin_of = np.digitize(stated, np.linspace(0, 1, bins + 1)[1:-1])
    error = 0.0
    for b in range(bins):
        inside = bin_of == b
        if inside.any():
            error += inside.mean() * abs(stated[inside].mean() - true[inside].mean())
    return error


def splitmix64(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def drawn(index, n):
    """The examples of a resample: the high half of n times each output of SplitMix64 started at mix(index)."""
    steps = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = splitmix64(splitmix64(np.array([index], dtype=np.uint64)) + steps)
    half, low = np.uint64(32), np.uint64(2**32 - 1)
    n = np.uint64(n)
    return (((z >> half) * n + (((z & low) * n) >> half)) >> half).astype(int)


def intervals(truth, decisions):
    """The percentile bootstrap of 1,000 resamples, drawn as the Rust code does."""

    def measure(chosen):
        t, d = truth[chosen], decisions[chosen]
        hits, total = (t & d).sum(axis=0), t.sum(axis=0) + d.sum(axis=0)
        f1 = np.divide(2 * hits, total, out=np.zeros(len(hits)), where=total > 0)
        return (t == d).all(axis=1).mean(), f1.mean(), 2 * hits.sum() / max(total.sum(), 1)

    n = len(truth)
    ends = np.percentile([measure(drawn(i, n)) for i in range(1000)], [2.5, 97.5], axis=0)
    # NumPy's own generator must say the same, as far as a thousand resamples can tell.
    rng = np.random.default_rng(1)
    others = np.percentile([measure(rng.integers(n, size=n)) for _ in range(1000)], [2.5, 97.5], axis=0)
    assert np.all(abs(ends - others) <= 0.15 * (others[1] - others[0]) + 1 / n), (ends, others)
    return dict(zip(["accuracy", "macro_f1", "micro_f1"], ends.T.tolist()))


def tuned(has, scores, quality):
    """The threshold with the highest quality: every candidate tried, in fractions, the closest to 1/2 preferred."""
    if has.all() or not has.any():
        return float(ONE_HALF)
    ends = np.unique(np.concatenate([scores, np.array([0, 1], dtype=np.float32)]))
    candidates = [
        ONE_HALF if low <= ONE_HALF < high else low + (high - low) / np.float32(2) for low, high in zip(ends, ends[1:])
    ]
    return float(max(candidates, key=lambda t: (quality(has, scores > t), -abs(t - ONE_HALF), t)))


def f1(has, decided):
    return Fraction(2 * int((has & decided).sum()), int(has.sum()) + int(decided.sum()))


def macro_f1(has, decided):
    return f1(has, decided) + f1(~has, ~decided)


def accuracy(has, decided):
    return Fraction(int((has == decided).sum()), len(has))


def thresholds(task, truth, p32):
    has, n_labels = truth.astype(bool), truth.shape[1]
    if task == "many":
        each = [tuned(has[:, i], p32[:, i], f1) for i in range(n_labels)]
        return {"accuracy": each, "macro_f1": each}
    if n_labels == 2:
        return {q.__name__: [tuned(has[:, 1], p32[:, 1], q)] for q in [accuracy, macro_f1]}
    return {"accuracy": [], "macro_f1": []}


def expected(task, ids, probabilities, chosen):
    n_labels = probabilities.shape[1]
    labels = list(range(n_labels))
    # The decisions and the scores are those of f32, as the model gives them; the rest is f64.
    p32 = probabilities.astype(np.float32)
    p = p32.astype(np.float64)
    clipped = p.clip(EPSILON, 1 - EPSILON)
    truth, decisions = indicator(ids, n_labels), decide(task, p32, chosen)

    if task == "one":
        targets, predictions = truth.argmax(axis=1), decisions.argmax(axis=1)
        stated, true = p[np.arange(len(p)), predictions], (targets == predictions)
        confusion = confusion_matrix(targets, predictions, labels=labels)
        kappa = cohen_kappa_score(targets, predictions)
        own = {
            "confusion": confusion.tolist(),
            "mcc": float(matthews_corrcoef(targets, predictions)),
            "cohen_kappa": None if np.isnan(kappa) else float(kappa),
            "hamming_loss": None,
            "log_loss": float(log_loss(targets, clipped, labels=labels)),
            "brier": float(
                brier_score_loss(targets, p[:, 1], labels=labels)
                if n_labels == 2
                else brier_score_loss(targets, p, labels=labels)
            ),
        }
    else:
        # scikit-learn reads an indicator with one column as one label per example, so a second, empty one stands by
        # where that matters.
        targets, predictions = truth, decisions
        stated, true = p.ravel(), truth.ravel()
        sides = [np.stack([1 - clipped[:, i], clipped[:, i]], axis=1) for i in labels]
        own = {
            "confusion": [],
            "mcc": None,
            "cohen_kappa": None,
            "hamming_loss": float(hamming_loss(truth, decisions)),
            "log_loss": float(np.mean([log_loss(truth[:, i], sides[i], labels=[0, 1]) for i in labels])),
            "brier": float(np.mean([brier_score_loss(truth[:, i], p[:, i], labels=[0, 1]) for i in labels])),
        }
        if n_labels == 1:
            targets, predictions = (np.pad(a, [(0, 0), (0, 1)]) for a in (truth, decisions))

    def averaged(average):
        return precision_recall_fscore_support(targets, predictions, labels=labels, average=average, zero_division=0)

    precision, recall, f1, support = averaged(None)
    nothing = np.zeros((len(truth), 1))
    names = [" ".join(map(str, present)) for present in ids]
    majority = DummyClassifier(strategy="most_frequent").fit(nothing, names)
    roc_each, roc_auc = areas(roc_auc_score, task, truth, p32)
    pr_each, pr_auc = areas(average_precision_score, task, truth, p32)
    return {
        "accuracy": float(accuracy_score(targets, predictions)),
        **{
            average: dict(zip(["precision", "recall", "f1"], map(float, averaged(average)[:3])))
            for average in ["macro", "micro", "weighted"]
        },
        "per_label": {
            "precision": precision.tolist(),
            "recall": recall.tolist(),
            "f1": f1.tolist(),
            "support": support.tolist(),
            "predicted": decisions.sum(axis=0).tolist(),
            "roc_auc": roc_each,
            "pr_auc": pr_each,
        },
        "roc_auc": roc_auc,
        "pr_auc": pr_auc,
        **own,
        "calibration_error": float(calibration_error(stated, true)),
        "majority": {
            "labels": [int(i) for i in majority.predict(nothing)[0].split()],
            "accuracy": majority.score(nothing, names),
        },
        "intervals": intervals(truth, decisions),
        "tuned": thresholds(task, truth, p32),
    }


def main():
    # Rounded probabilities do not add up to exactly one.
    warnings.filterwarnings("ignore", message="The y_prob values do not sum to one")
    warnings.filterwarnings("ignore", category=sklearn.exceptions.UndefinedMetricWarning)
    golden = {
        "made_by": "scripts/metrics_golden.py",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "cases": [
            {
                "name": name,
                "task": task,
                "n_labels": probabilities.shape[1],
                "thresholds": chosen,
                "targets": ids,
                "probabilities": probabilities.ravel().tolist(),
                "expected": expected(task, ids, probabilities, chosen),
            }
            for name, task, ids, probabilities, chosen in cases(np.random.default_rng(0))
        ],
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(golden, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
