//! `examples.jsonl` of a bundle: texts with the probabilities that the classifier gave them where it was exported. Some are
//! the run's own, some are made to be awkward. Reads no files.

use attentive_data::Examples;
use attentive_train::{Prediction, Predictor, limit};
use serde::{Deserialize, Serialize};

use crate::error::BundleError;

/// How many texts of the run's data there are at least, made from fewer if need be.
const OWN: usize = 64;
/// The length of the long text in bytes, at least and at most; between them it follows the model's length.
const LONG: [usize; 2] = [5_000, 100_000];

/// What the texts of the run's data are there for.
const DATA: &str = "data";

/// Texts of the run's own data; of pairs, both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnTexts(Vec<(String, Option<String>)>);

/// A text and what the classifier says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What the text is there for.
    kind: String,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    second: Option<String>,
    /// What it decides for.
    labels: Vec<String>,
    /// Of each label, in the order of `labels.json`.
    probabilities: Vec<f32>,
}

impl OwnTexts {
    /// Those of a run whose data are gone.
    pub fn none() -> Self {
        Self(Vec::new())
    }
}

/// Some of these examples, spread evenly.
pub fn own_texts(examples: &Examples) -> OwnTexts {
    let n = examples.len();
    let taken = n.min(OWN);
    let text = |index: usize| {
        let second = examples.seconds.as_ref().map(|seconds| seconds.get(index).to_string());
        (examples.texts.get(index).to_string(), second)
    };
    OwnTexts((0..taken).map(|i| text(i * n / taken)).collect())
}

/// Texts that no corpus holds, and that a tokenizer, a file or a program may trip over.
const AWKWARD: [(&str, &str); 19] = [
    ("empty", ""),
    ("white space", " \t \u{a0}\u{3000} "),
    ("unknown words", "qxzv wkjhgf plmoknq zzyzx frobnicate xyzzy"),
    ("one word", "the"),
    ("one letter", "a"),
    ("emoji", "😀👍🏽 👩‍👩‍👧‍👦 🇩🇪 ❤️ 😭😭😭"),
    ("Chinese", "这部电影非常好看，我还想再看一遍。服务太差了！"),
    ("Japanese", "とても面白かったです。ｶﾀｶﾅも。"),
    ("Arabic", "كان الفيلم رائعًا جدًا"),
    ("accents, composed and not", "café cafe\u{301} Ünïcödé ÅNGSTRÖM ǅ ß"),
    ("compatibility characters", "ＡＢＣ ½ ﬁ ™ ① Ⅳ"),
    ("capitals", "THIS WAS NOT BAD AT ALL"),
    ("numbers", "1234567890 3.14159 1e-5 1,000,000 99% 24/7"),
    ("punctuation", "!!! ??? ... --- ;;; (((\"'`~@#$^&*"),
    ("markup", "<br /><br /> &amp; <b>good</b> https://example.com/?q=1&r=2"),
    ("special tokens", "[PAD] [UNK] [CLS] [SEP] <s> </s> <pad> <|endoftext|>"),
    ("control characters", "line one\nline two\r\n\u{0}\u{7f}\u{200b}\u{feff}end"),
    (
        "one word without end",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ),
    ("one word again and again", "good good good good good good good good good good good good good good good good"),
];

impl Example {
    /// The examples of a bundle with what the classifier says of them.
    ///
    /// # Errors
    /// When the device fails.
    pub fn all(own: &OwnTexts, predictor: &Predictor) -> Result<Vec<Self>, BundleError> {
        let is_pair = predictor.config().data.text.is_pair();
        let own = enough(&own.0, is_pair);
        let reach = limit(&predictor.config().model).max_length;
        let mut long = String::new();
        while long.len() < reach.saturating_mul(8).clamp(LONG[0], LONG[1]) {
            own.iter().for_each(|(text, _)| long.extend([text, " "]));
            long.push_str("and so on ");
        }
        let long = long.chars().take(LONG[1]).collect();

        let awkward = AWKWARD.iter().map(|(kind, text)| (*kind, (*text).to_string())).chain([("very long", long)]);
        let mut texts: Vec<(&str, String, Option<String>)> =
            own.iter().map(|(text, second)| (DATA, text.clone(), second.clone())).collect();
        for (i, (kind, text)) in awkward.enumerate() {
            let (first, second) = &own[i % own.len()];
            match second {
                None => texts.push((kind, text, None)),
                Some(second) => {
                    texts.push((kind, text.clone(), Some(second.clone())));
                    texts.push((kind, first.clone(), Some(text.clone())));
                    texts.push((kind, text.clone(), Some(text)));
                }
            }
        }
        let firsts: Vec<String> = texts.iter().map(|(_, text, _)| text.clone()).collect();
        let seconds: Option<Vec<String>> = texts.iter().map(|(_, _, second)| second.clone()).collect();
        let predictions = predictor.predict(&firsts, seconds.as_deref())?;
        let examples = texts.into_iter().zip(predictions);
        Ok(examples
            .map(|((kind, text, second), prediction)| {
                let labels = prediction.labels().map(str::to_string).collect();
                Self { kind: kind.to_string(), text, second, labels, probabilities: prediction.probabilities }
            })
            .collect())
    }

