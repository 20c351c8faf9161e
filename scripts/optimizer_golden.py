#!/usr/bin/env python3
"""Makes crates/train/tests/data/optimizer_golden.json: what Keras' optimizers do to three small weights in ten steps.

The gradients are random and given; some are zero, as those of an embedding are for tokens that a batch lacks. The
unit tests of crates/train/src/step/optimizer follow the weights after every step.

    pip install keras==3.15.1 tensorflow-cpu
    python scripts/optimizer_golden.py
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402  (the backend is chosen before the import)
import numpy as np  # noqa: E402

OUTPUT = Path(__file__).parent.parent / "crates/train/tests/data/optimizer_golden.json"
SHAPES = {"embedding.weight": (3, 2), "head.weight": (2, 1), "head.bias": (1,)}
STEPS = 10

# Our config and the Keras optimizer that it stands for.
OPTIMIZERS = [
    ({"adam": {"learning_rate": 0.01}}, lambda: keras.optimizers.Adam(0.01)),
    (
        {"adam": {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-4}},
        lambda: keras.optimizers.Adam(0.05, beta_1=0.8, beta_2=0.99, epsilon=1e-4),
    ),
    (
        {"adamw": {"learning_rate": 0.01, "weight_decay": 0.004}},
        lambda: keras.optimizers.AdamW(0.01, weight_decay=0.004),
    ),
    ({"adamw": {"learning_rate": 0.01, "weight_decay": 1.0}}, lambda: keras.optimizers.AdamW(0.01, weight_decay=1.0)),
    ({"sgd": {"learning_rate": 0.1}}, lambda: keras.optimizers.SGD(0.1)),
    ({"sgd": {"learning_rate": 0.1, "momentum": 0.9}}, lambda: keras.optimizers.SGD(0.1, momentum=0.9)),
    (
        {"sgd": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}},
        lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    ),
    ({"rmsprop": {"learning_rate": 0.01}}, lambda: keras.optimizers.RMSprop(0.01)),
    (
        {"rmsprop": {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.9, "epsilon": 1e-4}},
        lambda: keras.optimizers.RMSprop(0.01, rho=0.8, momentum=0.9, epsilon=1e-4),
    ),
    ({"rmsprop": {"learning_rate": 0.01, "centered": True}}, lambda: keras.optimizers.RMSprop(0.01, centered=True)),
    (
        {"rmsprop": {"learning_rate": 0.01, "momentum": 0.5, "centered": True}},
        lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    ),
    ({"adagrad": {"learning_rate": 0.1}}, lambda: keras.optimizers.Adagrad(0.1)),
    (
        {"adagrad": {"learning_rate": 0.1, "initial_accumulator_value": 0.5, "epsilon": 1e-3}},
        lambda: keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.5, epsilon=1e-3),
    ),
    ({"lion": {"learning_rate": 0.01}}, lambda: keras.optimizers.Lion(0.01)),
    (
        {"lion": {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "weight_decay": 0.5}},
        lambda: keras.optimizers.Lion(0.01, beta_1=0.8, beta_2=0.95, weight_decay=0.5),
    ),
]


def flat(values):
    return {name: np.asarray(value, "float64").ravel().tolist() for name, value in values.items()}


if __name__ == "__main__":
    rng = np.random.default_rng(17)
    init = {name: rng.uniform(-1, 1, shape).round(4) for name, shape in SHAPES.items()}
    gradients = []
    for step in range(STEPS):
        gradient = {name: rng.normal(size=shape).round(4) for name, shape in SHAPES.items()}
        gradient["embedding.weight"][step % 3] = 0
        gradients.append(gradient)

    cases = []
    for config, make in OPTIMIZERS:
        variables = {name: keras.Variable(value.astype("float32"), name=name) for name, value in init.items()}
        optimizer, steps = make(), []
        for gradient in gradients:
            pairs = [(keras.ops.convert_to_tensor(gradient[n].astype("float32")), v) for n, v in variables.items()]
            optimizer.apply_gradients(pairs)
            steps.append(flat({name: variable.numpy() for name, variable in variables.items()}))
        cases.append({"config": config, "steps": steps})

    golden = {"keras": keras.__version__, "init": flat(init), "gradients": [flat(g) for g in gradients], "cases": cases}
    OUTPUT.write_text(json.dumps(golden) + "\n")
