#!/usr/bin/env python3
"""Loads real corpora with `attentive check` and compares the numbers of examples with those that are known.

    scripts/check_corpora.py FOLDER [ATTENTIVE]

FOLDER holds one folder per corpus, as its PROVENANCE.txt describes them; corpora that are not there are left out. The
numbers are those of the PROVENANCE.txt files, which were counted with other readers than ours. The corpora in the table
are read as they are, but for two that have no columns (a file per class, a label glued to the text): those are written
anew first. After the numbers come the leaks, repeats and contradictions that the corpora are known for.
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
# Corpora without columns, which are written anew as a label, a tab and the text: a name, what each line of which file
# becomes, and how many there are. All are in windows-1252.
COLUMNLESS = [
    ("mr", [("mr/rt-polarity.pos", lambda line: f"pos\t{line}"), ("mr/rt-polarity.neg", lambda line: f"neg\t{line}")], 10662),
    ("trec-train", [("trec/sent-conv-raw/TREC.train", lambda line: line.replace(" ", "\t", 1))], 5452),
    ("trec-test", [("trec/sent-conv-raw/TREC.test", lambda line: line.replace(" ", "\t", 1))], 500),
]
COLUMNS = {"header": False, "label": 0, "text": 1, "encoding": "windows-1252"}
# A training and a test file, settings, and what `attentive check --json` must find: (kind, splits, count).
FOUND = [
    ("zh_chnsenticorp/train.tsv", "zh_chnsenticorp/test.tsv", {"text": "text_a"}, [("shared", 2, 331)]),
    ("goemotions/train.tsv", "goemotions/test.tsv", {"text": 0, "label": 1, "header": False, "multi_label": True},
     [("shared", 2, 37)]),
    ("sst2/glue/train.tsv", None, {"text": "sentence"}, [("conflicting_labels", 1, 5), ("duplicates", 1, 371)]),
    ("imdb/aclImdb/train", "imdb/aclImdb/test", {}, [("shared", 2, 123)]),
    ("mr.tsv", None, COLUMNS, [("sorted_by_label", 1, None)]),
    ("trec-train.tsv", "trec-test.tsv", COLUMNS, [("shared", 2, 10)]),
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


def findings(attentive, folder, train, test, settings):
    """What `attentive check --json` finds, as (kind, number of splits, count)."""
    config = Path(folder) / "config.toml"
    files = {"train": str(train), **({"test": str(test)} if test else {})}
    config.write_text("[data]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in {**files, **settings}.items()))
    done = subprocess.run([attentive, "check", "--json", str(config)], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip()
    return [(found["kind"], len(found["splits"]), found["count"]) for found in json.loads(done.stdout)["findings"]]


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
        for name, parts, rows in COLUMNLESS:
            if all((corpora / part).exists() for part, _ in parts):
                path = Path(folder) / f"{name}.tsv"
                with open(path, "w", encoding="windows-1252", newline="") as file:
                    for part, rewritten in parts:
                        with open(corpora / part, encoding="windows-1252", newline="") as lines:
                            file.writelines(map(rewritten, lines))
                cases.append((name, path, COLUMNS, rows))
        for name, path, settings, rows in cases:
            if not path.parent.exists():
                print(f"absent  {name}")
                continue
            found = count(attentive, folder, path, settings)
            wrong += found != rows
            print(f"{'ok    ' if found == rows else 'WRONG '}  {name}: {found}{'' if found == rows else f', not {rows}'}", flush=True)
        for train, test, settings, expected in FOUND:
            place = lambda file: Path(folder) / file if (Path(folder) / file).exists() else corpora / file
            if not place(train).exists():
                print(f"absent  {train}")
                continue
            found = findings(attentive, folder, place(train), test and place(test), settings)
            for kind, splits, n in expected:
                met = [count for other, of, count in found if (other, of) == (kind, splits)] if isinstance(found, list) else found
                right = bool(met) if n is None else met == [n]
                wrong += not right
                print(f"{'ok    ' if right else 'WRONG '}  {train}: {kind} {met}{'' if right else f', not {n}'}", flush=True)
    sys.exit(f"{wrong} are wrong" if wrong else 0)


if __name__ == "__main__":
    main()
