//! N-grams as numbers of 128 bits, which name them exactly: up to three ids of words, or up to six characters. Only n-grams of
//! the same kind have keys of their own; words and characters are told apart by the tables that hold them.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use crate::settings::FeatureSettings;
use crate::text::{Script, runs};

/// An n-gram of words or of characters.
pub(crate) type Key = u128;

/// A hash table of this crate. Nothing may depend on its order, which is another one in every process.
pub(crate) type Table<K, V> = HashMap<K, V, RandomState>;

/// The key of an n-gram extended by the word `id`. The key of the empty n-gram is 0.
pub(crate) fn with_word(key: Key, id: u32) -> Key {
    (key << 32) | (Key::from(id) + 1)
}

/// The ids of the words of a key.
pub(crate) fn word_ids(key: Key) -> impl Iterator<Item = u32> {
    (0..4).rev().map(move |place: u32| (key >> (32 * place)) as u32).filter(|&id| id > 0).map(|id| id - 1)
}

/// The key of an n-gram that goes on with the character `c`. That of no characters is 0.
pub(crate) fn with_character(key: Key, c: char) -> Key {
    (key << 21) | (Key::from(u32::from(c)) + 1)
}

/// The characters of a key.
pub(crate) fn characters(key: Key) -> impl Iterator<Item = char> {
    let code = move |place: u32| ((key >> (21 * place)) & 0x1f_ffff) as u32;
    (0..6).rev().map(code).filter(|&code| code > 0).filter_map(|code| char::from_u32(code - 1))
}

/// Hands out the n-grams of two or more of the words `ids`, up to `longest`, with the range of words that each spans. A word
/// without an id is in none.
pub(crate) fn of_words(ids: &[Option<u32>], longest: usize, mut each: impl FnMut(Key, Range<usize>)) {
    for start in 0..ids.len() {
        let mut key = 0;
        for (place, id) in ids[start..].iter().take(longest).enumerate() {
            let Some(id) = *id else { break };
            key = with_word(key, id);
            if place > 0 {
                each(key, start..start + place + 1);
            }
        }
    }
}

/// What n-grams of characters are made from, and all that they depend on: a run between white space, or a few characters
/// from any place of a run whose script has no spaces.
pub(crate) type Piece<'a> = (&'a str, Script);

/// Hands out the pieces of a lower-cased text in order, with the byte at which each begins.
pub(crate) fn pieces<'a>(lower: &'a str, settings: &FeatureSettings, mut each: impl FnMut(Piece<'a>, usize)) {
    runs(lower, |range, script| {
        let (start, run) = (range.start, &lower[range]);
        let longest = match script {
            Script::Spaced => return each((run, script), start),
            Script::Unspaced => settings.characters,
            Script::Ideographs => settings.ideographs,
        };
        for (at, _) in run.char_indices() {
            let rest = &run[at..];
            let end = rest.char_indices().nth(longest).map_or(rest.len(), |(end, _)| end);
            each((&rest[..end], script), start + at);
        }
    });
}

/// Hands out the n-grams of a piece, with their byte ranges in it. A run between white space has a space on both sides, as
/// scikit-learn's `char_wb` has it, and all n-grams within these; of the other pieces it is those that begin them.
pub(crate) fn of_piece((piece, script): Piece, settings: &FeatureSettings, mut each: impl FnMut(Key, Range<usize>)) {
    let shortest = match script {
        Script::Spaced => return of_padded(piece, settings.characters, each),
        Script::Unspaced => 2,
        Script::Ideographs => 1,
    };
    let mut key = 0;
    for (place, (at, c)) in piece.char_indices().enumerate() {
        key = with_character(key, c);
        if place + 1 >= shortest {
            each(key, 0..at + c.len_utf8());
        }
    }
}

/// Hands out the n-grams of 2 to `longest` characters of ` run `. Byte ranges leave the two spaces out.
fn of_padded(run: &str, longest: usize, mut each: impl FnMut(Key, Range<usize>)) {
    let padded = || {
        let inner = run.char_indices().map(|(at, c)| (c, at..at + c.len_utf8()));
        std::iter::once((' ', 0..0)).chain(inner).chain(std::iter::once((' ', run.len()..run.len())))
    };
    let mut from = padded();
    loop {
        let mut ngram = from.clone().take(longest);
        let Some((first, place)) = ngram.next() else { return };
        let mut key = with_character(0, first);
        for (c, end) in ngram {
            key = with_character(key, c);
            each(key, place.start..end.end);
        }
        from.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ngrams_of(text: &str) -> Vec<(String, String)> {
        let settings = FeatureSettings { characters: 3, ideographs: 2, ..FeatureSettings::default() };
        let mut found = Vec::new();
        pieces(text, &settings, |piece, _| {
            of_piece(piece, &settings, |key, range| {
                found.push((characters(key).collect(), piece.0[range].to_owned()));
            });
        });
        found
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|&(ngram, place)| (ngram.to_owned(), place.to_owned())).collect()
    }

    #[test]
    fn words_between_spaces_have_a_space_on_both_sides() {
        let expected = [
            (" é", "é"),
            (" éa", "éa"),
            ("éa", "éa"),
            ("éa ", "éa"),
            ("a ", "a"),
            (" !", "!"),
            (" ! ", "!"),
            ("! ", "!"),
        ];
        assert_eq!(ngrams_of("éa !"), pairs(&expected));
    }

    #[test]
    fn ideographs_have_none() {
        assert_eq!(
            ngrams_of("好吃。"),
            pairs(&[("好", "好"), ("好吃", "好吃"), ("吃", "吃"), ("吃。", "吃。"), ("。", "。")])
        );
    }

    #[test]
    fn letters_without_spaces_make_no_single_ones() {
        assert_eq!(ngrams_of("ไทย"), pairs(&[("ไท", "ไท"), ("ไทย", "ไทย"), ("ทย", "ทย")]));
    }

    #[test]
    fn keys_tell_every_character_apart() {
        for text in
            ["\0", "\0\0", "a\0", "\0a", "\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}", "abcdef"]
        {
            let key = text.chars().fold(0, with_character);
            assert_eq!(characters(key).collect::<String>(), text);
        }
    }

    #[test]
    fn pairs_of_words_do_not_span_a_word_without_an_id() {
        let mut found = Vec::new();
        of_words(&[Some(0), Some(7), None, Some(0), Some(0)], 3, |key, range| {
            found.push((word_ids(key).collect(), range))
        });
        assert_eq!(found, [(vec![0, 7], 0..2), (vec![0, 0], 3..5)]);
    }
}
