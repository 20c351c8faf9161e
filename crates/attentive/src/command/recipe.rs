//! The config that `attentive init` writes: settings by the size and kind of the data, each with its reason. They come
//! from what helped in `docs/results.md`. Single texts get a linear part alone, and questions a network beside it; pairs get a
//! network that compares them, and more text than a linear part holds in memory a network of n-grams.

use attentive_data::{Column, DataConfig, Format, GuessedColumn, Sniffed, SplitSource, TextColumns, UnknownLabels};

use crate::progress::duration;
use crate::table::{count, percent};

/// From this ratio of the largest to the smallest label on, the macro F1 decides which epoch is best.
const UNEQUAL: f64 = 3.0;
/// From this ratio on, it may be that small labels should count more.
const VERY_UNEQUAL: f64 = 8.0;
/// More bytes of text than this are too many for a linear part.
const TOO_LONG: u64 = 100_000_000;
/// What a linear part takes in memory for each byte of text.
const MEMORY: u64 = 40;
/// From so many megabytes of text times labels on, a linear part is solved in one way alone.
const MUCH: f64 = 100.0;
/// Texts with at most so many tokens in the middle are single sentences or questions.
const SHORT: u32 = 12;
/// Texts with at least so many are long.
const LONG: u32 = 100;
/// Fewer examples are few.
const FEW: usize = 2_000;
/// More examples are many.
const MANY: usize = 20_000;
/// From this share of all tokens on, it is said that they are cut off.
const MANY_CUT: f64 = 0.02;
/// The most tokens that are read of a text.
const LONGEST: u32 = 1_000;

/// The text of the config. `command` is the command that wrote it, `file` the file it is written to.
pub(crate) fn config(name: &str, command: &str, file: &str, found: &Sniffed) -> String {
    let mut config = Lines { text: String::new() };
    let (command, file) = (on_one_line(command), on_one_line(file));
    let unit = if found.unspaced { "characters" } else { "words and signs" };
    config.plain(&format!("# Written by `{command}`, to be changed at will."));
    config.plain(&format!(
        "# {} examples, {} labels, {} {unit} in a text of middle length.",
        count(found.examples as u64),
        found.labels.len(),
        found.median
    ));
    config.plain("#");
    config.plain(&format!("#   attentive check {file}"));
    config.plain(&format!("#   attentive train {file}"));
    config.plain("");
    config.plain(&format!("name = {}", quoted(name)));
    config.plain("seed = 42");
    data(&mut config, found);
    if found.data.text.is_pair() || found.bytes > TOO_LONG || is_of_topics(found) {
        model(&mut config, found);
    } else {
        linear(&mut config, found);
    }
    config.text
}

/// A linear part alone: ahead of networks of this size on single texts, and solved in seconds.
fn linear(config: &mut Lines, found: &Sniffed) {
    if found.unspaced {
        config.section("tokenizer.char");
        config.plain("# there are no spaces between words: texts are measured in characters");
    }
    config.section("features.linear");
    config.because(
        "alone = true",
        "n-grams of words and of letters, and a weight for each: no network of this size was ahead",
    );
    config.plain(&format!("# {}", cost(found)));
    config.section("train");
    refit(config, found);
    if found.data.multi_label {
        several_labels(config, found);
    } else {
        unequal_labels(config, found);
    }
}

/// What a linear part will take, within a factor of two: measured from 300 kB to 33 MB of text with 2 to 115 labels.
fn cost(found: &Sniffed) -> String {
    let megabytes = found.bytes as f64 / 1e6;
    let outputs = if found.labels.len() == 2 && !found.data.multi_label { 1.0 } else { found.labels.len() as f64 };
    // Where there is very much to solve, the ratios are left out, and a quarter of the time is left.
    let part = if megabytes * outputs > MUCH { 0.25 } else { 1.0 };
    let seconds = (part * megabytes * (1.0 + 1.2 * outputs.powf(0.7)) / 1.5).ceil().max(1.0) as u64;
    let memory = (100_000_000 + MEMORY * found.bytes).div_ceil(100_000_000) * 100;
    let why = match seconds {
        0..60 => String::new(),
        _ => format!(
            ", because there are {megabytes:.0} MB of text and {} labels; without `refit` half of it",
            count(found.labels.len() as u64)
        ),
    };
    format!("takes about {} on two cores{why}, and at most {} MB of memory", duration(seconds as f64), count(memory))
}

