//! What is told about long work on the data, to whoever watches it. Prints nothing.

/// How far the work is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataProgress {
    /// The files are read.
    Reading,
    /// The tokenizer is made.
    TrainingTokenizer,
    /// Texts become ids.
    Encoding {
        /// Texts that are done, those of an earlier start included.
        done: usize,
        /// Texts in all.
        total: usize,
    },
    /// The linear part is solved.
    SolvingLinear,
}

/// Told of progress; says whether to go on.
pub type OnProgress<'a> = dyn Fn(&DataProgress) -> bool + 'a;

/// Watches nothing and never stops the work.
pub const UNWATCHED: &OnProgress<'static> = &|_| true;
