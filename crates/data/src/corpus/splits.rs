//! The training file divided as the config says: first what is tested on, then what is validated on, then the rest.
//! Reads no files.

use super::cut::{Share, cut};
use super::folds::folds;
use super::groups::place;
use crate::config::{Cut, CutBy, DataConfig, Fold, SplitSource};
use crate::error::{DataError, DivisionError};
use crate::examples::{Examples, Split};

/// The parts of the training file.
pub(crate) struct Division {
    pub(crate) train: Examples,
    /// What `data.validation` cuts off, if it is no file.
    pub(crate) validation: Option<Examples>,
    /// What `data.test` cuts off, if it is no file, or what `data.fold` holds out.
    pub(crate) test: Option<Examples>,
}

/// Divides the examples of the training file; every part keeps their order.
///
/// By hash the examples stand on a ring by the place of their text or group: the test split goes from 0, or where the
/// fold begins, upwards, and the validation split from there downwards.
///
/// # Errors
/// A part that would be empty, or groups that cannot be divided so.
pub(crate) fn divide(all: Examples, n_labels: usize, config: &DataConfig, seed: u64) -> Result<Division, DataError> {
    let whole = all.len();
    let ring = Ring::of(config);
    let (rest, test) = match (config.test_cut(), &config.fold) {
        (None, _) => (all, None),
        (Some(share), fold) => {
            let wanted = match (share.by, fold) {
                (CutBy::Hash, _) => ring.above(&all),
                (CutBy::Label, Some(Fold { index, of, .. })) => {
                    folds(&all, n_labels, *of, seed)?.into_iter().map(|fold| fold + 1 == *index).collect()
                }
                (CutBy::Label, None) => {
                    let fraction = share.fraction;
                    cut(&all, n_labels, Share { split: Split::Test, fraction, of_whole: fraction }, seed)?
                }
            };
            let (rest, test) = all.split_off(&wanted);
            if test.is_empty() {
                return Err(match fold {
                    Some(fold) => DivisionError::EmptyFold { index: fold.index, of: fold.of, examples: whole }.into(),
                    None => empty(Split::Test, share.fraction, whole, n_labels),
                });
            }
            (rest, Some(test))
        }
    };
    let (train, validation) = match &config.validation {
        Some(SplitSource::Cut(Cut { fraction, by })) => {
            let wanted = match by {
                CutBy::Hash => ring.below(&rest, *fraction),
                CutBy::Label => {
                    // Every fraction is one of the whole file. Without a test cut this is exactly the fraction itself.
                    let of_rest = fraction * (whole as f64 / rest.len() as f64);
                    let share = Share { split: Split::Validation, fraction: of_rest, of_whole: *fraction };
                    cut(&rest, n_labels, share, seed)?
                }
            };
            let (train, validation) = rest.split_off(&wanted);
            if validation.is_empty() {
                return Err(empty(Split::Validation, *fraction, whole, n_labels));
            }
            (train, Some(validation))
        }
        _ => (rest, None),
    };
    if train.is_empty() {
        return Err(DivisionError::EmptyRest { examples: whole }.into());
    }
    Ok(Division { train, validation, test })
}

fn empty(split: Split, fraction: f64, examples: usize, labels: usize) -> DataError {
    DivisionError::EmptyCut { split: split.to_string(), fraction, examples, labels }.into()
}

/// The ring of 2^64 places, and what of it the test split takes.
struct Ring {
    from: u64,
    width: u64,
}

impl Ring {
    fn of(config: &DataConfig) -> Self {
        match (&config.fold, config.test_cut()) {
            (Some(fold), _) => {
                // Exact, so that no place falls between two folds.
                let start = |index: u32| ((u128::from(index) << 64) / u128::from(fold.of.max(1))) as u64;
                let from = start(fold.index.saturating_sub(1));
                Self { from, width: start(fold.index).wrapping_sub(from) }
            }
            (None, Some(cut)) => Self { from: 0, width: width(cut.fraction) },
            (None, None) => Self { from: 0, width: 0 },
        }
    }

    fn above(&self, examples: &Examples) -> Vec<bool> {
        (0..examples.len()).map(|index| place(examples, index).wrapping_sub(self.from) < self.width).collect()
    }

    fn below(&self, examples: &Examples, fraction: f64) -> Vec<bool> {
        // `!` counts from the other end: the place just below `from` is the first.
        (0..examples.len()).map(|index| !place(examples, index).wrapping_sub(self.from) < width(fraction)).collect()
    }
}

