//! A text in lower case, cut into words and into the pieces whose characters make n-grams. Which rule applies is told by the
//! script of the characters, so that texts of several languages need no setting.

use std::ops::Range;

/// How a script writes its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Script {
    /// With something between them: Latin, Cyrillic, Arabic, Hangul …
    Spaced,
    /// Without spaces, in letters: Thai, Lao, Myanmar, Khmer.
    Unspaced,
    /// Without spaces, in characters that are often words themselves: Chinese, Japanese.
    Ideographs,
}

impl Script {
    pub(crate) fn of(c: char) -> Self {
        match c as u32 {
            ..0x0e00 => Self::Spaced,
            0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff => Self::Unspaced,
            0x2e80..=0x2fdf | 0x3005..=0x3007 | 0x3040..=0x30ff | 0x31f0..=0x31ff => Self::Ideographs,
            0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0xff66..=0xff9f => Self::Ideographs,
            0x20000..=0x3ffff => Self::Ideographs,
            _ => Self::Spaced,
        }
    }
}

/// Whether a character is of a word: letters, digits, the underscore, and the marks that stand on or join letters. Python's
/// `\w` ends a word at such a mark, and so cuts the words of Hindi in pieces.
pub(crate) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let code = c as u32;
    let indic_joiner = (0x900..0xe00).contains(&code) && matches!(code & 0x7f, 0x3c | 0x4d);
    c.is_alphanumeric() || (0x300..0x370).contains(&code) || indic_joiner
}

/// Appends `text` in lower case, character by character.
pub(crate) fn push_lower(text: &str, lower: &mut String) {
    lower.reserve(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            lower.push(c.to_ascii_lowercase());
        } else {
            lower.extend(c.to_lowercase());
        }
    }
}

/// For every byte of the text in lower case, the bytes of the character in `text` that it comes from.
pub(crate) fn origins(text: &str) -> Vec<Range<usize>> {
    let mut origins = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let bytes = c.to_lowercase().map(char::len_utf8).sum::<usize>();
        origins.extend((0..bytes).map(|_| at..at + c.len_utf8()));
    }
    origins
}

/// Hands out the words of a lower-cased text in order, as byte ranges: runs of two or more word characters
/// (scikit-learn's `(?u)\b\w\w+\b`), and each single one of a script without spaces.
pub(crate) fn words(lower: &str, mut word: impl FnMut(Range<usize>)) {
    let (mut start, mut length) = (0, 0);
    for (at, c) in lower.char_indices() {
        let of_word = is_word(c);
        let spaced = Script::of(c) == Script::Spaced;
        if of_word && spaced {
            if length == 0 {
                start = at;
            }
            length += 1;
            continue;
        }
        if length > 1 {
            word(start..at);
        }
        length = 0;
        if of_word {
            word(at..at + c.len_utf8());
        }
    }
    if length > 1 {
        word(start..lower.len());
    }
}

/// Hands out the runs of a lower-cased text that hold no white space and only one kind of script, as byte ranges. What is of
/// no script, such as punctuation, belongs to the run that it follows.
pub(crate) fn runs(lower: &str, mut run: impl FnMut(Range<usize>, Script)) {
    let mut current: Option<(usize, Script)> = None;
    for (at, c) in lower.char_indices() {
        if c.is_whitespace() {
            if let Some((start, script)) = current.take() {
                run(start..at, script);
            }
            continue;
        }
        let script = Script::of(c);
        match current {
            None => current = Some((at, script)),
            Some((start, before)) if before != script && (script != Script::Spaced || is_word(c)) => {
                run(start..at, before);
                current = Some((at, script));
            }
            Some(_) => {}
        }
    }
    if let Some((start, script)) = current {
        run(start..lower.len(), script);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        words(text, |range| found.push(&text[range]));
        found
    }

    fn runs_of(text: &str) -> Vec<(&str, Script)> {
        let mut found = Vec::new();
        runs(text, |range, script| found.push((&text[range], script)));
        found
    }

    #[test]
    fn words_are_those_of_scikit_learn_where_there_are_spaces() {
        assert_eq!(words_of("i can't stop_it, 42 times!"), ["can", "stop_it", "42", "times"]);
        assert_eq!(words_of(""), [""; 0]);
        assert_eq!(words_of("a ☂ b"), [""; 0]);
    }

    #[test]
    fn marks_do_not_cut_words() {
        assert_eq!(words_of("cafe\u{301} हिन्दी"), ["cafe\u{301}", "हिन्दी"]);
    }

    #[test]
    fn a_character_of_a_script_without_spaces_is_a_word() {
        assert_eq!(words_of("房间好。wifi快"), ["房", "间", "好", "wifi", "快"]);
        assert_eq!(words_of("ソフト"), ["ソ", "フ", "ト"]);
    }

    #[test]
    fn runs_are_of_one_script() {
        use Script::{Ideographs, Spaced, Unspaced};
        assert_eq!(
            runs_of(" good, 好。wifi快! "),
            [("good,", Spaced), ("好。", Ideographs), ("wifi", Spaced), ("快!", Ideographs)]
        );
        assert_eq!(runs_of("(ไทย) x"), [("(", Spaced), ("ไทย)", Unspaced), ("x", Spaced)]);
        assert_eq!(runs_of("\t \n"), []);
    }

    #[test]
    fn origins_follow_characters_whose_lower_case_is_longer() {
        let text = "aİx";
        let mut lower = String::new();
        push_lower(text, &mut lower);
        assert_eq!(lower, "ai\u{307}x");
        assert_eq!(origins(text), [0..1, 1..3, 1..3, 1..3, 3..4]);
    }
}
