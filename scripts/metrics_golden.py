"""Makes crates/train/tests/data/metrics_golden.json: random predictions and what scikit-learn says about them.

The Rust test `metrics::tests::scikit_learn_agrees` compares our metrics with these numbers. Run it again only to add a
case; the same versions (stored in the file) give the same bytes:

    pip install scikit-learn
    python scripts/metrics_golden.py
"""

import json
import platform
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.dummy import DummyClassifier
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

OUTPUT = Path(__file__).parent.parent / "crates/train/tests/data/metrics_golden.json"
DECIMALS = 4  # short in the file; f32 reads them back unchanged


def binary(rng, n, positive_share, decimals=DECIMALS, low=0.01, high=0.99):
    """Targets and [1 - p, p]; p leans towards the target, within low..high."""
    targets = (rng.random(n) < positive_share).astype(int)
    p = np.clip(rng.normal(0.4 + 0.2 * targets, 0.2), low, high).round(decimals)
    return targets, np.stack([1 - p, p], axis=1).round(decimals)


def several(rng, n, shares, decimals=DECIMALS):
    """Targets drawn with the given shares, and softmax probabilities that lean towards them."""
    targets = rng.choice(len(shares), size=n, p=shares)
    logits = rng.normal(size=(n, len(shares)))
    logits[np.arange(n), targets] += 1
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return targets, probabilities.round(decimals).clip(10.0**-decimals)


def cases(rng):
    yield "two labels, balanced", *binary(rng, 200, 0.5)
    yield "two labels, imbalanced", *binary(rng, 200, 0.05)
    yield "two labels, tied scores and one half", *binary(rng, 150, 0.4, decimals=1, low=0.1, high=0.9)
    yield "two labels, all scores equal", *binary(rng, 30, 0.5, low=0.5, high=0.5)
    yield "two labels, no target is the second", *binary(rng, 50, 0.0)
    yield "two labels, no target is the first", *binary(rng, 50, 1.0)
    yield "two labels, the second is never predicted", *binary(rng, 50, 0.5, high=0.45)
    yield "two labels, the first is never predicted", *binary(rng, 50, 0.5, low=0.55)
    yield "two labels, one example", *binary(rng, 1, 1.0)
    yield "three labels", *several(rng, 150, [0.5, 0.3, 0.2])
    yield "three labels, tied probabilities", *several(rng, 100, [0.3, 0.3, 0.4], decimals=1)
    yield "six labels", *several(rng, 200, [0.3, 0.25, 0.2, 0.15, 0.07, 0.03])
    yield "six labels, two without a target", *several(rng, 60, [0.5, 0, 0.3, 0.2, 0, 0])


def expected(targets, probabilities):
    n_labels = probabilities.shape[1]
    labels = list(range(n_labels))
    # The decisions and the scores are those of f32, as the model gives them; the rest is f64.
    p32 = probabilities.astype(np.float32)
    predictions = (p32[:, 1] > 0.5).astype(int) if n_labels == 2 else p32.argmax(axis=1)

    def averaged(average):
        return precision_recall_fscore_support(
            targets, predictions, labels=labels, average=average, zero_division=0
        )

    precision, recall, f1, support = averaged(None)
    both = n_labels == 2 and len(set(targets)) == 2
    confusion = confusion_matrix(targets, predictions, labels=labels)
    nothing = np.zeros((len(targets), 1))
    majority = DummyClassifier(strategy="most_frequent").fit(nothing, targets)
    return {
        "loss": log_loss(targets, p32.astype(np.float64), labels=labels),
        "accuracy": accuracy_score(targets, predictions),
        **{
            average: dict(zip(["precision", "recall", "f1"], map(float, averaged(average)[:3])))
            for average in ["macro", "micro", "weighted"]
        },
        "per_label": {
            "precision": precision.tolist(),
            "recall": recall.tolist(),
            "f1": f1.tolist(),
            "support": support.tolist(),
            "predicted": confusion.sum(axis=0).tolist(),
        },
        "roc_auc": roc_auc_score(targets, p32[:, 1]) if both else None,
        "confusion": confusion.tolist(),
        "majority": {
            "label": int(majority.predict(nothing)[0]),
            "accuracy": majority.score(nothing, targets),
        },
    }


def main():
    # Rounded probabilities do not add up to exactly one.
    warnings.filterwarnings("ignore", message="The y_prob values do not sum to one")
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
                "n_labels": probabilities.shape[1],
                "targets": targets.tolist(),
                "probabilities": probabilities.ravel().tolist(),
                "expected": expected(targets, probabilities),
            }
            for name, targets, probabilities in cases(np.random.default_rng(0))
        ],
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(golden, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
