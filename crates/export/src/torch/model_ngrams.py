"""The n-grams that the linear part of the classifier reads, and what they weigh. Needs nothing but Python.

    from model_ngrams import Ngrams
    ngrams = Ngrams.load(".")               # from `ngrams.json` and `characters.json`
    ids, values = ngrams.row("some text")

`ngrams.json` says which n-grams there are: those of words, then those of characters; the id of each is its place. A value is
(1 + ln count)·idf; those of the words have the L2 norm 1, and so have those of the characters. `characters.json` says what
each character of Unicode is, because Python's own tables differ from version to version:

    lower   what a character becomes in lower case
    kinds   [first code point, kind]: white space `_`; `a` of a word; in Thai and the like `T` and `t`, in Chinese and
            Japanese `C` and `c`, of which the capital ones are words by themselves; and `.` for any other
"""

import json
import math
import re
from bisect import bisect_right
from collections import Counter
from pathlib import Path

# Both are for texts in which each character is replaced by its kind.
WORD = re.compile("a{2,}|[TC]")
RUN = re.compile("(?P<letters>[Tt][Tt.]*)|(?P<ideographs>[Cc][Cc.]*)|[a.]+")


class Kinds(dict):
    """The kind of each code point, found when it is asked for first."""

    def __init__(self, kinds):
        super().__init__()
        self.starts, self.kinds = zip(*kinds)

    def __missing__(self, code):
        self[code] = self.kinds[bisect_right(self.starts, code) - 1]
        return self[code]


class Ngrams:
    def __init__(self, ngrams, characters):
        """From the content of the two files."""
        self.settings, self.idf = ngrams["settings"], ngrams["idf"]
        self.words = {ngram: i for i, ngram in enumerate(ngrams["words"])}
        self.characters = {ngram: i for i, ngram in enumerate(ngrams["characters"], len(self.words))}
        self.lower, self.kinds = str.maketrans(characters["lower"]), Kinds(characters["kinds"])

    @classmethod
    def load(cls, directory):
        names = ("ngrams.json", "characters.json")
        return cls(*(json.loads((Path(directory) / name).read_text(encoding="utf-8")) for name in names))

    def row(self, text):
        """The ids of the n-grams of a text, ascending, and what each weighs."""
        lower = text.translate(self.lower)
        kinds = lower.translate(self.kinds)
        row = self.weighted(self.words, self.of_words(lower, kinds))
        row += self.weighted(self.characters, self.of_characters(lower, kinds))
        return [i for i, _ in row], [value for _, value in row]

    def of_words(self, lower, kinds):
        words = [lower[match.start() : match.end()] for match in WORD.finditer(kinds)]
        for n in range(1, self.settings["words"] + 1):
            yield from (" ".join(words[start : start + n]) for start in range(len(words) - n + 1))

    def of_characters(self, lower, kinds):
        longest = self.settings["characters"]
        for match in RUN.finditer(kinds) if longest else []:
            run, lengths = lower[match.start() : match.end()], range(2, longest + 1)
            if match["ideographs"]:
                lengths = range(1, self.settings["ideographs"] + 1)
            elif not match["letters"]:
                run = f" {run} "
            for n in lengths:
                yield from (run[start : start + n] for start in range(len(run) - n + 1))

    def weighted(self, ids, ngrams):
        counts = Counter(ids[ngram] for ngram in ngrams if ngram in ids)
        tf = (lambda count: 1 + math.log(count)) if self.settings["sublinear_tf"] else float
        weights = [(i, tf(count) * self.idf[i]) for i, count in sorted(counts.items())]
        norm = math.sqrt(sum(weight * weight for _, weight in weights))
        return [(i, weight / norm) for i, weight in weights]
