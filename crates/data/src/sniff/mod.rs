//! What `attentive init` finds out about a file: how it is to be read, and what is in it. Writes no config.

mod names;
mod columns;
mod guess;
mod encoding;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use encoding_rs::UTF_8;

use crate::config::{
    CharConfig, Cut, DataConfig, Files, Format, SplitSource, TextColumns, TokenizerConfig, Unescape, UnknownLabels,
    WordConfig, extension,
};
use crate::corpus::{Corpus, load_corpus};
use crate::error::{DataError, RowError, RowFault, beginning, markup};
use crate::examples::Examples;
use crate::reader::{first_rows_of_sheet, split_label};
use crate::report::{TokenLengths, holds_entity, is_unspaced};
use crate::tokenizer::TextEncoder;
use columns::Sample;

pub use guess::GuessedColumn;

/// Bytes of a file by which its columns are told.
const HEAD: u64 = 1 << 20;
/// Rows of a sheet by which its columns are told.
const SHEET_ROWS: usize = 1000;
/// From this share of texts that hold HTML entities on, they are decoded.
const MANY_ENTITIES: f64 = 0.01;
/// A table has at least this share of rows that are as wide as the first.
const REGULAR: f64 = 0.8;
/// Fewer examples are not worth cutting a validation split from.
const WORTH_CUTTING: usize = 20;
/// Fewer examples are all needed to train.
const WORTH_TESTING: usize = 200;

/// What a person asks for; what is left open is found out.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// The column of the texts, or the two of pairs, by name or number.
    pub text: Vec<String>,
    /// The column of the labels, by name or number.
    pub label: Option<String>,
    /// The validation file.
    pub validation: Option<PathBuf>,
    /// The test file.
    pub test: Option<PathBuf>,
}

/// How a file is to be read, and what is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sniffed {
    /// The `[data]` section; all of the named files have been read by it.
    pub data: DataConfig,
    /// What the columns of text and label were guessed from; `None` where they were asked for or have the usual names.
    pub guessed: Guessed,
    /// How many training examples there are, before any are cut off.
    pub examples: usize,
    /// The labels in the order of their ids, with the number of training examples that have them.
    pub labels: Vec<(String, usize)>,
    /// The labels that only the validation or test file has, with the number of examples that have them.
    pub unknown_labels: BTreeMap<String, usize>,
    /// Whether the texts are written without spaces between words, so that a token should be a character.
    pub unspaced: bool,
    /// Different tokens in the training texts: words, or characters where `unspaced`.
    pub distinct_tokens: usize,
    /// Tokens of a text: half of the training texts have at most so many.
    pub median: u32,
    /// 95 of 100 have at most so many.
    pub p95: u32,
    /// The most that one has.
    pub longest: u32,
    /// The length of the training texts together, in bytes.
    pub bytes: u64,
    /// The share of the texts that hold HTML entities, before any were decoded.
    pub entities: f64,
    lengths: Vec<TokenLengths>,
    /// The share of the texts that lose information if capitals do: those that hold some, but not only at the beginning.
    pub capitals: f64,
}

impl Sniffed {
    /// The share of all tokens of the training texts, from 0 to 1, that stand behind the first `max_length` of their text.
    pub fn share_cut(&self, max_length: u32) -> f64 {
        let counts = self.lengths.iter().map(|lengths| lengths.lost_tokens(max_length));
        let (lost, tokens) = counts.fold((0, 0), |(a, b), (lost, tokens)| (a + lost, b + tokens));
        lost as f64 / tokens.max(1) as f64
    }
}

/// The columns that were chosen by their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guessed {
    /// The column of the text.
    pub text: Option<GuessedColumn>,
    /// The column of the label.
    pub label: Option<GuessedColumn>,
}

/// Whether a file that begins so is of a format.
type Fits = fn(&str) -> bool;

/// The formats by what a file begins with, for files whose extension tells none; the first that fits is taken.
const FORMATS: [(Fits, Format); 5] = [
    (|head| head.trim_start().starts_with("__label__"), Format::Fasttext),
    (is_array, Format::Json),
    (|head| head.trim_start().starts_with('{'), Format::Jsonl),
    (|head| head.lines().take(5).all(|line| line.contains('\t')), Format::Tsv),
    (|_| true, Format::Csv),
];

