//! What a text says regardless of case, punctuation and white space: the set of its three words in a row, as hashes.

use crate::order::mix;

/// How many words one shingle holds.
const WORDS: usize = 3;

/// Whether a character belongs to a script that is written without spaces between words, so that it stands for itself.
pub(crate) fn is_unspaced(c: char) -> bool {
    // Thai to Lao, Myanmar, Khmer, kana, ideographs with their extensions.
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Puts the shingles of a text, or of the two of a pair, into `set`: ascending and distinct. Those of a second text are
/// others than those of a first. A text of one or two words has one shingle, a text without words none.
pub(super) fn shingles(text: (&str, Option<&str>), set: &mut Vec<u64>) {
    set.clear();
    add(text.0, 0, set);
    if let Some(second) = text.1 {
        add(second, 1, set);
    }
    set.sort_unstable();
    set.dedup();
}

fn add(text: &str, which: u64, set: &mut Vec<u64>) {
    let seed = mix(which + 1);
    let mut last = [0u64; WORDS];
    let mut n = 0;
    let combine = |words: &[u64]| words.iter().fold(seed, |hash, word| mix(hash ^ word));
    words(text, |word| {
        last.rotate_left(1);
        last[WORDS - 1] = word;
        n += 1;
        if n >= WORDS {
            set.push(combine(&last));
        }
    });
    if (1..WORDS).contains(&n) {
        set.push(combine(&last[WORDS - n..]));
    }
}

/// Hands out a hash of each word in lower case.
fn words(text: &str, mut word: impl FnMut(u64)) {
    const START: u64 = 0xCBF2_9CE4_8422_2325;
    let push = |hash: u64, c: u32| (hash ^ u64::from(c)).wrapping_mul(0x0000_0100_0000_01B3);
    let mut hash = START;
    for c in text.chars() {
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                hash = push(hash, u32::from(c.to_ascii_lowercase()));
                continue;
            }
        } else if is_unspaced(c) {
            if hash != START {
                word(mix(hash));
            }
            word(mix(push(START, u32::from(c))));
            hash = START;
            continue;
        } else if c.is_alphanumeric() {
            hash = c.to_lowercase().fold(hash, |hash, c| push(hash, u32::from(c)));
            continue;
        } else if matches!(c, '\u{300}'..='\u{36F}' | '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{FEFF}') {
            continue; // Combining accents and invisible characters end no word.
        }
        if hash != START {
            word(mix(hash));
            hash = START;
        }
    }
    if hash != START {
        word(mix(hash));
    }
}

/// The Jaccard similarity of two ascending sets: what both have, divided by what either has.
pub(super) fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut both) = (0, 0, 0usize);
    while i < a.len() && j < b.len() {
        let (x, y) = (a[i], b[j]);
        both += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let either = a.len() + b.len() - both;
    if either == 0 { 0.0 } else { both as f64 / either as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Vec<u64> {
        let mut set = Vec::new();
        shingles((text, None), &mut set);
        set
    }

    #[test]
    fn similarities_by_hand() {
        // abc bcd cde against abc bcd cdf: two of four.
        assert_eq!(jaccard(&set("a b c d e"), &set("a b c d f")), 0.5);
        // Ten words have eight shingles; an eleventh word adds one.
        assert_eq!(jaccard(&set("a b c d e f g h i j"), &set("a b c d e f g h i j k")), 8.0 / 9.0);
        // Another word in the middle of ten changes three of eight.
        assert_eq!(jaccard(&set("a b c d e f g h i j"), &set("a b c d X f g h i j")), 5.0 / 11.0);
        assert_eq!(jaccard(&set("a b"), &set("b a")), 0.0);
        assert_eq!(jaccard(&[], &[]), 0.0);
    }

    #[test]
    fn case_punctuation_and_white_space_do_not_count() {
        for (a, b) in [
            ("It's GOOD, very good!", "it s good   very\tgood"),
            ("Ärger über Öl", "ärger über öl."),
            ("好电影！真的", "好电影, 真的"),
            ("one", "One!"),
            ("cafe\u{301} noir", "cafe noir"),
        ] {
            assert_eq!(set(a), set(b), "{a} {b}");
        }
        assert!(set("?! …").is_empty());
        // Three ideographs are three words; abc is one.
        assert_eq!((set("真的好").len(), set("真的好看").len(), set("abcd").len()), (1, 2, 1));
    }

    #[test]
    fn the_texts_of_a_pair_are_kept_apart() {
        let mut pair = Vec::new();
        shingles(("a b c", Some("a b c")), &mut pair);
        assert_eq!(pair.len(), 2);
    }
}
