//! Which regular expressions a `tokenizer.json` may hold. Patterns without look-around run in linear time; those with it
//! backtrack, and may not repeat what can match in several ways. Compiles nothing.

/// The longest pattern, in bytes; the longest in use are below a thousand.
const MAX_BYTES: usize = 4096;
/// How deep groups may nest.
const MAX_DEPTH: usize = 32;
/// The largest number in `{2,5}`.
const MAX_REPEATS: u32 = 1000;

/// What a group holds that matters when the group is repeated.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    /// Something that can match in several ways: a repetition, an option, an alternative.
    varies: bool,
}

/// How often something may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// Always equally often.
    Fixed,
    /// Once or not at all.
    Optional,
    /// More or less often.
    Varying,
}

/// Refuses a pattern that could take long on a hostile text. Whether it is a pattern at all is left to the library.
pub(crate) fn check_pattern(pattern: &str) -> Result<(), String> {
    if pattern.len() > MAX_BYTES {
        return Err(format!("a pattern is longer than {MAX_BYTES} bytes"));
    }
    let mut rest = Scanner { chars: pattern.chars().collect(), at: 0 };
    let (mut groups, mut backtracks, mut repeats_variation) = (vec![Group::default()], false, false);
    while let Some(c) = rest.next() {
        // What was just read, as far as it can be repeated.
        let inner = match c {
            '\\' => {
                match rest.next() {
                    Some('1'..='9' | 'k' | 'g') => return Err("a pattern refers back to a group".to_owned()),
                    Some('p' | 'P' | 'x' | 'u' | 'U') if rest.peek() == Some('{') => rest.skip_past('}'),
                    Some('G' | 'K' | 'R' | 'X') => backtracks = true,
                    _ => {}
                }
                Group::default()
            }
            '[' => {
                rest.skip_class();
                Group::default()
            }
            '(' => {
                backtracks |= rest.open_group()?;
                groups.push(Group::default());
                if groups.len() > MAX_DEPTH {
                    return Err(format!("the groups of a pattern nest more than {MAX_DEPTH} deep"));
                }
                continue;
            }
            ')' if groups.len() > 1 => groups.pop().unwrap_or_default(),
            '|' => {
                groups.last_mut().into_iter().for_each(|group| group.varies = true);
                continue;
            }
            _ => Group::default(),
        };
        let mut varies = inner.varies;
        let mut quantifiers = 0;
        while let Some(quantifier) = rest.quantifier()? {
            repeats_variation |= varies && quantifier != Quantifier::Optional;
            varies |= quantifier != Quantifier::Fixed;
            quantifiers += 1;
        }
        // A second one makes the first lazy or possessive, or repeats it.
        backtracks |= quantifiers > 1;
        if let Some(group) = groups.last_mut() {
            group.varies |= varies;
        }
    }
    if backtracks && repeats_variation {
        return Err("a pattern with look-around repeats what can match in several ways".to_owned());
    }
    Ok(())
}

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

    /// Reads what follows a `(`; tells whether the group makes the pattern one that backtracks.
    fn open_group(&mut self) -> Result<bool, String> {
        if self.peek() != Some('?') {
            return Ok(false);
        }
        self.next();
        match self.peek() {
            Some('=' | '!' | '>' | '(') => {
                if self.peek() != Some('(') {
                    self.next();
                }
                Ok(true)
            }
            Some('#') => Err("a pattern holds a comment".to_owned()),
            Some('<' | 'P') => {
                let is_look_behind = matches!(self.chars.get(self.at + 1), Some('=' | '!'));
                if is_look_behind {
                    self.at += 2;
                } else {
                    self.skip_past('>');
                }
                Ok(is_look_behind)
            }
            _ => {
                while let Some(c) = self.peek().filter(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '^')) {
                    if c == 'x' {
                        return Err("a pattern has the flag `x`".to_owned());
                    }
                    self.next();
                }
                if self.peek() == Some(':') {
                    self.next();
                }
                Ok(false)
            }
        }
    }

    /// Reads a quantifier, if there is one.
    fn quantifier(&mut self) -> Result<Option<Quantifier>, String> {
        let quantifier = match self.peek() {
            Some('?') => Quantifier::Optional,
            Some('*' | '+') => Quantifier::Varying,
            Some('{') => return self.counted(),
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(quantifier))
    }

    /// Reads `{2}`, `{2,}` or `{2,5}`; anything else in braces is no quantifier.
    fn counted(&mut self) -> Result<Option<Quantifier>, String> {
        let Some(length) = self.chars[self.at..].iter().position(|&c| c == '}') else { return Ok(None) };
        let inside: String = self.chars[self.at + 1..self.at + length].iter().collect();
        let is_quantifier = inside.chars().all(|c| c.is_ascii_digit() || c == ',' || c == ' ');
        if !is_quantifier || !inside.contains(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        self.at += length + 1;
        let numbers: Vec<&str> = inside.split(',').map(str::trim).collect();
        let is_small = |number: &&str| number.parse().is_ok_and(|n: u32| n <= MAX_REPEATS);
        if numbers.iter().any(|number| !number.is_empty() && !is_small(number)) {
            return Err(format!("a pattern repeats something more than {MAX_REPEATS} times"));
        }
        Ok(Some(match numbers.as_slice() {
            [_] => Quantifier::Fixed,
            [least, most] if least == most => Quantifier::Fixed,
            _ => Quantifier::Varying,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_in_use_are_accepted() {
        for pattern in [
            "\\S",
            "\\w+|[^\\w\\s]+",
            // GPT-2, GPT-4, GPT-4o, Llama 3 and digits by three.
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "(?=(\\d{3})+(?!\\d))",
            "[]a[:alpha:]]+(?!x)",
            // Repeats a choice, but without looking around: linear.
            "(?:a|b+)*c",
        ] {
            assert_eq!(check_pattern(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_explode_are_refused() {
        let ways = "a pattern with look-around repeats what can match in several ways";
        for (pattern, reason) in [
            ("(?:a+)+(?!b)c", ways),
            ("(?=(a|a)*b)", ways),
            ("(?<!x)(?:(?:a?){20})+c", ways),
            ("(?>x)(a{1,9}){2,}", ways),
            ("(?!y)(?<n>\\p{L}*){7}", ways),
            ("((a))\\2", "a pattern refers back to a group"),
            ("(?<n>a)\\k<n>", "a pattern refers back to a group"),
            ("(?x)( a+ ) +", "a pattern has the flag `x`"),
            ("(?#)a", "a pattern holds a comment"),
            ("((a{1000}){1000}){1001}", "a pattern repeats something more than 1000 times"),
            ("a{99999999999}", "a pattern repeats something more than 1000 times"),
        ] {
            assert_eq!(check_pattern(pattern), Err(reason.to_owned()), "{pattern}");
        }
        assert_eq!(check_pattern(&"(".repeat(40)), Err("the groups of a pattern nest more than 32 deep".to_owned()));
        assert_eq!(check_pattern(&"a".repeat(5000)), Err("a pattern is longer than 4096 bytes".to_owned()));
    }
}
