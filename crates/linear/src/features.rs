//! The features of a corpus: its n-grams, what each weighs, and the row that a text becomes.

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::batches::{Lowered, Pieces, batches};
use crate::error::{LinearError, Stop};
use crate::frequencies;
use crate::ngrams::{Key, Table, characters, of_words, pieces, with_character, with_word, word_ids};
use crate::rows::Rows;
use crate::settings::FeatureSettings;
use crate::text::words;

/// All that the features of a text depend on, as it is saved. The id of a feature is its place: first the n-grams of words,
/// then those of characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureParts {
    /// What was asked for.
    pub settings: FeatureSettings,
    /// N-grams of words, with a space between two words, sorted by their bytes.
    pub words: Vec<String>,
    /// N-grams of characters, sorted by their bytes. A space is the edge of a word.
    pub characters: Vec<String>,
    /// The inverse document frequency of every feature, `ln((1 + texts) / (1 + texts that have it)) + 1`.
    pub idf: Vec<f32>,
}

/// The features of a corpus, ready to be looked up.
#[derive(Debug, Clone)]
pub struct Features {
    parts: FeatureParts,
    word_ids: Table<Box<str>, u32>,
    word_ngrams: Table<Key, u32>,
    character_ngrams: Table<Key, u32>,
}

impl Features {
    /// Finds the features of `texts`, on all cores. The result depends on the texts and the settings alone.
    ///
    /// # Errors
    /// [`LinearError::NoTexts`], [`LinearError::Setting`], [`LinearError::TooMany`], [`LinearError::Stopped`].
    pub fn fit(texts: &[&str], settings: &FeatureSettings, stop: Stop) -> Result<Self, LinearError> {
        settings.check()?;
        if texts.is_empty() {
            return Err(LinearError::NoTexts);
        }
        if u32::try_from(texts.len()).is_err() {
            return Err(LinearError::TooMany { what: "texts" });
        }
        let words = if settings.words > 0 { fit_words(texts, settings, stop)? } else { Vec::new() };
        let characters = if settings.characters > 0 {
            let found = frequencies::of_characters(texts, settings, stop)?;
            let mut found = found.into_iter().map(|(key, df)| (characters(key).collect(), df)).collect::<Vec<_>>();
            found.par_sort_unstable();
            found
        } else {
            Vec::new()
        };
        let idf = |&(_, df): &(String, u32)| (((1 + texts.len()) as f64 / f64::from(df + 1)).ln() + 1.0) as f32;
        let idf = words.iter().chain(&characters).map(idf).collect();
        let strings = |found: Vec<(String, u32)>| found.into_iter().map(|(ngram, _)| ngram).collect();
        Self::new(FeatureParts {
            settings: settings.clone(),
            words: strings(words),
            characters: strings(characters),
            idf,
        })
    }

    /// The features that were saved.
    ///
    /// # Errors
    /// [`LinearError::Parts`] if the parts are not what [`Features::parts`] gave, and [`LinearError::Setting`].
    pub fn new(parts: FeatureParts) -> Result<Self, LinearError> {
        parts.settings.check()?;
        let count = parts.words.len() + parts.characters.len();
        if u32::try_from(count).is_err() {
            return Err(LinearError::TooMany { what: "features" });
        }
        if parts.idf.len() != count {
            return Err(LinearError::Parts { what: "there must be one `idf` for each n-gram" });
        }
        if !parts.idf.iter().all(|&idf| idf.is_finite() && idf > 0.0) {
            return Err(LinearError::Parts { what: "every `idf` must be a number above 0" });
        }
        let ascend = |ngrams: &[String]| ngrams.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascend(&parts.words) || !ascend(&parts.characters) {
            return Err(LinearError::Parts { what: "n-grams must be sorted, and none may be there twice" });
        }
        let mut word_ids = Table::<Box<str>, u32>::default();
        let mut word_ngrams = Table::with_capacity_and_hasher(parts.words.len(), Default::default());
        for (id, ngram) in (0..).zip(&parts.words) {
            if ngram.split(' ').count() > parts.settings.words {
                return Err(LinearError::Parts { what: "an n-gram of words is longer than its setting" });
            }
            let key = ngram.split(' ').fold(0, |key, word| {
                let next = word_ids.len() as u32;
                let id = word_ids.get(word).copied().unwrap_or_else(|| *word_ids.entry(word.into()).or_insert(next));
                with_word(key, id)
            });
            word_ngrams.insert(key, id);
        }
        let mut character_ngrams = Table::with_capacity_and_hasher(parts.characters.len(), Default::default());
        for (id, ngram) in (parts.words.len() as u32..).zip(&parts.characters) {
            if ngram.chars().count() > parts.settings.characters.max(parts.settings.ideographs) {
                return Err(LinearError::Parts { what: "an n-gram of characters is longer than its setting" });
            }
            character_ngrams.insert(ngram.chars().fold(0, with_character), id);
        }
        Ok(Self { parts, word_ids, word_ngrams, character_ngrams })
    }

    /// What is to be saved.
    pub fn parts(&self) -> &FeatureParts {
        &self.parts
    }

