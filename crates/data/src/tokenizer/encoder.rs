//! Texts to ids by a Hugging Face tokenizer: one that is made from the texts, or loaded from a `tokenizer.json`.
//! Does not pad.

use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;
use tokenizers::{Encoding, NormalizedString, Normalizer, Tokenizer};

use super::caught::caught;
use super::encode::in_order;
use super::guard::{Checked, MAX_ADDED_TOKEN, MAX_FILE_BYTES, TokenizerStep, check};
use super::spelling::Spelling;
use super::steps::{Steps, short};
use super::trained::{self, PAD};
use super::truncation::Truncation;
use super::words::WordTable;
use crate::config::TokenizerConfig;
use crate::error::{DataError, excerpt};
use crate::examples::Examples;
use crate::progress::OnProgress;
use crate::reader::read_small;
use crate::storage::{EncodedText, EncodedTexts, Texts};

/// Turns texts into ids.
///
/// Special tokens are never read out of a text: a literal `[PAD]` or `<s>` in it is split like any other text. (Files
/// made here declare no special tokens, so other programs agree; for a file that does, Python's `tokenizers` agrees
/// with `encode_special_tokens = True`.) A post-processor of a loaded file is applied, so that a text has the ids that
/// `tokenizer.encode(text).ids` gives; what is kept of a longer text is a [`Truncation`]'s to say, and the tokens that the
/// post-processor puts in front stay in front.
pub struct TextEncoder {
    tokenizer: Tokenizer,
    /// What it takes to make the steps of the tokenizer, and the steps once a long text has come.
    parts: (Vec<TokenizerStep>, Vec<TokenizerStep>, Value),
    steps: OnceLock<Result<Steps, String>>,
    /// The longest text that the library gets whole, in bytes.
    short: usize,
    words: Option<WordTable>,
    spelling: Spelling,
    /// The largest id plus one.
    vocab_size: usize,
    pad_id: u32,
    unknown_id: Option<u32>,
}

impl fmt::Debug for TextEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextEncoder").field("vocab_size", &self.vocab_size).finish_non_exhaustive()
    }
}

impl TextEncoder {
    /// Makes the tokenizer that the config describes: one made from `texts`, which should be those of the training split,
    /// or one loaded from a file. The same texts in any order give the same tokenizer, unless there are more of them than
    /// its `sample`.
    ///
    /// # Errors
    /// As [`TextEncoder::load`]; [`DataError::TokenizerTraining`] if a subword tokenizer cannot be made; a word or
    /// character tokenizer cannot fail.
    pub fn train(config: &TokenizerConfig, texts: &Texts) -> Result<Self, DataError> {
        Self::train_on(config, &[texts])
    }

    /// Makes the tokenizer as [`TextEncoder::train`] does, from the texts of `examples`; of pairs, from both texts.
    ///
    /// # Errors
    /// As [`TextEncoder::train`].
    pub fn for_examples(config: &TokenizerConfig, examples: &Examples) -> Result<Self, DataError> {
        let texts: Vec<&Texts> = std::iter::once(&examples.texts).chain(&examples.seconds).collect();
        Self::train_on(config, &texts)
    }

    fn train_on(config: &TokenizerConfig, texts: &[&Texts]) -> Result<Self, DataError> {
        if let TokenizerConfig::File(file) = config {
            return Self::load(&file.path)?.kept().map_err(|reason| failure(&file.path, reason));
        }
        let fits = |bytes: usize| match bytes <= MAX_FILE_BYTES {
            true => Ok(()),
            false => Err(DataError::LargeTokenizer { bytes, limit: MAX_FILE_BYTES }),
        };
        let file = trained::train(config, texts)?.unwrap_or_default().to_string();
        fits(file.len())?;
        let encoder = Self::from_bytes(file.as_bytes())?;
        fits(encoder.to_json().len())?; // as the library writes it
        Ok(encoder)
    }

    /// Loads a Hugging Face `tokenizer.json`. Truncation and padding in it are ignored.
    ///
    /// # Errors
    /// The file is missing or unreadable, damaged, or holds a component that is not accepted.
    pub fn load(path: &Path) -> Result<Self, DataError> {
        let bytes = read_small(path, MAX_FILE_BYTES)?;
        Self::checked(&bytes).map_err(|reason| failure(path, reason))
    }

