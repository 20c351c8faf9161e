//! The data report as a person reads it. What stands in it is decided in the data crate.

use attentive_data::{DataFinding, DataReport, LengthReport, Severity, SplitReport};

use crate::chart::{Line, histogram, wrapped};
use crate::style::Style;
use crate::table::{ResultTable, count, percent};
use crate::visible::visible;

/// More labels than this are not all listed.
const LABELS_LISTED: usize = 24;

/// The report, no line of text longer than `width` where that can be.
pub(crate) fn render(report: &DataReport, style: Style, width: usize) -> String {
    let mut text = splits(report);
    text.push('\n');
    text.push_str(&labels(report));
    for split in report.splits.iter().take(1) {
        let which = if split.second_lengths.is_some() { ", first texts" } else { "" };
        text.push_str(&lengths(split, &split.lengths, which, report.max_length, style, width));
        if let Some(second) = &split.second_lengths {
            text.push_str(&lengths(split, second, ", second texts", report.max_length, style, width));
        }
    }
    let (trifles, rest): (Vec<_>, Vec<_>) = report.findings.iter().partition(|finding| finding.is_trifle());
    for finding in rest {
        text.push('\n');
        text.push_str(&told(finding, style, width));
    }
    if !trifles.is_empty() {
        text.push('\n');
    }
    for finding in trifles {
        text.push_str(&headline(finding, style, width));
    }
    text
}

/// One line that sums the findings up.
pub(crate) fn verdict(report: &DataReport) -> String {
    let of = |severity| report.findings.iter().filter(|found| found.severity == severity).count();
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match (of(Severity::Warning), of(Severity::Note)) {
        (0, 0) => "nothing noteworthy in the data".to_string(),
        (0, notes) => plural(notes, "note"),
        (warnings, 0) => plural(warnings, "warning"),
        (warnings, notes) => format!("{}, {}", plural(warnings, "warning"), plural(notes, "note")),
    }
}

fn splits(report: &DataReport) -> String {
    let mut text = String::new();
    for split in &report.splits {
        let files = match split.files.as_slice() {
            [] => String::new(),
            [file] if split.n_files == 1 => format!("`{}`", file.path.display()),
            [first, ..] if split.n_files > split.files.len() => {
                format!("{} files, the first `{}`", count(split.n_files as u64), first.path.display())
            }
            files => files
                .iter()
                .map(|file| format!("`{}` ({})", file.path.display(), count(file.examples as u64)))
                .collect::<Vec<_>>()
                .join(", "),
        };
        text.push_str(&format!("{}: {} examples from {files}\n", split.split, count(split.examples as u64)));
    }
    text.push('\n');
    let mut table = ResultTable::new(&[
        "split",
        "examples",
        "tokens a text",
        "median",
        "95 %",
        "longest",
        "truncated",
        "unknown tokens",
    ]);
    for split in &report.splits {
        let mut row = |name: String, lengths: &LengthReport| {
            table.row([
                name,
                count(split.examples as u64),
                format!("{:.1}", lengths.mean),
                count(u64::from(lengths.median)),
                count(u64::from(lengths.p95)),
                count(u64::from(lengths.longest)),
                percent(lengths.truncated),
                percent(lengths.unknown),
            ]);
        };
        row(split.split.to_string(), &split.lengths);
        if let Some(second) = &split.second_lengths {
            row(format!("{}, second", split.split), second);
        }
    }
    text + &table.render()
}

/// A row for each label; of many labels the most and the least frequent.
fn labels(report: &DataReport) -> String {
    let mut header = vec!["label".to_string()];
    header.extend(report.splits.iter().map(|split| split.split.to_string()));
    let mut table = ResultTable::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    let mut ids: Vec<usize> = (0..report.labels.len()).collect();
    let left_out = ids.len().saturating_sub(LABELS_LISTED);
    if left_out > 0
        && let Some(train) = report.splits.first()
    {
        ids.sort_by_key(|&id| std::cmp::Reverse(train.labels[id].examples));
        ids.drain(LABELS_LISTED / 2..ids.len() - LABELS_LISTED / 2);
    }
    for (row, &id) in ids.iter().enumerate() {
        if left_out > 0 && row == LABELS_LISTED / 2 {
            table.row([format!("({left_out} more)")]);
        }
        let cell = |split: &SplitReport| {
            let label = &split.labels[id];
            format!("{} ({})", count(label.examples as u64), percent(label.share))
        };
        table.row(std::iter::once(report.labels[id].clone()).chain(report.splits.iter().map(cell)));
    }
    table.render()
}

/// The histogram of the lengths, up to the last bin that is not empty, with the bin where texts begin to be cut.
fn lengths(
    split: &SplitReport,
    lengths: &LengthReport,
    which: &str,
    max_length: usize,
    style: Style,
    width: usize,
) -> String {
    let bins = &lengths.histogram;
    let end = bins.iter().rposition(|bin| bin.texts > 0).map_or(0, |last| last + 1);
    let lines: Vec<Line> = bins[..end]
        .iter()
        .map(|bin| {
            // A linear part reads on to the end.
            let cut = max_length < u32::MAX as usize
                && (bin.from as usize..=bin.to.map_or(usize::MAX, |to| to as usize)).contains(&max_length);
            Line {
                name: match bin.to {
                    Some(to) if to == bin.from => to.to_string(),
                    Some(to) => format!("{} – {to}", bin.from),
                    None => format!("{} +", bin.from),
                },
                count: bin.texts as u64,
                note: if cut { format!("← max_length {max_length}") } else { String::new() },
            }
        })
        .collect();
    let title = format!("tokens a text in {}{which}", split.split);
    format!("\n{}\n{}", style.strong(&title), histogram(&lines, width))
}

/// What a finding means.
fn headline(finding: &DataFinding, style: Style, width: usize) -> String {
    let (word, painted) = match finding.severity {
        Severity::Warning => ("warning: ", style.warning("warning:")),
        Severity::Note => ("note: ", style.strong("note:")),
    };
    wrapped(&format!("{painted} "), word.len(), &visible(&finding.message), width)
}

/// A finding: what it means, what to do, and examples.
fn told(finding: &DataFinding, style: Style, width: usize) -> String {
    let mut text = headline(finding, style, width);
    text.push_str(&wrapped(&format!("  {} ", style.hint("hint:")), 8, &visible(&finding.remedy), width));
    let shown = if finding.severity == Severity::Warning { 3 } else { 1 };
    for example in finding.examples.iter().take(shown) {
        let labels = |labels: &[String]| match labels {
            [] => String::new(),
            labels => format!(" [{}]", visible(&labels.join(", "))),
        };
        let places = example.places.iter().map(|shown| format!("{}{}", visible(&shown.place), labels(&shown.labels)));
        let places = places.collect::<Vec<_>>().join(" and ");
        text.push_str(&format!("    {}\n", style.faint(&places)));
        let mut texts: Vec<&str> = example.places.iter().map(|shown| shown.text.as_str()).collect();
        texts.dedup();
        for shown in texts {
            text.push_str(&format!("      \"{}\"\n", visible(shown)));
        }
    }
    text
}
