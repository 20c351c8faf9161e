"""The reference model in Keras on TensorFlow: steps, whole trainings, predictions. Called by scripts/bench_peers.py.

`model.fit` on arrays in memory is measured, because it is what a user of Keras calls. `jit` compiles with XLA; `several` runs
16 steps in one call of the compiled function besides.
"""

import time

import measuring

VERSIONS = measuring.need("tensorflow|tensorflow-cpu", "keras", "numpy")

import keras
import numpy as np
import tensorflow as tf

FORMS = {"default": {}, "jit": {"jit_compile": True}, "several": {"jit_compile": True, "steps_per_execution": 16}}


def set_threads(count):
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(measuring.SEED)


def reference(vocab_size, dim, length, labels=2, **compiling):
    ids = keras.Input((length,), dtype="int32")
    embedded = keras.layers.Embedding(vocab_size, dim)(ids)
    attended = keras.layers.Attention()([embedded, embedded])
    pooled = keras.layers.GlobalAveragePooling1D()(attended)
    head, loss = (
        (keras.layers.Dense(1, activation="sigmoid"), "binary_crossentropy")
        if labels == 2
        else (keras.layers.Dense(labels, activation="softmax"), "sparse_categorical_crossentropy")
    )
    built = keras.Model(ids, head(pooled))
    built.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"], **compiling)
    return built


class Clock(keras.callbacks.Callback):
    """When steps were done, until time is up. It costs nothing that can be measured."""

    def __init__(self, warm_up, block, seconds):
        super().__init__()
        self.warm_up, self.block, self.seconds, self.marks = warm_up, block, seconds, []

    def on_train_batch_end(self, batch, logs=None):
        now, done = time.perf_counter(), batch + 1
        if done >= self.warm_up if not self.marks else done - self.marks[-1][0] >= self.block:
            self.marks.append((done, now))
            self.model.stop_training = now - self.marks[0][1] > self.seconds and len(self.marks) >= 3

    def blocks(self):
        return [(to - at) / (done - begun) * 1e3 for (begun, at), (done, to) in zip(self.marks, self.marks[1:])]


def train_step(form, length, dim, batch_size, vocab_size, steps, warm_up, block, seconds, threads):
    set_threads(threads)
    built = reference(vocab_size, dim, length, **FORMS[form])
    clock = Clock(warm_up, block, seconds)
    # With several steps a call, there are enough for the warm-up and two blocks.
    examples = max(steps, 4 * FORMS[form].get("steps_per_execution", 1)) * batch_size
    ids, targets = measuring.drawn(examples, length, vocab_size)
    built.fit(ids, targets, batch_size=batch_size, verbose=0, callbacks=[clock])
    return measuring.summary(clock.blocks(), batch_size, parameters=built.count_params(), versions=VERSIONS)


class First(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.at = time.time()
        self.model.stop_training = True


def start(spawned, length, dim, batch_size, vocab_size, threads):
    """Seconds from the start of the process to the first step done, on ids that need no reading."""
    set_threads(threads)
    built = reference(vocab_size, dim, length)
    first = First()
    built.fit(*measuring.drawn(batch_size, length, vocab_size), batch_size=batch_size, verbose=0, callbacks=[first])
    return {"seconds": first.at - spawned, "versions": VERSIONS}


def vectorizer(texts, vocab_size, length):
    layer = keras.layers.TextVectorization(vocab_size, output_sequence_length=length)
    layer.adapt(tf.data.Dataset.from_tensor_slices(texts).batch(1024))
    return layer


def fit(
    corpus,
    labels,
    epochs,
    threads,
    save=None,
    seed=measuring.SEED,
    length=100,
    dim=64,
    vocab_size=10_000,
    batch_size=32,
):
    """A whole training, as the reference document has it, from the files to the accuracy on the test split."""
    set_threads(threads)
    keras.utils.set_random_seed(seed)
    (train, train_targets), (test, test_targets) = measuring.texts(corpus, "train"), measuring.texts(corpus, "test")
    layer = vectorizer(train, vocab_size, length)
    encode = lambda texts: layer(tf.constant(texts)).numpy().astype("int32")
    built = reference(vocab_size, dim, length, labels)
    ids, targets = encode(train), np.array(train_targets, "float32")
    start = time.perf_counter()
    built.fit(ids, targets, batch_size=batch_size, epochs=epochs, verbose=0)
    seconds = time.perf_counter() - start
    if save:
        # With the vectorizer inside, as a Keras model that takes texts is kept.
        text = keras.Input((), dtype="string")
        keras.Model(text, built(layer(text))).save(save)
    accuracy = built.evaluate(encode(test), np.array(test_targets, "float32"), batch_size=256, verbose=0)[1]
    return {
        "train_s": seconds,
        "epoch_s": seconds / epochs,
        "accuracy": float(accuracy),
        "epochs": epochs,
        "versions": VERSIONS,
    }


def predict(model, input, output, threads, singles):
    set_threads(threads)
    built = keras.models.load_model(model)
    one = tf.function(lambda text: built(text, training=False), input_signature=[tf.TensorSpec((1,), tf.string)])

    def classify_all(lines):
        batches = tf.data.Dataset.from_tensor_slices(lines).batch(1024).prefetch(2)
        return (built.predict(batches, verbose=0)[:, 0] > 0.5).astype(int).tolist()

    classify_one = lambda text: int(one(tf.constant([text]))[0, 0] > 0.5)
    return measuring.predicting(classify_all, classify_one, input, output, singles) | {"versions": VERSIONS}


if __name__ == "__main__":
    measuring.run({"train_step": train_step, "start": start, "fit": fit, "predict": predict})
