"""fastText by its Python API: whole trainings and predictions. Called by scripts/bench_peers.py."""

import time

import measuring

VERSIONS = measuring.need("fasttext")

import fasttext


def fit(train, test, ngrams, epochs, threads, save=None, seed=measuring.SEED):
    """The fastest settings that keep its accuracy: dim 64 and lr 0.5, on files that are already in fastText's form."""
    start = time.perf_counter()
    model = fasttext.train_supervised(
        train, dim=64, lr=0.5, epoch=epochs, wordNgrams=ngrams, thread=threads, seed=seed, verbose=0
    )
    seconds = time.perf_counter() - start
    if save:
        model.save_model(save)
    accuracy = model.test(test)[1]
    return {
        "train_s": seconds,
        "epoch_s": seconds / epochs,
        "accuracy": accuracy,
        "epochs": epochs,
        "versions": VERSIONS,
    }


def predict(model, input, output, threads, singles):
    loaded = fasttext.load_model(model)
    classify_all = lambda lines: [labels[0] for labels in loaded.predict(lines)[0]]
    # The call that `predict` makes for one text, which in this version of the package does not agree with NumPy 2.
    classify_one = lambda text: loaded.f.predict(text + "\n", 1, 0.0, "strict")
    return measuring.predicting(classify_all, classify_one, input, output, singles) | {"versions": VERSIONS}


if __name__ == "__main__":
    measuring.run({"fit": fit, "predict": predict})