/// Whether a file begins as an array of JSON objects.
fn is_array(head: &str) -> bool {
    head.trim_start().strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{'))
}

/// Finds out how `train` is to be read, reads it and the other files by it, and measures the texts.
///
/// # Errors
/// A file is missing or cannot be read in any way that was found; a column that was asked for is not there; it cannot be
/// told which columns hold text and label; the labels are nearly as many as the examples.
pub fn sniff(train: &Path, wishes: &Wishes) -> Result<Sniffed, DataError> {
    let file = |path: &Option<PathBuf>| path.clone().map(|path| SplitSource::Files(Files::from(path)));
    let mut data = DataConfig {
        train: Files::from(train),
        validation: file(&wishes.validation),
        test: file(&wishes.test),
        ..DataConfig::default()
    };
    let metadata = std::fs::metadata(train).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => DataError::Missing { path: train.to_owned() },
        _ => DataError::Read { path: train.to_owned(), source },
    })?;
    let guessed = if metadata.is_dir() { Guessed::default() } else { find_columns(train, wishes, &mut data)? };
    let corpus = load(train, &mut data)?;
    let examples = corpus.train.len();
    if corpus.labels.len() > examples / 2 && examples >= WORTH_CUTTING {
        let column = data.label.to_string();
        return Err(DataError::ManyLabels { path: train.to_owned(), column, labels: corpus.labels.len(), examples });
    }
    let counts = &corpus.manifest.train.labels;
    let labels =
        corpus.labels.names().iter().map(|name| (name.clone(), counts.get(name).copied().unwrap_or(0))).collect();
    let mut unknown_labels: BTreeMap<String, usize> = BTreeMap::new();
    for record in [&corpus.manifest.validation, &corpus.manifest.test].into_iter().flatten() {
        for (label, n) in &record.from.unknown.labels {
            *unknown_labels.entry(label.clone()).or_default() += n;
        }
    }
    let mut found = measure(data, &corpus.train, labels)?;
    let entities = found.entities;
    if entities >= MANY_ENTITIES {
        let data = DataConfig { unescape: Some(Unescape::Html), ..found.data };
        let train = load_corpus(&data, 0)?.train;
        found = measure(data, &train, found.labels)?;
    }
    if found.data.validation.is_none() && examples >= WORTH_CUTTING {
        found.data.validation = Some(SplitSource::Cut(Cut::by_label(0.1)));
    }
    if found.data.test.is_none() && examples >= WORTH_TESTING {
        found.data.test = Some(SplitSource::Cut(Cut::by_label(0.1)));
    }
    Ok(Sniffed { guessed, unknown_labels, entities, ..found })
}

/// Loads the data, with encoding, quoting and what happens to unknown labels changed to what the files need.
fn load(train: &Path, data: &mut DataConfig) -> Result<Corpus, DataError> {
    /// Each of the files may need a change.
    const CHANGES: usize = 4;
    for _ in 0..CHANGES {
        match load_corpus(data, 0) {
            Err(DataError::Row(RowError { at, fault: RowFault::Undecodable { .. } })) => {
                data.encoding = encoding::encoding_of(&at.path)?.name().to_lowercase();
            }
            Err(DataError::Row(RowError { fault: RowFault::FieldCount { .. }, .. }))
                if data.format.by_name(train) == Some(Format::Tsv) && !data.quoting =>
            {
                data.quoting = true;
            }
            Err(DataError::UnknownLabel { .. }) => data.unknown_labels = UnknownLabels::Drop,
            loaded => return loaded,
        }
    }
    load_corpus(data, 0)
}

/// Sets format, encoding and columns by the beginning of a file; says which columns were guessed.
fn find_columns(train: &Path, wishes: &Wishes, data: &mut DataConfig) -> Result<Guessed, DataError> {
    let wanted: Vec<&str> = wishes.text.iter().chain(&wishes.label).map(|name| name.trim()).collect();
    if data.format.by_name(train) == Some(Format::Xlsx) {
        let rows = first_rows_of_sheet(train, data, SHEET_ROWS)?;
        let sample = Sample::of_rows(rows, &wanted, data);
        return choose_columns(train, wishes, &sample, data);
    }
    let encoding = encoding::encoding_of(train)?;
    if encoding != UTF_8 {
        data.encoding = encoding.name().to_lowercase();
    }
    let bytes = encoding::head(train, HEAD)?;
    let (head, _, _) = encoding.decode(&bytes);
    // The last line may be cut.
    let head =
        if bytes.len() as u64 == HEAD { head.rsplit_once('\n').map_or(&*head, |(whole, _)| whole) } else { &*head };
    if head.trim().is_empty() {
        return Err(unknown_layout(train, ""));
    }
    if let Some(content) = markup(&extension(train), head) {
        return Err(DataError::Markup { path: train.to_owned(), content });
    }
    let found = || FORMATS.iter().find(|(fits, _)| fits(head)).map_or(Format::Csv, |(_, format)| *format);
    let format = data.format.by_name(train).unwrap_or_else(|| {
        data.format = found();
        data.format
    });
    if format == Format::Fasttext || found() == Format::Fasttext {
        data.format = Format::Fasttext;
        data.multi_label = head.lines().any(|line| line.matches("__label__").count() > 1);
        return Ok(Guessed::default());
    }
    // A file that is called .json may hold one object a line.
    let format = if format == Format::Json && found() == Format::Jsonl { Format::Jsonl } else { format };
    let sample = Sample::read(head, format, &wanted, data);
    if matches!(format, Format::Csv | Format::Tsv) && wanted.is_empty() && sample.regularity() < REGULAR {
        if begins_with_labels(head) {
            data.format = Format::LabelText;
            (data.delimiter, data.quoting, data.header) = (None, false, true);
            return Ok(Guessed::default());
        }
        return choose_columns(train, wishes, &sample, data).map_err(|error| match error {
            DataError::UnclearColumn { .. } => unknown_layout(train, head),
            error => error,
        });
    }
    if sample.width() == 0 {
        return Err(unknown_layout(train, head));
    }
    choose_columns(train, wishes, &sample, data)
}

