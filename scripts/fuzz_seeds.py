#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets, `fuzz/corpus/TARGET/NAME.seed`: small files that a mutation turns into most others;
and the words that the fuzzer may put into them, `fuzz/dictionaries/TARGET`, which it cannot find out by itself.

The first byte of a seed says how the rest is read; see the targets. The words of the config are those of `docs/config.md`.
Needs Python alone.
"""

import gzip
import hashlib
import io
import json
import re
import struct
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz/corpus"


def seed(target, name, *parts):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.seed").write_bytes(b"".join(part.encode() if isinstance(part, str) else part for part in parts))


def dictionary(target, words):
    folder = ROOT / "fuzz/dictionaries"
    folder.mkdir(parents=True, exist_ok=True)
    escape = lambda byte: chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
    lines = {'"' + "".join(map(escape, word.encode() if isinstance(word, str) else word)) + '"' for word in words}
    (folder / target).write_text("\n".join(sorted(lines)) + "\n")


def config():
    base = '[data]\ntrain = "a.csv"\n'
    for name, text in {
        "everything": '''name = "a"
seed = 7
backend = "flex"
[data]
train = ["a.csv", "b/*.csv.gz"]
validation = { fraction = 0.1, by = "hash" }
test = { fraction = 0.2, by = "hash" }
group = "author"
text = { join = ["title", "body"], separator = " " }
label = 3
format = "csv"
header = true
delimiter = ";"
encoding = "windows-1252"
labels = { "0" = "no", "1" = "yes" }
rename = { "4" = "1" }
drop = ["no"]
skip_bad_rows = 3
max_expansion = 10
max_line_bytes = 65_536
[tokenizer.word]
vocab_size = 0x10
lowercase = false
[features]
word_ngrams = 2
buckets = 1000
character_ngrams = { min = 3, max = 5 }
[model]
max_length = 16
truncate = "both"
positions = "learned"
pooling = "attention"
dropout = 0.1
embedding = { dim = 8 }
windows = { stride = 8 }
attention.multi_head = { n_heads = 2 }
[train]
epochs = 2
batch_size = 8
threshold = "tuned"
label_smoothing = 1e-1
ema = 0.9
max_grad_norm = 1.0
early_stopping = { patience = 2, min_delta = 0.0 }
class_weights = { no = 1.5, yes = 2 }
learning_rates = { embedding = 0.1, head = 1 }
optimizer.adamw = { learning_rate = 0.05, weight_decay = 0.1 }
schedule.cosine = { warmup_steps = 5 }
loss.focal = { gamma = 2 }
''',
        "pairs": base + 'text = ["a", "b"]\nmulti_label = true\nlabel_separator = "|"\n'
        "[model]\nattention.bidirectional = {}\nhead = \"sigmoid\"\n",
        "tokenizer": base + '[tokenizer.file]\npath = "t.json"\n[train]\nbatch_tokens = 2000\nsparse = true\n',
        "wrong": 'sed = 1\n[data]\ntrian = 3\n[model]\nattention.dott = {}\n[train]\nepochs = "2"\nbatch_size = 1e309\n',
        "syntax": 'a = 1\na = 2\nb = "open\nc = tru\ne =\n[f\n[[g]]\nh = """\n\\u00e9 \\U0001F600"""\ni = \'\'\'x\'\'\'\n',
        "dates": base + "x = 1979-05-27T07:32:00-08:00\ny = inf\nz = -nan\nw = 0o17\nv = [[1], {a = 1}]\n",
    }.items():
        seed("config", name, text)
    keys = re.findall(r"[a-z][a-z_0-9]+", " ".join(re.findall(r"`([^`]*)`", (ROOT / "docs/config.md").read_text())))
    dictionary("config", {*keys, " = ", "= {}", "= [", "nan", "inf", "1e309", "0x", "9223372036854775808", '"""', "\\u"})


