#!/usr/bin/env python3
"""Makes datasets/quickstart: short invented reviews whose label depends on context, not on single words.

    make_quickstart.py            write train.csv, validation.csv and test.csv
    make_quickstart.py --check    compare the committed files with what this script makes
    make_quickstart.py --tags     also write tags_<split>.txt: the construct of each example, one a line
    make_quickstart.py --out DIR  write somewhere else

Only the standard library is used, and of `random` only `Random.random`, the one method whose sequence
the documentation promises never to change; so every Python from 3.9 on makes the same bytes.

Each review is one construct (see SHARES) with perhaps a neutral sentence before or after it. A construct is
built from a wanted sentiment, so every pattern exists for both labels with the same openings and lengths.
"""

import argparse
import collections
import csv
import io
import pathlib
import random
import sys

SEED = 20240229
SIZES = (("train", 8000), ("validation", 1000), ("test", 1000))
ROOT = pathlib.Path(__file__).resolve().parent.parent / "datasets" / "quickstart"

# The construct of an example and its share in percent.
SHARES = (
    ("plain", 42),
    ("not_scoped", 14),
    ("negation", 12),
    ("contrast", 14),
    ("attribution", 6),
    ("comparison", 6),
    ("expectation", 6),
)

# Sentiment words by what they can describe: (positive, negative).
LEXICON = {
    "any": (
        "good great superb wonderful excellent brilliant delightful impressive fantastic lovely".split(),
        "bad poor dreadful awful terrible disappointing dismal horrible mediocre lousy".split(),
    ),
    "story": (
        "gripping clever witty charming fresh engaging".split(),
        "dull tedious clumsy boring predictable stale".split(),
    ),
    "people": (
        "convincing believable vivid charming".split(),
        "wooden lifeless shallow dull".split(),
    ),
    "food": (
        "delicious tasty fresh flavourful".split(),
        "bland greasy stale tasteless".split(),
    ),
    "staff": (
        "friendly courteous attentive helpful charming".split(),
        "rude careless sloppy unhelpful clumsy".split(),
    ),
    "place": (
        "comfortable spotless charming cosy".split(),
        "shabby grubby cramped dingy".split(),
    ),
    "screen": (
        "crisp sharp bright vivid".split(),
        "dim blurry grainy lifeless".split(),
    ),
    "device": (
        "reliable dependable clever".split(),
        "unreliable sluggish clumsy".split(),
    ),
}

