//! Which regular expressions a `tokenizer.json` may hold, and what they may cost. A pattern that looks around backtracks; one
//! that does not is followed by the library in time with the text, but from every match it starts anew, and what it then
//! reads in vain it reads again. How often that can happen is found here from the pattern. Compiles nothing.

/// The longest pattern, in bytes; the longest in use are below a thousand.
const MAX_BYTES: usize = 4096;
/// How deep groups may nest.
const MAX_DEPTH: usize = 32;
/// The largest number in `{2,5}`.
const MAX_REPEATS: u32 = 1000;
/// From this number on, a repetition is long: what it reads in vain is counted.
const LONG: u32 = 16;

/// What a pattern may cost.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// The characters that the pattern stands for when everything repeated is written out; what has no end, once.
    pub(crate) size: usize,
    /// Patterns of the runs of characters that may be read in vain, from each of their characters on: a text costs the
    /// squares of the lengths of these runs.
    pub(crate) runs: Vec<String>,
}

/// One of the alternatives of a group.
type Branch = Vec<Item>;

/// What may be read in vain.
struct Run {
    /// What stands for each of its characters.
    characters: String,
    in_group: bool,
}

/// Something with its quantifier.
#[derive(Debug)]
struct Item {
    /// As it is written, without and with its quantifier.
    bare: String,
    text: String,
    atom: Atom,
    least: u32,
    /// `None` without end.
    most: Option<u32>,
    lazy: bool,
}

#[derive(Debug)]
enum Atom {
    /// One character: itself, an escape or a class.
    One,
    /// A place between characters.
    Place,
    Group(Vec<Branch>),
    LookAround(Vec<Branch>),
}

/// What opens a group.
enum Opening {
    Group,
    LookAround,
    /// Only what backtracks has it.
    Backtracking,
}

/// Refuses a pattern that could take long on any text, and tells what another may cost. Whether it is a pattern at all is left
/// to the library.
pub(crate) fn cost(pattern: &str) -> Result<Cost, String> {
    if pattern.len() > MAX_BYTES {
        return Err(format!("a pattern is longer than {MAX_BYTES} bytes"));
    }
    let mut parser = Parser { rest: Scanner { chars: pattern.chars().collect(), at: 0 }, ..Parser::default() };
    let mut branches = parser.branches(0)?;
    if parser.backtracks && parser.repeats_variation {
        return Err("a pattern with look-around repeats what can match in several ways".to_owned());
    }
    let size = size(&branches);
    // Brackets around all of it change nothing.
    while let [branch] = branches.as_slice()
        && let [Item { atom: Atom::Group(_), least: 1, most: Some(1), .. }] = branch.as_slice()
        && let Some(Item { atom: Atom::Group(inner), .. }) = branches.pop().and_then(|mut branch| branch.pop())
    {
        branches = inner;
    }
    let mut runs = Vec::new();
    for index in 0..branches.len() {
        let (mut vain, mut repetitions) = (Vec::new(), 0);
        read_in_vain(&branches[index], false, Some((&branches, index)), &mut vain, &mut repetitions);
        if parser.backtracks && repetitions > 1 {
            return Err("a pattern with look-around has several long repetitions before what can fail".to_owned());
        }
        runs.append(&mut vain);
    }
    // Where nothing backtracks, a search that fails goes on, and one that does not ends with the longest of its run: a single
    // repetition in a single branch reads little in vain.
    if !parser.backtracks && branches.len() == 1 && matches!(runs.as_slice(), [Run { in_group: false, .. }]) {
        runs.clear();
    }
    let flags = if parser.dot_is_all { "(?is:" } else { "(?i:" };
    let runs = runs.into_iter().map(|run| format!("{flags}(?:{})+)", run.characters)).collect();
    Ok(Cost { size, runs })
}

