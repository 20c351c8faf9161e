//! A regular expression as branches of what is repeated, as far as its cost asks for. Whether it is a pattern at all is
//! left to the library.

use super::reader::PatternReader;

/// How deep groups may nest.
const MAX_DEPTH: usize = 32;

/// One of the alternatives of a group.
pub(super) type Branch = Vec<Quantified>;

/// Something with its quantifier.
#[derive(Debug)]
pub(super) struct Quantified {
    /// As it is written, without and with its quantifier.
    pub(super) bare: String,
    pub(super) text: String,
    pub(super) atom: Atom,
    pub(super) least: u32,
    /// `None` without end.
    pub(super) most: Option<u32>,
    pub(super) lazy: bool,
}

#[derive(Debug)]
pub(super) enum Atom {
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

/// Reads a pattern.
#[derive(Default)]
pub(super) struct Parser {
    rest: PatternReader,
    /// Whether it holds what only a search that backtracks can find.
    pub(super) backtracks: bool,
    /// Whether it repeats what can match in several ways.
    pub(super) repeats_variation: bool,
    /// Whether `.` may stand for a line break.
    pub(super) dot_is_all: bool,
}

impl Parser {
    pub(super) fn new(pattern: &str) -> Self {
        Self { rest: PatternReader { chars: pattern.chars().collect(), at: 0 }, ..Self::default() }
    }

    /// The branches up to the end of the group.
    pub(super) fn branches(&mut self, depth: usize) -> Result<Vec<Branch>, String> {
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
    fn item(&mut self, atom: Atom, from: usize) -> Result<Quantified, String> {
        let bare = self.rest.text(from);
        let mut item = Quantified { text: String::new(), atom, least: 1, most: Some(1), lazy: false, bare };
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
