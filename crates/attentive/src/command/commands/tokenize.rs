//! `attentive tokenize`: the pieces of texts as the model gets them, for people and for programs.

use std::io::{self, BufWriter, IsTerminal, Write};

use attentive_data::{DataConfig, TextEncoder, TokenPiece, TokenizerConfig, Truncation, load_corpus, read_texts_lines};
use attentive_train::{Config, RunDir, limit};
use serde_json::json;

use super::opening::load_config;
use crate::args::{Talk, Tokenize};
use crate::failure::Failure;
use crate::output::{open_stdout, tell, to_stdout};
use crate::style::Style;
use crate::table::{count, percent};

/// How wide lines may be.
const WIDTH: usize = 100;
/// Where `max_length` cuts.
const CUT: &str = "✂";

pub(super) fn tokenize(args: &Tokenize, talk: Talk) -> Result<(), Failure> {
    let (encoder, config) = tokenizer(args)?;
    let limit = config.as_ref().map(|config| limit(&config.model));
    let data = config.map_or_else(DataConfig::default, |config| config.data);
    if !talk.quiet && !args.json {
        tell(&account(&encoder));
    }
    let mut out = BufWriter::new(open_stdout()?);
    let mut totals = Totals::default();
    let mut show = |text: &str| -> Result<(), Failure> {
        let text = &data.unescaped(text);
        let pieces = encoder.pieces(text, limit.unwrap_or(usize::MAX.into()))?;
        let shown = if args.json {
            format!("{}\n", object(text, &pieces))
        } else {
            let between = if totals.texts == 0 { "" } else { "\n" };
            format!("{between}{}", for_people(text, &pieces, limit, Style::for_stdout()))
        };
        totals.add(&pieces);
        out.write_all(shown.as_bytes()).map_err(to_stdout)
    };
    if args.text.is_empty() {
        if io::stdin().is_terminal() && !talk.quiet {
            tell("one text a line; Ctrl-D ends");
        }
        for line in read_texts_lines(io::stdin().lock(), "stdin", data.max_line_bytes, false) {
            show(&line?.0)?;
        }
    } else {
        args.text.iter().try_for_each(|text| show(text))?;
    }
    if totals.texts > 1 && !args.json {
        out.write_all(totals.render(limit).as_bytes()).map_err(to_stdout)?;
    }
    out.flush().map_err(to_stdout)
}

/// The tokenizer of a run, of a file, or of a config, with the config if there is one.
fn tokenizer(args: &Tokenize) -> Result<(TextEncoder, Option<Config>), Failure> {
    if args.target.is_dir() {
        let run = RunDir::open(&args.target)?;
        return Ok((run.encoder()?, Some(run.config()?)));
    }
    if args.target.extension().is_some_and(|extension| extension == "json") {
        return Ok((TextEncoder::load(&args.target)?, None));
    }
    let config = load_config(&args.target, &args.set.set)?;
    let encoder = match &config.tokenizer {
        TokenizerConfig::File(file) => TextEncoder::load(&file.path)?,
        made => TextEncoder::for_examples(made, &load_corpus(&config.data, config.seed)?.train)?,
    };
    Ok((encoder, Some(config)))
}

/// What the tokenizer is, on one line.
fn account(encoder: &TextEncoder) -> String {
    let name = |id: u32| encoder.token(id).map_or("no token".to_string(), |token| format!("`{token}`"));
    let unknown = match encoder.unknown_id() {
        Some(id) => format!("what it lacks becomes {id} ({})", name(id)),
        None => "it has no token for what it lacks".to_string(),
    };
    let pad = encoder.pad_id();
    format!("{} tokens, padding is {pad} ({}), {unknown}\n", count(encoder.vocab_size() as u64), name(pad))
}

fn object(text: &str, pieces: &[TokenPiece]) -> serde_json::Value {
    let unknown: Vec<&str> = pieces.iter().filter(|piece| piece.is_unknown).map(|piece| piece.shown.as_str()).collect();
    json!({
        "text": text,
        "tokens": pieces.iter().map(|piece| &piece.token).collect::<Vec<_>>(),
        "ids": pieces.iter().map(|piece| piece.id).collect::<Vec<_>>(),
        "shown": pieces.iter().map(|piece| &piece.shown).collect::<Vec<_>>(),
        "unknown": unknown,
        "cut": n_cut(pieces),
    })
}

fn n_cut(pieces: &[TokenPiece]) -> usize {
    pieces.iter().filter(|piece| piece.is_cut).count()
}

