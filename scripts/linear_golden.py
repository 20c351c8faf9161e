#!/usr/bin/env python3
"""Writes crates/linear/tests/golden/scikit_learn.json: features, TF-IDF values, coefficients and decisions of scikit-learn.

    linear_golden.py > crates/linear/tests/golden/scikit_learn.json

The texts are made up. The rules for Chinese are written here once more, with Python's regular expressions.
"""

import json
import random
import re
import sys

import numpy as np
import sklearn
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

HAN = "\u4e00-\u9fff"
WORDS = {
    "film": "plot acting film scene director dull moving story Film's cast".split(),
    "food": "soup bread tasty café bland the Menu dish, crispy naïve".split(),
    "sport": "goal match team won 2:1 lost the striker! kick_off league".split(),
}
CHINESE = ["房间很好", "服务不错。", "早餐一般,", "酒店位置好", "房间小", "WiFi快"]


def texts_and_labels():
    rng = random.Random(1)
    labels = [*WORDS, "hotel"]
    rows = []
    for index in range(60):
        label = labels[index % 4]
        if label == "hotel":
            text = "".join(rng.sample(CHINESE, 3))
        else:
            other = rng.choice(list(WORDS))
            text = " ".join(rng.choices(WORDS[label], k=rng.randint(3, 9)) + rng.choices(WORDS[other], k=2))
        rows.append((text if index % 7 else text.upper(), labels.index(label)))
    rows[10] = ("", rows[10][1])
    rows[21] = ("?!", rows[21][1])
    return rows


TEST = ["A moving story, a dull film.", "", "unseen things only: zzz", "the team won 2:1", "酒店房间不错", "WiFi in the café 很好！", "☕ é"]


def characters(longest, ideographs):
    inside = CountVectorizer(analyzer="char_wb", ngram_range=(2, longest)).build_analyzer()
    of_han = CountVectorizer(analyzer="char", ngram_range=(1, ideographs)).build_analyzer()

    def analyzer(text):
        found = []
        for run in text.lower().split():
            for part in re.findall(rf"[{HAN}](?:[{HAN}]|\W)*|[^{HAN}]+", run):
                found += (of_han if re.match(f"[{HAN}]", part) else inside)(part)
        return found

    return analyzer


def rounded(values):
    return [float(f"{value:.9g}") for value in values]


def main():
    rows = texts_and_labels()
    texts, labels = [text for text, _ in rows], np.array([label for _, label in rows])
    shared = dict(min_df=3, sublinear_tf=True)
    words = TfidfVectorizer(token_pattern=rf"[{HAN}]|[^\W{HAN}]{{2,}}", ngram_range=(1, 2), **shared)
    inside = TfidfVectorizer(analyzer=characters(3, 2), **shared)
    union = FeatureUnion([("words", words), ("characters", inside)])
    x, z = union.fit_transform(texts), union.transform(TEST)
    golden = {
        "made_by": f"scripts/linear_golden.py, scikit-learn {sklearn.__version__}",
        "texts": texts, "labels": labels.tolist(), "test": TEST,
        "words": words.get_feature_names_out().tolist(), "characters": inside.get_feature_names_out().tolist(),
        "idf": rounded([*words.idf_, *inside.idf_]),
        "tfidf": [[[int(c), *rounded([v])] for c, v in sorted(zip(row.indices, row.data))] for row in (z[i] for i in range(len(TEST)))],
        "solved": [],
    }
    weights = np.array([1.0, 2.0, 0.5, 1.5])[labels] * np.where(np.arange(60) % 3, 1.0, 0.25)
    for name, c, sample_weight in [("logistic", 8.0, None), ("squared_hinge", 0.2, None), ("logistic", 1.0, weights)]:
        coefficients, decisions, objectives = [], [], []
        for label in range(4):
            y = 2 * (labels == label) - 1
            if name == "logistic":
                model = LogisticRegression(solver="liblinear", C=c, tol=1e-10, max_iter=10_000)
                loss = lambda margin: np.logaddexp(0, -margin)
            else:
                model = LinearSVC(C=c, tol=1e-10, max_iter=1_000_000)
                loss = lambda margin: np.maximum(0, 1 - margin) ** 2
            model.fit(x, y, sample_weight=sample_weight)
            w, b = model.coef_[0], float(model.intercept_[0])
            costs = c * (np.ones(60) if sample_weight is None else sample_weight)
            objectives.append(float(0.5 * (w @ w + b * b) + costs @ loss(y * (x @ w + b))))
            coefficients.append(rounded([*w, b]))
            decisions.append(rounded(model.decision_function(z)))
        golden["solved"].append({
            "loss": name, "c": c, "weighted": sample_weight is not None, "objectives": rounded(objectives),
            "coefficients": coefficients, "decisions": decisions,
        })
    json.dump(golden, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