DOMAINS = {
    "film": dict(
        wholes="film movie".split(),
        kinds="any story".split(),
        unit="scene",
        tenses=("was", "were"),
        aspects=[
            ("the acting", 0, "people"), ("the plot", 0, "story"), ("the dialogue", 0, "story"),
            ("the lead actor", 0, "people"), ("the ending", 0, "story"), ("the script", 0, "story"),
            ("the characters", 1, "people"), ("the soundtrack", 0, "any"), ("the camera work", 0, "any"),
        ],
        others=["the first film", "the original", "the director's last one", "the sequel", "the remake"],
        have="seen", again="watch it again", time="evening",
        scenes=[
            "We saw it {when} at the {cinema} cinema", "I watched it {when} with {who}",
            "{Who} chose it for film night", "It runs for just over two hours", "We streamed it {when}",
            "I had never heard of the director", "There was nobody else in the cinema",
            "I did not know the book it is based on", "We had no trouble finding seats",
            "It was shot in {city} with a small crew", "The story begins in {city} in the winter",
            "We had seats in row {number}", "It is the director's {ordinal} film", "It was shown with subtitles",
        ],
    ),
    "book": dict(
        wholes="book novel".split(),
        kinds="any story".split(),
        unit="chapter",
        tenses=("is", "are"),
        aspects=[
            ("the plot", 0, "story"), ("the prose", 0, "story"), ("the dialogue", 0, "story"),
            ("the narrator", 0, "people"), ("the characters", 1, "people"), ("the ending", 0, "story"),
            ("the opening", 0, "story"), ("the translation", 0, "any"), ("the illustrations", 1, "any"),
        ],
        others=["her first book", "the first volume", "the author's last novel", "the sequel", "his last one"],
        have="read", again="read it again", time="week",
        scenes=[
            "I read it {when} on the train", "{Who} gave it to me for my birthday",
            "Our book club picked it {when}", "It has about three hundred pages", "I borrowed it from {who}",
            "I had never read anything by this author", "No one at our book club had heard of it",
            "I do not usually read novels", "I finished it {when}",
            "It is set in {city} after the war", "It is the {ordinal} part of a series",
            "I read it in {number} days", "I found it in a shop in {city}", "{Who} lent me a copy {when}",
        ],
    ),
    "phone": dict(
        wholes="phone handset".split(),
        kinds="any device".split(),
        unit="feature",
        tenses=("is", "are"),
        aspects=[
            ("the screen", 0, "screen"), ("the camera", 0, "screen"), ("the battery", 0, "any"),
            ("the software", 0, "device"), ("the keyboard", 0, "device"), ("the fingerprint reader", 0, "device"), ("the case", 0, "any"),
            ("the speakers", 1, "any"), ("the photos", 1, "screen"), ("the sound", 0, "any"),
        ],
        others=["my old phone", "the last model", "my wife's phone", "the one from work", "the cheaper model"],
        have="owned", again="buy this brand again", time="month",
        scenes=[
            "I bought it {when} to replace an older one", "I have used it daily since {month}",
            "{Who} has the same one in blue", "It arrived {when} in a plain box", "My office gave it to me {when}",
            "I did not need the largest size", "It does not come with a charger",
            "I had never owned this brand before", "I switched to it {when}",
            "I carry it in my jacket all day", "I ordered it from a shop in {city}", "It is my {ordinal} one from this maker",
            "It weighs about as much as the previous model", "I charge it every {number} hours or so",
        ],
    ),
    "restaurant": dict(
        wholes="meal dinner lunch".split(),
        kinds="any food".split(),
        unit="dish",
        tenses=("was", "were"),
        aspects=[
            ("the soup", 0, "food"), ("the bread", 0, "food"), ("the fish", 0, "food"), ("the noodles", 1, "food"),
            ("the desserts", 1, "food"), ("the staff", 1, "staff"), ("the service", 0, "staff"),
            ("the waiter", 0, "staff"), ("the dining room", 0, "place"), ("the coffee", 0, "any"),
        ],
        others=["the place next door", "our usual place", "the cafe across the road", "the one by the station"],
        have="had", again="eat here again", time="evening",
        scenes=[
            "We went there {when} with {who}", "{Who} had booked the table",
            "We sat by the window and shared three dishes", "It was our first visit since {month}",
            "They opened in {month}", "We had not booked a table", "There was no music and no queue",
            "We did not have to wait for a table", "I had lunch there {when}",
            "There were {number} of us at a round table", "The owners come from {city}",
            "It is on the {ordinal} street behind the market", "We stopped there on the way to {city}",
            "We paid with vouchers from {who}",
        ],
    ),
    "hotel": dict(
        wholes="hotel guesthouse".split(),
        kinds="any any place".split(),
        unit="room",
        tenses=("was", "were"),
        aspects=[
            ("the room", 0, "place"), ("the bathroom", 0, "place"), ("the lobby", 0, "place"),
            ("the staff", 1, "staff"), ("the porter", 0, "staff"), ("the breakfast", 0, "food"),
            ("the bed", 0, "any"), ("the pool", 0, "any"), ("the view", 0, "any"),
        ],
        others=["the hotel next door", "the place we tried in {month}", "our last hotel", "the one by the airport"],
        have="had", again="stay here again", time="weekend",
        scenes=[
            "We stayed for two nights {when}", "{Who} and I spent three nights there in {month}",
            "We arrived late {when}", "I was there for work {when}", "We picked up the keys after nine",
            "There was no one at the desk when we arrived", "We had not asked for a room with a balcony",
            "I do not travel much", "We came by train {when}",
            "It is a short walk from the station in {city}", "Our room was on the {ordinal} floor",
            "There were {number} of us in two rooms", "We drove there from {city}", "We had the corner room for {number} nights",
        ],
    ),
}