/// The limit as it is told.
fn length(limit: Truncation) -> String {
    format!("max_length {}", count(limit.max_length as u64))
}

/// The text, its pieces above their ids, and a line on what is unknown and cut.
fn for_people(text: &str, pieces: &[TokenPiece], limit: Option<Truncation>, style: Style) -> String {
    let mut shown = format!("{}\n", style.strong(&visible(text, ' ')));
    let mut was_cut = false;
    // Each column is a piece above its id, and how to paint it.
    let mut columns: Vec<(String, String, Paint)> = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if piece.is_cut != was_cut && (index > 0 || !piece.is_cut) {
            columns.push((CUT.to_string(), String::new(), Paint::Plain));
        }
        was_cut = piece.is_cut;
        let name = visible(&piece.shown, '␣');
        let name = if piece.is_unknown { format!("«{name}»") } else { name };
        let paint = match (!piece.is_cut, piece.is_unknown) {
            (false, _) => Paint::Faint,
            (true, true) => Paint::Error,
            (true, false) => Paint::Plain,
        };
        columns.push((name, piece.id.to_string(), paint));
    }
    let mut line = ["  ".to_string(), "  ".to_string()];
    let mut at = 2;
    for (name, id, paint) in &columns {
        let column = width(name).max(width(id));
        if at > 2 && at + column > WIDTH {
            push_lines(&mut shown, &mut line);
            at = 2;
        }
        for (line, cell) in line.iter_mut().zip([name, id]) {
            line.push_str(&paint.paint(style, cell));
            line.push_str(&" ".repeat(column - width(cell) + 2));
        }
        at += column + 2;
    }
    if !columns.is_empty() {
        push_lines(&mut shown, &mut line);
    }
    let mut notes = vec![plural(pieces.len(), "token")];
    let unknown: Vec<&TokenPiece> = pieces.iter().filter(|piece| piece.is_unknown).collect();
    if !unknown.is_empty() {
        notes.push(format!("{} unknown", count(unknown.len() as u64)));
    }
    if let (Some(limit), cut @ 1..) = (limit, n_cut(pieces)) {
        notes.push(format!("{} beyond {}", count(cut as u64), length(limit)));
    }
    shown.push_str(&format!("  {}\n", style.faint(&notes.join(", "))));
    shown
}

/// Ends the line of pieces and that of ids.
fn push_lines(shown: &mut String, line: &mut [String; 2]) {
    for line in line {
        shown.push_str(line.trim_end());
        shown.push('\n');
        "  ".clone_into(line);
    }
}

#[derive(Debug, Clone, Copy)]
enum Paint {
    Plain,
    Faint,
    Error,
}

impl Paint {
    fn paint(self, style: Style, text: &str) -> String {
        match self {
            Self::Plain => text.to_string(),
            Self::Faint => style.faint(text),
            Self::Error => style.error(text),
        }
    }
}

/// The text with this for spaces, and with everything that a terminal does not show as its code.
fn visible(text: &str, space: char) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            ' ' => shown.push(space),
            '"' | '\'' | '\\' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// How many columns of a terminal the text takes: Chinese, Japanese and Korean characters and emoji take two.
fn width(text: &str) -> usize {
    let is_wide = |c: char| {
        matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F
            | 0xFF00..=0xFF60 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD)
    };
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn plural(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(n as u64), if n == 1 { "" } else { "s" })
}

/// Sums over all texts.
#[derive(Debug, Default)]
struct Totals {
    texts: usize,
    tokens: usize,
    unknown: usize,
    cut_texts: usize,
}

impl Totals {
    fn add(&mut self, pieces: &[TokenPiece]) {
        self.texts += 1;
        self.tokens += pieces.len();
        self.unknown += pieces.iter().filter(|piece| piece.is_unknown).count();
        self.cut_texts += usize::from(n_cut(pieces) > 0);
    }

    fn render(&self, limit: Option<Truncation>) -> String {
        let share = |part: usize, whole: usize| percent(part as f64 / whole.max(1) as f64);
        let unknown = share(self.unknown, self.tokens);
        let mut line = format!("\n{}, {}, {unknown} unknown", plural(self.texts, "text"), plural(self.tokens, "token"));
        if let Some(limit) = limit {
            let cut = share(self.cut_texts, self.texts);
            line.push_str(&format!(", {cut} of the texts longer than {}", length(limit)));
        }
        line + "\n"
    }
}
