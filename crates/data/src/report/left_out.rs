//! What the settings left out of the splits, and groups that the splits share.

use super::finding::{DataFinding, FindingExample, FindingKind, SHOWN, Severity, Shown, many};
use crate::corpus::{Corpus, SplitRecord};
use crate::examples::{SkippedRow, Split};

/// Rows that were skipped, examples that were dropped, and shared groups.
pub(super) fn findings(corpus: &Corpus) -> Vec<DataFinding> {
    let manifest = &corpus.manifest;
    let mut findings = of_split(Split::Train, &manifest.train);
    for (split, record) in [(Split::Validation, &manifest.validation), (Split::Test, &manifest.test)] {
        // A split that was cut from the training files has left out what they have.
        if let Some(record) = record.as_ref().filter(|record| record.from.files != manifest.train.from.files) {
            findings.extend(of_split(split, record));
        }
    }
    findings.extend(corpus.findings.shared_groups.iter().map(|shared| {
        let [earlier, later] = shared.splits;
        let message = format!(
            "{} in both {earlier} and {later} with {} of {later}, whose figures may flatter the model: `{}`",
            many(shared.count, "group"),
            many(shared.examples, "example"),
            shared.excerpts.join("`, `"),
        );
        let remedy = "keep each group in one file, or cut the splits from one file, which keeps groups whole";
        let kind = FindingKind::SharedGroups;
        DataFinding::new(kind, Severity::Warning, &shared.splits, shared.examples, message, remedy)
    }));
    findings
}

fn of_split(split: Split, record: &SplitRecord) -> Vec<DataFinding> {
    let mut findings = Vec::new();
    let skipped = &record.from.skipped;
    if !skipped.is_empty() {
        let message = format!("{} of {split} cannot be read and will be left out", many(skipped.len(), "row"));
        let remedy = "correct or remove them; `data.skip_bad_rows` says how many may be left out";
        let shown = |row: &SkippedRow| {
            let (place, text) = (row.place.clone(), row.reason.clone());
            FindingExample::one(Shown { split, place, labels: Vec::new(), text })
        };
        findings.push(
            DataFinding::new(FindingKind::SkippedRows, Severity::Warning, &[split], skipped.len(), message, remedy)
                .examples(skipped.iter().take(SHOWN).map(shown).collect()),
        );
    }
    let unknown = &record.from.unknown;
    if !unknown.is_empty() {
        let message = format!("labels of {split} that no training example has are left out: {unknown}");
        let remedy = "add training examples of these labels if they matter: the model cannot predict them, and the figures leave them out";
        findings.push(
            DataFinding::new(FindingKind::UnknownLabels, Severity::Note, &[split], unknown.examples, message, remedy)
                .labels(unknown.labels.keys().cloned().collect()),
        );
    }
    let dropped = record.from.dropped;
    if dropped > 0 {
        let message = format!("{} of {split} left out by `data.drop`", many(dropped, "example"));
        let remedy = "nothing, if that is what you want: a text of such a label will be given one of the others";
        findings.push(DataFinding::new(
            FindingKind::DroppedExamples,
            Severity::Note,
            &[split],
            dropped,
            message,
            remedy,
        ));
    }
    findings
}
