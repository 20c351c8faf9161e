//! How a tokenizer spells the pieces of its vocabulary, and how a person reads them. Encodes nothing.

use serde_json::Value;

/// How a tokenizer spells its pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As they are in the text.
    Plain,
    /// Each byte as a character, by the table of GPT-2.
    Bytes,
    /// A space as this character.
    Space(char),
}

impl Spelling {
    /// How the tokenizer of this file spells.
    pub(crate) fn of(file: &Value) -> Self {
        let mut spelling = Self::Plain;
        let components = [&file["normalizer"], &file["pre_tokenizer"]];
        let mut open: Vec<&Value> = components.into_iter().collect();
        while let Some(component) = open.pop() {
            match component["type"].as_str() {
                Some("ByteLevel") => return Self::Bytes,
                Some("Metaspace") => {
                    let replacement = component["replacement"].as_str().and_then(|text| text.chars().next());
                    spelling = replacement.map_or(spelling, Self::Space);
                }
                // Older files replace spaces while they normalize.
                Some("Replace") if component["pattern"]["String"] == " " && component["content"] == "▁" => {
                    spelling = Self::Space('▁');
                }
                _ => {}
            }
            for list in ["normalizers", "pretokenizers"] {
                open.extend(component[list].as_array().into_iter().flatten());
            }
        }
        spelling
    }

    /// A token as a person reads it.
    pub(crate) fn shown(self, token: &str) -> String {
        match self {
            Self::Plain => token.to_owned(),
            Self::Space(space) => token.replace(space, " "),
            Self::Bytes => match token.chars().map(byte).collect::<Option<Vec<u8>>>() {
                Some(bytes) => letters(&bytes),
                None => token.to_owned(),
            },
        }
    }
}

/// The byte that a character of a byte-level token stands for: itself if it is printable, else the next one above 255.
fn byte(c: char) -> Option<u8> {
    let is_printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    match u32::from(c) {
        code @ 0..=255 => u8::try_from(code).ok().filter(is_printable),
        code => (0..=255u8).filter(|byte| !is_printable(byte)).nth(code as usize - 256),
    }
}

/// The text of the bytes, those that are no whole letter as `\xE6`.
fn letters(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02X}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_character() {
        // From GPT-2's table: the space is Ġ (U+0120), the line end Ċ (U+010A), DEL ġ (U+0121), AD Ń (U+0143).
        assert_eq!(['Ġ', 'Ċ', 'ġ', 'Ń', '!', 'ÿ', 'Ā'].map(byte), [32, 10, 127, 0xAD, 33, 255, 0].map(Some));
        assert_eq!(['ń', '日', '\u{a0}', ' '].map(byte), [None; 4]);
    }
}