def readers():
    formats = {"csv": 0, "tsv": 1, "jsonl": 2, "fasttext": 3}
    encodings = ["utf-8", "utf-16le", "utf-16be", "windows-1252", "shift_jis", "gb18030", "iso-2022-jp", "euc-kr"]
    options = {"": 0, "labels": 1, "pair": 2, "headless": 3, "gz": 4, "zst": 5, "skip": 6, "joined": 7}
    files = {
        "csv": 'text,label,second,group\n"a ""b""\n c",x,s,1\nd,y,t,2\né,x,,\n',
        "tsv": "text\tlabel\tsecond\tgroup\na b\tx\ts\t1\n\"q\"\ty\tt\t2\n",
        "jsonl": '{"text":"a \\u00e9\\n","label":"x","second":"s","group":1}\n{"text":"b","label":["y"],"second":"t"}\n'
        '{"label":true,"text":"c"}\n',
        "fasttext": "__label__x a b\n__label__y __label__x c\n",
    }
    for form, text in files.items():
        for option, number in options.items():
            if option in ("pair", "joined") and form == "fasttext" or option == "zst":
                continue
            content = text.encode()
            content = gzip.compress(content, mtime=0) if option == "gz" else content
            seed("readers", f"{form}-{option or 'plain'}", bytes([formats[form] | number << 5]), content)
        for index, encoding in list(enumerate(encodings))[1:]:
            if form in ("csv", "jsonl"):
                content = text.encode(encoding, "replace")
                seed("readers", f"{form}-{encoding}", bytes([formats[form] | index << 2]), content)
    # One raw block, then one of a repeated byte, without a checksum.
    raw = files["csv"].encode()
    block = lambda kind, size, last: struct.pack("<I", last | kind << 1 | size << 3)[:3]
    frame = b"\x28\xb5\x2f\xfd\x00\x58" + block(0, len(raw), 0) + raw + block(1, 5, 1) + b"\n"
    seed("readers", "csv-zst", bytes([0 | 5 << 5]), frame)
    dictionary("readers", [
        "text", "label", "second", "group", "__label__", '"text":', '"label":[', "null", "true", "1e5", "\\u0000", "\\ud800", '""',
        b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\x1b$B", "PAR1",
        "\r\n", "\0",
    ])


def manifest():
    sha = lambda data: hashlib.sha256(data).hexdigest()
    state = json.dumps(
        {
            "step": 6, "epoch": 1, "step_in_epoch": 0, "running": {"loss": 0.5, "correct": 1, "examples": 2},
            "selection": {"best": [{"step": 6, "epoch": 1, "value": 0.75, "weights_sha256": "0"}], "since_improved": 0,
                          "improved_to": 0.75},
            "thresholds": [0.5], "plateau": {"scale": 1.0, "since": 0, "cooldown": 0, "best": None}, "stopped_early": False,
            "trouble": {"skipped": 0, "in_a_row": 0, "rollbacks": 0}, "planned": 6, "proven": None,
            "changes": [{"step": 3, "difference": {"field": "train.epochs", "was": 1, "is": 2}}],
            "metrics_bytes": 10, "metrics_sha256": "0",
        },
        indent=2,
    )
    entry = lambda data: {"bytes": len(data), "sha256": sha(data)}
    body = json.dumps(
        {
            "schema": 3, "step": 6,
            "origin": {"config": {"train.epochs": 2}, "data": {"train": "d"}, "tokenizer": "t", "labels": "l", "build": {"burn": "0"}},
            "files": {"model.safetensors": entry(b"bytes"), "optimizer.bpk": entry(b"bytes"), "state.json": entry(state.encode())},
        },
        indent=2,
    )
    seed("manifest", "hashed", b"\0", body, f"\n{sha(body.encode())}\n")
    seed("manifest", "body", b"\1", body)
    seed("manifest", "state", b"\2", state)
    seed("manifest", "labels", b"\3", '["bad", "go\\u00f6d"]\n')
    seed("manifest", "empty", b"\1", "{}")
    keys = set(re.findall(r'"(\w+)":', body + state))
    dictionary("manifest", {*(f'"{key}":' for key in keys), "null", "true", "-1", "1e400", "18446744073709551615", "\\ud800", '"../'})