    /// What is to be saved, without a copy.
    pub fn into_parts(self) -> FeatureParts {
        self.parts
    }

    /// How many features there are.
    pub fn len(&self) -> usize {
        self.parts.idf.len()
    }

    /// Whether there is no feature: every text is then the same.
    pub fn is_empty(&self) -> bool {
        self.parts.idf.is_empty()
    }

    /// The n-gram of feature `id`. Panics if there is no such feature.
    pub fn ngram(&self, id: u32) -> &str {
        let id = id as usize;
        let words = &self.parts.words;
        words.get(id).unwrap_or_else(|| &self.parts.characters[id - words.len()])
    }

    /// The rows `[texts, features]` of `texts`, on all cores. Each depends on its own text alone.
    ///
    /// # Errors
    /// [`LinearError::Stopped`].
    pub fn rows(&self, texts: &[&str], stop: Stop) -> Result<Rows, LinearError> {
        let batch_rows = |batch: &&[&str]| -> Result<Rows, LinearError> {
            let lowered = Lowered::new(batch, stop)?;
            let (mut rows, mut pieces) = (Rows::new(self.len()), Pieces::default());
            let mut found = Vec::new();
            for text in lowered.iter() {
                self.ids(text, &mut pieces, &mut found);
                rows.push(self.weighted(&mut found))?;
            }
            Ok(rows)
        };
        let parts = batches(texts).par_iter().map(batch_rows).collect::<Result<Vec<_>, _>>()?;
        let mut rows = Rows::new(self.len());
        parts.into_iter().for_each(|part| rows.append(part));
        Ok(rows)
    }

    /// The features of a lower-cased text, as often as they occur, in no order.
    fn ids<'t>(&self, lower: &'t str, known: &mut Pieces<'t>, found: &mut Vec<u32>) {
        found.clear();
        self.each_word_ngram(lower, |id, _| found.push(id));
        if self.parts.settings.characters > 0 {
            pieces(lower, &self.parts.settings, |piece, _| {
                found.extend(known.ids(piece, &self.parts.settings, |key| self.character_ngram(key)));
            });
        }
    }

    /// Hands out the n-grams of words that are features, with their byte ranges in the lower-cased text.
    pub(crate) fn each_word_ngram(&self, lower: &str, mut each: impl FnMut(u32, Range<usize>)) {
        let (mut ids, mut places) = (Vec::new(), Vec::new());
        words(lower, |range| {
            let id = self.word_ids.get(&lower[range.clone()]).copied();
            if let Some(&feature) = id.and_then(|id| self.word_ngrams.get(&with_word(0, id))) {
                each(feature, range.clone());
            }
            ids.push(id);
            places.push(range);
        });
        of_words(&ids, self.parts.settings.words, |key, range| {
            if let Some(&feature) = self.word_ngrams.get(&key) {
                each(feature, places[range.start].start..places[range.end - 1].end);
            }
        });
    }

    /// The feature that an n-gram of characters is, if it is one.
    pub(crate) fn character_ngram(&self, key: Key) -> Option<u32> {
        self.character_ngrams.get(&key).copied()
    }

    /// The weight of each of the features `found`, ascending: term frequency times inverse document frequency, divided by the
    /// L2 norm of the words or of the characters.
    pub(crate) fn weighted(&self, found: &mut [u32]) -> Vec<(u32, f32)> {
        found.sort_unstable();
        let frequency =
            |count: usize| if self.parts.settings.sublinear_tf { 1.0 + (count as f64).ln() } else { count as f64 };
        let weight = |run: &[u32]| (run[0], frequency(run.len()) * f64::from(self.parts.idf[run[0] as usize]));
        let mut row = found.chunk_by(|a, b| a == b).map(weight).collect::<Vec<_>>();
        let first_character = row.partition_point(|&(id, _)| (id as usize) < self.parts.words.len());
        let (words, characters) = row.split_at_mut(first_character);
        normalize(words);
        normalize(characters);
        row.into_iter().map(|(id, weight)| (id, weight as f32)).collect()
    }
}

/// The n-grams of words, sorted, with how many texts have them. An n-gram is no more frequent than its words, so that only
/// those of words that are features are counted.
fn fit_words(texts: &[&str], settings: &FeatureSettings, stop: Stop) -> Result<Vec<(String, u32)>, LinearError> {
    let mut found = frequencies::of_single_words(texts, settings.min_df, stop)?;
    if settings.words > 1 {
        let ids = (0..).zip(&found).map(|(id, (word, _))| (word.as_str().into(), id)).collect();
        let longer = frequencies::of_word_ngrams(texts, &ids, settings, stop)?;
        let ngram = |key| word_ids(key).map(|id| found[id as usize].0.as_str()).collect::<Vec<_>>().join(" ");
        let longer = longer.into_iter().map(|(key, df)| (ngram(key), df)).collect::<Vec<_>>();
        found.extend(longer);
        found.par_sort_unstable();
    }
    Ok(found)
}

/// Makes the L2 norm 1, unless there is nothing.
fn normalize(row: &mut [(u32, f64)]) {
    let norm = row.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
    if norm > 0.0 {
        row.iter_mut().for_each(|(_, weight)| *weight /= norm);
    }
}