WHEN = (
    "last week;last month;on Monday;on Friday night;on a rainy Sunday;in the spring;over the holidays;"
    "two weeks ago;in early March;on Saturday;last summer;at the weekend;in October;after work;on Tuesday"
).split(";")
WHO = (
    "my brother;my sister;a friend;my wife;my husband;two colleagues;my parents;the children;my neighbour;"
    "my aunt;our guests;an old friend;my son;my daughter;my cousin"
).split(";")
SINGULAR_WHO = [w for w in WHO if w not in ("two colleagues", "my parents", "the children", "our guests")]
MONTH = "January February March April May June August September October November December".split()
CINEMA = "old big local new small".split()
CITY = "Berlin Lisbon Dublin Chicago Vienna Oslo Madrid Boston Prague Leeds Toronto Kyoto Naples Bristol".split()
NUMBER = "three four five six seven eight nine ten eleven twelve".split()
ORDINAL = "second third fourth fifth sixth".split()

# Who said it, and the pronoun and verb that refer back.
SOURCES = (
    ("my brother", "he was"), ("my sister", "she was"), ("a friend", "he was"), ("the critics", "they were"),
    ("people online", "they were"), ("my colleagues", "they were"), ("the woman next door", "she was"),
    ("my neighbour", "he was"), ("everyone I know", "they were"), ("the local paper", "it was"),
)
ENDORSED = (
    "and {be} right", "and I agree", "and I could not agree more", "and for once {be} right", "and I can see why",
    "and that is true", "and I have no reason to disagree", "and {be} not wrong",
)
REJECTED = (
    "but {be} wrong", "but I disagree", "and I could not disagree more", "but for once {be} wrong",
    "and I cannot see why", "but that is not true", "but I have every reason to disagree", "and {be} not right",
)
# Said of a previous claim: it holds, it does not hold.
HELD = ("and {it} {was}", "and {it} really {was}", "and that is what I got", "and I was right")
FAILED = ("and {it} {was} not", "but {it} really {was} not", "and that is not what I got", "but I was wrong")

NOT = ("not", "not", "not", "never", "hardly", "not remotely", "not for a moment")
NOT_AT_ALL = ("not at all", "far from", "anything but", "by no means", "not in the least")
# Too pale to be paired with a second word.
PALE = ("good", "great", "bad", "poor")
# "Not dreadful" is faint praise: the strongest words are only negated by NOT_AT_ALL.
STRONG = "superb wonderful excellent brilliant fantastic dreadful awful terrible dismal horrible lousy".split()
SURE = (
    "there is no doubt that", "nobody can deny that", "it is no secret that", "I do not mind saying that",
    "I am not joking when I say that", "no one told me that", "I did not know in advance that",
)
ADVERBS = "really truly thoroughly simply".split()
CONTRACTIONS = (
    ("was not", "wasn't"), ("were not", "weren't"), ("is not", "isn't"), ("are not", "aren't"),
    ("did not", "didn't"), ("do not", "don't"), ("does not", "doesn't"), ("would not", "wouldn't"),
    ("could not", "couldn't"), ("cannot", "can't"), ("had not", "hadn't"),
)


