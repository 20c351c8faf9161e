//! A unigram language model of pieces, estimated by the tokenizer library.

use serde_json::{Value, json};
use tokenizers::AddedToken;
use tokenizers::models::unigram::{Unigram, UnigramTrainer};

use super::file::{PAD, UNKNOWN, file};
use super::subwords;
use crate::config::UnigramConfig;
use crate::error::DataError;
use crate::storage::Texts;
use crate::tokenizer::caught::caught;

/// How many characters the model is learned from: its memory grows with them.
const MAX_CHARACTERS: usize = 2_000_000;
/// Longer words, which text without spaces has, are cut: their likelihood would underflow.
const MAX_WORD: usize = 128;
/// How many times larger than the vocabulary the set of pieces is that the estimation starts from.
const SEEDS: usize = 10;
/// Ends one sentence of each frequent word. Only what different characters follow becomes a candidate, so that a word
/// which is never part of a longer one would be none. No text has this code point, and no piece gets it.
const END: char = '\u{10FFFF}';
/// What the library puts between the scores of characters that the model has not learned.
const RUNG: f64 = 0.0001;

/// A `tokenizer.json`.
pub(super) fn train(config: &UnigramConfig, texts: &[&Texts]) -> Result<Value, DataError> {
    let normalizer = subwords::normalizer(config.lowercase);
    let metaspace = json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true });
    // Split at punctuation, no text can hold the piece `[PAD]`, whose score would beat every other.
    let punctuation = json!({ "type": "Punctuation", "behavior": "Isolated" });
    let pre_tokenizer = json!({
        "type": "Sequence",
        "pretokenizers": [{ "type": "WhitespaceSplit" }, metaspace, punctuation],
    });
    let words = subwords::words(&normalizer, &pre_tokenizer, texts, config.sample);
    // One place more than the special tokens take is left: the library fills a vocabulary only up to a piece that it adds.
    let alphabet = subwords::alphabet(&words, config.vocab_size.saturating_sub(3), false);
    let mut sentences = Vec::new();
    let mut characters = 0;
    'words: for (word, count) in &words {
        // The more frequent a word, the more sentences it is, because candidates are ranked by the sentences they are in.
        let copies = u64::from(1 + count.ilog2() / 2);
        for known in word.split(|c| c == END || !alphabet.contains(&c)) {
            let known: Vec<char> = known.chars().collect();
            for piece in known.chunks(MAX_WORD) {
                characters += piece.len() * copies as usize;
                if characters > MAX_CHARACTERS {
                    break 'words;
                }
                let piece: String = piece.iter().collect();
                for copy in 1..copies {
                    let share = (count - 1) / (copies - 1) + u64::from(copy <= (count - 1) % (copies - 1));
                    sentences.push((piece.clone(), u32::try_from(share).unwrap_or(u32::MAX)));
                }
                if copies > 1 {
                    sentences.push((format!("{piece}{END}"), 1));
                } else {
                    sentences.push((piece, u32::try_from(*count).unwrap_or(u32::MAX)));
                }
            }
        }
    }
    let pieces = estimate(config.vocab_size, sentences)
        .map_err(|reason| DataError::TokenizerTraining { kind: "unigram", reason })?;
    let model = json!({ "type": "Unigram", "unk_id": 1, "vocab": pieces, "byte_fallback": false });
    Ok(file(&normalizer, &pre_tokenizer, &metaspace, &model))
}

/// The pieces with their scores, the special tokens first.
fn estimate(vocab_size: usize, sentences: Vec<(String, u32)>) -> Result<Vec<(String, f64)>, String> {
    let special = [PAD, UNKNOWN];
    if sentences.is_empty() {
        return Ok(special.map(|token| (token.to_owned(), 0.0)).into());
    }
    let ends = usize::from(sentences.iter().any(|(sentence, _)| sentence.ends_with(END)));
    let trainer = UnigramTrainer::builder()
        .vocab_size(u32::try_from(vocab_size + ends).map_err(|error| error.to_string())?)
        .special_tokens(special.map(|token| AddedToken::from(token, true)).into())
        .unk_token(Some(UNKNOWN.to_owned()))
        .seed_size(vocab_size.saturating_mul(SEEDS))
        .show_progress(false)
        .build()
        .map_err(|error| error.to_string())?;
    // The library divides the words by the number of threads and adds up what each found: other threads, other bits.
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|error| error.to_string())?;
    let mut model = Unigram::default();
    one.install(|| caught(|| trainer.do_train(sentences, &mut model)))?;
    let mut pieces: Vec<(String, f64)> = model.iter().skip(special.len()).cloned().collect();
    pieces.retain(|(piece, _)| !piece.contains(END));
    deal(&mut pieces);
    let special = special.map(|token| (token.to_owned(), 0.0));
    Ok(special.into_iter().chain(pieces.into_iter().map(|(piece, score)| (piece, rounded(score)))).collect())
}

/// Characters that the model has not learned get the lowest score and those above it, [`RUNG`] apart, in the order of a
/// hash table; here they get them in the order of the characters. Then orders the pieces by score, equal ones by their
/// code points.
fn deal(pieces: &mut [(String, f64)]) {
    let lowest = pieces.iter().map(|&(_, score)| score).fold(f64::INFINITY, f64::min);
    let is_character = |piece: &str| piece.chars().nth(1).is_none();
    let mut dealt: Vec<usize> = Vec::new();
    let mut penalty = 0.0;
    loop {
        // As the library computes it, so that the bits are the same.
        let score = lowest + penalty;
        let rung = (0..pieces.len()).filter(|&i| pieces[i].1 == score && is_character(&pieces[i].0));
        let before = dealt.len();
        dealt.extend(rung);
        if dealt.len() == before {
            break;
        }
        penalty += RUNG;
    }
    let mut scores: Vec<f64> = dealt.iter().map(|&index| pieces[index].1).collect();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    dealt.sort_unstable_by(|&a, &b| pieces[a].0.cmp(&pieces[b].0));
    for (index, score) in dealt.into_iter().zip(scores) {
        pieces[index].1 = score;
    }
    pieces.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
}

/// A score of so few digits that every program reads the same bits from its decimals.
fn rounded(score: f64) -> f64 {
    (score * 1e10).round() / 1e10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlearned_characters_are_dealt_in_order() {
        let scored = |pieces: &[(&str, f64)]| pieces.iter().map(|&(p, s)| (p.to_owned(), s)).collect::<Vec<_>>();
        let (second, third) = (-9.0 + RUNG, -9.0 + (RUNG + RUNG));
        // `low` has the lowest score as a learned piece has; `a` is learned.
        let mut one = scored(&[("a", -2.0), ("the", -3.0), ("z", -9.0), ("x", third), ("y", second), ("low", -9.0)]);
        let mut other = scored(&[("low", -9.0), ("y", -9.0), ("z", third), ("x", second), ("the", -3.0), ("a", -2.0)]);
        deal(&mut one);
        deal(&mut other);
        let expected = scored(&[("a", -2.0), ("the", -3.0), ("x", third), ("y", second), ("low", -9.0), ("z", -9.0)]);
        assert_eq!(one, expected);
        assert_eq!(other, expected);
    }

    #[test]
    fn scores_have_few_digits() {
        assert_eq!(rounded(-7.123_456_789_012_345).to_string(), "-7.123456789");
        assert_eq!(rounded(-11.000_1).to_string(), "-11.0001");
    }
}
