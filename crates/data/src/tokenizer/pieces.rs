//! The tokens of a text as a person reads them, beside the ids that the model reads. Encodes no collections.

use super::encoder::TextEncoder;
use super::truncation::Truncation;
use crate::error::{DataError, excerpt};

/// One token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPiece {
    /// Its id.
    pub id: u32,
    /// The token exactly as the vocabulary spells it.
    pub token: String,
    /// What to show: the part of the text that is unknown, else the token, with a space for each `Ġ` or `▁` and the
    /// letters that its bytes spell; bytes that are no whole letter as `\xE6`.
    pub shown: String,
    /// Whether the vocabulary lacks it.
    pub is_unknown: bool,
    /// Whether the limit of length cuts it off.
    pub is_cut: bool,
}

impl TextEncoder {
    /// All tokens of one text, those that `limit` cuts off marked. The ids are those of [`TextEncoder::encode`].
    ///
    /// # Errors
    /// [`DataError::Encode`] if a loaded tokenizer fails on the text.
    pub fn pieces(&self, text: &str, limit: impl Into<Truncation>) -> Result<Vec<TokenPiece>, DataError> {
        let failed = |reason: String| DataError::Encode { at: None, excerpt: excerpt(text), reason };
        let (encoded, front) = self.encode_one(text, usize::MAX)?;
        let ids = encoded.ids;
        let kept = limit.into().kept(ids.len(), front);
        let encoding = self.encoding(text, true).map_err(failed)?;
        if encoding.get_ids() != ids {
            return Err(failed("it gives different ids with and without places".to_owned()));
        }
        let places = encoding.get_tokens().iter().zip(encoding.get_offsets());
        Ok(ids
            .iter()
            .zip(places)
            .enumerate()
            .map(|(index, (&id, (token, &(start, end))))| {
                let is_cut = !kept.iter().any(|part| part.contains(&index));
                let is_unknown = Some(id) == self.unknown_id();
                let part = text.get(start..end).filter(|part| is_unknown && !part.is_empty());
                let shown = part.map_or_else(|| self.spelling().shown(token), str::to_owned);
                TokenPiece { id, token: token.clone(), shown, is_unknown, is_cut }
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TokenizerConfig;
    use crate::tokenizer::truncation::TruncationSide;

    fn shown(config: &str, texts: &[&str], text: &str) -> Vec<(String, bool)> {
        let config: TokenizerConfig = serde_json::from_str(config).unwrap();
        let encoder = TextEncoder::train(&config, &texts.iter().collect()).unwrap();
        encoder.pieces(text, usize::MAX).unwrap().into_iter().map(|piece| (piece.shown, piece.is_unknown)).collect()
    }

    fn owned(pieces: &[(&str, bool)]) -> Vec<(String, bool)> {
        pieces.iter().map(|&(text, is_unknown)| (text.to_owned(), is_unknown)).collect()
    }

    #[test]
    fn what_is_cut_off_is_marked() {
        let encoder = TextEncoder::train(&TokenizerConfig::default(), &["a b c d e"].into_iter().collect()).unwrap();
        let cut = |truncate| -> Vec<bool> {
            let pieces = encoder.pieces("a b c d e", Truncation { max_length: 3, side: truncate }).unwrap();
            pieces.iter().map(|piece| piece.is_cut).collect()
        };
        assert_eq!(cut(TruncationSide::Tail), [true, true, false, false, false]);
        assert_eq!(cut(TruncationSide::Both), [false, false, true, true, false]);
    }

    #[test]
    fn pieces_are_readable() {
        let word = shown(r#"{"word":{}}"#, &["so good"], "So GOOD, Ａlain!");
        assert_eq!(word, owned(&[("so", false), ("good", false), (",", true), ("Ａlain", true), ("!", true)]));
        // `日` is the bytes E6 97 A5; nothing in the texts says that they belong together.
        let bpe = shown(r#"{"bpe":{}}"#, &["été été"], "été 日");
        assert_eq!(bpe, owned(&[(" été", false), (" ", false), ("\\xE6", false), ("\\x97", false), ("\\xA5", false)]));
        let wordpiece = shown(r#"{"wordpiece":{}}"#, &["go go go going"], "Gogo gozz");
        assert_eq!(wordpiece, owned(&[("go", false), ("##g", false), ("##o", false), ("gozz", true)]));
        let unigram = shown(r#"{"unigram":{}}"#, &["go go going"], "go 日");
        assert_eq!(unigram.first().unwrap().0.chars().next(), Some(' '));
        assert_eq!(unigram.last().unwrap(), &("日".to_owned(), true));
    }
}
