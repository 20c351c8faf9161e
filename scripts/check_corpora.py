#!/usr/bin/env python3
"""Loads real corpora with `attentive check` and compares the numbers of examples with those that are known.

    scripts/check_corpora.py FOLDER [ATTENTIVE]

FOLDER holds one folder per corpus, as its PROVENANCE.txt describes them; corpora that are not there are left out. The
numbers are those of the PROVENANCE.txt files, which were counted with other readers than ours. The corpora in the table
are those that can be read as they are: text and labels in one file, or a folder per label. rt-polarity (a file per class)
and TREC (the label glued to the text) have to be converted first.
"""

import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# File, settings below `data`, and how many examples there are.
PLAIN = {"header": False, "text": 0, "label": 1}
LATIN = {"encoding": "windows-1252"}
TABLE = [
    ("sst2/glue/train.tsv", {"text": "sentence"}, 67349),
    ("sst2/glue/dev.tsv", {"text": "content"}, 872),
    ("sst2/glue/test.tsv", {"text": "content"}, 1821),
    ("sst2/sentences_only/train.tsv", PLAIN, 6920),
    ("sst2/sentences_only/dev.tsv", PLAIN, 872),
    ("sst2/sentences_only/test.tsv", PLAIN, 1821),
    ("sst2/sentences_only/*.tsv", PLAIN, 6920 + 872 + 1821),
    ("imdb/aclImdb/train", {}, 25000),
    ("imdb/aclImdb/test", {}, 25000),
    ("ag_news/derived/train_29k.csv", {}, 29557),
    ("ag_news/derived/test_7600.csv", {}, 7600),
    ("ag_news/test.csv", {"header": False, "text": {"join": [1, 2], "separator": " "}, "label": 0}, 7600),
    # Unquoted: a quote-aware reader finds 5572.
    ("sms_spam/SMSSpamCollection", {"format": "tsv", "header": False, "text": 1, "label": 0}, 5574),
    ("sms_spam/spam.csv", {"text": "v2", "label": "v1", **LATIN}, 5572),
    # Line ends inside fields.
    ("airline_tweets/Tweets.csv", {"label": "airline_sentiment"}, 14640),
    ("airline_tweets/excel_damaged/Tweets.csv", {"label": "airline_sentiment", **LATIN}, 14605),
    ("financial_phrasebank/all-data.csv", {"text": "content", "label": "result", **LATIN}, 4846),
    ("goemotions/train.tsv", {**PLAIN, "multi_label": True}, 43410),
    ("goemotions/dev.tsv", {**PLAIN, "multi_label": True}, 5426),
    ("goemotions/test.tsv", {**PLAIN, "multi_label": True}, 5427),
    # Quotes that belong to csv inside the fields of a tsv.
    ("pairs/snli/cat_train_18k.tsv", {"header": False, "quoting": True, "text": [2, 3], "label": 0}, 18000),
    ("pairs/snli/cat_heldout_2k.tsv", {"header": False, "quoting": True, "text": [2, 3], "label": 0}, 2000),
    ("pairs/snli/dev.csv", {"text": ["premise", "hypothesis"]}, 9831),
    ("pairs/snli/test.txt", {"header": False, "text": [0, 1], "label": 2}, 9824),
    # A byte order mark, CRLF, and no quoting: a quote-aware reader finds 3963 lines of the first.
    ("pairs/mrpc/msr_paraphrase_train.txt", {"text": ["#1 String", "#2 String"], "label": "Quality"}, 4076),
    ("pairs/mrpc/msr_paraphrase_test.txt", {"text": ["#1 String", "#2 String"], "label": "Quality"}, 1725),
    ("pairs/sick/SICK.txt", {"text": ["sentence_A", "sentence_B"], "label": "entailment_label"}, 4439 + 495 + 4906),
    # Quote-aware readers lose 453 rows of the first.
    ("zh_chnsenticorp/train.tsv", {"text": "text_a"}, 9600),
    ("zh_chnsenticorp/dev.tsv", {"text": "text_a"}, 1200),
    ("zh_chnsenticorp/test.tsv", {"text": "text_a"}, 1200),
]
# Packed here, by Python's gzip, and read as they are packed.
PACKED = [("airline_tweets/Tweets.csv", {"label": "airline_sentiment"}, 14640), ("sst2/glue/train.tsv", {"text": "sentence"}, 67349)]


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)


def count(attentive, folder, path, settings):
    """The number of examples that `attentive check` tells of, or what it says instead."""
    config = Path(folder) / "config.toml"
    lines = [f"{key} = {toml(value)}" for key, value in {"train": str(path), **settings}.items()]
    model = "[model.attention]\nbidirectional = {}\n" if isinstance(settings.get("text"), list) else ""
    config.write_text("[data]\n" + "\n".join(lines) + "\n" + model)
    done = subprocess.run([attentive, "check", str(config)], capture_output=True, text=True)
    row = re.search(r"^train +([\d,]+)", done.stdout, re.M)
    return int(row[1].replace(",", "")) if row else done.stderr.strip()


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    corpora, attentive = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else "attentive"
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [(name, corpora / name, settings, rows) for name, settings, rows in TABLE]
        for name, settings, rows in PACKED:
            if (corpora / name).exists():
                packed = Path(folder) / (name.replace("/", "_") + ".gz")
                packed.write_bytes(gzip.compress((corpora / name).read_bytes()))
                cases.append((f"{name}, packed", packed, settings, rows))
        for name, path, settings, rows in cases:
            if not (corpora / name.split("/")[0]).exists():
                print(f"absent  {name}")
                continue
            found = count(attentive, folder, path, settings)
            wrong += found != rows
            print(f"{'ok    ' if found == rows else 'WRONG '}  {name}: {found}{'' if found == rows else f', not {rows}'}", flush=True)
    sys.exit(f"{wrong} of {len(cases)} are wrong" if wrong else 0)


if __name__ == "__main__":
    main()
