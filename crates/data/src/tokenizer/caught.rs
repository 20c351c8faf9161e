//! Panics of the tokenizer library as errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::excerpt;

/// Runs the library, which panics on some damaged files, and makes a panic an error.
pub(crate) fn caught<T>(run: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => {
            let message =
                panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("the tokenizer library panicked: {}", excerpt(message.unwrap_or("no message"))))
        }
    }
}
