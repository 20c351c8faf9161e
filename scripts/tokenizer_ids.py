"""Checks that Python's `tokenizers` gives the ids that `attentive tokenize` gives.

    pip install tokenizers==0.23.*
    python scripts/tokenizer_ids.py texts.txt runs/a/tokenizer.json runs/b/tokenizer.json
    python scripts/tokenizer_ids.py --attentive target/release/attentive texts.txt tokenizer.json

The texts are read one a line, as `attentive tokenize` reads them. Ends with exit code 1 at the first difference.
"""

import argparse
import json
import subprocess
import sys
import time

from tokenizers import Tokenizer


def lines(path):
    """The lines of a file, divided at line feeds alone; a carriage return before one belongs to it."""
    with open(path, "rb") as file:
        text = file.read().decode("utf-8")
    found = text.split("\n")
    if found and found[-1] == "":
        found.pop()
    return [line[:-1] if line.endswith("\r") else line for line in found]


def check(attentive, path, texts_path, texts):
    library = Tokenizer.from_file(path)
    library.no_truncation()
    library.no_padding()
    # Special tokens that a file declares are text here, as in Attentive; files that it makes declare none.
    declared = [token for token in library.get_added_tokens_decoder().values() if token.special]
    library.encode_special_tokens = bool(declared)
    started = time.perf_counter()
    with open(texts_path, "rb") as file:
        output = subprocess.run([attentive, "tokenize", path, "--json"], stdin=file, capture_output=True)
    if output.returncode != 0:
        sys.exit(f"{path}: {output.stderr.decode()}")
    seconds = time.perf_counter() - started
    ours = output.stdout.decode("utf-8").split("\n")[:-1]
    if len(ours) != len(texts):
        sys.exit(f"{path}: {len(texts)} texts went in, {len(ours)} came out")
    tokens = unknown = 0
    started = time.perf_counter()
    for start in range(0, len(texts), 1000):
        encodings = library.encode_batch(texts[start : start + 1000])
        for number, (line, text, encoding) in enumerate(zip(ours[start:], texts[start:], encodings), start + 1):
            found = json.loads(line)
            if found["text"] != text:
                sys.exit(f"{path}: line {number} was read as {found['text']!r}")
            if found["ids"] != encoding.ids or found["tokens"] != encoding.tokens:
                sys.exit(f"{path}: line {number}, {text!r}\n  attentive {found['ids']}\n  python    {encoding.ids}")
            tokens += len(encoding.ids)
            unknown += len(found["unknown"])
    python = time.perf_counter() - started
    kind = json.loads(library.to_str())["model"]["type"]
    print(
        f"{path}: {kind}, {library.get_vocab_size()} tokens, {len(texts)} texts, {tokens} ids equal, {unknown} unknown "
        f"(attentive {seconds:.1f} s, python {python:.1f} s)"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attentive", default="target/release/attentive", help="the command to check")
    parser.add_argument("texts", help="a text file, one text a line")
    parser.add_argument("tokenizer", nargs="+", help="tokenizer.json files")
    arguments = parser.parse_args()
    texts = lines(arguments.texts)
    for path in arguments.tokenizer:
        check(arguments.attentive, path, arguments.texts, texts)


if __name__ == "__main__":
    main()
