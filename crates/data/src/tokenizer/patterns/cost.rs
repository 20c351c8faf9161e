//! Which regular expressions a `tokenizer.json` may hold, and what they may cost. A pattern that looks around backtracks; one
//! that does not is followed by the library in time with the text, but from every match it starts anew, and what it then
//! reads in vain it reads again. How often that can happen is found here from the pattern. Compiles nothing.

use super::syntax::{Atom, Branch, Parser, Quantified};

/// The longest pattern, in bytes; the longest in use are below a thousand.
const MAX_BYTES: usize = 4096;
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

/// What may be read in vain.
struct Run {
    /// What stands for each of its characters.
    characters: String,
    in_group: bool,
}

/// Refuses a pattern that could take long on any text, and tells what another may cost. Whether it is a pattern at all is left
/// to the library.
pub(crate) fn cost(pattern: &str) -> Result<Cost, String> {
    if pattern.len() > MAX_BYTES {
        return Err(format!("a pattern is longer than {MAX_BYTES} bytes"));
    }
    let mut parser = Parser::new(pattern);
    let mut branches = parser.branches(0)?;
    if parser.backtracks && parser.repeats_variation {
        return Err("a pattern with look-around repeats what can match in several ways".to_owned());
    }
    let size = size(&branches);
    // Brackets around all of it change nothing.
    while let [branch] = branches.as_slice()
        && let [Quantified { atom: Atom::Group(_), least: 1, most: Some(1), .. }] = branch.as_slice()
        && let Some(Quantified { atom: Atom::Group(inner), .. }) = branches.pop().and_then(|mut branch| branch.pop())
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
    let of_item = |item: &Quantified| {
        let once = match &item.atom {
            Atom::One | Atom::Place => 1,
            Atom::Group(branches) | Atom::LookAround(branches) => size(branches),
        };
        once.saturating_mul(item.most.unwrap_or(item.least).max(1) as usize)
    };
    branches.iter().flatten().map(of_item).fold(0, usize::saturating_add)
}

impl Quantified {
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
    branch: &[Quantified],
    can_fail: bool,
    among: Option<(&[Branch], usize)>,
    vain: &mut Vec<Run>,
    repetitions: &mut usize,
) {
    for (index, item) in branch.iter().enumerate() {
        let fails = can_fail || branch[index + 1..].iter().any(Quantified::can_fail);
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
        begins_alike(branch) && branch[index].least <= 1 && (all_but_one || !after.iter().any(Quantified::can_fail))
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
            && !branch[index + 2..].iter().any(Quantified::can_fail)
    };
    branches[own..].iter().find(|branch| keeps(branch) || !keeps_or_fails_whole(branch)).is_some_and(keeps)
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
