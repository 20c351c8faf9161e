//! What each character of Unicode is to the n-grams, as a table: for programs in other languages, whose own tables may be of
//! another version of Unicode, or draw other lines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::text::{Script, is_word};

/// All that it takes to cut a text as this crate does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Characters {
    /// The characters that are not their own lower case, and what each becomes, whatever stands beside it.
    pub lower: BTreeMap<char, String>,
    /// Kinds of characters in lower case: each number is the first code point of a run that goes on up to the next. The kinds are
    ///
    /// - `_`: white space
    /// - `a`: of a word, in a script with something between words
    /// - `T`, `t`: of a script without spaces, in letters; `T` makes a word, `t` none
    /// - `C`, `c`: the same of a script without spaces, in characters
    /// - `.`: any other
    pub kinds: Vec<(u32, char)>,
}

impl Characters {
    /// The tables of this program.
    pub fn all() -> Self {
        let mut all = Self { lower: BTreeMap::new(), kinds: Vec::new() };
        for c in '\0'..=char::MAX {
            let lower = c.to_lowercase();
            if !lower.clone().eq([c]) {
                all.lower.insert(c, lower.collect());
            }
            let kind = kind(c);
            if all.kinds.last().is_none_or(|&(_, before)| before != kind) {
                all.kinds.push((c.into(), kind));
            }
        }
        all
    }
}

fn kind(c: char) -> char {
    match (Script::of(c), is_word(c)) {
        _ if c.is_whitespace() => '_',
        (Script::Spaced, true) => 'a',
        (Script::Spaced, false) => '.',
        (Script::Unspaced, true) => 'T',
        (Script::Unspaced, false) => 't',
        (Script::Ideographs, true) => 'C',
        (Script::Ideographs, false) => 'c',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the code charts of Unicode, whose letters, digits and marks of these kinds keep their properties.
    #[test]
    fn characters_by_hand() {
        let all = Characters::all();
        let kind = |c: char| all.kinds[all.kinds.partition_point(|&(first, _)| first <= c.into()) - 1].1;
        for (kinds, characters) in [
            ('_', " \t\n\u{b}\u{85}\u{a0}\u{2003}\u{2028}\u{3000}"),
            ('a', "azAZ09_ßéжع한½²ا\u{301}क\u{93f}\u{94d}"),
            ('.', "\0\u{1c}\u{1f}!-'\u{200b}\u{feff}€😀。，\u{10ffff}"),
            ('T', "กາကក\u{e31}"),
            ('t', "฿\u{e48}"),
            ('C', "好のカｶ々〆〇\u{20000}"),
            ('c', "⺀\u{3099}・"),
        ] {
            for c in characters.chars() {
                assert_eq!(kind(c), kinds, "{c:?}");
            }
        }
        assert_eq!(all.kinds[..5], [(0, '.'), (9, '_'), (0xe, '.'), (0x20, '_'), (0x21, '.')]);
        let lower = |c: char| all.lower.get(&c).map(String::as_str);
        assert_eq!(
            ['A', 'É', 'Σ', 'İ', 'ẞ', 'ǅ', 'Ⅳ', 'a', 'ß'].map(lower),
            [Some("a"), Some("é"), Some("σ"), Some("i\u{307}"), Some("ß"), Some("ǆ"), Some("ⅳ"), None, None]
        );
    }
}