def cbor(value):
    """The few kinds of CBOR that burnpack's metadata has."""
    def head(major, number):
        for code, size, form in ((23, 0, ""), (0xFF, 24, ">B"), (0xFFFF, 25, ">H"), (0xFFFFFFFF, 26, ">I"), (2**64, 27, ">Q")):
            if number <= code:
                return bytes([major << 5 | (size or number)]) + (struct.pack(form, number) if form else b"")
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())


def weights():
    values = struct.pack("<7f", 1, -0.5, 0, 3e38, 1e-40, 2, -7.25)
    header = json.dumps(
        {
            "__metadata__": {"a": "b"},
            "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
            "b": {"dtype": "F32", "shape": [1], "data_offsets": [24, 28]},
        }
    ).encode()
    header += b" " * (-len(header) % 8)
    framed = lambda head, data: bytes([len(head) // 4]) + head + data
    seed("weights", "safetensors", b"\0", struct.pack("<Q", len(header)), header, values)
    seed("weights", "safetensors-framed", b"\2", framed(header, values))
    scalar = b'{"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   '
    seed("weights", "safetensors-scalar", b"\2", framed(scalar + b" " * (-len(scalar) % 4), values[:4]))
    tensors = {
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [256, 260], "param_id": 5},
    }
    metadata = cbor({"tensors": tensors, "metadata": {"k": "v"}, "scalars": {"time": {"UInt": 3}}})
    metadata += b"\xf6" * (-len(metadata) % 4)  # what is behind the map is not read
    pad = lambda data, size: data + bytes(size - len(data))
    data = lambda head: bytes(-(10 + head) % 256) + pad(values[:24], 256) + values[24:]
    seed("weights", "burnpack", b"\1", b"NRUB\1\0", struct.pack("<I", len(metadata)), metadata, data(len(metadata)))
    overlapping = cbor({"tensors": {name: {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]} for name in "abc"}})
    seed("weights", "burnpack-overlapping", b"\1", b"NRUB\1\0", struct.pack("<I", len(overlapping)), overlapping,
         bytes(-(10 + len(overlapping)) % 256 + 256))
    seed("weights", "burnpack-framed", b"\3", framed(metadata, data(len(metadata))))
    dtypes = ["BOOL", "U8", "I8", "F8_E4M3", "I16", "F16", "BF16", "I32", "F64", "I64", "C64", "F4"]
    dictionary("weights", [
        "dtype", "shape", "data_offsets", "__metadata__", '"F32"', "[0,4]", "18446744073709551615", *(f'"{name}"' for name in dtypes),
        "tensors", "metadata", "scalars", "param_id", "QFloat", "Bool", "F64", b"\x1b" + b"\xff" * 8, b"\x3a\xff\xff\xff\xff",
        b"\x9b\0\0\0\1\0\0\0\0", b"\xbf", b"\x9f", b"\x7f", b"\xff", b"\xc2\x41",
    ])


