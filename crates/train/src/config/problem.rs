//! What is wrong with a config: one problem, where it is, and how a list of them reads in a terminal. Finding them is
//! `diagnose`'s and `document`'s work.

use std::fmt;
use std::path::{Path, PathBuf};

/// A longer file is no config.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// Lines longer than this are cut around the span.
const LONGEST_LINE: usize = 100;
/// The text kept before the span in a cut line.
const CONTEXT: usize = 30;

/// Something wrong in a config: what, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key, such as `train.epochs`; empty for the document.
    pub key: String,
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Where it was written; `None` for a problem that no text caused.
    pub place: Option<Place>,
}

/// Where a value of the config was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the config file.
    File {
        /// The file, as the user named it.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The source line; of a very long one the part around the span.
        text: String,
        /// How many characters of `text` stand before the span.
        indent: usize,
        /// How many characters of `text` the span covers, at least 1.
        width: usize,
    },
    /// In a `--set` argument.
    Set {
        /// The argument, such as `train.batch_size=0`.
        argument: String,
    },
}

impl Place {
    /// A span of `width` characters at the start of `rest`, in the line that is `before` and `rest` together.
    pub(crate) fn in_file(path: &Path, line: usize, before: &str, rest: &str, width: usize) -> Self {
        let column = before.chars().count() + 1;
        let right = rest.chars().take(LONGEST_LINE + 1).count();
        let whole = column - 1 + right <= LONGEST_LINE;
        let indent = if whole { column - 1 } else { CONTEXT.min(column - 1) };
        let cut = before.char_indices().rev().take(indent).last().map_or(before.len(), |(at, _)| at);
        let shown: String = rest.chars().take(LONGEST_LINE - indent).collect();
        let width = width.min(right).min(LONGEST_LINE - indent).max(1);
        let left_mark = if cut > 0 { "…" } else { "" };
        let right_mark = if shown.len() < rest.len() { "…" } else { "" };
        let text = format!("{left_mark}{}{shown}{right_mark}", &before[cut..]);
        let indent = indent + left_mark.chars().count();
        Self::File { path: path.to_owned(), line, column, text, indent, width }
    }

    /// Files in the order of their lines, then `--set` arguments in the order they were given.
    fn rank(&self) -> (u8, &Path, usize, usize) {
        match self {
            Self::File { path, line, column, .. } => (0, path, *line, *column),
            Self::Set { .. } => (1, Path::new(""), 0, 0),
        }
    }
}

/// A config that cannot be used, with everything that is wrong in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidConfig {
    /// At least one problem.
    pub problems: Vec<Problem>,
}

impl InvalidConfig {
    /// Each problem carries its own hint, which `Display` writes beside it.
    pub fn hint(&self) -> Option<String> {
        None
    }

    /// `3 problems in configs/sst2.toml and --set`.
    fn summary(&self) -> String {
        let mut places: Vec<String> = Vec::new();
        for problem in in_order(&self.problems) {
            let place = match &problem.place {
                Some(Place::File { path, .. }) => visible(&path.display().to_string()),
                Some(Place::Set { .. }) => "--set".to_owned(),
                None => continue,
            };
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        if places.is_empty() {
            format!("{count} {noun}")
        } else {
            format!("{count} {noun} in {}", places.join(" and "))
        }
    }
}

/// How many problems are told one by one: a file with more of them is something else than a config.
const SHOWN: usize = 100;

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in in_order(&self.problems).into_iter().take(SHOWN) {
            writeln!(f, "{problem}")?;
        }
        if self.problems.len() > SHOWN {
            writeln!(f, "and {} more", self.problems.len() - SHOWN)?;
        }
        f.write_str(&self.summary())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = visible(&self.message);
        let hint = self.hint.as_deref().map(visible);
        match &self.place {
            Some(Place::File { path, line, column, text, indent, width }) => {
                writeln!(f, "{}:{line}:{column}: {message}", visible(&path.display().to_string()))?;
                let line = line.to_string();
                let margin = " ".repeat(line.len());
                let shown = visible(text);
                let spaces = cells(text.chars().take(*indent));
                let carets = cells(text.chars().skip(*indent).take(*width)).max(1);
                let pointer = format!("{}{}", " ".repeat(spaces), "^".repeat(carets));
                let pointer = match hint {
                    Some(hint) => format!("{pointer} {hint}"),
                    None => pointer,
                };
                writeln!(f, "{margin} |")?;
                writeln!(f, "{}", format!("{line} | {shown}").trim_end())?;
                writeln!(f, "{margin} | {pointer}")?;
                write!(f, "{margin} |")
            }
            place => {
                if let Some(Place::Set { argument }) = place {
                    write!(f, "--set {}: ", shorten(&visible(argument)))?;
                }
                f.write_str(&message)?;
                match hint {
                    Some(hint) => write!(f, "\n   = {hint}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// At most 60 characters of a text that the user wrote.
pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(59).chain(['…']).collect() }
}

fn in_order(problems: &[Problem]) -> Vec<&Problem> {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| problem.place.as_ref().map_or((2, Path::new(""), 0, 0), Place::rank));
    sorted
}

/// The text as a terminal may show it: nothing in a config can move the cursor or reverse the writing.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
            '\u{7f}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// How many terminal cells the characters take: East Asian wide ones two, combining marks none.
fn cells(text: impl Iterator<Item = char>) -> usize {
    text.map(|c| match c {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    })
    .sum()
}

/// A config that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the config `{path}`", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is too long to be a config.
    #[error("`{path}` is longer than {MAX_BYTES} bytes; that is no config", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// A config that is longer in `config.toml` of the run than a config may be.
    #[error(
        "the config takes {bytes} bytes in `config.toml`, with every default written out, which holds at most {MAX_BYTES}"
    )]
    LongWritten {
        /// The bytes of the file.
        bytes: usize,
    },
    /// The file is not UTF-8.
    #[error("the config `{path}` is not UTF-8 (at byte {byte})", path = path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// Where the first undecodable byte is, counted from 0.
        byte: usize,
    },
    /// The config is wrong.
    #[error(transparent)]
    Invalid(InvalidConfig),
}