/// The characters of branches when everything repeated is written out.
fn size(branches: &[Branch]) -> usize {
    let of_item = |item: &Item| {
        let once = match &item.atom {
            Atom::One | Atom::Place => 1,
            Atom::Group(branches) | Atom::LookAround(branches) => size(branches),
        };
        once.saturating_mul(item.most.unwrap_or(item.least).max(1) as usize)
    };
    branches.iter().flatten().map(of_item).fold(0, usize::saturating_add)
}

impl Item {
    fn is_long(&self) -> bool {
        self.least > LONG || self.most.is_none_or(|most| most > LONG)
    }

    /// Whether a text may lack it.
    fn can_fail(&self) -> bool {
        self.least > 0
            && match &self.atom {
                Atom::Group(branches) => branches.iter().all(|branch| branch.iter().any(Self::can_fail)),
                _ => true,
            }
    }
}

/// Finds the long repetitions of a branch after which it may fail, so that what they have read was in vain. `can_fail` says
/// whether something behind the branch can; `among` are the alternatives of the whole pattern, where it is one of them.
fn read_in_vain(
    branch: &[Item],
    can_fail: bool,
    among: Option<(&[Branch], usize)>,
    vain: &mut Vec<Run>,
    repetitions: &mut usize,
) {
    for (index, item) in branch.iter().enumerate() {
        let fails = can_fail || branch[index + 1..].iter().any(Item::can_fail);
        match &item.atom {
            Atom::One if item.is_long() && fails => {
                *repetitions += 1;
                if !among.is_some_and(|(branches, own)| is_kept(branches, own, index)) {
                    vain.push(Run { characters: item.bare.clone(), in_group: among.is_none() });
                }
            }
            Atom::One | Atom::Place => {}
            Atom::Group(branches) | Atom::LookAround(branches) if item.is_long() => {
                *repetitions += 1;
                let mut characters = Vec::new();
                characters_of(branches, &mut characters);
                vain.push(Run { characters: characters.join("|"), in_group: true });
            }
            Atom::Group(branches) | Atom::LookAround(branches) => {
                let again = item.most != Some(1) || matches!(item.atom, Atom::LookAround(_));
                let mut most = 0;
                for branch in branches {
                    let mut of_branch = 0;
                    read_in_vain(branch, fails || again, None, vain, &mut of_branch);
                    most = most.max(of_branch);
                }
                *repetitions += most;
            }
        }
    }
}

/// Everything in branches that stands for a character.
fn characters_of(branches: &[Branch], characters: &mut Vec<String>) {
    for item in branches.iter().flatten() {
        match &item.atom {
            Atom::One => characters.push(item.bare.clone()),
            Atom::Place => {}
            Atom::Group(branches) | Atom::LookAround(branches) => characters_of(branches, characters),
        }
    }
}

/// Whether what a repetition reads before its branch fails is matched by a later branch that begins in the same way, and by
/// none between them in part, so that nothing reads it again: as in `\s*[\r\n]+|\s+(?!\S)|\s+`.
fn is_kept(branches: &[Branch], own: usize, index: usize) -> bool {
    let (before, repeated) = (&branches[own][..index], &branches[own][index]);
    let begins_alike = |branch: &Branch| {
        branch.len() > index
            && branch[..index].iter().zip(before).all(|(a, b)| a.text == b.text)
            && branch[index].bare == repeated.bare
            && branch[index].most.is_none()
            && !branch[index].lazy
    };
    let keeps = |branch: &Branch| {
        let after = branch.get(index + 1..).unwrap_or_default();
        // Of white space, `(?!\S)` leaves at most the last character.
        let all_but_one = repeated.bare == "\\s" && matches!(after, [item] if item.text == "(?!\\S)");
        begins_alike(branch) && branch[index].least <= 1 && (all_but_one || !after.iter().any(Item::can_fail))
    };
    // One character or place decides: of the run, all up to the last place where it fits is matched at once.
    let keeps_or_fails_whole = |branch: &Branch| {
        begins_alike(branch)
            && branch.get(index + 1).is_some_and(|item| match &item.atom {
                Atom::One | Atom::Place => true,
                Atom::LookAround(inner) => {
                    inner.iter().all(|branch| matches!(branch.as_slice(), [item] if !item.is_long()))
                }
                Atom::Group(_) => false,
            })
            && !branch[index + 2..].iter().any(Item::can_fail)
    };
    branches[own..].iter().find(|branch| keeps(branch) || !keeps_or_fails_whole(branch)).is_some_and(keeps)
}

