//! Ids of tokens that a file names.

use serde_json::Value;

/// Token ids must be below this: an embedding has a row for each.
pub(super) const MAX_IDS: u64 = 2_000_000;

pub(super) fn id(value: Option<&Value>, what: &str) -> Result<u64, String> {
    match value.and_then(Value::as_u64) {
        Some(id) if id < MAX_IDS => Ok(id),
        Some(id) => Err(format!("{what} is {id}: ids must be below {MAX_IDS}")),
        None => Err(format!("{what} is not a whole number")),
    }
}
