//! What the labels show: missing, rare, alike or unequal ones, splits with another mix, files sorted by label.

use std::collections::BTreeMap;

use super::finding::{DataFinding, FindingExample, FindingKind, Severity, in_percent, many, share, verb};
use super::view::View;
use crate::corpus::like_ids;
use crate::error::thousands;
use crate::examples::Examples;

/// A label with fewer training examples is rare.
const RARE: usize = 10;
/// A split with fewer examples gives coarse figures.
const SMALL: usize = 200;
/// From this ratio of the largest to the smallest label on, the labels are unequal.
const UNEQUAL: f64 = 5.0;

/// Looks at the labels of all splits. `counts` are the examples of each label by split.
pub(super) fn findings(view: &View<'_>, counts: &[Vec<usize>], multi_label: bool) -> Vec<DataFinding> {
    let mut findings = Vec::new();
    let names = view.labels().names();
    let (train_split, train) = view.splits()[0];
    let chosen = |wanted: &dyn Fn(usize) -> bool| -> Vec<String> {
        (0..names.len()).filter(|&id| wanted(id)).map(|id| names[id].clone()).collect()
    };
    let add =
        |findings: &mut Vec<DataFinding>, kind, severity, splits: &[_], labels: Vec<String>, message, remedy: &str| {
            findings.push(DataFinding::new(kind, severity, splits, labels.len(), message, remedy).labels(labels));
        };

    let alike = alike(names);
    if !alike.is_empty() {
        let message = format!(
            "{} differ only in case, white space, punctuation or Unicode form: {}",
            many(alike.len(), "label"),
            listed(&alike)
        );
        let remedy = "give them one name in `data.labels`, unless they are different things";
        add(&mut findings, FindingKind::SimilarLabels, Severity::Warning, &[train_split], alike, message, remedy);
    }
    if let Some(single) = like_ids(counts[0].iter().copied()) {
        let message = format!(
            "{} of {} have a single example in {train_split}, as ids have",
            thousands(single as u64),
            many(names.len(), "label")
        );
        let remedy = "let `data.label` name the column that holds the labels; what is seen once is not learned";
        let labels = chosen(&|id| counts[0][id] == 1);
        add(&mut findings, FindingKind::LabelLikeIds, Severity::Warning, &[train_split], labels, message, remedy);
    }
    let rare = chosen(&|id| counts[0][id] < RARE);
    if !rare.is_empty() {
        let message = format!(
            "{} {} fewer than {RARE} examples in {train_split}: {}",
            many(rare.len(), "label"),
            verb(rare.len(), "has", "have"),
            listed(&rare)
        );
        let remedy = "collect more of them, merge them with others, or leave them out: so few are learned by heart";
        add(&mut findings, FindingKind::RareLabels, Severity::Warning, &[train_split], rare, message, remedy);
    }
    for (position, &(split, examples)) in view.splits().iter().enumerate().skip(1) {
        let missing = chosen(&|id| counts[position][id] == 0);
        if !missing.is_empty() {
            let message = format!(
                "{} {} no example in {split}: {}",
                many(missing.len(), "label"),
                verb(missing.len(), "has", "have"),
                listed(&missing)
            );
            let remedy = "add examples: nothing is measured for them, and their F1 counts as 0 in the macro F1";
            add(&mut findings, FindingKind::MissingLabels, Severity::Warning, &[split], missing, message, remedy);
        }
        let distance = distance(&counts[0], &counts[position]);
        if examples.len() >= 100 && distance > 0.15 {
            let message = format!(
                "{split} has another mix of labels than {train_split}: {:.0} % of its examples would have to change label",
                100.0 * distance
            );
            let remedy =
                "if the mix of what will be classified is that of train, draw the split at random from the same data";
            let finding = DataFinding::new(
                FindingKind::LabelShift,
                Severity::Note,
                &[train_split, split],
                examples.len(),
                message,
                remedy,
            );
            findings.push(finding.share(distance));
        }
        if examples.len() < SMALL {
            let n = examples.len();
            // Half the width of a 95 % interval at an accuracy of 80 %.
            let points = 100.0 * 1.96 * (0.8 * 0.2 / n.max(1) as f64).sqrt();
            let message =
                format!("{split} has only {}: its figures are exact to about ± {points:.0} points", many(n, "example"));
            let remedy = "compare models by several seeds or by cross-validation, not by one figure";
            findings.push(DataFinding::new(FindingKind::SmallSplit, Severity::Note, &[split], n, message, remedy));
        }
    }
    if !multi_label {
        let (most, least) =
            (counts[0].iter().max().copied().unwrap_or(0), counts[0].iter().min().copied().unwrap_or(0));
        let ratio = most as f64 / least.max(1) as f64;
        if ratio >= UNEQUAL {
            let largest = chosen(&|id| counts[0][id] == most);
            let part = share(most, train.len());
            let message = format!(
                "labels are unequal: `{}` has {ratio:.0} times as many examples as the smallest{}",
                largest[0],
                in_percent(part)
            );
            let remedy = "look at the macro F1 (`train.monitor = \"macro_f1\"`); `train.class_weights = \"balanced\"` helps small labels at the cost of accuracy";
            let finding =
                DataFinding::new(FindingKind::Imbalance, Severity::Note, &[train_split], most, message, remedy);
            findings.push(finding.share(part).labels(largest));
        }
        findings.extend(sorted(view, train, &counts[0]));
    }
    findings
}