class Maker:
    """Builds one review at a time; `good` is always the sentiment a phrase shall express."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    # Chance

    def pick(self, items):
        return items[int(self.random.random() * len(items))]

    def chance(self, p):
        return self.random.random() < p

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = int(self.random.random() * (i + 1))
            items[i], items[j] = items[j], items[i]

    # Words

    def word(self, kind, good, avoid=()):
        """A sentiment word for `kind`: its own words more often than those that fit anything."""
        kind = kind if self.chance(0.65) else "any"
        words = [w for w in LEXICON[kind][0 if good else 1] if w not in avoid]
        return self.pick(words)

    def aspect(self, avoid=()):
        name, plural, kind = self.pick([a for a in self.domain["aspects"] if a[0] not in avoid])
        return name, self.domain["tenses"][plural], kind

    def whole(self):
        return self.pick(self.domain["wholes"])

    def whole_word(self, good, avoid=()):
        return self.word(self.pick(self.domain["kinds"]), good, avoid)

    def be(self):
        return self.domain["tenses"][0]

    def other(self):
        return self.pick(self.domain["others"]).format(month=self.pick(MONTH))

    # Clauses

    def says(self, good, aspect=None):
        """A clause about one aspect that says `good` with words of that sentiment."""
        name, be, kind = aspect or self.aspect()
        word = self.word(kind, good)
        form = self.random.random()
        if form < 0.45:
            return f"{name} {be} {word}"
        if form < 0.65:
            return f"{name} {be} {self.pick(ADVERBS)} {word}"
        if form < 0.78:
            return f"I found {name} {word}"
        if form < 0.88 and word not in PALE:
            return f"{name} {be} both {word} and {self.word(kind, good, PALE + (word,))}"
        return f"{name} struck {'us' if be in ('was', 'were') else 'me'} as {word}"

    def sums_up(self, good):
        """A clause about the whole thing, without negation."""
        word, whole, be, time = self.whole_word(good), self.whole(), self.be(), self.domain["time"]
        form = self.random.random()
        if form < 0.3:
            return f"the {whole} as a whole {be} {word}"
        if form < 0.55:
            return f"it {be} {a(word)} {whole}"
        if form < 0.75:
            return f"overall the {whole} {be} {word}"
        if form < 0.9:
            word = self.word("any", good)
            return f"I had {a(word)} {time} with it" if be == "is" else f"we had {a(word)} {time}"
        return f"I would call it {a(word)} {whole}"

    def verdict(self, good):
        again = self.domain["again"]
        if good:
            return self.pick((
                f"I would happily {again}", f"I cannot wait to {again}", f"I would not hesitate to {again}",
                "I would not change a thing", "I recommend it to everyone", f"I will certainly {again}",
            ))
        return self.pick((
            f"I would never {again}", f"I cannot bear to {again}", f"I would hesitate to {again}",
            "I would like my money back", "I recommend it to no one", f"I will certainly not {again}",
        ))

    def scene(self):
        return self.pick(self.domain["scenes"]).format(
            when=self.pick(WHEN), who=self.pick(WHO), Who=self.pick(SINGULAR_WHO), month=self.pick(MONTH),
            cinema=self.pick(CINEMA), city=self.pick(CITY), number=self.pick(NUMBER), ordinal=self.pick(ORDINAL),
        )

    # Constructs: each returns a list of sentences without capitals and full stops

    def plain(self, good):
        first = self.aspect()
        second = self.aspect((first[0],))
        one, two = self.says(good, first), self.says(good, second)
        while one.split()[-1] == two.split()[-1]:
            two = self.says(good, second)
        form = self.random.random()
        if form < 0.25:
            return [f"{one}, and {two}"]
        if form < 0.45:
            return [f"{one} and {two}"]
        if form < 0.6:
            return [one, self.verdict(good)]
        if form < 0.75:
            return [self.sums_up(good)]
        if form < 0.9:
            return [f"{self.sums_up(good)}: {one}"]
        return [one]

    def not_scoped(self, good):
        """A negation is present but does not reverse the sentiment word."""
        name, be, kind = aspect = self.aspect()
        word = self.word(kind, good)
        form = self.random.random()
        if form < 0.3:
            return [f"{self.pick(SURE)} {name} {be} {word}"]
        if form < 0.5:
            return [f"{name} {be} not {self.pick(('just', 'merely', 'only'))} {word} but {self.word(kind, good, PALE + (word,))}"]
        if form < 0.65:
            word = self.whole_word(good)
            return [f"I have never {self.domain['have']} such {a(word)} {self.whole()}"]
        if form < 0.8:
            word = self.whole_word(good)
            return [f"I {self.pick(('cannot', 'do not'))} remember a more {word} {self.whole()}"
                    if comparable(word) else f"I could not name another {self.whole()} as {word} as this"]
        second = self.aspect((name,))
        return [f"not only {be} {name} {word}, {second[0]} {second[1]} {self.word(second[2], good)} too"]

    def negation(self, good):
        """The sentiment word says the opposite, and a negation reverses it."""
        name, be, kind = self.aspect()
        word = self.word(kind, not good)
        form = self.random.random()
        if form < 0.5:
            return [f"{name} {be} {self.pick(NOT_AT_ALL if word in STRONG else NOT + NOT_AT_ALL)} {word}"]
        if form < 0.58:
            return [f"{name} {be} neither {word} nor {self.word(kind, not good, PALE + (word,))}"]
        if form < 0.7:
            who = self.pick(("I would not", "nobody could", "I could not", "no one would"))
            return [f"{who} call {name} {word}"]
        if form < 0.8:
            return [f"there {self.be()} nothing {word} about {name}"]
        if form < 0.9:
            return [f"there {self.be()} not {self.pick(('one', 'a single'))} {self.whole_word(not good)} {self.domain['unit']}"
                    + self.pick(("", " in it" if self.domain["unit"] != "dish" else " on the menu"))]
        second = self.aspect((name,))
        word = self.word(kind, not good, STRONG)
        return [f"{name} {be} not {word}, and neither {second[1]} {second[0]}"]

    def contrast(self, good):
        """An aspect says one thing and the whole another: the whole decides."""
        name, be, kind = aspect = self.aspect()
        against = self.says(not good, aspect)
        word = self.word(kind, not good)
        thing = f"{word} {name[4:]}"
        whole = self.sums_up(good) if self.chance(0.75) else self.verdict(good)
        form = self.random.random()
        if form < 0.25:
            return [f"{against}, {self.pick(('but', 'but', 'yet'))} {whole}"]
        if form < 0.4:
            return [f"although {against}, {whole}"]
        if form < 0.55:
            return [against, f"however, {whole}".replace("however, overall", "overall, however,")]
        if form < 0.75:
            return [f"{whole}, {self.pick(('even though', 'although'))} {against}"]
        if form < 0.87:
            return [f"{whole}, despite the {thing}"]
        return [f"{self.pick(('despite', 'for all'))} the {thing}, {whole}"]

    def attribution(self, good):
        """Somebody's opinion is quoted and then endorsed or rejected."""
        who, they = self.pick(SOURCES)
        endorsed = self.chance(0.5)
        said = good if endorsed else not good
        reply = self.pick(ENDORSED if endorsed else REJECTED).format(be=they)
        name, be, kind = self.aspect()
        word = self.word(kind, said)
        form = self.random.random()
        if form < 0.35:
            return [f"{who} called {name} {word}, {reply}"]
        if form < 0.55:
            return [f"{who} told me that {name} {be} {word}, {reply}"]
        if form < 0.75:
            word = self.whole_word(said)
            return [f"{who} described it as {a(word)} {self.whole()}, {reply}"]
        if form < 0.9:
            return [f'{who} called it "{self.whole_word(said)}", {reply}']
        return [f"according to {who} {name} {be} {word}, {reply}"]

    def comparison(self, good):
        """Something else is better or worse, or just the same."""
        ref, be = self.other(), self.be()
        form = self.random.random()
        yes, no = self.whole_word(good), self.whole_word(not good)
        if form < 0.2:
            return [f"{ref} was {no}; this one {be} {yes}"]
        if form < 0.35:
            return [f"unlike {ref}, which was {no}, this one {be} {yes}"]
        if form < 0.5:
            return [f"this one {be} {yes}, whereas {ref} was {no}"]
        if form < 0.62:
            return [f"this {self.whole()} {be} nowhere near as {no} as {ref}"]
        if form < 0.82:
            return [f"{ref} was {yes}, and this one {be} {self.pick(('no different', 'just the same', 'much the same'))}"]
        return [f"{ref} was {no}, and this one {be} {self.pick(('the opposite', 'very different', 'not like that'))}"]

    def expectation(self, good):
        """What was expected is named beside what came."""
        name, be, kind = self.aspect()
        it = {"was": "it was", "were": "they were", "is": "it is", "are": "they are"}[be].split()
        expected = self.pick(("expected", "had expected"))
        form = self.random.random()
        if form < 0.22:
            return [f"I {expected} {a(self.whole_word(not good))} {self.whole()} and got {a(self.whole_word(good))} one"]
        if form < 0.4:
            return [f"I {expected} something {self.whole_word(not good)}, but {name} {be} {self.word(kind, good)}"]
        if form < 0.55:
            return [f"{name} {be} {self.word(kind, good)}, though I {expected} something {self.whole_word(not good)}"]
        held = self.chance(0.5)
        said = good if held else not good
        reply = self.pick(HELD if held else FAILED).format(it=it[0], was=it[1])
        return [f"I {expected} {name} to be {self.word(kind, said)}, {reply}"]

    # Reviews

    def review(self, construct, good):
        self.domain = DOMAINS[self.pick(list(DOMAINS))]
        sentences = getattr(self, construct)(good)
        if construct not in ("plain", "not_scoped") and self.chance(0.25):
            sentences.append(self.verdict(good))
        where = self.random.random()
        if where < 0.3:
            sentences.insert(0, self.scene())
        elif where < 0.45:
            sentences.append(self.scene())
        text = " ".join(s[0].upper() + s[1:] + "." for s in sentences)
        if self.chance(0.4):
            for full, short in CONTRACTIONS:
                text = text.replace(full + " ", short + " ")
        return text


