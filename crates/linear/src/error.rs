//! The one error type of the crate.

/// Why a linear classifier cannot be trained or put together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinearError {
    /// There is nothing to learn from.
    #[error("there are no texts to train on")]
    NoTexts,
    /// A setting outside its range.
    #[error("`{name}` must be {expected}, not {value}")]
    Setting {
        /// The field of the settings.
        name: &'static str,
        /// Its range, in words.
        expected: &'static str,
        /// What it was.
        value: f64,
    },
    /// Two lists that must be equally long.
    #[error("there are {expected} texts but {found} {what}")]
    Count {
        /// What the second list holds.
        what: &'static str,
        /// How many texts there are.
        expected: usize,
        /// How many there are of the other.
        found: usize,
    },
    /// A target that is no label.
    #[error("example {example} has label {label}, but there are only {n_labels} labels")]
    Label {
        /// The index of the example.
        example: usize,
        /// Its label.
        label: u32,
        /// How many labels there are.
        n_labels: usize,
    },
    /// More entries than 32 bits can count.
    #[error("there are more than {} {what}", u32::MAX)]
    TooMany {
        /// What there is too much of.
        what: &'static str,
    },
    /// Parts of a saved model that do not fit each other.
    #[error("this is no linear model: {what}")]
    Parts {
        /// What is wrong.
        what: &'static str,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Asked between pieces of work whether to stop, from any thread.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// [`LinearError::Stopped`] if the caller asks for it.
pub(crate) fn check(stop: Stop) -> Result<(), LinearError> {
    if stop() { Err(LinearError::Stopped) } else { Ok(()) }
}
