//! `labels.json` of a bundle: the labels in order, what the head computes for them, and above which probability each is
//! decided for.

use attentive_data::Labels;
use attentive_model::Head;
use serde::{Deserialize, Serialize};

/// The threshold of a label where the run chose none.
const ONE_HALF: f32 = 0.5;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelsFile {
    head: String,
    labels: Vec<LabelEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelEntry {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold: Option<f32>,
}

/// The name of a head in files.
pub fn head_name(head: Head) -> &'static str {
    match head {
        Head::Sigmoid => "sigmoid",
        Head::Softmax => "softmax",
        Head::MultiLabel => "multi_label",
    }
}

/// The threshold of each label: `None` where another label's decides, or the most probable wins.
pub fn thresholds_of(head: Head, n_labels: usize, thresholds: &[f32]) -> Vec<Option<f32>> {
    let own = |index: usize| Some(thresholds.get(index).copied().unwrap_or(ONE_HALF));
    match head {
        Head::Softmax => vec![None; n_labels],
        Head::Sigmoid => vec![None, own(0)],
        Head::MultiLabel => (0..n_labels).map(own).collect(),
    }
}

/// The text of the file; `thresholds` are those of a [`attentive_train::Predictor`].
pub(crate) fn to_json(labels: &Labels, head: Head, thresholds: &[f32]) -> String {
    let thresholds = thresholds_of(head, labels.len(), thresholds);
    let entries = labels.names().iter().zip(thresholds);
    let labels = entries.map(|(name, threshold)| LabelEntry { name: name.clone(), threshold }).collect();
    let file = LabelsFile { head: head_name(head).to_string(), labels };
    let mut json = serde_json::to_string_pretty(&file).expect("names and numbers are always valid JSON");
    json.push('\n');
    json
}

/// The labels and the thresholds of the file. `head` is what the config makes of so many labels, none if it fits no head.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn from_json(bytes: &[u8], head: impl FnOnce(usize) -> Option<Head>) -> Result<(Labels, Vec<f32>), String> {
    let file: LabelsFile = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let names: Vec<&str> = file.labels.iter().map(|entry| entry.name.as_str()).collect();
    let labels = Labels::from_json(serde_json::json!(names).to_string().as_bytes())?;
    let head = head(labels.len()).filter(|head| head_name(*head) == file.head);
    let head = head.ok_or_else(|| format!("its head `{}` is not that of the config", file.head))?;
    let found: Vec<Option<f32>> = file.labels.iter().map(|entry| entry.threshold).collect();
    let expected = thresholds_of(head, labels.len(), &[]);
    if found.iter().map(Option::is_some).ne(expected.iter().map(Option::is_some)) {
        return Err("thresholds are missing, or are there where none decides".to_string());
    }
    let thresholds: Vec<f32> = found.into_iter().flatten().collect();
    match thresholds.iter().find(|threshold| !(0.0..=1.0).contains(*threshold)) {
        Some(threshold) => Err(format!("the threshold {threshold} is beyond 0 and 1")),
        None if thresholds.iter().all(|&threshold| threshold == ONE_HALF) => Ok((labels, Vec::new())),
        None => Ok((labels, thresholds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_head_comes_back() {
        let labels = Labels::from_names(["bad", "good"]);
        for (head, thresholds, expected) in [
            (Head::Sigmoid, vec![0.25], vec![None, Some(0.25)]),
            (Head::Sigmoid, vec![], vec![None, Some(0.5)]),
            (Head::Softmax, vec![], vec![None, None]),
            (Head::MultiLabel, vec![0.1, 0.9], vec![Some(0.1), Some(0.9)]),
        ] {
            assert_eq!(thresholds_of(head, 2, &thresholds), expected);
            let json = to_json(&labels, head, &thresholds);
            assert_eq!(from_json(json.as_bytes(), |_| Some(head)), Ok((labels.clone(), thresholds)), "{json}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let of = |json: &str, head| from_json(json.as_bytes(), |_| head).unwrap_err();
        let one = |first: &str, second: &str| {
            format!(r#"{{"head":"sigmoid","labels":[{{"name":"a"{first}}},{{"name":"b"{second}}}]}}"#)
        };
        let sigmoid = Some(Head::Sigmoid);
        assert!(of(&one("", ""), sigmoid).contains("thresholds"));
        assert!(of(&one(",\"threshold\":0.5", ",\"threshold\":0.5"), sigmoid).contains("thresholds"));
        assert!(of(&one("", ",\"threshold\":1.5"), sigmoid).contains("beyond 0 and 1"));
        assert!(of(&one("", ",\"threshold\":0.5"), Some(Head::Softmax)).contains("head"));
        assert!(of(&one("", ",\"threshold\":0.5"), None).contains("head"));
        assert!(of(&one(",\"x\":0", ",\"threshold\":0.5"), sigmoid).contains("unknown field"));
        assert!(of(r#"{"head":"softmax","labels":[]}"#, sigmoid).contains("empty"));
    }
}