fn refit(config: &mut Lines, found: &Sniffed) {
    if found.data.validation.is_some() {
        config.because("refit = true", "when all is chosen, once more on train and validation together");
    }
}

fn several_labels(config: &mut Lines, found: &Sniffed) {
    if found.data.validation.is_some() {
        config.because("threshold = \"shared\"", "one for all labels, chosen on the validation split");
    }
    config.because("monitor = \"micro_f1\"", "few texts have all of their labels right");
}

/// How much larger the largest label is than the smallest is said where it may matter; what it costs is left to be tried.
fn unequal_labels(config: &mut Lines, found: &Sniffed) {
    let ratio = ratio(found);
    if ratio >= VERY_UNEQUAL {
        config.because(
            "# class_weights = \"balanced\"",
            &format!(
                "small labels would count more, and accuracy be lower: the largest is {ratio:.0} times the smallest"
            ),
        );
    }
}

/// How many times the examples of the smallest label the largest has.
fn ratio(found: &Sniffed) -> f64 {
    let counts = || found.labels.iter().map(|(_, n)| *n);
    counts().max().unwrap_or(0) as f64 / counts().min().unwrap_or(0).max(1) as f64
}

/// Settings with their reasons behind them, below each other.
struct Lines {
    text: String,
}

impl Lines {
    fn plain(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn section(&mut self, name: &str) {
        self.plain(&format!("\n[{name}]"));
    }

    fn because(&mut self, setting: &str, reason: &str) {
        self.plain(&format!("{setting:<39} # {reason}"));
    }
}

fn data(config: &mut Lines, found: &Sniffed) {
    let data = &found.data;
    let usual = DataConfig::default();
    config.section("data");
    config.plain(&format!("train = {}", quoted(&data.train.to_string())));
    match &data.validation {
        Some(SplitSource::Files(files)) => config.plain(&format!("validation = {}", quoted(&files.to_string()))),
        Some(SplitSource::Cut(cut)) => config.because(
            &format!("validation = {{ fraction = {} }}", cut.fraction),
            "no file was named: cut off train, of every label its share",
        ),
        None => config
            .because("# validation = \"a file\"", "to choose the best epoch by; these examples are too few to cut"),
    }
    match &data.test {
        Some(SplitSource::Files(files)) => config.plain(&format!("test = {}", quoted(&files.to_string()))),
        Some(SplitSource::Cut(cut)) => {
            config.because(
                &format!("test = {{ fraction = {} }}", cut.fraction),
                "for the final figure, never trained on",
            );
        }
        None => config.because("# test = \"a file\"", "for the final figure, never looked at while training"),
    }
    if has_columns(data) {
        let reason = if data.text.is_pair() { "a pair of texts" } else { "the column that is classified" };
        config.because(&format!("text = {}", columns(&data.text)), &(reason.to_string() + &guess(found.guessed.text)));
        config.because(&format!("label = {}", column(&data.label)), &(balance(found) + &guess(found.guessed.label)));
    }
    if data.multi_label {
        config.because("multi_label = true", "fields hold several labels");
        if data.label_separator != usual.label_separator {
            config.because(&format!("label_separator = {}", quoted(&data.label_separator)), "what stands between them");
        }
    }
    if data.unknown_labels == UnknownLabels::Drop {
        let (labels, examples) = (found.unknown_labels.len(), found.unknown_labels.values().sum::<usize>());
        let only = found.unknown_labels.keys().next().map_or("", String::as_str);
        let which = if labels == 1 { format!("`{}`", on_one_line(only)) } else { format!("{labels} labels") };
        let examples =
            if examples == 1 { "1 example".to_string() } else { format!("{} examples", count(examples as u64)) };
        let reason = format!("{which} in {examples}, which train does not have");
        config.because("unknown_labels = \"drop\"", &reason);
    }
    let format = match data.format {
        Format::Csv => "csv",
        Format::Tsv => "tsv",
        Format::Json => "json",
        Format::Jsonl => "jsonl",
        Format::Fasttext => "fasttext",
        Format::LabelText => "label_text",
        _ => "auto",
    };
    if format != "auto" {
        config.because(&format!("format = \"{format}\""), "by what the file holds");
    }
    if let Some(delimiter) = &data.delimiter {
        config.because(&format!("delimiter = {}", quoted(delimiter)), "between the fields");
    }
    if !data.header {
        config.because("header = false", "the first line is an example");
    }
    if data.quoting {
        config.because("quoting = true", "fields are quoted as in csv files");
    }
    if data.encoding != usual.encoding {
        config.because(&format!("encoding = {}", quoted(&data.encoding)), "not UTF-8, but every byte is valid in this");
    }
    if data.unescape.is_some() {
        let reason = format!("{} of the texts hold entities such as `&amp;`", percent(found.entities));
        config.because("unescape = \"html\"", &reason);
    }
    let numbers = found.labels.iter().all(|(label, _)| label.parse::<i64>().is_ok());
    if numbers && !data.multi_label && found.labels.len() <= 10 {
        let names = found.labels.iter().map(|(label, _)| format!("{} = \"…\"", quoted(label)));
        config.plain(&format!("# labels = {{ {} }}", names.collect::<Vec<_>>().join(", ")));
    }
}

/// Whether the text and the label of an example are told apart by columns.
fn has_columns(data: &DataConfig) -> bool {
    !matches!(data.format, Format::Fasttext | Format::LabelText)
        && !data.train.as_written().iter().any(|path| path.is_dir())
}

/// What a column was guessed from, if it was.
fn guess(column: Option<GuessedColumn>) -> String {
    column.map_or(String::new(), |GuessedColumn { rows, distinct }| {
        format!("; guessed from {} different values in {} rows", count(distinct as u64), count(rows as u64))
    })
}

/// The labels with their shares in words.
fn balance(found: &Sniffed) -> String {
    const LISTED: usize = 4;
    let share = |(label, n): &(String, usize)| {
        let label: String = label.chars().filter(|c| !c.is_control()).take(24).collect();
        format!("`{label}` {}", percent(*n as f64 / found.examples.max(1) as f64))
    };
    let mut by_size = found.labels.clone();
    by_size.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    if by_size.len() <= LISTED {
        return by_size.iter().map(share).collect::<Vec<_>>().join(", ");
    }
    let (first, last) = (share(&by_size[0]), share(&by_size[by_size.len() - 1]));
    format!("{} labels, from {first} to {last}", by_size.len())
}

/// Whether texts are questions and the like, with labels that their first words tell.
fn is_of_topics(found: &Sniffed) -> bool {
    let is_short = found.median <= SHORT && !found.unspaced;
    let is_single = !found.data.text.is_pair() && !found.data.multi_label;
    is_short && is_single && (FEW..=MANY).contains(&found.examples) && found.labels.len() > 3
}

/// How the texts are read and what is trained on them.
fn model(config: &mut Lines, found: &Sniffed) {
    let pairs = found.data.text.is_pair();
    let several = found.data.multi_label;
    let many = found.examples > MANY;
    let few = found.examples < FEW;
    let long = found.median >= LONG && !found.unspaced;
    let topics = is_of_topics(found);

    let (tokenizer, most, unit) =
        if found.unspaced { ("char", 8_000, "characters") } else { ("word", 30_000, "words and signs") };
    config.section(&format!("tokenizer.{tokenizer}"));
    let vocab_size = found.distinct_tokens.div_ceil(1_000).max(1) * 1_000;
    let distinct = count(found.distinct_tokens as u64);
    let reason = if vocab_size > most {
        format!("of {distinct} different {unit} the most frequent: the others are rare")
    } else {
        format!("{distinct} different {unit}")
    };
    config.because(&format!("vocab_size = {}", underscored(vocab_size.min(most))), &reason);
    if found.unspaced {
        config.plain("# a token is a character, because there are no spaces between words");
    }
    if topics && found.capitals > 0.2 {
        let reason = format!("{} of the texts hold names or abbreviations", percent(found.capitals));
        config.because("lowercase = false", &reason);
    }

    if !pairs {
        config.section("features");
        if found.unspaced {
            config.because("word_ngrams = 3", "of characters: most words are two or three");
        } else if !several {
            config.because("word_ngrams = 2", "\"not good\" beside \"not\" and \"good\"");
        }
        if several || !(found.unspaced || long || topics || (many && found.labels.len() > 2)) {
            let max = if several { 4 } else { 5 };
            config.because(
                &format!("character_ngrams = {{ min = 3, max = {max} }}"),
                "the letters of a word help where the word is rare",
            );
        }
        let buckets = if long {
            500_000
        } else if found.unspaced || many {
            200_000
        } else {
            100_000
        };
        config.because(&format!("buckets = {}", underscored(buckets)), "rows that the n-grams share");
    }

    if topics {
        config.section("features.linear");
        config.plain("# n-grams of words and of letters; both parts are balanced on the validation split");
    }

    config.section("model");
    let length = rounded(found.p95.min(LONGEST));
    config.because(
        &format!("max_length = {length}"),
        &format!(
            "95 of 100 texts have at most {} tokens, the longest {}",
            count(found.p95.into()),
            count(found.longest.into())
        ),
    );
    let cut = found.share_cut(length);
    if cut > MANY_CUT {
        let or = if pairs { "" } else { " or set" };
        config.plain(&format!("# {} of all tokens are cut off: to read more, raise max_length{or}", percent(cut)));
        if !pairs {
            let windows = format!("# windows = {{ stride = {} }}", length / 2);
            config.because(&windows, "all of a text, in pieces of max_length");
        }
    }
    if pairs {
        config.because("embedding = { dim = 128, bound = 1.0 }", "far enough apart that equal words find each other");
        config.because("attention.bidirectional = { d_compare = 128, dropout = 0.2 }", "compares the two texts");
        config.plain("dropout = 0.2");
    } else if several {
        config.because("embedding = { dim = 64, bound = 0.3 }", "several labels: the heads look for different words");
        config.plain("attention.multi_head = { n_heads = 4 }");
        config.plain("pooling = \"max\"");
        config.plain("dropout = 0.3");
    } else {
        let dim = if long {
            32
        } else if topics {
            128
        } else {
            64
        };
        config.plain(&format!("embedding = {{ dim = {dim} }}"));
        if topics {
            config.because("positions = \"learned\"", "the first words of a question say most");
        }
        config.because("attention.none = {}", "a bag of n-grams: fast, and hard to beat on one text");
        if !(long || found.unspaced) {
            config.because("pooling = \"attention\"", "weighs the words of a short text");
            config.because(&format!("dropout = {}", if topics { 0.2 } else { 0.3 }), "against learning texts by heart");
        }
    }
    training(config, found, (few, many, topics));
}

fn training(config: &mut Lines, found: &Sniffed, (few, many, topics): (bool, bool, bool)) {
    let pairs = found.data.text.is_pair();
    let several = found.data.multi_label;
    config.section("train");
    let epochs = match () {
        () if found.examples < FEW / 4 => 20,
        () if few => 12,
        () if pairs => 8,
        () if topics => 5,
        () if many => 4,
        () => 6,
    };
    config.because(&format!("epochs = {epochs}"), &format!("{} examples", count(found.examples as u64)));
    let batch_size = if topics || few {
        16
    } else if many || several {
        64
    } else {
        32
    };
    config.plain(&format!("batch_size = {batch_size}"));
    let rate = if topics {
        "5e-3"
    } else if several {
        "3e-3"
    } else {
        "2e-3"
    };
    config.because(
        &format!("optimizer.adam = {{ learning_rate = {rate}, sparse = true }}"),
        "only the rows that a batch uses",
    );
    config.because("schedule.linear = {}", "down to 0 at the end");
    if several {
        several_labels(config, found);
    } else if topics {
        config.because("monitor = \"loss\"", "which tells more than the accuracy of so few validation texts");
    } else {
        // Where no label has most of the examples, the accuracy is no worse a measure.
        let most = found.labels.iter().map(|(_, n)| *n).max().unwrap_or(0);
        if ratio(found) >= UNEQUAL && most * 2 > found.examples {
            let reason = format!("the largest label has {:.0} times the examples of the smallest", ratio(found));
            config.because("monitor = \"macro_f1\"", &reason);
        }
        unequal_labels(config, found);
    }
    refit(config, found);
    config.because("keep_checkpoints = 1", "saves space");
}

/// A length rounded up to one that is easily read.
fn rounded(length: u32) -> u32 {
    let step = match length {
        0..=64 => 4,
        65..=200 => 10,
        _ => 50,
    };
    length.max(1).div_ceil(step) * step
}

fn columns(columns: &TextColumns) -> String {
    let listed: Vec<String> = columns.iter().map(column).collect();
    match columns {
        TextColumns::One(_) => listed.concat(),
        TextColumns::Two(..) => format!("[{}]", listed.join(", ")),
        TextColumns::Joined(_) => format!("{{ join = [{}] }}", listed.join(", ")),
    }
}

fn column(column: &Column) -> String {
    match column {
        Column::Name(name) => quoted(name),
        Column::Number(number) => number.to_string(),
    }
}

/// A text as a TOML string on one line: a setting has its reason behind it, or is part of a comment.
fn quoted(text: &str) -> String {
    if !text.contains(char::is_control) {
        return toml::Value::String(text.to_string()).to_string();
    }
    let mut string = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => string.extend(['\\', c]),
            '\n' => string.push_str("\\n"),
            '\t' => string.push_str("\\t"),
            c if c.is_control() => string.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => string.push(c),
        }
    }
    string + "\""
}

/// A name of the user's on one line of a comment or of a terminal.
pub(crate) fn on_one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// `30000` as `30_000`.
fn underscored(n: usize) -> String {
    count(n as u64).replace(',', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_round() {
        assert_eq!([0, 1, 37, 64, 65, 101, 201, 1000].map(rounded), [4, 4, 40, 64, 70, 110, 250, 1000]);
    }

    #[test]
    fn names_are_toml() {
        assert_eq!(quoted("a\"b"), "'a\"b'");
        assert_eq!(quoted("a\n\"b\\\u{7f}\t"), r#""a\n\"b\\\u007F\t""#);
        for code in 0..0x300 {
            let text: String = ['a', '\'', '"', char::from_u32(code).unwrap_or('b')].iter().collect();
            let line = format!("x = {} # {}", quoted(&text), on_one_line(&text));
            assert_eq!(line.lines().count(), 1, "{line}");
            let table: toml::Table = toml::from_str(&line).expect("the line is TOML");
            assert_eq!(table["x"].as_str(), Some(text.as_str()));
        }
        assert_eq!(column(&Column::Number(3)), "3");
        assert_eq!(underscored(30_000), "30_000");
    }
}
