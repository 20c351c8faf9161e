//! The characters of a pattern, read one after the other: classes and quantifiers. Knows no groups.

/// The largest number in `{2,5}`.
const MAX_REPEATS: u32 = 1000;

/// The characters of a pattern.
#[derive(Default)]
pub(super) struct PatternReader {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
}

impl PatternReader {
    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    /// What was read from this place on.
    pub(super) fn text(&self, from: usize) -> String {
        self.chars[from..self.at].iter().collect()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn skip_past(&mut self, end: char) {
        while self.next().is_some_and(|c| c != end) {}
    }

    /// Skips the rest of a class, which may hold classes.
    pub(super) fn skip_class(&mut self) {
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
    pub(super) fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
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