def tokenizer():
    def file(model, **parts):
        keys = ["truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"]
        return json.dumps(
            {"version": "1.0", **{key: parts.get(key) for key in keys}, "added_tokens": parts.get("added_tokens", []), "model": model}
        )
    added = lambda id, content: {
        "id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": True, "normalized": False, "special": True
    }
    sequence = lambda name, *parts: {"type": "Sequence", name: list(parts)}
    seed("tokenizer", "words", file(
        {"type": "WordLevel", "vocab": {"[PAD]": 0, "[UNK]": 1, "a": 2, "b": 3}, "unk_token": "[UNK]"},
        normalizer=sequence("normalizers", {"type": "NFC"}, {"type": "Lowercase"}, {"type": "StripAccents"}),
        pre_tokenizer=sequence("pretokenizers", {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"}),
        added_tokens=[added(0, "[PAD]")],
    ))
    seed("tokenizer", "bpe", file(
        {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": "", "end_of_word_suffix": "",
         "fuse_unk": True, "byte_fallback": False, "ignore_merges": False,
         "vocab": {"<unk>": 0, "a": 1, "b": 2, "ab": 3, "\u0120": 4, "\u0120a": 5}, "merges": [["a", "b"], ["\u0120", "a"]]},
        pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        decoder={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        truncation={"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
    ))
    text = {"Sequence": {"id": "A", "type_id": 0}}
    second = {"Sequence": {"id": "B", "type_id": 1}}
    cls = {"SpecialToken": {"id": "[CLS]", "type_id": 0}}
    seed("tokenizer", "wordpiece", file(
        {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
         "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "a": 3, "##b": 4}},
        normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                    "lowercase": True},
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor={"type": "TemplateProcessing", "single": [cls, text], "pair": [cls, text, second],
                        "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        padding={"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
                 "pad_token": "[PAD]"},
    ))
    seed("tokenizer", "unigram", file(
        {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
         "vocab": [["<unk>", 0.0], ["\u2581", -1.0], ["a", -2.0], ["\u2581ab", -2.5]]},
        normalizer={"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
        pre_tokenizer={"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        post_processor={"type": "RobertaProcessing", "sep": ["a", 2], "cls": ["a", 2], "trim_offsets": True,
                        "add_prefix_space": False},
        decoder=sequence("decoders", {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
                         {"type": "Fuse"}),
    ))
    seed("tokenizer", "split", file(
        {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"},
        normalizer=sequence("normalizers", {"type": "Prepend", "prepend": "_"}, {"type": "Strip", "strip_left": True,
                            "strip_right": False}, {"type": "Nmt"}, {"type": "NFKD"}),
        pre_tokenizer=sequence("pretokenizers", {"type": "Split", "pattern": {"Regex": "\\p{L}+|\\S"}, "behavior": "Removed",
                               "invert": True}, {"type": "Digits", "individual_digits": True}, {"type": "FixedLength", "length": 2},
                               {"type": "CharDelimiterSplit", "delimiter": "-"}, {"type": "UnicodeScripts"}),
    ))
    words = set()
    for path in (CORPUS / "tokenizer").glob("*.seed"):
        words.update(re.findall(r'"\w+"(?:: ?)?', path.read_text()))
    dictionary("tokenizer", {*words, *(f'"{name}"' for name in (
        "Bert", "NFD", "NFKC", "Precompiled", "Replace", "Delimiter", "Whitespace", "BertProcessing", "BPEDecoder", "CTC",
        "ByteFallback", "MergedWithPrevious", "MergedWithNext", "Contiguous", "String", "prefix", "ids", "longest_first",
        "content", "individual_digits", "never", "first", "max_piece_length", "suffix", "word_delimiter_token", "pad_token",
    )), "\\p{L}", "(?=", "(?i)", "{1000}", "\\ud83d", "1e308", "4294967295", "-1", "null"})
    seed("tokenizer", "old", '{"version":"1.0","model":{"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}')


def bundle():
    """The first byte is the place of the file among those of a bundle, by name, and the manifest the last."""
    sha = lambda data: hashlib.sha256(data).hexdigest()
    measured = {"examples": 2, "accuracy": 0.5, "interval": [0.1, 0.9], "macro_f1": 0.5, "micro_f1": 0.5, "majority": 0.5}
    names = ["README.md", "config.toml", "examples.jsonl", "labels.json", "model.safetensors", "tokenizer.json"]
    manifest = json.dumps(
        {
            "schema": 1, "attentive": "0.1.0",
            "about": {"name": "a", "step": 3, "fingerprint": "0",
                      "data": {"train": {"files": ["a.csv"], "examples": 2, "labels": {"bad": 1}}}, "measured": {"test": measured}},
            "files": {name: {"bytes": 1, "sha256": sha(b"a")} for name in names},
        }
    )
    seed("bundle", "manifest", b"\6", manifest[:-1])
    seed("bundle", "config", b"\1", '[data]\ntrain = "a.csv"\nmulti_label = true\n[model]\nembedding = { dim = 2 }\n')
    example = {"kind": "data", "text": "a \u00e9", "second": "b", "labels": ["bad"], "probabilities": [0.75, 0.25]}
    seed("bundle", "examples", b"\2", json.dumps(example) + "\n")
    labels = [{"name": "bad"}, {"name": "good", "threshold": 0.25}]
    seed("bundle", "labels", b"\3", json.dumps({"head": "sigmoid", "labels": labels}))
    seed("bundle", "labels-softmax", b"\3", json.dumps({"head": "softmax", "labels": [{"name": "bad"}]}))

    def tensors(**parts):
        header, data = {}, b""
        for name, (dtype, shape, values) in parts.items():
            header[name.replace("_", ".")] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
            data += values
        header = json.dumps(header).encode()
        header += b" " * (-len(header) % 8)
        return struct.pack("<Q", len(header)) + header + data

    scales = struct.pack("<2f", 0.5, 0)
    seed("bundle", "int8-rows", b"\4", tensors(
        embedding_weight=("I8", [2, 3], b"\x7f\x81\0\1\2\3"), embedding_weight_scale=("F32", [2, 1], scales)))
    seed("bundle", "int8-columns", b"\4", tensors(
        head_weight=("I8", [3, 2], b"\x7f\x81\0\1\2\3"), head_weight_scale=("F32", [1, 2], scales), head_bias=("F32", [1], scales[:4])))
    seed("bundle", "halves", b"\4", tensors(a=("F16", [2], b"\0\x3c\0\xbc"), b=("BF16", [1, 2], b"\x80\x3f\x80\xbf")))
    seed("bundle", "tokenizer", b"\5", json.dumps(
        {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "normalizer": {"type": "NFKC"},
         "model": {"type": "WordLevel", "vocab": {"[PAD]": 0, "[UNK]": 1, "a": 2}, "unk_token": "[UNK]"}}))
    words = set(re.findall(r'"\w+"(?:: ?)?', manifest + json.dumps(example) + json.dumps(labels)))
    dictionary("bundle", {*words, '"F32"', '"F16"', '"BF16"', '"I8"', '"shape":', '"data_offsets":', ".scale", "[2,1]", "[1,2]",
                          "null", "1e400", "-1", "18446744073709551615", '"threshold":', '"head":"multi_label"', '"../'})

def keras():
    """The files of scripts/keras_fixtures.py that are small enough, and parts of the others."""
    fixtures = ROOT / "crates/export/tests/data/keras"
    for path in sorted((fixtures / "foreign").glob("*.h5")):
        seed("keras", path.stem, b"\0", path.read_bytes())
    words = {"PK\x01\x02", "PK\x03\x04", "PK\x05\x06", "SNOD", "TREE", "HEAP", "../", b"\xff" * 8}
    for name in ("reference", "text"):
        with zipfile.ZipFile(fixtures / f"{name}.keras") as archive:
            config = json.dumps(json.loads(archive.read("config.json")), separators=(",", ":"))
            words.update(re.findall(r'"\w+"(?:: ?)?', config))
            seed("keras", f"config-{name}", b"\1", config)
            for member in archive.namelist():
                if member.endswith("text_vectorization/vocabulary.txt"):
                    seed("keras", "vocabulary", b"\2", archive.read(member))
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w") as archive:
        for name, content in (("metadata.json", "{}"), ("config.json", config), ("model.weights.h5", "\x89HDF")):
            archive.writestr(zipfile.ZipInfo(name), content)
    seed("keras", "archive", b"\0", small.getvalue())
    dictionary("keras", words)


for target in (config, readers, manifest, weights, tokenizer, bundle, keras):
    target()
print(sum(path.stat().st_size for path in CORPUS.rglob("*.seed")), "bytes of seeds")