/// Reads a pattern.
#[derive(Default)]
struct Parser {
    rest: Scanner,
    /// Whether it holds what only a search that backtracks can find.
    backtracks: bool,
    /// Whether it repeats what can match in several ways.
    repeats_variation: bool,
    /// Whether `.` may stand for a line break.
    dot_is_all: bool,
}

impl Parser {
    /// The branches up to the end of the group.
    fn branches(&mut self, depth: usize) -> Result<Vec<Branch>, String> {
        if depth >= MAX_DEPTH {
            return Err(format!("the groups of a pattern nest more than {MAX_DEPTH} deep"));
        }
        let mut branches = vec![Branch::new()];
        loop {
            let from = self.rest.at;
            let atom = match self.rest.next() {
                None => return Ok(branches),
                Some(')') if depth > 0 => return Ok(branches),
                Some('|') => {
                    branches.push(Branch::new());
                    continue;
                }
                Some('\\') => match self.rest.next() {
                    Some('1'..='9' | 'k' | 'g') => return Err("a pattern refers back to a group".to_owned()),
                    Some('p' | 'P' | 'x' | 'u' | 'U') if self.rest.peek() == Some('{') => {
                        self.rest.skip_past('}');
                        Atom::One
                    }
                    // A letter behind `\p` names a class.
                    Some('p' | 'P') => {
                        self.rest.next();
                        Atom::One
                    }
                    Some('G' | 'K') => {
                        self.backtracks = true;
                        Atom::Place
                    }
                    Some('R' | 'X') => {
                        self.backtracks = true;
                        Atom::One
                    }
                    Some('b' | 'B' | 'A' | 'z' | 'Z') => Atom::Place,
                    _ => Atom::One,
                },
                Some('^' | '$') => Atom::Place,
                Some('[') => {
                    self.rest.skip_class();
                    Atom::One
                }
                Some('(') => {
                    let opening = self.open_group()?;
                    self.backtracks |= !matches!(opening, Opening::Group);
                    let inner = self.branches(depth + 1)?;
                    if let Opening::LookAround = opening { Atom::LookAround(inner) } else { Atom::Group(inner) }
                }
                Some(_) => Atom::One,
            };
            let item = self.item(atom, from)?;
            if let Some(branch) = branches.last_mut() {
                branch.push(item);
            }
        }
    }

    /// Reads the quantifiers of what began here.
    fn item(&mut self, atom: Atom, from: usize) -> Result<Item, String> {
        let bare = self.rest.text(from);
        let mut item = Item { text: String::new(), atom, least: 1, most: Some(1), lazy: false, bare };
        let mut varies = matches!(&item.atom, Atom::Group(branches) | Atom::LookAround(branches) if varies(branches));
        let mut quantifiers = 0;
        while let Some((least, most)) = self.rest.quantifier()? {
            quantifiers += 1;
            // Behind another, `?` makes it lazy and `+` possessive.
            match (quantifiers, least, most) {
                (2, 0, Some(1)) => item.lazy = true,
                (2, 1, None) => self.backtracks = true,
                _ => {
                    self.backtracks |= quantifiers > 1;
                    self.repeats_variation |= varies && (least, most) != (0, Some(1));
                    varies |= most != Some(least);
                    item.least = item.least.saturating_mul(least);
                    item.most = item.most.zip(most).map(|(a, b)| a.saturating_mul(b));
                }
            }
        }
        item.text = self.rest.text(from);
        Ok(item)
    }