/// At most eight names in backticks.
fn listed(names: &[String]) -> String {
    const LISTED: usize = 8;
    let mut text = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        text.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    text
}

/// The names that are the same but for case, white space, punctuation and Unicode form, those that are alike together.
fn alike(names: &[String]) -> Vec<String> {
    let mut by_form: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for name in names {
        let mut form = tokenizers::NormalizedString::from(name.as_str());
        form.nfkc();
        form.lowercase();
        let letters: String = form.get().chars().filter(|c| c.is_alphanumeric()).collect();
        // Names of signs alone, such as `+` and `-`, are different things.
        by_form.entry(if letters.is_empty() { name.clone() } else { signed(name, &letters) }).or_default().push(name);
    }
    by_form.into_values().filter(|names| names.len() > 1).flatten().cloned().collect()
}

/// Keeps a sign in front, which makes another number of a number.
fn signed(name: &str, letters: &str) -> String {
    let sign = name.chars().next().filter(|c| matches!(c, '-' | '+' | '!' | '¬'));
    sign.into_iter().chain(letters.chars()).collect()
}

/// The total variation distance of two distributions: the share that would have to move.
fn distance(a: &[usize], b: &[usize]) -> f64 {
    let (all_a, all_b) = (a.iter().sum::<usize>(), b.iter().sum::<usize>());
    a.iter().zip(b).map(|(&a, &b)| (share(a, all_a) - share(b, all_b)).abs()).sum::<f64>() / 2.0
}