    /// The texts among them that are of the run's data.
    pub(crate) fn own(examples: Vec<Self>) -> OwnTexts {
        let own = examples.into_iter().filter(|example| example.kind == DATA);
        OwnTexts(own.map(|example| (example.text, example.second)).collect())
    }

    /// By how much the classifier's probabilities differ from those of each example; NaN counts as infinitely much.
    ///
    /// # Errors
    /// When the device fails.
    pub fn differences(examples: &[Self], predictor: &Predictor) -> Result<Vec<f32>, BundleError> {
        let texts: Vec<String> = examples.iter().map(|example| example.text.clone()).collect();
        let is_pair = predictor.config().data.text.is_pair();
        let second = |example: &Self| example.second.clone().unwrap_or_default();
        let seconds: Option<Vec<String>> = is_pair.then(|| examples.iter().map(second).collect());
        let predictions = predictor.predict(&texts, seconds.as_deref())?;
        let largest = |(example, prediction): (&Self, &Prediction)| {
            let pairs = example.probabilities.iter().zip(&prediction.probabilities);
            let differences = pairs.map(|(expected, found)| (expected - found).abs());
            differences.fold(0.0, |most: f32, own| if own.is_nan() { f32::INFINITY } else { most.max(own) })
        };
        Ok(examples.iter().zip(&predictions).map(largest).collect())
    }

    /// Whether both are decided for the same labels.
    pub fn decides_as(&self, other: &Self) -> bool {
        self.labels == other.labels
    }

    /// The text of the file.
    pub fn to_jsonl(examples: &[Self]) -> String {
        let line = |example| serde_json::to_string(example).expect("texts and numbers are always valid JSON") + "\n";
        examples.iter().map(line).collect()
    }

    /// The examples of the file, with so many labels.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn from_jsonl(bytes: &[u8], n_labels: usize) -> Result<Vec<Self>, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let lines = text.lines().zip(1..);
        lines
            .map(|(line, number)| {
                let example: Self = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
                match example.probabilities.len() == n_labels {
                    true => Ok(example),
                    false => Err(format!("line {number}: it has not one probability for each of {n_labels} labels")),
                }
            })
            .collect()
    }
}

/// What another engine is given, and held to.
impl Example {
    /// The text, of a pair the first.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The second text of a pair.
    pub fn second(&self) -> Option<&str> {
        self.second.as_deref()
    }

    /// The probability of each label.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }
}

/// At least [`OWN`] texts: those there are, then the same with their words in reverse, then numbered ones.
fn enough(own: &[(String, Option<String>)], is_pair: bool) -> Vec<(String, Option<String>)> {
    let reversed = |text: &String| text.split_whitespace().rev().collect::<Vec<_>>().join(" ");
    let turned = own.iter().map(|(text, second)| (reversed(text), second.as_ref().map(reversed)));
    let numbered = (0..).map(|n| (format!("text {n}"), is_pair.then(|| format!("other text {n}"))));
    own.iter().cloned().chain(turned).chain(numbered).take(OWN.max(own.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(probabilities: Vec<f32>) -> Example {
        Example {
            kind: "data".into(),
            text: "a\n\u{0}\"😀".into(),
            second: None,
            labels: vec!["b".into()],
            probabilities,
        }
    }

    #[test]
    fn every_bit_comes_back() {
        let examples = vec![example(vec![0.1, 0.9]), example(vec![f32::MIN_POSITIVE, 1.0 - f32::EPSILON])];
        let text = Example::to_jsonl(&examples);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(Example::from_jsonl(text.as_bytes(), 2).unwrap(), examples);
        assert!(Example::from_jsonl(text.as_bytes(), 3).unwrap_err().starts_with("line 1: "));
        assert!(Example::from_jsonl(b"{}", 3).unwrap_err().starts_with("line 1: missing field"));
        assert!(Example::from_jsonl(b"\xFF", 3).is_err());
    }

    #[test]
    fn few_texts_become_enough() {
        for is_pair in [false, true] {
            let text = ("one two".to_string(), is_pair.then(|| "x".to_string()));
            let texts = enough(std::slice::from_ref(&text), is_pair);
            assert_eq!((texts.len(), &texts[0], texts[1].0.as_str()), (OWN, &text, "two one"));
            assert!(texts.iter().all(|(_, second)| second.is_some() == is_pair));
            assert_eq!(enough(&[], is_pair).len(), OWN);
        }
    }
}
