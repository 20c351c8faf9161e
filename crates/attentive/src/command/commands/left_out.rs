//! What the settings of the data left out of the splits, for people to read. Decides nothing.

use attentive_data::{FilesRecord, Split, SplitManifest, UnknownLabelCounts};

use crate::table::count;
use crate::visible::visible;

/// How many skipped rows are shown of each split.
const SHOWN: usize = 5;

/// One line for what was left out of each split, with the places and reasons of the first skipped rows below it.
pub(super) fn left_out(manifest: &SplitManifest) -> Vec<String> {
    let mut lines = of_files(Split::Train, &manifest.train.from);
    for (split, record) in [(Split::Validation, &manifest.validation), (Split::Test, &manifest.test)] {
        // A split that was cut from the training files has left out what they have.
        if let Some(record) = record.as_ref().filter(|record| record.from.files != manifest.train.from.files) {
            lines.extend(of_files(split, &record.from));
        }
    }
    lines
}

fn of_files(split: Split, record: &FilesRecord) -> Vec<String> {
    let mut lines = Vec::new();
    if record.dropped > 0 {
        lines.push(format!("{} of {split} left out by `data.drop`", examples(record.dropped)));
    }
    if !record.unknown.is_empty() {
        lines.push(unknown(&split.to_string(), &record.unknown));
    }
    if let Some(first) = record.skipped.first() {
        let n = record.skipped.len();
        let (rows, they) = if n == 1 { ("row", "it") } else { ("rows", "they") };
        let mut line = format!(
            "{} {rows} of {split} skipped because {they} cannot be read: {}: {}",
            count(n as u64),
            visible(&first.place),
            visible(&first.reason)
        );
        for row in record.skipped.iter().take(SHOWN).skip(1) {
            line.push_str(&format!("\n    {}: {}", visible(&row.place), visible(&row.reason)));
        }
        if n > SHOWN {
            line.push_str(&format!("\n    and {} more, which `split.json` lists", count((n - SHOWN) as u64)));
        }
        lines.push(line);
    }
    lines
}

/// The labels that were left out because no training example has them.
pub(super) fn unknown(of: &str, counts: &UnknownLabelCounts) -> String {
    visible(&format!("labels of {of} that no training example has are left out: {counts}"))
}

fn examples(n: usize) -> String {
    format!("{} {}", count(n as u64), if n == 1 { "example" } else { "examples" })
}