/// Whether the training file is sorted by label. A folder always is, and means nothing by it.
fn sorted(view: &View<'_>, train: &Examples, counts: &[usize]) -> Option<DataFinding> {
    let changes = train.targets.iter().zip(train.targets.iter().skip(1)).filter(|(a, b)| a != b).count();
    let n = train.len();
    let at_random = (1.0 - counts.iter().map(|&count| share(count, n).powi(2)).sum::<f64>()) * n as f64;
    if n < 20 || changes as f64 > at_random / 5.0 || train.location(0)?.is_file() {
        return None;
    }
    let message = format!(
        "train is sorted by label: the label changes {} where a random order has about {}",
        many(changes, "time"),
        many(at_random.round() as usize, "change")
    );
    let remedy = "nothing to do here: every epoch has a random order of all examples, and a fraction is cut label by label; \
                  do not split the file by hand with `head` or `tail`";
    let change = (1..).zip(train.targets.iter().zip(train.targets.iter().skip(1))).find(|(_, (a, b))| a != b);
    let shown = change.map(|(i, _): (u32, _)| FindingExample::two(view.shown(i - 1), view.shown(i), None));
    let finding =
        DataFinding::new(FindingKind::SortedByLabel, Severity::Note, &[view.splits()[0].0], changes, message, remedy);
    Some(finding.examples(shown.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Labels;
    use crate::examples::Split;
    use crate::report::view::fixtures::examples;

    #[test]
    fn labels_that_look_alike() {
        let names =
            ["Sci/Tech", "sci tech", "Caf\u{e9}", "CAFE\u{301}", "1", "-1", "+", "-", "other"].map(str::to_owned);
        assert_eq!(alike(&names), ["Caf\u{e9}", "CAFE\u{301}", "Sci/Tech", "sci tech"]);
    }

    #[test]
    fn distances_by_hand() {
        assert_eq!(distance(&[1, 1], &[5, 5]), 0.0);
        assert_eq!(distance(&[3, 1], &[1, 3]), 0.5);
    }

    #[test]
    fn labels_that_look_like_ids() {
        // 21 labels, 11 of which have one example: more than half.
        let counts = |single: usize| std::iter::repeat_n(1, single).chain(std::iter::repeat_n(2, 21 - single));
        assert_eq!((like_ids(counts(11)), like_ids(counts(10))), (Some(11), None));
        // A label that only another split has is none of train, and few labels are too few to say.
        assert_eq!(like_ids(counts(11).chain([0; 50])), Some(11));
        assert_eq!(like_ids(std::iter::repeat_n(1, 19)), None);

        let rows: Vec<(String, u32)> = (0..31).map(|i| (format!("text {i}"), if i < 20 { i } else { 20 })).collect();
        let train = examples(&rows);
        let names: Vec<String> = (10..31).map(|id| format!("id-{id}")).collect();
        let labels = Labels::from_names(names.iter().map(String::as_str));
        let view = View::new(vec![(Split::Train, &train)], &labels);
        let counts: Vec<usize> = (0..21).map(|id| if id < 20 { 1 } else { 11 }).collect();
        let found = findings(&view, &[counts], false);
        assert_eq!((found[0].kind, found[0].count, found[0].labels.len()), (FindingKind::LabelLikeIds, 20, 20));
        assert_eq!(found[0].message, "20 of 21 labels have a single example in train, as ids have");
    }

    #[test]
    fn sorted_rare_missing_and_unequal() {
        let rows = |counts: [usize; 3]| {
            let labels = counts.iter().zip(0u32..).flat_map(|(&n, label)| std::iter::repeat_n(label, n));
            examples(&labels.enumerate().map(|(i, label)| (format!("text {i}"), label)).collect::<Vec<_>>())
        };
        let (train, test) = (rows([60, 36, 4]), rows([90, 10, 0]));
        let labels = Labels::from_names(["a", "b", "c"]);
        let view = View::new(vec![(Split::Train, &train), (Split::Test, &test)], &labels);
        let found = findings(&view, &[vec![60, 36, 4], vec![90, 10, 0]], false);
        let told: Vec<_> = found.iter().map(|f| (f.kind, f.count)).collect();
        assert_eq!(
            told,
            [
                (FindingKind::RareLabels, 1),
                (FindingKind::MissingLabels, 1),
                (FindingKind::LabelShift, 100),
                (FindingKind::SmallSplit, 100),
                (FindingKind::Imbalance, 60),
                (FindingKind::SortedByLabel, 2),
            ]
        );
        // 0.6² + 0.36² + 0.04² = 0.4912, so about 51 of 100 examples have another label than the one before.
        assert!(
            found[5].message.ends_with("changes 2 times where a random order has about 51 changes"),
            "{:?}",
            found[5]
        );
        assert_eq!(found[5].examples[0].places[1].place, "data.tsv:62");
        assert_eq!(found[2].share, Some(0.30000000000000004));
    }
}
