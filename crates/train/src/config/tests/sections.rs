//! What a user reads for options of the real config that are wrong, or do not go together. No file named here exists:
//! all of it is found before data is read.

use std::path::Path;

use super::super::Config;

/// A validation split, a pair of columns, and the mechanism for it.
const VALIDATION: &str = "data.validation = \"b.csv\"";
const PAIR: &str = "data.text = [\"a\", \"b\"]";
const BIDIRECTIONAL: &str = "model.attention.bidirectional = {}";

/// The problems of a config of these lines behind `data.train`, each as `line:column width message` and, if there is one,
/// ` | hint`.
fn problems(lines: &[&str]) -> Vec<String> {
    let text = format!("data.train = \"none.csv\"\n{}\n", lines.join("\n"));
    let Err(error) = Config::parse(Path::new("c.toml"), &text, &[], Some(&["flex"])) else { return Vec::new() };
    let shown = |problem: &crate::Problem| {
        let Some(crate::Place::File { line, column, width, .. }) = &problem.place else { panic!("{problem}") };
        let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!(" | {hint}"));
        format!("{line}:{column} {width} {}{hint}", problem.message)
    };
    error.problems.iter().map(shown).collect()
}

/// The only problem is the last line's: `column width message`.
#[track_caller]
fn assert_last(lines: &[&str], expected: &str) {
    assert_eq!(problems(lines), [format!("{}:{expected}", lines.len() + 1)]);
}

#[test]
fn mechanisms_and_their_widths() {
    assert_last(
        &["model.attention.multi_head = { n_heads = 3 }"],
        "42 1 `n_heads` is 3, but must divide `embedding.dim`, which is 64: each head takes an equal share",
    );
    assert_last(
        &["model.embedding.dim = 10", "model.attention.transformer = { n_heads = 4 }"],
        "43 1 `n_heads` is 4, but must divide `embedding.dim`, which is 10: each head takes an equal share",
    );
    let pairs = "`positions = \"rotary\"` turns numbers in pairs and needs an even width of each head, not";
    let rotary = "model.positions = \"rotary\"";
    assert_last(
        &[rotary, "model.embedding.dim = 6", "model.attention.multi_head = { n_heads = 2 }"],
        &format!("42 1 {pairs} 3"),
    );
    assert_last(&[rotary, "model.attention.scaled_dot = { dim = 5 }"], &format!("38 1 {pairs} 5"));
    assert_last(&[rotary, "model.attention.scaled_dot = {}", "model.embedding.dim = 7"], &format!("23 1 {pairs} 7"));
    for mechanism in ["dot", "additive", "none"] {
        assert_last(
            &[&format!("model.attention.{mechanism} = {{}}"), rotary],
            &format!(
                "19 8 `positions = \"rotary\"` turns queries and keys, which `attention.{mechanism}` does not have: \
                 choose `scaled_dot`, `multi_head` or `transformer`, or other positions"
            ),
        );
    }
    assert_last(
        &["model.positions = \"sinusoidal\"", "model.embedding.dim = 7"],
        "23 1 `positions = \"sinusoidal\"` pairs a sine with a cosine and needs an even `embedding.dim`, not 7",
    );
    assert_last(
        &["model.embedding.frozen = true"],
        "26 4 `frozen = true` would keep random vectors as they are: name pretrained ones in `embedding.vectors`",
    );
    assert_eq!(problems(&["model.embedding = { frozen = true, vectors = \"none.vec\" }"]), [""; 0]);
}

#[test]
fn one_text_or_two() {
    assert_last(
        &[BIDIRECTIONAL],
        "33 2 `attention.bidirectional` compares two texts, but `data.text` names one column: name two, such as `text = \
         [\"premise\", \"hypothesis\"]`, or choose another mechanism",
    );
    for mechanism in ["dot", "transformer"] {
        assert_last(
            &[&format!("model.attention.{mechanism} = {{}}"), PAIR],
            &format!(
                "13 10 `data.text` names two columns, but `attention.{mechanism}` reads one text: set \
                 `pair = \"compare\"`, `pair = \"join\"` or `attention.bidirectional = {{}}` under `[model]`, or name one \
                 column"
            ),
        );
    }
    assert_last(
        &[BIDIRECTIONAL, PAIR, "features.word_ngrams = 2"],
        "1 8 `features` are n-grams of single texts, but `data.text` names two columns: leave one out",
    );
    assert_last(&["data.text = [\"a\", \"b\", \"c\"]"], "13 15 `data.text` has 3 items, but must have exactly 2");
    assert_last(&["data.text = [\"a\"]"], "13 5 `data.text` has 1 item, but must have exactly 2");
    assert_last(&[BIDIRECTIONAL, "data.text = [\"a\", \"a\"]"], "13 10 `data.text` names the column `a` twice");
    assert_eq!(problems(&[BIDIRECTIONAL, PAIR]), [""; 0]);
    for way in ["compare", "join"] {
        let at = format!("14 {}", way.len() + 2);
        let way = format!("model.pair = \"{way}\"");
        assert_eq!(problems(&[&way, PAIR]), [""; 0]);
        assert_last(
            &[&way],
            &format!(
                "{at} `pair` says how two texts are read, but `data.text` names one column: name two, such as `text = \
                 [\"premise\", \"hypothesis\"]`, or leave `pair` out"
            ),
        );
        assert_last(
            &[BIDIRECTIONAL, PAIR, &way],
            &format!("{at} `attention.bidirectional` brings two texts together itself: leave `pair` out"),
        );
    }
}

