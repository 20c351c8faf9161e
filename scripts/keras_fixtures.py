#!/usr/bin/env python3
"""Makes crates/export/tests/data/keras: small models that Keras trained and saved, what is in them as JSON, and HDF5 files
that Keras does not write.

    pip install keras==3.15.1 tensorflow h5py
    scripts/keras_fixtures.py crates/export/tests/data/keras
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py  # noqa: E402  (the backend is chosen before the import)
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

TEXTS = ["A fine film, it's GOOD!", "bad, bad film", "so-so; film\u00a0noir É", "good good good", "the bad one", "a film"]


def numbers(values):
    return [keras.ops.convert_to_numpy(value).astype(float).ravel().tolist() for value in values]


def expected(model, inputs):
    return {
        "probabilities": keras.ops.convert_to_numpy(model(inputs)).tolist(),
        "weights": numbers(model.weights),
        "optimizer": numbers(model.optimizer.variables),
    }


def reference(folder):
    """Embedding -> Attention -> GlobalAveragePooling1D -> Dense, after two epochs of three batches."""
    keras.utils.set_random_seed(11)
    ids = keras.Input((5,), dtype="int32")
    embedded = layers.Embedding(12, 4, mask_zero=True)(ids)
    attended = layers.Attention(use_scale=True, score_mode="concat", dropout=0.25)([embedded, embedded])
    pooled = layers.Dropout(0.5)(layers.GlobalAveragePooling1D()(attended))
    model = keras.Model(ids, layers.Dense(1, activation="sigmoid")(pooled))
    model.compile(keras.optimizers.Adam(0.01, beta_2=0.99), "binary_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(5)
    x = rng.integers(1, 12, (10, 5)).astype("int32")
    for row in x:
        row[rng.integers(1, 6) :] = 0
    model.fit(x, rng.integers(0, 2, 10), epochs=2, batch_size=4, shuffle=False, verbose=0)
    model.save(folder / "reference.keras")
    model.save_weights(folder / "reference.weights.h5")
    return {"ids": x.tolist(), **expected(model, x)}


def text(folder):
    """TextVectorization -> Embedding -> GlobalAveragePooling1D -> Dense with a softmax."""
    keras.utils.set_random_seed(12)
    vectorization = layers.TextVectorization(20, output_sequence_length=4)
    vectorization.adapt(TEXTS)
    chain = [vectorization, layers.Embedding(20, 3), layers.GlobalAveragePooling1D(), layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((), dtype="string"), *chain])
    model.compile("adam", "sparse_categorical_crossentropy")
    inputs = keras.ops.convert_to_tensor(TEXTS, dtype="string")
    model.fit(inputs, np.array([0, 1, 2, 0, 1, 2]), epochs=2, verbose=0)
    model.save(folder / "text.keras")
    ids = keras.ops.convert_to_numpy(vectorization(inputs)).tolist()
    return {"texts": TEXTS, "ids": ids, "vocabulary": [str(token) for token in vectorization.get_vocabulary()], **expected(model, inputs)}


def foreign(folder):
    """Weights as Keras does not write them: a word of the message, and the file."""
    table = np.arange(6, dtype="float32").reshape(2, 3)
    path = "layers/embedding/vars"

    def write(name, make, **options):
        with h5py.File(folder / f"{name.replace(chr(32), chr(45))}.h5", "w", **options) as file:
            make(file)

    write("superblock", lambda file: file.create_dataset(f"{path}/0", data=table), libver="latest")
    write("chunks", lambda file: file.create_dataset(f"{path}/0", data=table, chunks=(1, 3)))
    write("filtered", lambda file: file.create_dataset(f"{path}/0", data=table, compression="gzip"))
    write("link by name", lambda file: file.create_group(path).__setitem__("0", h5py.SoftLink("/elsewhere")))
    write("other files", lambda file: file.create_group(path).__setitem__("0", h5py.ExternalLink("/etc/passwd", "/")))
    write("newer kind", lambda file: file.create_group(path, track_order=True))
    write("floats", lambda file: file.create_dataset(f"{path}/0", data=table.astype(">f4")))
    external = [("elsewhere.bin", 0, h5py.h5f.UNLIMITED)]
    write("another file", lambda file: file.create_dataset(f"{path}/0", (2, 3), "f4", external=external))
    layout = h5py.VirtualLayout((2, 3), "f4")
    write("virtual", lambda file: file.create_virtual_dataset("0", layout))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    (target / "foreign").mkdir(parents=True, exist_ok=True)
    found = {"keras": keras.__version__, "reference": reference(target), "text": text(target)}
    (target / "expected.json").write_text(json.dumps(found))
    foreign(target / "foreign")
