#!/usr/bin/env python3
"""The classifier in this directory as a PyTorch module. Needs `torch`, `safetensors` and `tokenizers`, and nothing else; with a
linear part also `model_ngrams.py`, which is beside it.

    from model_torch import Classifier
    classifier = Classifier.load(".")
    classifier.predict(["some text"])       # [{"label": …, "probabilities": {…}}]
    classifier(ids, mask)                   # logits, for training on

Where there is a linear part, `linear_ids` and `linear_values` of `forward` are what `model_ngrams.py` finds in the texts; where it is
alone, there is nothing else.

`python model_torch.py` runs the examples of `examples.jsonl` and says by how much the probabilities differ from those that
are written there. `config.json` says what the model is made of; the names of the parameters are those of
`model.safetensors`. Linear layers hold their weights as [input, output].
"""

import json
import math
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

HIDDEN = -1e9  # added to the scores of padding; a text without tokens gets even weights and no NaN


class Linear(nn.Module):
    def __init__(self, d_input, d_output):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(d_input, d_output))
        self.bias = nn.Parameter(torch.zeros(d_output))

    def forward(self, x):
        return x @ self.weight + self.bias


class LayerNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))
        self.beta = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return nn.functional.layer_norm(x, self.gamma.shape, self.gamma, self.beta, eps=1e-5)


class Table(nn.Module):
    def __init__(self, rows, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(rows, dim))

    def forward(self, ids):
        return nn.functional.embedding(ids, self.weight)


def hide_keys(scores, mask):
    """Scores [batch, …, queries, keys]; mask [batch, keys] is true where a token is real."""
    if mask is None:
        return scores
    hidden = (~mask).to(scores.dtype) * HIDDEN
    return scores + hidden.reshape(hidden.shape[0], *[1] * (scores.dim() - 2), hidden.shape[1])


def zero_padding(tokens, mask):
    return tokens if mask is None else tokens * mask.to(tokens.dtype).unsqueeze(-1)


def mean(tokens, mask):
    if mask is None:
        return tokens.mean(1)
    return zero_padding(tokens, mask).sum(1) / mask.sum(1, keepdim=True).clamp(min=1).to(tokens.dtype)


def rotate(x):
    """Turns each pair (2k, 2k + 1) of the vector at position t by t·10000^(−2k/d)."""
    length, d = x.shape[-2:]
    angles = torch.arange(length, dtype=torch.float64)[:, None] * 10_000.0 ** (
        -torch.arange(0, d, 2, dtype=torch.float64) / d
    )
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


class Mechanism(nn.Module):
    """Lets the tokens of texts [(tokens, mask), …] look at each other: of one text, or of the two of a pair. `width` is that of a
    token vector behind it."""

    def __init__(self, width):
        super().__init__()
        self.width = width

    def forward(self, texts):
        return [(self.attend(x, mask), mask) for x, mask in texts]

    def attend(self, x, mask):
        return x


class NoAttention(Mechanism):
    def __init__(self, options, dim, rotary):
        super().__init__(dim)


class Dot(Mechanism):
    def __init__(self, options, dim, rotary):
        super().__init__(dim)
        self.scale = nn.Parameter(torch.ones(1)) if options["use_scale"] else None
        self.concat_weight = nn.Parameter(torch.ones(1)) if options["score_mode"] == "concat" else None

    def attend(self, x, mask):
        scale = 1.0 if self.scale is None else self.scale
        if self.concat_weight is None:
            scores = x @ x.transpose(1, 2) * scale
        else:
            scores = torch.tanh((x.unsqueeze(2) + x.unsqueeze(1)) * scale).sum(-1) * self.concat_weight
        return hide_keys(scores, mask).softmax(-1) @ x


class ScaledDot(Mechanism):
    def __init__(self, options, dim, rotary):
        super().__init__(options.get("dim") or dim)
        self.query, self.key, self.value = (Linear(dim, self.width) for _ in range(3))
        self.turn = rotate if rotary else (lambda x: x)

    def attend(self, x, mask):
        q, k = self.turn(self.query(x)), self.turn(self.key(x))
        return hide_keys(q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]), mask).softmax(-1) @ self.value(x)