#[test]
fn long_texts() {
    assert_last(
        &["model.max_length = 100", "model.windows.stride = 101"],
        "24 3 `stride` is 101, which leaves gaps between windows of 100 tokens: it can be at most `max_length`",
    );
    assert_last(
        &[BIDIRECTIONAL, PAIR, "model.windows = { stride = 50 }"],
        "17 15 `windows` are read of single texts, but `data.text` names two columns: leave one out",
    );
    assert_last(
        &["model.truncate = \"middle\""],
        "18 8 unknown value `middle` for `model.truncate` | choose one of `head`, `tail` or `both`",
    );
    assert_eq!(problems(&["model.windows = { stride = 100 }", "model.truncate = \"tail\""]), [""; 0]);
}

#[test]
fn the_size_of_a_batch() {
    assert_last(
        &["train.batch_size = 32", "train.batch_tokens = 2000"],
        "22 4 `batch_size` and `batch_tokens` both say how large a batch is: leave one out",
    );
    assert_last(&["train.batch_tokens = 0"], "22 1 `train.batch_tokens` is 0, but must be from 1 to 1073741824");
    assert_eq!(problems(&["train.batch_tokens = 2000", "train.accumulation_steps = 64"]), [""; 0]);
}

#[test]
fn features_of_words() {
    let characters = "features.character_ngrams = {}";
    let needs = "29 2 `features.character_ngrams` needs `tokenizer.word`: it is made of the letters of words";
    assert_last(&["tokenizer.char = {}", characters], needs);
    assert_last(&["tokenizer.file.path = \"t.json\"", characters], needs);
    for pieces in ["bpe", "wordpiece", "unigram"] {
        assert_last(&[&format!("tokenizer.{pieces} = {{}}"), characters], needs);
    }
    assert_last(
        &["features.character_ngrams = { min = 5, max = 3 }"],
        "37 1 `features.character_ngrams.min` is 5, which is above `max`, 3",
    );
    assert_last(
        &["model.embedding.dim = 300", "features = { word_ngrams = 2, buckets = 16_777_216 }"],
        "41 10 a table of 16777216 × 300 would have 5033164800 weights, more than the 4294967296 allowed",
    );
    assert_eq!(problems(&[characters]), [""; 0]);
}

#[test]
fn tokenizers() {
    for tokenizer in ["word", "char", "bpe", "wordpiece", "unigram"] {
        assert_eq!(problems(&[&format!("tokenizer.{tokenizer} = {{}}")]), [""; 0]);
    }
    for (line, expected) in [
        ("tokenizer.bpe.vocab_size = 299", "`tokenizer.bpe.vocab_size` is 299, but must be from 300 to 2000000"),
        ("tokenizer.wordpiece.min_count = 0", "`tokenizer.wordpiece.min_count` is 0, but must be at least 1"),
        ("tokenizer.unigram.sample = 0", "`tokenizer.unigram.sample` is 0, but must be at least 1"),
        ("tokenizer.word.punctuation = \"remove\"", "punctuation"),
        ("tokenizer.unigram.accents = false", "accents"),
    ] {
        let found = problems(&[line]);
        assert!(found.len() == 1 && found[0].contains(expected), "{found:?}");
    }
    let found = problems(&["model.embedding.dim = 4096", "tokenizer.bpe.vocab_size = 2_000_000"]);
    assert!(found.len() == 1 && found[0].contains("a table of 2000000 × 4096 would have"), "{found:?}");
}

#[test]
fn what_needs_a_validation_split() {
    for (line, expected) in [
        ("train.early_stopping = {}", "24 2 early stopping"),
        ("train.schedule.plateau = {}", "26 2 a plateau schedule"),
        ("train.threshold = \"tuned\"", "19 7 choosing thresholds"),
        ("train.average_best = 3", "22 1 choosing the best epochs to average"),
    ] {
        assert_last(&[line], &format!("{expected} needs `data.validation`, a file or `{{ fraction = 0.1 }}`"));
        assert_eq!(problems(&[VALIDATION, line]), [""; 0]);
    }
}

