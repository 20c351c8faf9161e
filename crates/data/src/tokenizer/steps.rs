//! Long texts through the library's tokenizer, one step at a time and in pieces where that changes no id, so that no text
//! takes more time or memory than its length warrants. What is counted is bytes and characters read, never seconds: whether
//! a text is refused depends on the text and the tokenizer alone.
//!
//! A text of at most [`SHORT`] bytes, when it is normalized, goes to the library whole: what it may cost is bounded by the
//! square of its length.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use regex::Regex;
use serde_json::Value;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::utils::SysRegex;
use tokenizers::{
    Encoding, Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
    Tokenizer,
};

use super::caught::caught;
use super::guard::TokenizerStep;

/// Up to so many bytes of a text need no bounds.
const SHORT: usize = 1024;
/// What a text may become by normalizing and splitting, in bytes: the library takes up to 400 bytes of memory for each.
const MAX_BYTES: usize = 2 << 20;
/// How often a pattern may read a character of a text in vain, on average; see `Cost::runs` in `patterns`.
const MAX_IN_VAIN: u64 = 1024;
/// About how long the pieces of a text are that may be cut, in bytes.
const PIECE: usize = 64 << 10;

/// The patterns of GPT-2, Llama 3, Qwen 2 and GPT-4o. None of them looks from a letter or digit past a space that a letter or
/// digit follows, and none looks back.
const CUTTING_PATTERNS: [&str; 4] = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
];

/// The longest text that the library may get whole, where these are the steps and make a text so many times longer.
pub(crate) fn short(normalizers: &[TokenizerStep], pre_tokenizers: &[TokenizerStep], growth: usize) -> usize {
    let reads_in_vain = normalizers.iter().chain(pre_tokenizers).any(|step| !step.runs.is_empty());
    if reads_in_vain { SHORT / growth } else { SHORT }
}

/// The steps before the model, each by itself.
pub(crate) struct Steps {
    normalizers: Vec<Normalizing>,
    pre_tokenizers: Vec<(PreTokenizerWrapper, Vec<Regex>)>,
    /// Whether a text may be cut between a letter or digit and a space, before another.
    cuts: bool,
}

struct Normalizing {
    normalizer: NormalizerWrapper,
    runs: Vec<Regex>,
    replaces: Option<Replaces>,
}

/// What a normalizer replaces, and by how many bytes.
struct Replaces {
    pattern: SysRegex,
    bytes: usize,
}

impl Steps {
    /// The steps of a tokenizer; `added` are its added tokens.
    pub(crate) fn new(
        normalizers: &[TokenizerStep],
        pre_tokenizers: &[TokenizerStep],
        added: &Value,
    ) -> Result<Self, String> {
        let cuts = may_cut(normalizers, pre_tokenizers, added);
        let normalizers = normalizers.iter().map(Normalizing::new).collect::<Result<_, String>>()?;
        let pre_tokenizers = pre_tokenizers
            .iter()
            .map(|step| {
                Ok((serde_json::from_value(step.json.clone()).map_err(|error| error.to_string())?, runs(step)?))
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { normalizers, pre_tokenizers, cuts })
    }

    #[cfg(test)]
    pub(crate) fn may_cut(&self) -> bool {
        self.cuts
    }

    /// Encodes a text with `tokenizer`, whose steps these are; token offsets only if `places` is set.
    pub(crate) fn encode(&self, tokenizer: &Tokenizer, text: &str, places: bool) -> Result<Encoding, String> {
        let offsets = if places { OffsetType::Byte } else { OffsetType::None };
        let mut encoding = Encoding::default();
        for piece in self.pieces(text, places) {
            encoding.merge_with(self.encode_piece(tokenizer, piece, offsets)?, false);
        }
        caught(|| tokenizer.post_process(encoding, None, true))
    }

    fn encode_piece(&self, tokenizer: &Tokenizer, piece: &str, offsets: OffsetType) -> Result<Encoding, String> {
        let bounded = Bounded { steps: &self.normalizers, told: Mutex::default() };
        let added = tokenizer.get_added_vocabulary();
        let normalizer = (!self.normalizers.is_empty()).then_some(&bounded);
        let mut splits = caught(|| Ok(added.extract_and_normalize(normalizer, piece)))?;
        bounded.refusal()?;
        for (step, runs) in &self.pre_tokenizers {
            check_splits(&splits, runs)?;
            caught(|| step.pre_tokenize(&mut splits))?;
        }
        check_splits(&splits, &[])?;
        caught(|| {
            tokenizer.get_model().tokenize_in_pretokenized(&mut splits, None)?;
            splits.into_encoding(None, 0, offsets)
        })
    }

    /// A text in pieces whose tokens are, one after the other, those of the text; in one if their places are asked for.
    fn pieces<'a>(&self, text: &'a str, whole: bool) -> impl Iterator<Item = &'a str> {
        let mut rest = Some(text);
        let cuts = self.cuts && !whole;
        std::iter::from_fn(move || {
            let text = rest.take()?;
            let end = if cuts { cut(text.as_bytes()) } else { None };
            let (piece, after) = text.split_at(end.unwrap_or(text.len()));
            rest = end.map(|_| after);
            Some(piece)
        })
    }
}

