//! Texts to ids by a Hugging Face tokenizer: one that is made from the texts, or loaded from a `tokenizer.json`.
//! Does not pad.

use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

use rayon::prelude::*;
use serde_json::Value;
use tokenizers::{Encoding, NormalizedString, Normalizer, Tokenizer};

use crate::cache;
use crate::caught::caught;
use crate::encoded::{EncodedText, EncodedTexts, EncodedTextsBuilder};
use crate::error::{DataError, excerpt};
use crate::examples::Examples;
use crate::limit::Limit;
use crate::progress::{OnProgress, Progress};
use crate::reader::read_small;
use crate::spelling::Spelling;
use crate::texts::Texts;
use crate::tokenizer_config::TokenizerConfig;
use crate::tokenizer_guard::{Checked, MAX_ADDED_TOKEN, MAX_FILE_BYTES, Step, check};
use crate::tokenizer_steps::{Steps, short};
use crate::trained::{self, PAD};
use crate::words::WordTable;

/// Turns texts into ids.
///
/// Special tokens are never read out of a text: a literal `[PAD]` or `<s>` in it is split like any other text. (Files
/// made here declare no special tokens, so other programs agree; for a file that does, Python's `tokenizers` agrees
/// with `encode_special_tokens = True`.) A post-processor of a loaded file is applied, so that a text has the ids that
/// `tokenizer.encode(text).ids` gives; what is kept of a longer text is a [`Limit`]'s to say, and the tokens that the
/// post-processor puts in front stay in front.
pub struct TextEncoder {
    tokenizer: Tokenizer,
    /// What it takes to make the steps of the tokenizer, and the steps once a long text has come.
    parts: (Vec<Step>, Vec<Step>, Value),
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
        limit: impl Into<Limit>,
        on_progress: &OnProgress,
    ) -> Result<EncodedTexts, DataError> {
        let limit = limit.into();
        let recipe = || format!("ids {limit:?} {}", self.to_json());
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

/// Encodes every text on all cores, keeping their order; those of a large corpus by way of the cache, where `recipe`
/// stands for everything but the texts that decides what comes out.
pub(crate) fn in_order(
    texts: &Texts,
    recipe: impl FnOnce() -> String,
    encode: impl Fn(&str) -> Result<EncodedText, DataError> + Sync,
    on_progress: &OnProgress,
) -> Result<EncodedTexts, DataError> {
    if texts.is_large() {
        return cache::encoded(&cache::key(texts, &recipe()), texts, &encode, on_progress);
    }
    /// Few enough that the ids of a piece are small beside the texts.
    const PIECE: usize = 8192;
    let mut all = EncodedTextsBuilder::new();
    for start in (0..texts.len()).step_by(PIECE) {
        if !on_progress(&Progress::Encoding { done: start, total: texts.len() }) {
            return Err(DataError::Interrupted { kept: false });
        }
        let piece = start..texts.len().min(start + PIECE);
        let encoded: Vec<Result<EncodedText, DataError>> =
            piece.into_par_iter().with_min_len(16).map(|index| encode(texts.get(index))).collect();
        for text in encoded {
            all.push(&text?);
        }
    }
    all.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::limit::Truncate;
    use crate::order::permutation;
    use crate::progress::UNWATCHED;
    use crate::tokenizer_config::{CharConfig, Punctuation, WordConfig};

    fn texts(all: &[&str]) -> Texts {
        all.iter().collect()
    }

    fn word_encoder(vocab_size: usize, lowercase: bool, all: &[&str]) -> TextEncoder {
        TextEncoder::train(
            &TokenizerConfig::Word(WordConfig { vocab_size, lowercase, ..WordConfig::default() }),
            &texts(all),
        )
        .unwrap()
    }

    fn ids(encoder: &TextEncoder, text: &str) -> Vec<u32> {
        encoder.encode(&texts(&[text]), usize::MAX, UNWATCHED).unwrap().ids(0).to_vec()
    }

    #[test]
    fn the_vocabulary_is_the_most_frequent_words_ties_by_code_point() {
        // the: 3, b: 2, !!: 2, a, c, z: 1.
        let encoder = word_encoder(6, true, &["The the a b!!", "the z c b !!"]);
        let tokens: Vec<String> = (0..6).map(|id| encoder.token(id).unwrap()).collect();
        assert_eq!(tokens, ["[PAD]", "[UNK]", "the", "!!", "b", "a"]);
        assert_eq!((encoder.vocab_size(), encoder.pad_id(), encoder.unknown_id()), (6, 0, Some(1)));
        assert_eq!(ids(&encoder, "THE b!! zebra"), [2, 4, 3, 1]);
        assert_eq!(encoder.token(6), None);
    }

    #[test]
    fn characters_are_normalized_and_white_space_is_none() {
        // 好: 2, a, b, 坏: 1. NFKC makes `Ａ` an A, U+3000 a space and `½` the three characters `1⁄2`.
        let config = TokenizerConfig::Char(CharConfig::default());
        let encoder = TextEncoder::train(&config, &texts(&["好好坏 Ab"])).unwrap();
        assert_eq!(ids(&encoder, "坏ＡB\u{3000}½ \u{85}好\n"), [5, 3, 4, 1, 1, 1, 2]);
        assert_eq!((encoder.id("坏"), encoder.id("Ａ"), encoder.vocab_size()), (Some(5), None, 6));
        // Python's `tokenizers` reads this pre-tokenizer and gives the same ids, tried with every code point.
        let json: Value = serde_json::from_str(&encoder.to_json()).unwrap();
        let split = json!({ "type": "Split", "pattern": { "Regex": "\\S" }, "behavior": "Removed", "invert": true });
        assert_eq!(json["pre_tokenizer"], split);
        assert!(TextEncoder::from_bytes(encoder.to_json().as_bytes()).unwrap().words.is_some());
    }

    #[test]
    fn the_vocabulary_is_made_from_both_texts_of_a_pair() {
        let examples = Examples { texts: texts(&["a a"]), seconds: Some(texts(&["b b b c"])), ..Examples::default() };
        let encoder = TextEncoder::for_examples(&TokenizerConfig::default(), &examples).unwrap();
        assert_eq!(["b", "a", "c"].map(|token| encoder.id(token)), [Some(2), Some(3), Some(4)]);
    }

    #[test]
    fn the_order_of_the_texts_does_not_matter() {
        let all: Texts = (0..600).map(|index| format!("w{} é{} common", index % 97, index % 31)).collect();
        let shuffled: Texts = permutation(1, 1, all.len()).into_iter().map(|index| all.get(index as usize)).collect();
        let config = TokenizerConfig::default();
        let json = TextEncoder::train(&config, &all).unwrap().to_json();
        assert_eq!(TextEncoder::train(&config, &shuffled).unwrap().to_json(), json);
    }

    #[test]
    fn special_tokens_in_a_text_are_text() {
        for lowercase in [true, false] {
            let encoder = word_encoder(100, lowercase, &["[ pad PAD unk UNK ]"]);
            for text in ["[PAD]", "[UNK]", "a [PAD] b"] {
                let found = ids(&encoder, text);
                assert!(!found.contains(&0), "{text} gave {found:?}");
            }
            let expected = if lowercase { ["[", "pad", "]"] } else { ["[", "PAD", "]"] };
            let found: Vec<String> = ids(&encoder, "[PAD]").into_iter().map(|id| encoder.token(id).unwrap()).collect();
            assert_eq!(found, expected);
        }
        // A file that declares special tokens: the word `<s>` of a text is unknown, not the special token.
        let file = r#"{"version":"1.0","added_tokens":[{"id":2,"content":"<s>","single_word":false,"lstrip":false,
            "rstrip":false,"normalized":false,"special":true}],"pre_tokenizer":{"type":"Whitespace"},
            "model":{"type":"WordLevel","vocab":{"[PAD]":0,"[UNK]":1,"<s>":2,"a":3},"unk_token":"[UNK]"}}"#;
        let encoder = TextEncoder::from_bytes(file.as_bytes()).unwrap();
        assert_eq!(ids(&encoder, "a <s> a"), [3, 1, 1, 1, 3]);
    }

    /// Own splitting against the library's, on texts that try every kind of character beside every other.
    #[test]
    fn own_words_are_the_library_s_words() {
        let odd: Vec<&str> =
            "a|B|7|_|-|!|$|\u{1}| |\t|\n|\r|\u{b}|\u{c}|\u{1c}|\u{1f}|\u{7f}|é|E\u{301}|\u{301}|´|ﬁ|Ａ|日|好|㐀|豈|，|\u{a0}|\
                   \u{85}|\u{2028}|\u{3000}|\u{200b}|İ|ẞ|Σ|½|①|😀|\u{ad}|각|\u{1100}|\u{1161}|क्ष|\u{345}|ø|¿|«|™|°|\u{3099}|が|\u{200d}"
                .split('|')
                .collect();
        let vocabulary: Texts = odd.iter().flat_map(|a| odd.iter().map(move |b| format!("{a}{b}"))).collect();
        let mut configs = Vec::new();
        for lowercase in [true, false] {
            let char = CharConfig { vocab_size: 100_000, lowercase, ..CharConfig::default() };
            configs.push(TokenizerConfig::Char(char));
            for accents in [true, false] {
                for punctuation in [Punctuation::Keep, Punctuation::Drop] {
                    let word = WordConfig { vocab_size: 100_000, lowercase, accents, punctuation, min_count: 1 };
                    configs.push(TokenizerConfig::Word(word));
                }
            }
        }
        for config in configs {
            let encoder = TextEncoder::train(&config, &vocabulary).unwrap();
            assert!(encoder.words.is_some());
            for epoch in 0..300 {
                let order = permutation(9, epoch, odd.len() * 2);
                let text: String = order.into_iter().map(|index| odd[index as usize % odd.len()]).collect();
                let (own, _) = encoder.encode_one(&text, usize::MAX).unwrap();
                let (library, _) = encoder.encode_by_library(&text, usize::MAX).unwrap();
                assert_eq!(own.ids, library.ids, "{config:?}: {text:?}");
                assert_eq!((own.n_tokens, own.n_unknown), (library.n_tokens, library.n_unknown));
            }
        }
    }

    #[test]
    fn accents_and_punctuation_can_be_dropped() {
        let drop = WordConfig { accents: false, punctuation: Punctuation::Drop, ..WordConfig::default() };
        let encoder =
            TextEncoder::train(&TokenizerConfig::Word(drop), &texts(&["Été, été! e\u{301}te\u{301} 한국 foo_bar 😀!"]));
        let encoder = encoder.unwrap();
        let tokens: Vec<String> = (2..7).map(|id| encoder.token(id).unwrap()).collect();
        assert_eq!((tokens, encoder.vocab_size()), (["ete", "bar", "foo", "한국", "😀"].map(String::from).to_vec(), 7));
        assert_eq!(ids(&encoder, "ÉTÉ -- (foo)"), [2, 4]);
    }

    #[test]
    fn a_saved_tokenizer_is_the_same_tokenizer() {
        let folder = temp_dir::TempDir::new().unwrap();
        let path = folder.path().join("tokenizer.json");
        let encoder = word_encoder(100, true, &["Ça va? 日本 fine."]);
        encoder.save(&path).unwrap();
        let loaded = TextEncoder::load(&path).unwrap();
        assert_eq!(loaded.to_json(), encoder.to_json());
        assert_eq!(ids(&loaded, "ça VA, fine"), ids(&encoder, "ça VA, fine"));
        let error = TextEncoder::load(&folder.path().join("none.json")).unwrap_err();
        assert_eq!(error.kind(), crate::DataErrorKind::Missing);
    }

    #[test]
    fn long_texts_keep_their_head() {
        let encoder = word_encoder(100, true, &["a b c d"]);
        let encoded = encoder.encode(&texts(&["a b c d zz", "b", "", "c d"]), 2, UNWATCHED).unwrap();
        assert_eq!((0..4).map(|index| encoded.length(index)).collect::<Vec<_>>(), [2, 1, 0, 2]);
        assert_eq!(*encoded.ids(0), [2, 3]);
        let stats = encoded.stats();
        assert_eq!((stats.truncated, stats.dropped, stats.unknown), (1.0 / 4.0, 3.0 / 8.0, 1.0 / 8.0));
        assert_eq!((stats.mean_length, stats.max_length), (2.0, 5));
    }

    #[test]
    fn long_texts_keep_the_part_asked_for() {
        let all = texts(&["a b c d e", "b", ""]);
        let encoder = word_encoder(100, true, &["a b c d e"]);
        let ids = |max_length, truncate| {
            let encoded = encoder.encode(&all, Limit { max_length, truncate }, UNWATCHED).unwrap();
            let stats = encoded.stats();
            assert_eq!((stats.truncated, stats.dropped), (1.0 / 3.0, (5 - max_length) as f64 / 6.0));
            assert_eq!((&*encoded.ids(1), encoded.length(2)), (&[3][..], 0));
            encoded.ids(0).to_vec()
        };
        assert_eq!(ids(2, Truncate::Head), [2, 3]);
        assert_eq!(ids(2, Truncate::Tail), [5, 6]);
        assert_eq!(ids(3, Truncate::Both), [2, 3, 6]);
    }

    #[test]
    fn a_loaded_file_keeps_its_template_and_its_padding_token() {
        let file = r#"{"version":"1.0","truncation":{"max_length":2,"stride":5,"strategy":"LongestFirst","direction":"Right"},
            "padding":{"strategy":{"Fixed":1099511627776},"direction":"Right","pad_to_multiple_of":null,"pad_id":3,
            "pad_type_id":0,"pad_token":"<fill>"},"added_tokens":[],"pre_tokenizer":{"type":"WhitespaceSplit"},
            "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},
            {"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
            "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[9],"tokens":["[CLS]"]}}},
            "model":{"type":"WordLevel","vocab":{"a":0,"b":1,"[UNK]":2,"<fill>":3},"unk_token":"[UNK]"}}"#;
        let encoder = TextEncoder::from_bytes(file.as_bytes()).unwrap();
        assert_eq!(ids(&encoder, "a b c d"), [9, 0, 1, 2, 2]);
        // The template's id needs a row as well.
        assert_eq!((encoder.vocab_size(), encoder.pad_id(), encoder.unknown_id()), (10, 3, Some(2)));
        // What the template puts in front stays there when the end of a text is kept.
        let end =
            encoder.encode(&texts(&["a b c d"]), Limit { max_length: 3, truncate: Truncate::Tail }, UNWATCHED).unwrap();
        assert_eq!(*end.ids(0), [9, 2, 2]);
    }
}