#[test]
fn heads_thresholds_and_weights() {
    assert_last(
        &["data.multi_label = true", "model.head = \"softmax\""],
        "14 9 `head = \"softmax\"` chooses one label, but `data.multi_label` allows several: set `head = \"auto\"`",
    );
    for (line, at) in [("train.threshold = 0.3", "19 3"), ("train.threshold = \"tuned\"", "19 7")] {
        assert_last(
            &[VALIDATION, "model.head = \"softmax\"", line],
            &format!(
                "{at} `threshold` is for sigmoids, but `model.head` is `softmax`, where the most probable label wins: \
                 leave one out"
            ),
        );
    }
    let labels = "data.labels = { \"0\" = \"ham\", \"1\" = \"spam\" }";
    assert_last(
        &[labels, "train.class_weights = { spam = 2, sapm = 3 }"],
        "23 22 `train.class_weights` names `sapm`, which is no label: the labels are `ham`, `spam`",
    );
    // Without `data.labels` only the data can tell.
    assert_eq!(problems(&["train.class_weights = { spam = 2, sapm = 3 }"]), [""; 0]);
    for (value, expected) in [
        (
            "\"even\"",
            "6 unknown value `even` for `train.class_weights` | choose `balanced` or a table whose values are each a number above 0",
        ),
        (
            "3",
            "1 `train.class_weights` is an integer, but must be `balanced` or a table whose values are each a number above 0",
        ),
        ("\"balance\"", "9 unknown value `balance` for `train.class_weights` | did you mean `balanced`?"),
    ] {
        assert_last(&[&format!("train.class_weights = {value}")], &format!("23 {expected}"));
    }
    assert_last(&["train.class_weights = { spam = 0 }"], "32 1 `train.class_weights.spam` is 0, but must be above 0");
    for (value, expected) in [
        ("1.5", "3 `train.threshold` is 1.5, but must be above 0 and below 1"),
        ("0", "1 `train.threshold` is 0, but must be above 0 and below 1"),
        ("nan", "3 `train.threshold` is nan, but must be a finite number above 0 and below 1"),
        (
            "\"auto\"",
            "6 unknown value `auto` for `train.threshold` | choose a number above 0 and below 1 or `tuned` or `shared`",
        ),
        (
            "\"0.3\"",
            "5 `train.threshold` is a string, but must be a number above 0 and below 1 or `tuned` or `shared` | write `0.3` without quotes",
        ),
    ] {
        assert_last(&[&format!("train.threshold = {value}")], &format!("19 {expected}"));
    }
}

#[test]
fn rates_for_parts_that_have_none() {
    let unknown = |part: &str, parts: &str| {
        format!("no part of this model that is trained is called `{part}`; its parts are {parts}")
    };
    let assert_part = |lines: &[&str], part: &str, parts: &str| {
        let rate = format!("train.learning_rates.{part} = 0.1");
        let lines: Vec<&str> = lines.iter().copied().chain([rate.as_str()]).collect();
        assert_last(&lines, &format!("{} 3 {}", rate.len() - 2, unknown(part, parts)));
    };
    assert_part(&[], "hed", "`embedding`, `head`");
    // The reference model's attention has no weights.
    assert_part(&[], "attention", "`embedding`, `head`");
    let frozen = "model.embedding = { frozen = true, vectors = \"none.vec\" }";
    let everything = [
        "model.pooling = \"attention\"",
        "model.positions = \"learned\"",
        "model.attention.dot.use_scale = true",
        "features.word_ngrams = 2",
    ];
    assert_part(
        &[&everything[..], &[frozen]].concat(),
        "embedding",
        "`positions`, `attention`, `pooling`, `ngrams`, `head`",
    );
    let rates =
        "train.learning_rates = { embedding = 1, positions = 1, attention = 1, pooling = 1, ngrams = 1, head = 1 }";
    assert_eq!(problems(&[&everything[..], &[rates]].concat()), [""; 0]);
    assert_last(&["train.learning_rates.head = 0.0"], "29 3 `train.learning_rates.head` is 0.0, but must be above 0");
}

#[test]
fn kinds_and_ranges() {
    for (line, expected) in [
        (
            "model.pooling = \"last\"",
            "17 6 unknown value `last` for `model.pooling` | choose one of `mean`, `max`, `first` or `attention`",
        ),
        (
            "model.head = \"hinge\"",
            "14 7 unknown value `hinge` for `model.head` | choose one of `auto`, `sigmoid` or `softmax`",
        ),
        (
            "model.attention.additiv = {}",
            "17 7 unknown kind `additiv` for `model.attention` | did you mean `additive`?",
        ),
        (
            "model.attention.dot.score_mode = \"add\"",
            "34 5 unknown value `add` for `model.attention.dot.score_mode` | choose `dot` or `concat`",
        ),
        ("train.loss.hinge = {}", "12 5 unknown kind `hinge` for `train.loss` | choose `cross_entropy` or `focal`"),
        ("train.loss.focal.gamma = -1", "26 2 `train.loss.focal.gamma` is -1, but must be from 0 to 10"),
        (
            "train.optimizer.lion = { sparse = true }",
            "26 6 unknown key `sparse` in `[train.optimizer.lion]` | the keys are `learning_rate`, `beta_1`, `beta_2` and `weight_decay`",
        ),
        ("train.ema = 1.0", "13 3 `train.ema` is 1.0, but must be at least 0 and below 1"),
        ("train.label_smoothing = 1", "25 1 `train.label_smoothing` is 1, but must be at least 0 and below 1"),
    ] {
        assert_last(&[line], expected);
    }
}