    /// Reads what follows a `(`.
    fn open_group(&mut self) -> Result<Opening, String> {
        let rest = &mut self.rest;
        if rest.peek() != Some('?') {
            return Ok(Opening::Group);
        }
        rest.next();
        match rest.peek() {
            Some('=' | '!') => {
                rest.next();
                Ok(Opening::LookAround)
            }
            Some('>') => {
                rest.next();
                Ok(Opening::Backtracking)
            }
            Some('(') => Ok(Opening::Backtracking),
            Some('#') => Err("a pattern holds a comment".to_owned()),
            Some('<' | 'P') => {
                if matches!(rest.chars.get(rest.at + 1), Some('=' | '!')) {
                    rest.at += 2;
                    return Ok(Opening::LookAround);
                }
                rest.skip_past('>');
                Ok(Opening::Group)
            }
            _ => {
                while let Some(c) = rest.peek().filter(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '^')) {
                    if matches!(c, 'x' | 'U') {
                        return Err(format!("a pattern has the flag `{c}`"));
                    }
                    self.dot_is_all |= c == 's';
                    rest.next();
                }
                if rest.peek() == Some(':') {
                    rest.next();
                }
                Ok(Opening::Group)
            }
        }
    }
}

/// Whether branches can match in several ways: by an alternative, an option or a repetition.
fn varies(branches: &[Branch]) -> bool {
    branches.len() > 1
        || branches.iter().flatten().any(|item| {
            item.most != Some(item.least)
                || matches!(&item.atom, Atom::Group(inner) | Atom::LookAround(inner) if varies(inner))
        })
}

#[derive(Default)]
struct Scanner {
    chars: Vec<char>,
    at: usize,
}