    /// Loads the content of a `tokenizer.json`, as [`TextEncoder::load`] does.
    ///
    /// # Errors
    /// The content is damaged, or holds a component that is not accepted.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DataError> {
        Self::checked(bytes).map_err(|reason| DataError::Tokenizer { origin: "this tokenizer.json".to_owned(), reason })
    }

    /// The tokenizer that is read back from what is written of this one, which is what a run predicts with.
    fn kept(self) -> Result<Self, String> {
        let written = self.to_json();
        let kept = Self::checked(written.as_bytes())
            .map_err(|reason| format!("the tokenizer library does not write it as it was: {reason}"))?;
        if kept.to_json() != written || kept.vocab_size != self.vocab_size {
            return Err("the tokenizer library does not write it as it was".to_owned());
        }
        Ok(kept)
    }

    fn checked(bytes: &[u8]) -> Result<Self, String> {
        let Checked { json, pad_token, largest_added_id, normalizers, pre_tokenizers, growth } = check(bytes)?;
        let text = json.to_string();
        let mut tokenizer = caught(|| Tokenizer::from_bytes(text.as_bytes()))?;
        tokenizer.set_encode_special_tokens(true);
        nothing_is_added(&tokenizer)?;

        let vocab = tokenizer.get_vocab(true);
        let largest = vocab.values().copied().max().unwrap_or(0);
        let vocab_size = (largest as usize).max(largest_added_id as usize) + 1;
        let pad_id = pad_token
            .iter()
            .map(String::as_str)
            .chain([PAD, "<pad>", "<|pad|>"])
            .find_map(|token| tokenizer.token_to_id(token))
            .unwrap_or(0);
        let model = &json["model"];
        let unknown_id = match (&model["unk_token"], &model["unk_id"]) {
            (Value::String(token), _) => tokenizer.token_to_id(token),
            (_, Value::Number(id)) => id.as_u64().and_then(|id| u32::try_from(id).ok()),
            _ => None,
        };
        let words = WordTable::of(&json, unknown_id, vocab);
        let spelling = Spelling::of(&json);
        let parts = (normalizers, pre_tokenizers, json["added_tokens"].clone());
        let (steps, short) = (OnceLock::new(), short(&parts.0, &parts.1, growth));
        let encoder = Self { tokenizer, parts, steps, short, words, spelling, vocab_size, pad_id, unknown_id };
        // A probe with letters, digits, punctuation, other scripts and white space, so that most damage shows at once.
        encoder.encode_by_library("The quick brown fox, ça 日本 42!\n [PAD] <s>  ", usize::MAX)?;
        Ok(encoder)
    }

    /// Writes the tokenizer as a Hugging Face `tokenizer.json`.
    ///
    /// # Errors
    /// [`DataError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), DataError> {
        std::fs::write(path, self.to_json()).map_err(|source| DataError::Write { path: path.to_owned(), source })
    }

    /// The text of `tokenizer.json`: the same bytes for the same tokenizer.
    pub fn to_json(&self) -> String {
        self.tokenizer.to_string(false).expect("a tokenizer that was loaded can be written")
    }

    /// The number of rows an embedding needs: the largest id plus one.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The id that fills short rows: the padding token of the file, else `[PAD]` or `<pad>`, else 0.
    pub fn pad_id(&self) -> u32 {
        self.pad_id
    }

    /// The id that stands for what is not in the vocabulary, if the tokenizer has one.
    pub fn unknown_id(&self) -> Option<u32> {
        self.unknown_id
    }

    /// The token of an id.
    pub fn token(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// The id of exactly this token: no normalization, no splitting.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// Whether n-grams are those of the tokens' own text, after normalizing, rather than of their ids.
    pub fn spells_words(&self) -> bool {
        self.words.is_some()
    }

    /// The vocabulary by which this crate splits texts into words itself, if the tokenizer is of the form that is made
    /// here.
    pub(crate) fn words(&self) -> Option<&WordTable> {
        self.words.as_ref()
    }

    /// How the tokens of the vocabulary are spelled.
    pub(crate) fn spelling(&self) -> Spelling {
        self.spelling
    }

    /// Whether the library gets long texts in pieces.
    #[cfg(test)]
    pub(crate) fn cuts(&self) -> bool {
        self.steps.get().is_some_and(|steps| steps.as_ref().is_ok_and(Steps::may_cut))
    }

    /// The library's tokenizer.
    #[cfg(test)]
    pub(crate) fn library(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Turns texts into ids on all cores; of a text that is too long there stays what `limit` says, of a number the
    /// first so many ids.
    ///
    /// # Errors
    /// [`DataError::Encode`] if a loaded tokenizer fails on a text.
    pub fn encode(
        &self,
        texts: &Texts,
        limit: impl Into<Truncation>,
        on_progress: &OnProgress,
    ) -> Result<EncodedTexts, DataError> {
        let limit = limit.into();
        let recipe = || format!("ids {} {}", limit.recipe(), self.to_json());
        let encode = |text: &str| {
            let (mut encoded, front) = self.encode_one(text, limit.longest_head())?;
            limit.cut(&mut encoded.ids, front);
            Ok(encoded)
        };
        in_order(texts, recipe, encode, on_progress)
    }

    /// The first `max_length` ids of one text, and how many tokens the post-processor put in front of it.
    pub(crate) fn encode_one(&self, text: &str, max_length: usize) -> Result<(EncodedText, usize), DataError> {
        match &self.words {
            Some(words) => Ok((words.encode(text, max_length), 0)),
            None => self.encode_by_library(text, max_length).map_err(|reason| DataError::Encode {
                at: None,
                excerpt: excerpt(text),
                reason,
            }),
        }
    }

    /// Encodes a text with the library; token offsets only if asked for.
    pub(crate) fn encoding(&self, text: &str, places: bool) -> Result<Encoding, String> {
        match text.len() > self.short {
            true => {
                let (normalizers, pre_tokenizers, added) = &self.parts;
                let steps = self.steps.get_or_init(|| Steps::new(normalizers, pre_tokenizers, added));
                steps.as_ref().map_err(Clone::clone)?.encode(&self.tokenizer, text, places)
            }
            false if places => caught(|| self.tokenizer.encode(text, true)),
            false => caught(|| self.tokenizer.encode_fast(text, true)),
        }
    }

    fn encode_by_library(&self, text: &str, max_length: usize) -> Result<(EncodedText, usize), String> {
        let encoding = self.encoding(text, false)?;
        let ids = encoding.get_ids();
        if let Some(id) = ids.iter().find(|&&id| id as usize >= self.vocab_size) {
            return Err(format!("it gave the id {id}, which is not in its vocabulary"));
        }
        let encoded = EncodedText {
            ids: ids[..ids.len().min(max_length)].to_vec(),
            n_tokens: ids.len(),
            n_unknown: ids.iter().filter(|&&id| Some(id) == self.unknown_id).count(),
        };
        let front = encoding.get_special_tokens_mask().iter().take_while(|&&special| special == 1).count();
        Ok((encoded, front))
    }
}

fn failure(path: &Path, reason: String) -> DataError {
    DataError::Tokenizer { origin: format!("`{}`", path.display()), reason }
}

/// Refuses added tokens of which normalizing leaves nothing: the library would find them everywhere.
fn nothing_is_added(tokenizer: &Tokenizer) -> Result<(), String> {
    let Some(normalizer) = tokenizer.get_normalizer() else { return Ok(()) };
    for token in tokenizer.get_added_tokens_decoder().values().filter(|token| token.normalized) {
        let mut content = NormalizedString::from(token.content.as_str());
        caught(|| normalizer.normalize(&mut content))?;
        if content.is_empty() {
            return Err("normalizing leaves nothing of an added token".to_owned());
        }
        if content.get().len() > MAX_ADDED_TOKEN {
            return Err(format!("normalized, an added token is longer than {MAX_ADDED_TOKEN} bytes"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
