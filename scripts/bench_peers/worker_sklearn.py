"""scikit-learn's TF-IDF with logistic regression: training and predictions. Called by scripts/bench_peers.py."""

import pickle
import time

import measuring

VERSIONS = measuring.need("scikit-learn")

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def fit(corpus, save):
    (train, targets), (test, test_targets) = measuring.texts(corpus, "train"), measuring.texts(corpus, "test")
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=300)
    )
    start = time.perf_counter()
    model.fit(train, targets)
    seconds = time.perf_counter() - start
    with open(save, "wb") as file:
        pickle.dump(model, file)
    return {"train_s": seconds, "accuracy": model.score(test, test_targets), "versions": VERSIONS}


def predict(model, input, output, threads, singles):
    with open(model, "rb") as file:
        loaded = pickle.load(file)
    classify_all = lambda lines: loaded.predict(lines).tolist()
    classify_one = lambda text: loaded.predict([text])[0]
    return measuring.predicting(classify_all, classify_one, input, output, singles) | {"versions": VERSIONS}


if __name__ == "__main__":
    measuring.run({"fit": fit, "predict": predict})
