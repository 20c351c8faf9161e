#!/usr/bin/env python3
"""Makes crates/train/tests/data/keras_mask{0,1}.json: what Keras computes for the reference model, step by step.

A tiny Embedding -> Attention()([e, e]) -> GlobalAveragePooling1D -> Dense(1, sigmoid) is trained for 3 epochs of 3
batches (the last one partial), once with mask_zero=False and once with mask_zero=True. The file holds the data, the
initial weights, the weights after every step, the history and the predictions. The Rust tests follow it.

    pip install keras==3.15.1 jax
    scripts/keras_golden.py crates/train/tests/data
"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras  # noqa: E402  (the backend is chosen before the import)
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

VOCAB_SIZE, DIM, LENGTH, EXAMPLES, BATCH_SIZE, EPOCHS = 12, 4, 5, 10, 4, 3


def golden(mask_zero):
    keras.utils.set_random_seed(11)
    ids = keras.Input((LENGTH,), dtype="int32")
    embedded = layers.Embedding(VOCAB_SIZE, DIM, mask_zero=mask_zero)(ids)
    attended = layers.Attention()([embedded, embedded])
    pooled = layers.GlobalAveragePooling1D()(attended)
    model = keras.Model(ids, layers.Dense(1, activation="sigmoid")(pooled))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])

    rng = np.random.default_rng(5)
    x = rng.integers(1, VOCAB_SIZE, (EXAMPLES, LENGTH)).astype("int32")
    for row in x:
        row[rng.integers(1, LENGTH + 1) :] = 0
    y = rng.integers(0, 2, EXAMPLES).astype("int32")

    def weights(model):
        return [keras.ops.convert_to_numpy(weight).tolist() for weight in model.weights]

    init, steps = weights(model), []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            running = {name: float(value) for name, value in logs.items()}
            # Asked for through the callback, the model brings its weights back from JAX.
            steps.append({"batch": int(batch), "running": running, "weights": weights(self.model)})

    history = model.fit(
        x, y, epochs=EPOCHS, batch_size=BATCH_SIZE, shuffle=False, verbose=0, callbacks=[Record()],
        validation_data=(x[:7], y[:7]), validation_batch_size=BATCH_SIZE,
    )  # fmt: skip
    return {
        "keras": keras.__version__,
        "backend": "jax-cpu",
        "mask_zero": mask_zero,
        "x": x.tolist(),
        "y": y.tolist(),
        "batch_size": BATCH_SIZE,
        "order": ["embedding/embeddings", "dense/kernel", "dense/bias"],
        "init": init,
        "steps": steps,
        "history": {name: [float(value) for value in values] for name, values in history.history.items()},
        "predict": model.predict(x, verbose=0).ravel().tolist(),
        "adam": [keras.ops.convert_to_numpy(variable).tolist() for variable in model.optimizer.variables],
    }


if __name__ == "__main__":
    for mask_zero in (False, True):
        with open(os.path.join(sys.argv[1], f"keras_mask{int(mask_zero)}.json"), "w") as file:
            json.dump(golden(mask_zero), file)