class Additive(Mechanism):
    def __init__(self, options, dim, rotary):
        super().__init__(dim)
        inner = options.get("dim") or dim
        self.query, self.key = Linear(dim, inner), Linear(dim, inner)
        self.additive_weight = nn.Parameter(torch.zeros(inner))

    def attend(self, x, mask):
        bent = torch.tanh(self.query(x).unsqueeze(2) + self.key(x).unsqueeze(1))
        return hide_keys((bent * self.additive_weight).sum(-1), mask).softmax(-1) @ x


class MultiHead(Mechanism):
    def __init__(self, options, dim, rotary):
        super().__init__(dim)
        self.query, self.key, self.value, self.output = (Linear(dim, dim) for _ in range(4))
        self.n_heads = options["n_heads"]
        self.turn = rotate if rotary else (lambda x: x)

    def attend(self, x, mask):
        batch, length, dim = x.shape
        heads = lambda y: y.reshape(batch, length, self.n_heads, dim // self.n_heads).transpose(1, 2)  # noqa: E731
        q, k, v = self.turn(heads(self.query(x))), self.turn(heads(self.key(x))), heads(self.value(x))
        weights = hide_keys(q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]), mask).softmax(-1)
        return self.output((weights @ v).transpose(1, 2).reshape(batch, length, dim))


class Block(nn.Module):
    def __init__(self, options, dim, rotary):
        super().__init__()
        self.attention_norm, self.feed_forward_norm = LayerNorm(dim), LayerNorm(dim)
        self.attention = MultiHead(options, dim, rotary)
        self.inner, self.outer = Linear(dim, options["d_feed_forward"]), Linear(options["d_feed_forward"], dim)
        self.bend = nn.functional.relu if options["activation"] == "relu" else nn.functional.gelu
        self.pre = options["norm"] == "pre"

    def forward(self, x, mask):
        feed = lambda y: self.outer(self.bend(self.inner(y)))  # noqa: E731
        if self.pre:
            x = x + self.attention.attend(self.attention_norm(x), mask)
            return x + feed(self.feed_forward_norm(x))
        x = self.attention_norm(x + self.attention.attend(x, mask))
        return self.feed_forward_norm(x + feed(x))


class Transformer(Mechanism):
    def __init__(self, options, dim, rotary):
        super().__init__(dim)
        self.layers = nn.ModuleList(Block(options, dim, rotary) for _ in range(options["n_layers"]))
        self.norm = LayerNorm(dim) if options["norm"] == "pre" else None

    def attend(self, x, mask):
        for layer in self.layers:
            x = layer(x, mask)
        return x if self.norm is None else self.norm(x)


class Bidirectional(Mechanism):
    def __init__(self, options, dim, rotary):
        super().__init__(options.get("d_compare") or dim)
        self.compare = Linear(4 * dim, self.width)

    def forward(self, texts):
        (x, m), (y, n) = texts
        return [(self.compared(x, y, n), m), (self.compared(y, x, m), n)]

    def compared(self, own, other, mask):
        """`mask` is that of the other text."""
        scores = own @ other.transpose(1, 2) / math.sqrt(own.shape[-1])
        found = hide_keys(scores, mask).softmax(-1) @ zero_padding(other, mask)
        return torch.relu(self.compare(torch.cat([own, found, own - found, own * found], -1)))


MECHANISMS = {
    "none": NoAttention,
    "dot": Dot,
    "scaled_dot": ScaledDot,
    "additive": Additive,
    "multi_head": MultiHead,
    "transformer": Transformer,
    "bidirectional": Bidirectional,
}


