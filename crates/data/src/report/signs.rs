//! Signs in the texts that something went wrong before they came here: decoded by the wrong encoding, not cleaned of
//! markup, or not texts at all.

use rayon::prelude::*;

use super::finding::{DataFinding, FindingExample, FindingKind, SHOWN, Severity, in_percent, many, share, verb};
use super::same::Same;
use super::view::View;
use crate::error::excerpt;
use crate::examples::{Examples, Split};

/// What is looked for, with what it means and what to do.
const SIGNS: [(FindingKind, Severity, &str, &str); 6] = [
    (
        FindingKind::Mojibake,
        Severity::Warning,
        "characters such as `Ã©`, which is UTF-8 read as Windows-1252",
        "look at `data.encoding`; if the file itself holds them, repair it where it was made, or run it through `ftfy`",
    ),
    (
        FindingKind::ReplacementCharacters,
        Severity::Warning,
        "U+FFFD, which stands for bytes that were lost in decoding",
        "get the data again from where it was made, and read it with its own encoding",
    ),
    (
        FindingKind::ControlCharacters,
        Severity::Warning,
        "control characters",
        "look at `data.encoding`: Windows-1252 read as Latin-1 gives them; otherwise remove them",
    ),
    (
        FindingKind::ByteOrderMarks,
        Severity::Note,
        "a byte order mark (U+FEFF), which makes another word of the one it touches",
        "remove it; it comes from joining files that each began with one",
    ),
    (
        FindingKind::HtmlTags,
        Severity::Note,
        "HTML tags such as `<br />`",
        "remove them, unless what is to be classified has them as well: they are tokens like any other",
    ),
    (
        FindingKind::HtmlEntities,
        Severity::Note,
        "HTML entities such as `&amp;`",
        "set `data.unescape = \"html\"`, by which they are read as the characters that they stand for, in training and prediction",
    ),
];

/// Tags that are markup and not a placeholder such as `<user>`.
const TAGS: [&str; 31] = [
    "a",
    "b",
    "blockquote",
    "body",
    "br",
    "code",
    "div",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "html",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "script",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "td",
    "tr",
    "u",
    "ul",
];

/// Which signs a text has, a bit for each of [`SIGNS`].
fn signs(text: &str) -> u8 {
    let mut signs = 0;
    each_sign(text, |sign, _| signs |= 1u8 << sign);
    signs
}

/// Hands out the signs in a text with their places in it.
fn each_sign(text: &str, mut found: impl FnMut(usize, usize)) {
    let mut before = ' ';
    for (start, c) in text.char_indices() {
        let position = match c {
            '<' => is_tag(&text[start + 1..]).then_some(4),
            '&' => is_entity(&text[start + 1..]).then_some(5),
            ' '..='~' | '\t' | '\n' | '\r' => None,
            '\u{FFFD}' => Some(1),
            '\u{FEFF}' => Some(3),
            _ if is_mojibake(before, c) => Some(0),
            _ if c.is_control() => Some(2),
            _ => None,
        };
        if let Some(position) = position {
            found(position, start);
        }
        before = c;
    }
}

/// An example as it is shown, with the text around the first place of a sign instead of the beginning.
fn shown(view: &View<'_>, number: u32, sign: usize) -> FindingExample {
    const BEFORE: usize = 24;
    let mut shown = view.shown(number);
    let (text, second) = view.text(number);
    for text in std::iter::once(text).chain(second) {
        let mut place = None;
        each_sign(text, |found, start| place = place.or_else(|| (found == sign).then_some(start)));
        let Some(place) = place else { continue };
        let start = text[..place].char_indices().rev().nth(BEFORE - 1).map_or(0, |(start, _)| start);
        let dots = if start > 0 { "…" } else { "" };
        shown.text = format!("{dots}{}", excerpt(&text[start..]));
        break;
    }
    FindingExample::one(shown)
}

