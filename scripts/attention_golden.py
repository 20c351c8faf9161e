#!/usr/bin/env python3
"""Makes crates/model/tests/data/attention_golden.json: what each attention classifier computes, in float64.

Written from the formulas (Vaswani et al. 2017; Xiong et al. 2020 for pre-norm) with numpy alone, so it shares no code
with Burn. Each case holds a model config, random weights, token ids, a mask and the logits; the Rust tests follow it.

    pip install numpy
    python scripts/attention_golden.py
"""

import json
import math
from pathlib import Path

import numpy as np

OUTPUT = Path(__file__).parent.parent / "crates/model/tests/data/attention_golden.json"
VOCAB_SIZE, DIM, MAX_LENGTH = 7, 4, 6
DECIMALS = 4  # short in the file; what f32 loses of them is far below the tolerance
HIDDEN = -1e9

IDS = np.array([[1, 2, 3, 4, 5], [6, 5, 0, 0, 0], [2, 2, 6, 0, 0], [0, 0, 0, 0, 0]])
MASK = np.arange(5) < np.array([[5], [2], [3], [0]])


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def relu(x):
    return np.maximum(x, 0)


def layer_norm(x, gain, bias, epsilon=1e-5):
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * gain + bias


def attend(query, key, value, scale, mask):
    """One text: softmax(Q Kᵀ · scale) V; hidden keys get no weight."""
    scores = query @ key.T * scale
    if mask is not None:
        scores = scores + np.where(mask, 0, HIDDEN)
    return softmax(scores) @ value


class Model:
    """A classifier for one text at a time. Weights are drawn where they are first asked for."""

    def __init__(self, rng, config, n_labels):
        self.rng, self.config, self.outputs = rng, config, 1 if n_labels == 2 else n_labels
        self.weights = {}

    def weight(self, name, *shape, centre=0.0):
        if name not in self.weights:
            self.weights[name] = (centre + self.rng.normal(size=shape) * 0.7).round(DECIMALS)
        return self.weights[name]

    def linear(self, name, x, width):
        return x @ self.weight(f"{name}.weight", x.shape[-1], width) + self.weight(f"{name}.bias", width)

    def norm(self, name, x):
        return layer_norm(x, self.weight(f"{name}.gamma", DIM, centre=1.0), self.weight(f"{name}.beta", DIM))

    def positions(self, x):
        length = len(x)
        if self.config["positions"] == "learned":
            return x + self.weight("positions.weight", MAX_LENGTH, DIM)[:length]
        if self.config["positions"] == "sinusoidal":
            angles = np.arange(length)[:, None] / 10_000 ** (np.arange(0, DIM, 2) / DIM)
            vectors = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, DIM)
            return x * math.sqrt(DIM) + vectors
        return x

    def attention(self, x, mask):
        ((kind, options),) = self.config["attention"].items()
        if kind == "none":
            return x
        if kind == "dot":
            return attend(x, x, x, 1.0, mask)
        if kind == "scaled_dot":
            width = options.get("dim", DIM)
            query, key, value = (self.linear(f"attention.{part}", x, width) for part in ("query", "key", "value"))
            return attend(query, key, value, 1 / math.sqrt(width), mask)
        for layer in range(options["n_layers"]):
            x = self.block(f"attention.layers.{layer}", x, mask, options)
        return self.norm("attention.norm", x)

    def block(self, name, x, mask, options):
        normed = self.norm(f"{name}.attention_norm", x)
        query, key, value = (
            np.split(self.linear(f"{name}.attention.{part}", normed, DIM), options["n_heads"], axis=1)
            for part in ("query", "key", "value")
        )
        scale = 1 / math.sqrt(DIM / options["n_heads"])
        heads = [attend(q, k, v, scale, mask) for q, k, v in zip(query, key, value)]
        x = x + self.linear(f"{name}.attention.output", np.concatenate(heads, axis=1), DIM)
        inner = relu(self.linear(f"{name}.inner", self.norm(f"{name}.feed_forward_norm", x), options["d_feed_forward"]))
        return x + self.linear(f"{name}.outer", inner, DIM)

    def logits(self, ids, mask):
        x = self.positions(self.weight("embedding.weight", VOCAB_SIZE, DIM)[ids])
        x = self.attention(x, mask)
        if mask is None:
            pooled = x.mean(axis=0)
        else:
            pooled = x[mask].sum(axis=0) / max(mask.sum(), 1)
        return self.linear("head", pooled, self.outputs)


def case(rng, attention, positions, n_labels, masking):
    config = {
        "max_length": MAX_LENGTH,
        "masking": masking,
        "padding": "longest" if masking else "max_length",
        "embedding": {"dim": DIM},
        "positions": positions,
        "attention": attention,
    }
    model = Model(rng, config, n_labels)
    logits = [model.logits(ids, mask if masking else None) for ids, mask in zip(IDS, MASK)]
    return {
        "config": config,
        "n_labels": n_labels,
        "weights": [
            {"name": name, "shape": values.shape, "values": values.ravel().tolist()}
            for name, values in model.weights.items()
        ],
        "logits": [row.round(9).tolist() for row in logits],
    }


if __name__ == "__main__":
    rng = np.random.default_rng(3)
    transformer = {"transformer": {"n_layers": 2, "n_heads": 2, "d_feed_forward": 5, "dropout": 0.0}}
    cases = [
        case(rng, attention, positions, n_labels, masking)
        for attention, positions, n_labels in [
            ({"none": {}}, "sinusoidal", 2),
            ({"dot": {}}, "none", 2),
            ({"dot": {}}, "learned", 3),
            ({"scaled_dot": {"dim": 3}}, "none", 3),
            ({"scaled_dot": {}}, "sinusoidal", 2),
            (transformer, "learned", 2),
            (transformer, "sinusoidal", 3),
        ]
        for masking in (True, False)
    ]
    golden = {"vocab_size": VOCAB_SIZE, "ids": IDS.tolist(), "mask": MASK.tolist(), "cases": cases}
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(golden) + "\n")