impl Scanner {
    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    /// What was read from this place on.
    fn text(&self, from: usize) -> String {
        self.chars[from..self.at].iter().collect()
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_past(&mut self, end: char) {
        while self.next().is_some_and(|c| c != end) {}
    }

    /// Skips the rest of a class, which may hold classes.
    fn skip_class(&mut self) {
        let mut depth = 1;
        let mut first = true;
        while depth > 0 {
            match self.next() {
                None => return,
                Some('^') if first => continue,
                Some(']') if first => {}
                Some('\\') => {
                    self.next();
                }
                Some('[') => {
                    depth += 1;
                    first = true;
                    continue;
                }
                Some(']') => depth -= 1,
                Some(_) => {}
            }
            first = false;
        }
    }

    /// Reads a quantifier, if there is one: the least and the most that it allows.
    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let quantifier = match self.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => return self.counted(),
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(quantifier))
    }

    /// Reads `{2}`, `{2,}` or `{2,5}`; anything else in braces is no quantifier.
    fn counted(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let Some(length) = self.chars[self.at..].iter().position(|&c| c == '}') else { return Ok(None) };
        let inside: String = self.chars[self.at + 1..self.at + length].iter().collect();
        let is_quantifier = inside.chars().all(|c| c.is_ascii_digit() || c == ',' || c == ' ');
        if !is_quantifier || !inside.contains(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        self.at += length + 1;
        let number = |number: &str| match number.trim() {
            "" => Ok(None),
            number => match number.parse() {
                Ok(n) if n <= MAX_REPEATS => Ok(Some(n)),
                _ => Err(format!("a pattern repeats something more than {MAX_REPEATS} times")),
            },
        };
        Ok(Some(match inside.split_once(',') {
            None => (number(&inside)?.unwrap_or(0), number(&inside)?),
            Some((least, most)) => (number(least)?.unwrap_or(0), number(most)?),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPT_2: &str = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    const LLAMA_3: &str = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    const CL100K: &str = "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s";
    const O200K: &str = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    const DEEPSEEK: &str = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    fn runs(pattern: &str) -> Vec<String> {
        cost(pattern).unwrap_or_else(|reason| panic!("{pattern}: {reason}")).runs
    }

    #[test]
    fn the_patterns_in_use_read_nothing_in_vain() {
        for pattern in [
            "\\S",
            "\\w+|[^\\w\\s]+",
            GPT_2,
            LLAMA_3,
            CL100K,
            O200K,
            DEEPSEEK,
            &format!("(?:{LLAMA_3})"),
            // The other steps of DeepSeek, BLOOM, CLIP and ALBERT.
            "[\r\n]",
            "\\s?\\p{L}+",
            "\\s?\\p{P}+",
            "\\s+$",
            "[一-龥ࠀ-一가-퟿]+",
            " ?[^(\\s|[.,!?…。，、।۔،])]+",
            "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
            " {2,}",
            "\\w+@\\w+",
        ] {
            assert_eq!(runs(pattern), [""; 0], "{pattern}");
        }
    }

    #[test]
    fn what_may_be_read_in_vain_is_counted() {
        for (pattern, run) in [
            ("[a-z]*!|[a-z]", "(?i:(?:[a-z])+)"),
            ("a(?:b*c)?", "(?i:(?:b)+)"),
            ("a(?:b|a*!)?", "(?i:(?:a)+)"),
            ("a+(?:a*!)?", "(?i:(?:a)+)"),
            ("a(?:[a-z]+!)*", "(?i:(?:[a-z]|!)+)"),
            ("(?:a|b+)*c", "(?i:(?:a|b)+)"),
            ("x[a-z]{1,1000}!|x", "(?i:(?:[a-z])+)"),
            ("(?s).*x|.", "(?is:(?:.)+)"),
            ("a+(?=b)", "(?i:(?:a)+)"),
            ("\\s+(?=\\d)|\\w", "(?i:(?:\\s)+)"),
            // Digits by three, from the right.
            ("(?=(\\d{3})+(?!\\d))", "(?i:(?:\\d)+)"),
            // A branch between the two matches a part of the run.
            ("\\s*x|\\s|\\s+", "(?i:(?:\\s)+)"),
            ("[]a[:alpha:]]+(?!x)", "(?i:(?:[]a[:alpha:]])+)"),
        ] {
            assert_eq!(runs(pattern), [run], "{pattern}");
        }
    }

    #[test]
    fn the_size_of_a_pattern_is_that_of_what_it_repeats() {
        let size = |pattern| cost(pattern).map(|cost| cost.size);
        assert_eq!(size("abc"), Ok(3));
        assert_eq!(size("a{2,5}b*(?:cd){3}"), Ok(5 + 1 + 6));
        assert_eq!(size("(?:a{100}){100}"), Ok(10_000));
        assert!(size(O200K).is_ok_and(|size| size < 100));
    }

    #[test]
    fn patterns_that_explode_are_refused() {
        let ways = "a pattern with look-around repeats what can match in several ways";
        let several = "a pattern with look-around has several long repetitions before what can fail";
        for (pattern, reason) in [
            ("(?:a+)+(?!b)c", ways),
            ("(?=(a|a)*b)", ways),
            ("(?<!x)(?:(?:a?){20})+c", ways),
            ("(?>x)(a{1,9}){2,}", ways),
            ("(?!y)(?<n>\\p{L}*){7}", ways),
            ("a*a*b(?=x)|a", several),
            ("(?=a*(?:a*|x)b)|a", several),
            ("((a))\\2", "a pattern refers back to a group"),
            ("(?<n>a)\\k<n>", "a pattern refers back to a group"),
            ("(?x)( a+ ) +", "a pattern has the flag `x`"),
            ("(?U)a+b", "a pattern has the flag `U`"),
            ("(?#)a", "a pattern holds a comment"),
            ("((a{1000}){1000}){1001}", "a pattern repeats something more than 1000 times"),
            ("a{99999999999}", "a pattern repeats something more than 1000 times"),
        ] {
            assert_eq!(cost(pattern), Err(reason.to_owned()), "{pattern}");
        }
        assert_eq!(cost(&"(".repeat(40)), Err("the groups of a pattern nest more than 32 deep".to_owned()));
        assert_eq!(cost(&"a".repeat(5000)), Err("a pattern is longer than 4096 bytes".to_owned()));
    }
}