/// A share of the ring; a product with a power of two is exact.
fn width(fraction: f64) -> u64 {
    (fraction * 2f64.powi(64)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::All;

    fn numbered(n: u32) -> Examples {
        let mut examples = Examples {
            texts: (0..n).map(|i| format!("text {i}")).collect(),
            places: All::of_files((0..n).map(|i| i.to_string().into()).collect()).finish(),
            ..Examples::default()
        };
        (0..n).for_each(|index| examples.targets.push(&[index % 2]));
        examples
    }

    fn source(fraction: f64, by: CutBy) -> Option<SplitSource> {
        Some(SplitSource::Cut(Cut { fraction, by }))
    }

    fn texts(examples: &Examples) -> Vec<String> {
        examples.texts.iter().map(str::to_owned).collect()
    }

    #[test]
    fn test_comes_first_and_both_shares_are_of_the_whole() {
        let config = DataConfig {
            test: source(0.2, CutBy::Label),
            validation: source(0.1, CutBy::Label),
            ..DataConfig::default()
        };
        let parts = divide(numbered(100), 2, &config, 1).unwrap();
        let (test, validation) = (parts.test.unwrap(), parts.validation.unwrap());
        assert_eq!((parts.train.len(), validation.len(), test.len()), (70, 10, 20));
        // Another validation share leaves the test split as it is.
        let config = DataConfig { validation: source(0.3, CutBy::Label), ..config };
        assert_eq!(divide(numbered(100), 2, &config, 1).unwrap().test.unwrap(), test);
    }

    #[test]
    fn a_hash_keeps_every_example_where_it_is() {
        let config = DataConfig {
            test: source(0.2, CutBy::Hash),
            validation: source(0.1, CutBy::Hash),
            ..DataConfig::default()
        };
        let few = divide(numbered(500), 2, &config, 1).unwrap();
        let many = divide(numbered(2000), 2, &config, 9).unwrap();
        let (few_test, few_validation) = (few.test.unwrap(), few.validation.unwrap());
        let (test, validation) = (many.test.unwrap(), many.validation.unwrap());
        // Binomial with standard deviations of 18 and 13.
        assert!((330..470).contains(&test.len()) && (145..255).contains(&validation.len()));
        assert!(texts(&few_test).iter().all(|text| texts(&test).contains(text)));
        assert!(texts(&few_validation).iter().all(|text| texts(&validation).contains(text)));
        assert!(texts(&few.train).iter().all(|text| texts(&many.train).contains(text)));
        // The validation split does not depend on whether there is a test split.
        let alone = DataConfig { test: None, ..config };
        assert_eq!(divide(numbered(2000), 2, &alone, 1).unwrap().validation.unwrap(), validation);
    }

    #[test]
    fn places_are_where_python_puts_them() {
        // Python, over the ten texts: int.from_bytes(sha256(text)[:8]) / 2**64 is below 0.3, or at least 0.65.
        let config = DataConfig {
            test: source(0.3, CutBy::Hash),
            validation: source(0.35, CutBy::Hash),
            ..DataConfig::default()
        };
        let parts = divide(numbered(10), 2, &config, 1).unwrap();
        assert_eq!(texts(&parts.test.unwrap()), ["text 6", "text 7"]);
        assert_eq!(texts(&parts.validation.unwrap()), ["text 2", "text 4", "text 8"]);
    }

    #[test]
    fn every_example_is_tested_exactly_once() {
        for by in [CutBy::Label, CutBy::Hash] {
            for grouped in [false, true] {
                let mut all = numbered(300);
                all.groups = grouped.then(|| (0..300).map(|index| format!("g{}", index / 7)).collect());
                let mut tested = Vec::new();
                for index in 1..=7 {
                    let fold = Some(Fold { index, of: 7, by });
                    let config = DataConfig { fold, validation: source(0.1, by), ..DataConfig::default() };
                    let parts = divide(all.clone(), 2, &config, 1).unwrap();
                    let (test, validation) = (parts.test.unwrap(), parts.validation.unwrap());
                    assert_eq!(parts.train.len() + validation.len() + test.len(), 300);
                    let splits = [(Split::Train, &parts.train), (Split::Validation, &validation), (Split::Test, &test)];
                    assert_eq!(crate::corpus::groups::shared(&splits), []);
                    tested.extend(texts(&test));
                }
                tested.sort();
                let mut every = texts(&all);
                every.sort();
                assert_eq!(tested, every, "{by:?}, grouped: {grouped}");
            }
        }
    }

    #[test]
    fn nothing_may_be_empty() {
        let error = |config: &DataConfig, n| divide(numbered(n), 2, config, 1).err().map(|error| error.to_string());
        let tiny = DataConfig { test: source(0.01, CutBy::Hash), ..DataConfig::default() };
        assert_eq!(error(&tiny, 3).unwrap(), "`data.test.fraction = 0.01` of 3 examples leaves the test split empty");
        let most = DataConfig { validation: source(0.999, CutBy::Hash), ..DataConfig::default() };
        assert_eq!(error(&most, 3).unwrap(), "no example of 3 is left to train on");
        let fold = DataConfig { fold: Some(Fold { index: 1, of: 100, by: CutBy::Hash }), ..DataConfig::default() };
        assert_eq!(error(&fold, 3).unwrap(), "fold 1 of 100 holds none of 3 examples");
    }
}
