//! `attentive check`: the config and the data it names, without training.

use attentive_data::{Findings, Split, UNWATCHED};
use attentive_train::prepare;

use super::load_config;
use crate::args::Check;
use crate::failure::Failure;
use crate::output::print;
use crate::table::{Table, count, percent};

pub(super) fn check(args: &Check) -> Result<(), Failure> {
    let config = load_config(&args.config, &args.set.set)?;
    attentive_backend::open(&config.backend).map_err(Failure::Backend)?;
    let prepared = prepare(&config, UNWATCHED)?;

    let mut splits = Table::new(&["split", "examples", "tokens a text", "longest", "truncated", "unknown tokens"]);
    let seconds = prepared.account.encoding_seconds.iter().map(|(split, stats)| (format!("{split}, second"), stats));
    let encoding = prepared.account.encoding.iter().map(|(split, stats)| (split.to_string(), stats));
    for (split, stats) in encoding.chain(seconds) {
        splits.row([
            split,
            count(stats.texts as u64),
            format!("{:.1}", stats.mean_length),
            count(stats.max_length as u64),
            percent(stats.truncated),
            percent(stats.unknown),
        ]);
    }
    let names = prepared.labels.names();
    let present = [Split::Train, Split::Validation, Split::Test];
    let present: Vec<_> = present.into_iter().filter_map(|split| Some((split, prepared.split(split)?))).collect();
    let mut header = vec!["label".to_string()];
    header.extend(present.iter().map(|(split, _)| split.to_string()));
    let mut labels = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for (id, name) in names.iter().enumerate() {
        let counts = present.iter().map(|(_, split)| {
            let n = split.targets.iter().filter(|targets| targets.contains(&(id as u32))).count();
            format!("{} ({})", count(n as u64), percent(n as f64 / split.targets.len().max(1) as f64))
        });
        labels.row(std::iter::once(name.clone()).chain(counts));
    }
    let left_out = super::left_out::left_out(&prepared.account.manifest).into_iter();
    let notes = left_out.chain(findings(&prepared.account.findings));
    let notes: String = notes.map(|line| format!("note: {line}\n")).collect();
    let notes = if notes.is_empty() { "nothing noteworthy in the data\n".to_string() } else { notes };
    print(&format!(
        "{}\n{}\n{notes}`{}` and its data are fine\n",
        splits.render(),
        labels.render(),
        args.config.display()
    ))
}

/// What is noteworthy about the data, one line each.
pub(super) fn findings(findings: &Findings) -> Vec<String> {
    let example = |excerpts: &[String]| excerpts.first().map_or(String::new(), |text| format!(", such as \"{text}\""));
    let mut lines = Vec::new();
    for (split, n) in findings.empty.iter().filter(|(_, n)| **n > 0) {
        lines.push(format!("{} of {split} {} empty", texts(*n), are(*n)));
    }
    for found in findings.duplicates.iter().filter(|found| found.count > 0) {
        lines.push(format!(
            "{} of {} {} an earlier one{}",
            texts(found.count),
            found.split,
            if found.count == 1 { "repeats" } else { "repeat" },
            example(&found.excerpts)
        ));
    }
    for found in findings.shared.iter().filter(|found| found.count > 0) {
        lines.push(format!(
            "{} of {} {} also in {}, so its figures flatter the model{}",
            texts(found.count),
            found.splits[1],
            are(found.count),
            found.splits[0],
            example(&found.excerpts)
        ));
    }
    for found in &findings.shared_groups {
        let groups = if found.count == 1 { "group is" } else { "groups are" };
        lines.push(format!(
            "{} {groups} in both {} and {}, with {} of {}, so its figures may flatter the model{}",
            count(found.count as u64),
            found.splits[0],
            found.splits[1],
            texts(found.examples),
            found.splits[1],
            example(&found.excerpts)
        ));
    }
    for found in findings.conflicting.iter().filter(|found| found.count > 0) {
        lines.push(format!(
            "{} of {} {} with different labels{}",
            texts(found.count),
            found.split,
            if found.count == 1 { "occurs" } else { "occur" },
            example(&found.excerpts)
        ));
    }
    lines
}

fn texts(n: usize) -> String {
    format!("{} {}", count(n as u64), if n == 1 { "text" } else { "texts" })
}

fn are(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}