class Pooling(nn.Module):
    def __init__(self, kind, dim):
        super().__init__()
        self.kind = kind
        self.query = nn.Parameter(torch.zeros(dim)) if kind == "attention" else None

    def forward(self, tokens, mask):
        if self.kind == "mean":
            return mean(tokens, mask)
        if self.kind == "first":
            return zero_padding(tokens, mask)[:, 0]
        if self.kind == "attention":
            weights = hide_keys((tokens @ self.query).unsqueeze(1), mask).softmax(-1)
            return (weights @ zero_padding(tokens, mask)).squeeze(1)
        if mask is None:
            return tokens.amax(1)
        largest = tokens.masked_fill(~mask.unsqueeze(-1), torch.finfo(torch.float32).min).amax(1)
        return largest.masked_fill(~mask.any(1, keepdim=True), 0.0)


class LinearPart(nn.Module):
    """The n-grams of texts, as ids and what each weighs [batch, n_linear], to logits. Padding weighs 0."""

    def __init__(self, n_ngrams, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_ngrams, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, ids, values):
        table = self.weight if len(self.weight) else torch.zeros_like(self.bias)[None]  # padding has the id 0
        sums = nn.functional.embedding_bag(ids, table, mode="sum", per_sample_weights=values)
        return self.scale * (self.bias + sums)


def longest_row(model):
    """The most tokens that are read at once: those of a text, or of two with one between them."""
    return 2 * model["max_length"] + 1 if model.get("pair") == "join" else model["max_length"]


