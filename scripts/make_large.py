#!/usr/bin/env python3
"""Writes a large labelled CSV file, to measure that memory does not grow with the corpus.

    scripts/make_large.py ROWS FILE.csv [--seed N]

A text is 5 to 40 words that stand one after another in a long stream of words, in which the k-th most frequent word has
a probability near 1/k, and a number of its own, as orders and tickets have one: the vocabulary grows with the corpus.
The label says which of two groups of words the text holds more of, with one label in ten turned around. The same
arguments give the same file. Needs Python alone.
"""

import argparse
import itertools
import random

WORDS = 1_000_000
STREAM = 1_000_000
TOPICS = range(50, 130)  # ranks of the words that speak for a label, the even ones for one and the odd ones for the other


def word(rank):
    """The word of a rank: short for frequent ones, and no two alike."""
    letters = "etaoinshrdlcumwfgypbvk"
    text = ""
    rank += 1
    while rank:
        rank, letter = divmod(rank, len(letters))
        text += letters[letter]
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int)
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    # A rank with density 1/k up to WORDS is WORDS to the power of a uniform number.
    ranks = [int(WORDS ** draw.random()) for _ in range(STREAM)]
    stream = [word(rank) for rank in ranks]
    sums = [0, *itertools.accumulate((1 if rank % 2 else -1) if rank in TOPICS else 0 for rank in ranks)]
    with open(arguments.file, "w", encoding="utf-8") as file:
        file.write("text,label\n")
        for row in range(arguments.rows):
            bits = draw.getrandbits(64)
            start = bits % (STREAM - 40)
            end = start + 5 + (bits >> 32) % 36
            balance = sums[end] - sums[start]
            positive = balance > 0 if balance else bits >> 40 & 1 == 1
            if (bits >> 41) % 10 == 0:
                positive = not positive
            file.write(f"{' '.join(stream[start:end])} no{row},{'positive' if positive else 'negative'}\n")


if __name__ == "__main__":
    main()
