//! `attentive devices`: what this build can run on, what it found, and what `auto` would take.

use attentive_backend::{BackendError, survey};

use crate::failure::Failure;
use crate::output::print;
use crate::table::ResultTable;

pub(super) fn devices() -> Result<(), Failure> {
    let auto = attentive_backend::open("auto").map(|opened| opened.backend).ok();
    let mut table = ResultTable::of_words(3, &["backend", "works", "auto"]);
    let mut reasons = String::new();
    for found in survey() {
        let chosen = if auto == Some(found.backend) { "chosen" } else { "" };
        match found.result {
            Ok(opened) => table.row([found.backend.to_string(), opened.description, chosen.to_string()]),
            Err(error) => {
                let works = if let BackendError::NotBuilt { .. } = error { "not in this build" } else { "no" };
                table.row([found.backend.to_string(), works.to_string(), String::new()]);
                reasons.push_str(&format!("\n{error}\n"));
                if let Some(hint) = error.hint() {
                    reasons.push_str(&format!("hint: {hint}\n"));
                }
            }
        }
    }
    print(&format!("{}{reasons}", table.render()))
}