/// Whether two characters in a row are the first bytes of a character in UTF-8, read as Windows-1252 or Latin-1.
fn is_mojibake(first: char, second: char) -> bool {
    let continuation = matches!(second, '\u{80}'..='\u{BF}') || "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ".contains(second);
    match first {
        // Alone these are letters of French and Portuguese, which no such sign follows.
        'Â' | 'Ã' => continuation,
        'â' => matches!(second, '€' | '\u{80}'),
        'ð' => matches!(second, 'Ÿ' | '\u{9F}'),
        _ => false,
    }
}

fn is_tag(rest: &str) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    let (name, behind) = name.split_at(end);
    let closed = behind.char_indices().take(200).find(|(_, c)| matches!(c, '<' | '>')).is_some_and(|(_, c)| c == '>');
    closed && TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(name))
}

/// Whether a text holds an HTML entity such as `&amp;` or `&#39;`.
pub(crate) fn holds_entity(text: &str) -> bool {
    text.match_indices('&').any(|(start, _)| is_entity(&text[start + 1..]))
}

fn is_entity(rest: &str) -> bool {
    let Some((name, _)) = rest.split_once(';').filter(|(name, _)| name.len() <= 8) else { return false };
    let number = name.strip_prefix('#').map(|n| n.strip_prefix(['x', 'X']).unwrap_or(n));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_hexdigit()))
        || ["amp", "lt", "gt", "quot", "apos", "nbsp", "hellip", "mdash", "ndash", "rsquo", "lsquo"].contains(&name)
}

/// How many texts have each sign, and the first ones.
#[derive(Default, Clone)]
struct SignTally {
    counts: [usize; SIGNS.len()],
    first: [Vec<u32>; SIGNS.len()],
    /// Texts of one word at most, and those of them without any letter.
    single: usize,
    numbers: usize,
}

impl SignTally {
    fn of(view: &View<'_>, numbers: std::ops::Range<u32>) -> Self {
        let mut tally = Self::default();
        for number in numbers {
            let (text, second) = view.text(number);
            let signs = signs(text) | second.map_or(0, signs);
            for position in (0..SIGNS.len()).filter(|position| signs & 1 << position != 0) {
                tally.counts[position] += 1;
                if tally.first[position].len() < SHOWN {
                    tally.first[position].push(number);
                }
            }
            let text = text.trim();
            if !text.contains(char::is_whitespace) {
                let letters = text.chars().filter(|c| c.is_alphabetic()).count();
                tally.numbers +=
                    usize::from(letters == 0 || (letters < 8 && text.contains(|c: char| c.is_ascii_digit())));
                tally.single += 1;
            }
        }
        tally
    }

    /// Both, of which `other` is the later.
    fn and(mut self, other: &Self) -> Self {
        for position in 0..SIGNS.len() {
            self.counts[position] += other.counts[position];
            let missing = SHOWN - self.first[position].len();
            self.first[position].extend(other.first[position].iter().take(missing));
        }
        self.single += other.single;
        self.numbers += other.numbers;
        self
    }
}

/// Looks at every text, on all cores.
pub(super) fn findings(view: &View<'_>, same: &Same) -> Vec<DataFinding> {
    const PIECE: u32 = 4096;
    let mut findings = Vec::new();
    for (position, &(split, examples)) in view.splits().iter().enumerate() {
        let numbers = view.numbers(position);
        let starts: Vec<u32> = numbers.clone().step_by(PIECE as usize).collect();
        let tallies: Vec<SignTally> = starts
            .into_par_iter()
            .map(|start| SignTally::of(view, start..numbers.end.min(start.saturating_add(PIECE))))
            .collect();
        let tally = tallies.iter().fold(SignTally::default(), SignTally::and);
        for (sign, (kind, severity, what, remedy)) in
            SIGNS.into_iter().enumerate().filter(|(sign, _)| tally.counts[*sign] > 0)
        {
            let n = tally.counts[sign];
            let part = share(n, examples.len());
            let message =
                format!("{} of {split} {} {what}{}", many(n, "text"), verb(n, "holds", "hold"), in_percent(part));
            let shown = tally.first[sign].iter().map(|&number| shown(view, number, sign)).collect();
            findings.push(DataFinding::new(kind, severity, &[split], n, message, remedy).share(part).examples(shown));
        }
        if split == Split::Train {
            findings.extend(wrong_column(view, same, examples, &tally));
        }
    }
    findings
}

