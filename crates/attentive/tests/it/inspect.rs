//! `inspect`: any model layer by layer, with output shapes and parameter counts worked by hand.

use crate::directory::{Dir, setup};
use crate::train::rows;

/// Four words and `[PAD]` and `[UNK]` are a vocabulary of 6; there are three labels.
const TEXTS: &str =
    "text,second,label\ngood film,good film,pos\nbad film,film,neg\ndull film,bad film,neg\nfilm film,film,mixed\n";

fn with_config(name: &str) -> Dir {
    let dir = setup(name);
    dir.file("train.csv", TEXTS);
    dir.file("c.toml", "[data]\ntrain = \"train.csv\"\n[model]\nembedding = { dim = 8 }\nmax_length = 10\n");
    dir
}

/// The rows between the header and the sums.
fn layers(dir: &Dir, sets: &str) -> Vec<String> {
    let sets = sets.split(' ').map(|set| format!(" --set {set}")).collect::<String>();
    let rows = rows(&dir.ok(&format!("inspect c.toml{sets}")));
    rows[1..rows.len() - 2].to_vec()
}

#[test]
fn every_mechanism_and_pooling() {
    let dir = with_config("inspect-mechanisms");
    let attention = |sets: &str, expected: &str| {
        let layers = layers(&dir, sets);
        assert_eq!(layers[1], format!("attention | {expected}"), "{sets}");
    };
    // One layer's weights and bias from 8 to 8 are 72.
    attention("model.attention.dot={use_scale=true}", "Dot-product attention | (None, None, 8) | 1");
    attention("model.attention.dot={score_mode=\"concat\"}", "Dot-product attention (concat) | (None, None, 8) | 1");
    attention("model.attention.scaled_dot={}", "Scaled dot-product attention | (None, None, 8) | 216");
    attention(
        "model.attention.scaled_dot={dim=6} model.positions=\"rotary\"",
        "Scaled dot-product attention, rotary | (None, None, 6) | 162",
    );
    // Queries and keys 2 · (8 · 6 + 6), and 6 numbers that weigh them.
    attention("model.attention.additive={dim=6}", "Additive attention | (None, None, 8) | 114");
    attention("model.attention.multi_head={n_heads=2}", "Multi-head attention (2 heads) | (None, None, 8) | 288");
    assert_eq!(
        layers(&dir, "model.attention.none={}"),
        [
            "embedding | Embedding | (None, None, 8) | 48",
            "pooling | Mean pooling | (None, 8) | 0",
            "head | Softmax head | (None, 3) | 27"
        ]
    );
    assert_eq!(layers(&dir, "model.pooling=\"attention\"")[2], "pooling | Attention pooling | (None, 8) | 8");
    assert_eq!(layers(&dir, "model.pooling=\"max\"")[2], "pooling | Max pooling | (None, 8) | 0");
    assert_eq!(layers(&dir, "model.pooling=\"first\"")[2], "pooling | First token | (None, 8) | 0");
    // After each block's own two norms there is none behind the last: 4 · 72 + 2 · 16 + (8 · 16 + 16) + (16 · 8 + 8).
    let post = layers(&dir, "model.attention.transformer={n_layers=1,n_heads=2,d_feed_forward=16,norm=\"post\"}");
    assert_eq!(
        post[1..3],
        [
            "attention.layers.0 | Encoder block (2 heads) | (None, None, 8) | 600",
            "pooling | Mean pooling | (None, 8) | 0"
        ]
    );
    assert_eq!(
        layers(&dir, "data.multi_label=true").last().unwrap(),
        "head | Sigmoid head, one for each label | (None, 3) | 27"
    );
}

#[test]
fn pairs() {
    let dir = with_config("inspect-pairs");
    // A comparison of a token with what it found, their difference and product: 4 · 8 · 5 + 5; the head reads both texts.
    assert_eq!(
        layers(&dir, "data.text=[\"text\",\"second\"] model.attention.bidirectional={d_compare=5}"),
        [
            "embedding | Embedding | (None, None, 8) | 48",
            "attention | Bidirectional attention, for both texts | (None, None, 5) | 165",
            "pooling | Mean pooling | (None, 10) | 0",
            "head | Softmax head | (None, 3) | 33",
        ]
    );
    let bag = "data.text=[\"text\",\"second\"] model.attention.none={}";
    assert_eq!(
        layers(&dir, &format!("{bag} model.pair=\"compare\""))[1..],
        [
            "pooling | Mean pooling | (None, 16) | 0",
            "pair | Both texts, |u − v| and u∘v | (None, 32) | 0",
            "head | Softmax head | (None, 3) | 99",
        ]
    );
    // Places for two texts of 4 tokens and what is between them.
    assert_eq!(
        layers(&dir, &format!("{bag} model.pair=\"join\" model.max_length=4 model.positions=\"learned\""))[1..],
        [
            "positions | Learned positions | (None, None, 8) | 72",
            "pooling | Mean pooling | (None, 8) | 0",
            "head | Softmax head | (None, 3) | 27",
        ]
    );
}

#[test]
fn n_grams() {
    let dir = with_config("inspect-n-grams");
    assert_eq!(
        rows(
            &dir.ok(
                "inspect c.toml --set features.word_ngrams=2 --set features.buckets=50 --set model.attention.none={}"
            )
        )[1..],
        [
            "embedding | Embedding | (None, None, 8) | 48",
            "pooling | Mean pooling | (None, 8) | 0",
            "ngrams | Mean of n-gram vectors, beside it | (None, 8) | 400",
            "head | Softmax head | (None, 3) | 51",
            "parameters: 499 (2.0 kB)",
            "memory to train, without activations: 8.0 kB (weights, gradients, 2 moments)",
        ]
    );
}