impl Normalizing {
    fn new(step: &TokenizerStep) -> Result<Self, String> {
        let pattern = |kind: &str| step.json.get("pattern")?.get(kind)?.as_str();
        let content = step.json.get("content").and_then(Value::as_str).filter(|_| step.kind == "Replace");
        let pattern = pattern("Regex").map(str::to_owned).or_else(|| pattern("String").map(regex::escape));
        let replaces = match (content, pattern) {
            (Some(content), Some(pattern)) => Some(Replaces {
                pattern: SysRegex::new(&pattern).map_err(|error| error.to_string())?,
                bytes: content.len(),
            }),
            _ => None,
        };
        let normalizer = serde_json::from_value(step.json.clone()).map_err(|error| error.to_string())?;
        Ok(Self { normalizer, runs: runs(step)?, replaces })
    }

    /// The most bytes that this step may turn a text into, if it can lengthen it much.
    fn bytes_of(&self, text: &str) -> usize {
        let Some(Replaces { pattern, bytes }) = &self.replaces else { return text.len() };
        if text.len().saturating_mul(*bytes + 1) <= MAX_BYTES {
            return text.len();
        }
        pattern.find_iter(text).fold(text.len(), |length, (start, end)| length - (end - start) + bytes)
    }
}

/// The normalizers, of which each text must be within bounds.
struct Bounded<'a> {
    steps: &'a [Normalizing],
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// The bytes of what is normalized so far.
    bytes: usize,
    /// Why a text is refused. The library takes no error of a normalizer.
    refusal: Option<String>,
}

impl Bounded<'_> {
    fn refusal(self) -> Result<(), String> {
        self.told.into_inner().unwrap_or_else(PoisonError::into_inner).refusal.map_or(Ok(()), Err)
    }

    fn bounded(&self, text: &mut NormalizedString, told: &mut Told) -> tokenizers::Result<Result<(), String>> {
        for step in self.steps {
            // The runs first: what the step would replace is found by its pattern.
            let within = check_runs(&step.runs, text.get());
            let within = within.and_then(|()| check_bytes(told.bytes + step.bytes_of(text.get())));
            if within.is_err() {
                return Ok(within);
            }
            step.normalizer.normalize(text)?;
        }
        told.bytes += text.get().len();
        Ok(check_bytes(told.bytes))
    }
}

impl Normalizer for Bounded<'_> {
    fn normalize(&self, text: &mut NormalizedString) -> tokenizers::Result<()> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.refusal.is_none() {
            told.refusal = self.bounded(text, &mut told)?.err();
        }
        if told.refusal.is_some() {
            text.clear();
        }
        Ok(())
    }
}

/// Refuses splits that are too long together, or of which a pattern would read too much in vain.
fn check_splits(splits: &PreTokenizedString, runs: &[Regex]) -> Result<(), String> {
    let bytes = Cell::new(0);
    for (text, _, tokens) in splits.get_splits(OffsetReferential::Normalized, OffsetType::None) {
        bytes.set(bytes.get() + text.len());
        if tokens.is_none() {
            check_runs(runs, text)?;
        }
    }
    check_bytes(bytes.get())
}