def a(word):
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def comparable(word):
    """Whether `more` can stand before the word in good English."""
    return word in (
        "impressive delightful disappointing gripping engaging charming tedious predictable boring convincing "
        "believable delicious comfortable reliable wonderful dreadful terrible horrible mediocre unreliable"
    ).split()


def make():
    """Every split as a list of (construct, label, text), balanced by label within each construct."""
    maker = Maker(SEED)
    seen = set()
    splits = {}
    for split, size in SIZES:
        examples = []
        for construct, share in SHARES:
            for i in range(size * share // 100):
                good = i % 2 == 0
                while True:
                    text = maker.review(construct, good)
                    if 5 <= len(text.split()) <= 40 and text.lower() not in seen:
                        break
                seen.add(text.lower())
                examples.append((construct, "positive" if good else "negative", text))
        maker.shuffle(examples)
        splits[split] = examples
    return splits


def sentiment_words():
    return {w for pair in LEXICON.values() for words in pair for w in words}


def coverage(splits):
    """The fewest constructs in which any sentiment word occurs in the training split."""
    found = collections.defaultdict(set)
    words = sentiment_words()
    for construct, _, text in splits["train"]:
        for token in text.lower().replace('"', " ").replace(",", " ").replace(".", " ").replace(";", " ").split():
            if token in words:
                found[token].add(construct)
    return min(len(found[w]) for w in words)


def as_csv(examples):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("text", "label"))
    writer.writerows((text, label) for _, label, text in examples)
    return out.getvalue().encode("utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--tags", action="store_true")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT)
    args = parser.parse_args()

    splits = make()
    fewest = coverage(splits)
    if fewest < 4:
        sys.exit(f"a sentiment word occurs in only {fewest} constructs of the training split")
    files = {args.out / f"{split}.csv": as_csv(examples) for split, examples in splits.items()}
    if args.check:
        stale = [str(path) for path, data in files.items() if not path.is_file() or path.read_bytes() != data]
        if stale:
            sys.exit("differs from what this script makes: " + ", ".join(stale))
        print(f"{args.out}: as made by this script")
        return
    if args.tags:
        for split, examples in splits.items():
            files[args.out / f"tags_{split}.txt"] = "".join(f"{c}\n" for c, _, _ in examples).encode("utf-8")
    args.out.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        path.write_bytes(data)
        print(f"{path} {len(data)} bytes")


if __name__ == "__main__":
    main()
