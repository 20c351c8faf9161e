//! A trained classifier, ready to be asked.

use std::path::Path;

use attentive_data::{Examples, load_examples};
use attentive_train::{Config, Metrics, Prediction, Predictor};

use crate::error::Error;
use crate::saved::SavedClassifier;

/// A trained classifier on a device. Several threads can use it at once.
#[derive(Debug)]
pub struct Classifier {
    predictor: Predictor,
}

impl Classifier {
    /// Opens a run directory or a bundle: a run on the backend of its config, a bundle on the CPU.
    ///
    /// # Errors
    /// When there is neither, a file is damaged, or the backend is not there.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let (predictor, _) = SavedClassifier::open(path.as_ref())?.load(None)?;
        Ok(Self { predictor })
    }

    /// As [`Classifier::open`], on the backend of this name.
    ///
    /// # Errors
    /// As [`Classifier::open`].
    pub fn open_on(path: impl AsRef<Path>, backend: &str) -> Result<Self, Error> {
        let (predictor, _) = SavedClassifier::open(path.as_ref())?.load(Some(backend))?;
        Ok(Self { predictor })
    }

    /// The labels, in the order of their probabilities.
    pub fn labels(&self) -> &[String] {
        self.predictor.labels().names()
    }

    /// The config that it was trained with.
    pub fn config(&self) -> &Config {
        self.predictor.config()
    }

    /// Classifies texts, in their order. What stands beside a text changes nothing.
    ///
    /// # Errors
    /// When the tokenizer refuses a text or the device fails.
    pub fn predict(&self, texts: &[impl AsRef<str>]) -> Result<Vec<Prediction<'_>>, Error> {
        Ok(self.predictor.predict(&self.read(texts), None)?)
    }

    /// Classifies pairs of texts, in their order, by a classifier that was trained on pairs.
    ///
    /// # Errors
    /// As [`Classifier::predict`].
    pub fn predict_pairs(&self, pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> Result<Vec<Prediction<'_>>, Error> {
        let firsts: Vec<&str> = pairs.iter().map(|(first, _)| first.as_ref()).collect();
        let seconds: Vec<&str> = pairs.iter().map(|(_, second)| second.as_ref()).collect();
        Ok(self.predictor.predict(&self.read(&firsts), Some(&self.read(&seconds)))?)
    }

    /// The texts as `data.unescape` has them read.
    fn read(&self, texts: &[impl AsRef<str>]) -> Vec<String> {
        texts.iter().map(|text| self.config().data.unescaped(text.as_ref()).into_owned()).collect()
    }

    /// Measures it on a file that is laid out like its training file.
    ///
    /// # Errors
    /// When the file cannot be read or has a label that is not known, and as [`Classifier::predict`].
    pub fn evaluate(&self, path: impl AsRef<Path>) -> Result<Metrics, Error> {
        let (examples, _): (Examples, _) = load_examples(path.as_ref(), &self.config().data, self.predictor.labels())?;
        Ok(self.predictor.evaluate(examples)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classifier_can_be_shared_between_threads() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Classifier>();
    }
}
