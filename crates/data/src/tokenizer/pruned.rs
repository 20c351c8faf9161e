//! A tokenizer with fewer tokens: those that some texts use. Knows no weights.

use serde_json::{Map, Value};

use super::encoder::TextEncoder;

impl TextEncoder {
    /// The tokenizer whose vocabulary has only the tokens that are `used`, by their ids, and those that pad and that stand for
    /// what is unknown, in the same order; and for each of its ids that of the same token here. Texts of used tokens alone are
    /// cut into the same tokens as before; other tokens are unknown to it.
    ///
    /// `None` for all but tokenizers of words and characters that this crate makes: where tokens are made of others, or
    /// something puts them around a text, none can go.
    pub fn pruned(&self, used: &[bool]) -> Option<(Self, Vec<u32>)> {
        self.words()?;
        let is_used = |id: u32| used.get(id as usize).copied().unwrap_or(false);
        let stays = |id: u32| is_used(id) || id == self.pad_id() || Some(id) == self.unknown_id();
        let mut file: Value = serde_json::from_str(&self.to_json()).ok()?;
        let kept: Vec<(u32, String)> = (0u32..)
            .take(self.vocab_size())
            .filter(|&id| stays(id))
            .filter_map(|id| Some((id, self.token(id)?)))
            .collect();
        let vocabulary: Map<String, Value> =
            kept.iter().enumerate().map(|(new, (_, token))| (token.clone(), new.into())).collect();
        file["model"]["vocab"] = Value::Object(vocabulary);
        let pruned = Self::from_bytes(file.to_string().as_bytes()).ok()?;
        Some((pruned, kept.into_iter().map(|(id, _)| id).collect()))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{BpeConfig, CharConfig, TokenizerConfig};
    use crate::progress::UNWATCHED;
    use crate::storage::Texts;

    use super::*;

    fn ids(encoder: &TextEncoder, text: &str) -> Vec<u32> {
        let texts: Texts = [text].into_iter().collect();
        encoder.encode(&texts, usize::MAX, UNWATCHED).unwrap().ids(0).to_vec()
    }

    #[test]
    fn unused_tokens_go_and_the_others_keep_their_order() {
        let texts: Texts = ["d d d d c c c b b a \" \\"].into_iter().collect();
        let encoder = TextEncoder::train(&TokenizerConfig::default(), &texts).unwrap();
        // [PAD] 0, [UNK] 1, d 2, c 3, b 4, then `"`, `\` and a, of which each is there once.
        let mut used = vec![false; encoder.vocab_size()];
        ids(&encoder, "a c \"").into_iter().for_each(|id| used[id as usize] = true);
        let (pruned, from) = encoder.pruned(&used).unwrap();
        let tokens = |encoder: &TextEncoder| -> Vec<String> {
            (0..encoder.vocab_size()).map(|id| encoder.token(id as u32).unwrap()).collect()
        };
        assert_eq!(tokens(&pruned), ["[PAD]", "[UNK]", "c", "\"", "a"]);
        assert_eq!(from, [0, 1, 3, encoder.id("\"").unwrap(), encoder.id("a").unwrap()]);
        assert_eq!((pruned.pad_id(), pruned.unknown_id(), pruned.spells_words()), (0, Some(1), true));
        // The same tokens under new ids, and what is gone is unknown.
        assert_eq!(ids(&pruned, "A \"c\" b zzz"), [4, 3, 2, 3, 1, 1]);
        let again = TextEncoder::from_bytes(pruned.to_json().as_bytes()).unwrap();
        assert_eq!(again.to_json(), pruned.to_json());
        // What is used is all that there is: nothing changes.
        let (same, from) = encoder.pruned(&vec![true; encoder.vocab_size()]).unwrap();
        assert_eq!((same.to_json(), from.len()), (encoder.to_json(), encoder.vocab_size()));
    }

    #[test]
    fn characters_can_go_and_pieces_cannot() {
        let texts: Texts = ["好好坏 abab"].into_iter().collect();
        let characters = TextEncoder::train(&TokenizerConfig::Char(CharConfig::default()), &texts).unwrap();
        assert_eq!(characters.pruned(&[]).unwrap().0.vocab_size(), 2);
        let pieces = TextEncoder::train(&TokenizerConfig::Bpe(BpeConfig::default()), &texts).unwrap();
        assert!(pieces.pruned(&[]).is_none());
        let file = r#"{"version":"1.0","added_tokens":[],"pre_tokenizer":{"type":"WhitespaceSplit"},
            "model":{"type":"WordLevel","vocab":{"a":0,"[UNK]":1},"unk_token":"[UNK]"}}"#;
        assert!(TextEncoder::from_bytes(file.as_bytes()).unwrap().pruned(&[]).is_none());
    }
}