/// Whether the column of the texts holds labels or identifiers.
fn wrong_column(view: &View<'_>, same: &Same, examples: &Examples, tally: &SignTally) -> Option<DataFinding> {
    /// Fewer examples tell nothing.
    const ENOUGH: usize = 50;
    let n = examples.len();
    if n < ENOUGH {
        return None;
    }
    let shown = (0..).take(SHOWN).map(|number| FindingExample::one(view.shown(number))).collect();
    let finding = |kind, message| {
        let remedy = "look whether `data.text` names the right column";
        Some(DataFinding::new(kind, Severity::Warning, &[Split::Train], n, message, remedy).examples(shown))
    };
    let distinct = same.distinct().into_iter().filter(|&number| view.split_of(number) == 0).count();
    if tally.numbers * 10 > n * 9 {
        let message =
            "nearly all texts are single numbers or codes: the text column looks like an identifier".to_owned();
        finding(FindingKind::TextLikeIds, message)
    } else if distinct * 20 < n && tally.single * 10 > n * 9 {
        let message = format!(
            "the texts of train are {} that come again and again: the text column looks like a label",
            many(distinct, "word")
        );
        finding(FindingKind::TextLikeLabels, message)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Labels;
    use crate::report::view::fixtures::examples;

    #[test]
    fn signs_are_told_from_what_is_right() {
        let bits = |text| (0..SIGNS.len()).filter(|i| signs(text) & 1 << i != 0).collect::<Vec<_>>();
        for (text, expected) in [
            ("cafÃ© and itâ€™s", vec![0]),
            ("5 Â£, ðŸ˜€", vec![0]),
            ("ÂNGELA NÃO É pâté, ÂME «Ã»", vec![0]),
            ("ÂNGELA NÃO É PÂTÉ", vec![]),
            ("lost \u{FFFD} bytes", vec![1]),
            ("bell \u{7} and \u{93}quoted\u{94}", vec![2]),
            ("tab\tand\r\nlines", vec![]),
            ("a \u{FEFF}word", vec![3]),
            ("good<br />bad", vec![4]),
            ("</P> and <a href=\"x\">", vec![4]),
            ("<3 <user> a<bc>d <b < c", vec![]),
            ("AT&amp;T &#39;x&#x27;", vec![5]),
            ("AT&T; R&D and A & B; &#zz;", vec![]),
        ] {
            assert_eq!(bits(text), expected, "{text}");
        }
    }

    #[test]
    fn counted_by_split_with_places() {
        let train = examples(&[("fine", 0), ("cafÃ©", 0), ("a&amp;b", 1), ("naÃ¯ve &lt;3", 1)]);
        let labels = Labels::from_names(["neg", "pos"]);
        let view = View::new(vec![(Split::Train, &train)], &labels);
        let findings = findings(&view, &Same::of(&view));
        let lines: Vec<_> = findings
            .iter()
            .map(|found| (found.kind, found.count, found.examples.iter().map(|e| e.places[0].place.as_str()).collect()))
            .collect::<Vec<(_, _, Vec<_>)>>();
        assert_eq!(
            lines,
            [
                (FindingKind::Mojibake, 2, vec!["data.tsv:3", "data.tsv:5"]),
                (FindingKind::HtmlEntities, 2, vec!["data.tsv:4", "data.tsv:5"]),
            ]
        );
    }

    #[test]
    fn a_column_of_labels_or_numbers_is_noticed() {
        let kinds = |text: &dyn Fn(usize) -> String| {
            let train = examples(&(0..100).map(|i| (text(i), 0)).collect::<Vec<_>>());
            let labels = Labels::from_names(["neg"]);
            let view = View::new(vec![(Split::Train, &train)], &labels);
            findings(&view, &Same::of(&view)).iter().map(|found| found.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&|i| ["pos", "neg"][i % 2].to_owned()), [FindingKind::TextLikeLabels]);
        assert_eq!(kinds(&|i| format!("{}", 57_000 + i)), [FindingKind::TextLikeIds]);
        assert_eq!(kinds(&|i| format!("a review of film {i}")), []);
    }
}