class Classifier(nn.Module):
    """Token ids to logits [batch, outputs]: one output for the second of two labels, or one for each label."""

    def __init__(self, config):
        super().__init__()
        self.config, self.tokenizer, self.linear_ngrams = config, None, None
        self.pair = self.ngrams = self.head = None
        outputs = 1 if config["head"] == "sigmoid" else len(config["id2label"])
        self.linear = LinearPart(config["linear_ngrams"], outputs) if "linear_ngrams" in config else None
        if "model" in config:
            self.add_network(config, config["model"], outputs)

    def add_network(self, config, model, outputs):
        dim = model["embedding"]["dim"]
        (mechanism, options), *_ = model["attention"].items()
        self.embedding = Table(config["vocab_size"], dim)
        self.positions = Table(longest_row(model), dim) if model["positions"] == "learned" else None
        self.attention = MECHANISMS[mechanism](options, dim, model["positions"] == "rotary")
        self.pooling = Pooling(model["pooling"], self.attention.width)
        buckets = config["ngram_buckets"]
        self.ngrams = Table(buckets, dim) if buckets else None
        self.pair = model.get("pair")
        vectors = {"compare": 4, "join": 1}.get(self.pair) or (2 if config["text_pair"] else 1)
        width = self.attention.width * vectors + (dim if buckets else 0)
        self.head = Linear(width, outputs)

    @classmethod
    def load(cls, directory):
        directory = Path(directory)
        classifier = cls(json.loads((directory / "config.json").read_text(encoding="utf-8")))
        weights = load_file(directory / "model.safetensors")
        for name in [name for name, weight in weights.items() if weight.dtype == torch.int8]:
            weights[name] = weights[name].float() * weights.pop(name + ".scale")
        classifier.load_state_dict(weights)
        if classifier.linear is not None:
            from model_ngrams import Ngrams

            classifier.linear_ngrams = Ngrams.load(directory)
        if classifier.head is not None:
            classifier.tokenizer = cls.load_tokenizer(directory)
        return classifier.eval()

    @staticmethod
    def load_tokenizer(directory):
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True  # special tokens are never read out of a text
        return tokenizer

    def embed(self, ids):
        x, (kind, dim) = self.embedding(ids), (self.config["model"]["positions"], self.embedding.weight.shape[1])
        if kind == "learned":
            return x + self.positions.weight[: ids.shape[1]]
        if kind == "sinusoidal":
            i = torch.arange(dim, dtype=torch.float64)
            angles = torch.arange(ids.shape[1], dtype=torch.float64)[:, None] / 10_000.0 ** ((i - i % 2) / dim)
            return x * math.sqrt(dim) + torch.where(i % 2 == 0, angles.sin(), angles.cos()).to(x)
        return x

    def forward(
        self,
        ids=None,
        mask=None,
        second_ids=None,
        second_mask=None,
        ngrams=None,
        ngram_mask=None,
        linear_ids=None,
        linear_values=None,
    ):
        if self.head is None:
            return self.linear(linear_ids, linear_values)
        logits = self.network(ids, mask, second_ids, second_mask, ngrams, ngram_mask)
        return logits if self.linear is None else logits + self.linear(linear_ids, linear_values)

    def network(self, ids, mask, second_ids, second_mask, ngrams, ngram_mask):
        texts = [(self.embed(ids), mask)]
        if second_ids is not None:
            texts.append((self.embed(second_ids), second_mask))
        parts = [self.pooling(x, m) for x, m in self.attention(texts)]
        if self.pair == "compare":
            u, v = parts
            parts += [(u - v).abs(), u * v]
        if self.ngrams is not None:
            parts.append(mean(self.ngrams(ngrams), ngram_mask))
        return self.head(torch.cat(parts, 1))

    def probabilities(self, logits):
        """[batch, labels]; they sum to 1, unless a text may have several labels."""
        logits = logits.double()
        if self.config["head"] == "sigmoid":
            return torch.sigmoid(torch.cat([-logits, logits], 1))
        return torch.sigmoid(logits) if self.config["head"] == "multi_label" else logits.softmax(1)

    @torch.no_grad()
    def predict(self, texts, seconds=None, batch_size=64):
        """What the classifier says of texts, or of pairs of them."""
        names = list(self.config["id2label"].values())
        found = []
        for start in range(0, len(texts), batch_size):
            stop = start + batch_size
            for row in self.probabilities(self.logits(texts[start:stop], seconds and seconds[start:stop])).tolist():
                thresholds = self.config["thresholds"]
                if self.config["head"] == "multi_label":
                    label = [name for name, p, threshold in zip(names, row, thresholds) if p > threshold]
                elif self.config["head"] == "sigmoid":
                    label = names[row[1] > thresholds[1]]
                else:
                    label = names[row.index(max(row))]
                found.append({"label": label, "probabilities": dict(zip(names, row))})
        return found

    def logits(self, texts, seconds=None):
        of_linear = {} if self.linear is None else self.linear_inputs(texts)
        if self.head is None:
            return self(**of_linear)
        rows, counts, ngrams = [], [], []
        if self.pair == "join":
            between = [self.config["pad_token_id"]]
            joined, seconds = [self.ids(a) + between + self.ids(b) for a, b in zip(texts, seconds)], None
        else:
            joined = [self.ids(text) for text in texts]
        for text, ids in zip(texts, joined):
            windows = self.windows(ids)
            rows += windows
            counts.append(len(windows))
            ngrams += [self.ngrams_of(text)] * len(windows) if self.ngrams is not None else []
        masking = self.config["model"]["masking"]
        ids, mask = self.pad(rows)
        second_ids, second_mask = self.pad([self.ids(text) for text in seconds]) if seconds else (None, None)
        of_ngrams = self.pad(ngrams, "longest", 0) if self.ngrams is not None else (None, None)
        masks = (mask, second_mask) if masking else (None, None)
        windows = self.config["model"].get("windows")
        if windows:  # each has what its whole text has, which moves their mean and their maximum by as much
            of_linear = {name: x.repeat_interleave(torch.tensor(counts), 0) for name, x in of_linear.items()}
        logits = self(ids, masks[0], second_ids, masks[1], *of_ngrams, **of_linear)
        if not windows:
            return logits
        pool = (lambda x: x.mean(0)) if windows["pool"] == "mean" else (lambda x: x.amax(0))
        return torch.stack([pool(part) for part in logits.split(counts)])

    def pad(self, rows, padding=None, pad_id=None):
        model = self.config["model"]
        to_max = (padding or model["padding"]) == "max_length"
        length = longest_row(model) if to_max else max([len(row) for row in rows] + [1])
        pad_id = self.config["pad_token_id"] if pad_id is None else pad_id
        ids = torch.tensor([row + [pad_id] * (length - len(row)) for row in rows])
        lengths = torch.tensor([len(row) for row in rows])
        return ids, torch.arange(length)[None, :] < lengths[:, None]

    def linear_inputs(self, texts):
        rows = [self.linear_ngrams.row(text) for text in texts]
        length = max([len(ids) for ids, _ in rows] + [1])
        ids, values = ([row[part] + [0] * (length - len(row[part])) for row in rows] for part in (0, 1))
        return {"linear_ids": torch.tensor(ids), "linear_values": torch.tensor(values, dtype=torch.float32)}

    def keep(self, tokens, front):
        """What is kept of a long text; `front` tokens were put before it."""
        model = self.config["model"]
        windows, room = model.get("windows"), model["max_length"]
        if windows:
            room += (windows["most"] - 1) * windows["stride"]
        if len(tokens) <= room:
            return [tokens, []]
        head = {"head": room, "tail": min(front, room), "both": (room + 1) // 2}[model["truncate"]]
        return [tokens[:head], tokens[len(tokens) - (room - head) :]]

    def ids(self, text):
        encoding = self.tokenizer.encode(text)
        special = encoding.special_tokens_mask
        front = next((i for i, flag in enumerate(special) if not flag), len(special))
        return sum(self.keep(encoding.ids, front), [])

    def windows(self, ids):
        """A long text as windows that are equally long; the last one ends with the text."""
        windows, width = self.config["model"].get("windows"), self.config["model"]["max_length"]
        if not windows or len(ids) <= width:
            return [ids]
        count = 1 + -(-(len(ids) - width) // windows["stride"])
        starts = (min(i * windows["stride"], len(ids) - width) for i in range(count))
        return [ids[start : start + width] for start in starts]

    def ngrams_of(self, text):
        """The buckets of the n-grams of tokens, then of those of the characters of `<word>`."""
        features, front = self.config["features"], 0
        if self.config["ngrams_of_words"]:
            normalized = self.tokenizer.normalizer.normalize_str(text)
            tokens = [token for token, _ in self.tokenizer.pre_tokenizer.pre_tokenize_str(normalized)]
        else:
            encoding = self.tokenizer.encode(text)
            tokens, special = [str(i) for i in encoding.ids], encoding.special_tokens_mask
            front = next((i for i, flag in enumerate(special) if not flag), len(special))
        parts, found = self.keep(tokens, front), []
        for part in parts:
            for start in range(len(part)):
                for n in range(2, features["word_ngrams"] + 1):
                    if start + n <= len(part):
                        found.append(" ".join(part[start : start + n]))
        lengths = features.get("character_ngrams")
        for word in sum(parts, []) if lengths else []:
            marked = f"<{word}>"
            for start in range(len(marked)):
                for n in range(lengths["min"], lengths["max"] + 1):
                    if start + n <= len(marked) and not (n == 1 and start in (0, len(marked) - 1)):
                        found.append(marked[start : start + n])
        return [bucket(gram, features["buckets"]) for gram in found]


def bucket(gram, n_buckets):
    """FNV-1a of 64 bits, mixed as SplitMix64 mixes its state."""
    wide = 2**64 - 1
    z = 0xCBF29CE484222325
    for byte in gram.encode():
        z = (z ^ byte) * 0x100000001B3 & wide
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & wide
    z = (z ^ z >> 27) * 0x94D049BB133111EB & wide
    return (z ^ z >> 31) % n_buckets


def largest_difference(directory):
    """By how much a probability of `examples.jsonl` differs from what is computed here."""
    classifier, directory = Classifier.load(directory), Path(directory)
    with open(directory / "examples.jsonl", encoding="utf-8", newline="\n") as file:
        examples = [json.loads(line) for line in file]
    seconds = [example["second"] for example in examples] if classifier.config["text_pair"] else None
    found = classifier.predict([example["text"] for example in examples], seconds)
    pairs = [(example["probabilities"], list(row["probabilities"].values())) for example, row in zip(examples, found)]
    return len(examples), max(abs(a - b) for expected, row in pairs for a, b in zip(expected, row))


if __name__ == "__main__":
    n, difference = largest_difference(Path(__file__).parent)
    print(f"{n} examples, largest difference {difference:.1e}")
    sys.exit(0 if difference <= 1e-5 else 1)