fn check_bytes(bytes: usize) -> Result<(), String> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    Err(format!(
        "normalized, it has {bytes} bytes that cannot be cut, of at most {MAX_BYTES}: divide it into shorter texts"
    ))
}

fn check_runs(runs: &[Regex], text: &str) -> Result<(), String> {
    if text.len() <= SHORT {
        return Ok(());
    }
    let square = |n: usize| (n as u64).saturating_mul(n as u64);
    let in_vain =
        runs.iter().flat_map(|run| run.find_iter(text)).map(|run| square(run.len())).fold(0, u64::saturating_add);
    if in_vain <= MAX_IN_VAIN * (text.len() + SHORT) as u64 {
        return Ok(());
    }
    let longest = runs.iter().flat_map(|run| run.find_iter(text)).map(|run| run.len()).max().unwrap_or(0);
    Err(format!(
        "a pattern of the tokenizer would read a run of {longest} bytes again from each of its characters on: divide it by \
         spaces or line breaks, or use another tokenizer"
    ))
}

/// Where to cut a long text: the last place before the end of a piece, else the first one behind it.
fn cut(text: &[u8]) -> Option<usize> {
    let is_place =
        |&at: &usize| text[at] == b' ' && text[at - 1].is_ascii_alphanumeric() && text[at + 1].is_ascii_alphanumeric();
    if text.len() <= PIECE {
        return None;
    }
    (1..PIECE).rev().find(is_place).or_else(|| (PIECE..text.len() - 1).find(is_place))
}

/// Whether the tokens of a text are those of its two parts when it is cut between a letter or digit of ASCII and a space
/// that another follows.
fn may_cut(normalizers: &[TokenizerStep], pre_tokenizers: &[TokenizerStep], added: &Value) -> bool {
    // A character's result depends on no more than the marks after it, and a space stays a space.
    const BY_CHARACTER: [&str; 9] =
        ["Bert", "BertNormalizer", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"];
    let flag = |step: &TokenizerStep, key: &str| step.json.get(key).and_then(Value::as_bool);
    let splits_there = |step: &TokenizerStep| match step.kind.as_str() {
        "BertPreTokenizer" | "Whitespace" | "WhitespaceSplit" => true,
        "ByteLevel" => flag(step, "use_regex") != Some(false),
        "Split" => {
            let pattern = step.json.get("pattern").and_then(|pattern| pattern.get("Regex")).and_then(Value::as_str);
            let keeps_all = step.json.get("behavior").and_then(Value::as_str) == Some("Isolated")
                || (step.json.get("behavior").and_then(Value::as_str) == Some("Removed")
                    && flag(step, "invert") == Some(true));
            keeps_all && pattern.is_some_and(|pattern| CUTTING_PATTERNS.contains(&pattern))
        }
        _ => false,
    };
    // Before the split, what looks at single characters or runs of digits; after it, every part is by itself.
    let mut steps = pre_tokenizers.iter().skip_while(|step| ["Digits", "Punctuation"].contains(&step.kind.as_str()));
    let splits = steps.next().is_some_and(splits_there) && steps.all(|step| step.kind != "Metaspace");
    let flat = |token: &Value| {
        let content = token.get("content").and_then(Value::as_str).unwrap_or(" ");
        let strips = ["lstrip", "rstrip"].iter().any(|key| token.get(*key).and_then(Value::as_bool) != Some(false));
        !strips && !content.contains(char::is_whitespace)
    };
    splits
        && normalizers.iter().all(|step| BY_CHARACTER.contains(&step.kind.as_str()))
        && added.as_array().is_none_or(|tokens| tokens.iter().all(flat))
}

/// The patterns of the runs that a step may read in vain; what this library does not compile may be all of a text.
fn runs(step: &TokenizerStep) -> Result<Vec<Regex>, String> {
    step.runs
        .iter()
        .map(|run| Regex::new(run).or_else(|_| Regex::new("(?s:.+)")).map_err(|error| error.to_string()))
        .collect()
}

#[cfg(test)]
mod tests;
