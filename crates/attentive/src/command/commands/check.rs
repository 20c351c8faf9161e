//! `attentive check`: the config and the data it names, without training.

use attentive_data::Findings;
use attentive_train::examine;
use serde_json::json;

use super::opening::load_config;
use crate::args::Check;
use crate::chart;
use crate::failure::Failure;
use crate::output::print;
use crate::report;
use crate::style::Style;
use crate::table::count;
use crate::visible::visible;

pub(super) fn check(args: &Check) -> Result<(), Failure> {
    let config = load_config(&args.config, &args.set.set)?;
    attentive_backend::open(&config.backend)?;
    let found = examine(&config)?;
    if args.json {
        return print(&format!("{:#}\n", json!(found)));
    }
    print(&format!(
        "{}\n`{}` can be trained: {}\n",
        report::render(&found, Style::for_stdout(), chart::width()),
        args.config.display(),
        report::verdict(&found)
    ))
}

/// What is noteworthy about the data, one line each.
pub(super) fn findings(findings: &Findings) -> Vec<String> {
    let example =
        |excerpts: &[String]| excerpts.first().map_or(String::new(), |text| format!(", such as \"{}\"", visible(text)));
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