fn unknown_layout(path: &Path, head: &str) -> DataError {
    DataError::UnknownLayout { path: path.to_owned(), beginning: beginning(head) }
}

/// Whether the first word of each line is a label: the same few words come again and again, which those of texts do not.
fn begins_with_labels(head: &str) -> bool {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut with_text = 0;
    for line in head.lines().filter(|line| !line.trim().is_empty()) {
        let (label, text) = split_label(line);
        *counts.entry(label).or_default() += 1;
        with_text += usize::from(!text.is_empty());
    }
    let lines: usize = counts.values().sum();
    let again: usize = counts.values().filter(|n| **n > 1).sum();
    counts.len() > 1 && counts.len() * 10 <= lines && again * 100 >= lines * 95 && with_text * 100 >= lines * 95
}

/// Sets the columns that hold text and label, as they are asked for, as they are called, or as their values tell.
fn choose_columns(train: &Path, wishes: &Wishes, sample: &Sample, data: &mut DataConfig) -> Result<Guessed, DataError> {
    let text = match wishes.text.as_slice() {
        [] => None,
        [one] => Some(TextColumns::One(sample.column(train, one)?)),
        [first, second, ..] => Some(TextColumns::Two(sample.column(train, first)?, sample.column(train, second)?)),
    };
    let label = wishes.label.as_ref().map(|name| sample.column(train, name)).transpose()?;
    let (text, label) = sample.guess(train, text, label)?;
    data.text = text.columns;
    data.label = label.columns;
    if let Some(separator) = sample.separator(&data.label) {
        data.multi_label = true;
        data.label_separator = separator.to_owned();
    }
    Ok(Guessed { text: text.by_values, label: label.by_values })
}

/// Figures on the texts, by the tokenizer that suits them.
fn measure(data: DataConfig, train: &Examples, labels: Vec<(String, usize)>) -> Result<Sniffed, DataError> {
    /// Texts by which the script and the capitals are told.
    const SOME: usize = 2000;
    let (mut letters, mut alone, mut capitals, mut entities, mut looked_at) = (0usize, 0usize, 0usize, 0usize, 0usize);
    for index in (0..train.len()).step_by(train.len().div_ceil(SOME).max(1)) {
        let text = train.texts.get(index);
        letters += text.chars().filter(|c| c.is_alphabetic()).count();
        alone += text.chars().filter(|&c| is_unspaced(c)).count();
        capitals += usize::from(text.chars().filter(|c| c.is_alphabetic()).skip(1).any(char::is_uppercase));
        entities += usize::from(holds_entity(text));
        looked_at += 1;
    }
    let unspaced = alone * 2 > letters;
    // Large enough that every token is counted.
    let vocab_size = 1 << 24;
    let tokenizer = if unspaced {
        TokenizerConfig::Char(CharConfig { vocab_size, ..CharConfig::default() })
    } else {
        TokenizerConfig::Word(WordConfig { vocab_size, ..WordConfig::default() })
    };
    let encoder = TextEncoder::for_examples(&tokenizer, train)?;
    let first = TokenLengths::of(&train.texts, &encoder)?;
    let second = train.seconds.as_ref().map(|texts| TokenLengths::of(texts, &encoder)).transpose()?;
    let either = |share: f64| first.quantile(share).max(second.as_ref().map_or(0, |second| second.quantile(share)));
    Ok(Sniffed {
        examples: train.len(),
        labels,
        unspaced,
        distinct_tokens: encoder.vocab_size().saturating_sub(2),
        median: either(0.5),
        p95: either(0.95),
        longest: either(1.0),
        bytes: train.texts.iter().map(|text| text.len() as u64).sum(),
        entities: entities as f64 / looked_at.max(1) as f64,
        capitals: capitals as f64 / looked_at.max(1) as f64,
        data,
        lengths: [Some(first), second].into_iter().flatten().collect(),
        guessed: Guessed::default(),
        unknown_labels: BTreeMap::new(),
    })
}
