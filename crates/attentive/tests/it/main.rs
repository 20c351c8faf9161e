//! The `attentive` command as a person meets it: real processes in a directory of their own, tiny data, no network.
//!
//! Training needs a CPU backend; a build without one skips those tests.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking and tells why it skips")]

#[cfg(any(feature = "flex", feature = "ndarray"))]
mod bad_input;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod bad_runs;
#[cfg(all(unix, any(feature = "flex", feature = "ndarray")))]
mod bundle;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod check;
mod configs;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod containment;
mod directory;
#[cfg(feature = "flex")]
mod earlier;
#[cfg(all(unix, any(feature = "flex", feature = "ndarray")))]
mod folds;
#[cfg(all(target_os = "linux", any(feature = "flex", feature = "ndarray")))]
mod hostile_configs;
#[cfg(all(target_os = "linux", any(feature = "flex", feature = "ndarray")))]
mod hostile_data;
#[cfg(all(target_os = "linux", any(feature = "flex", feature = "ndarray")))]
mod hostile_models;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod import;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod init;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod init_from;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod inspect;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod json_arrays;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod keras;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod labels;
#[cfg(all(target_os = "linux", any(feature = "flex", feature = "ndarray")))]
mod limited;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod linear_exports;
#[cfg(all(target_os = "linux", any(feature = "flex", feature = "ndarray")))]
mod many_labels;
#[cfg(all(unix, any(feature = "flex", feature = "ndarray")))]
mod linear;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod multi_label;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod pairs;
#[cfg(all(feature = "flex", feature = "ndarray"))]
mod pinned;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod predict;
#[cfg(all(unix, any(feature = "flex", feature = "ndarray")))]
mod predict_edges;
mod predict_files;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod predict_forms;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod predict_round_trip;
#[cfg(all(target_os = "linux", any(feature = "flex", feature = "ndarray")))]
mod process_limits;
#[cfg(all(unix, any(feature = "flex", feature = "ndarray")))]
mod reliability;
#[cfg(all(unix, any(feature = "flex", feature = "ndarray")))]
mod resume;
#[cfg(all(unix, any(feature = "flex", feature = "ndarray")))]
mod resume_options;
#[cfg(all(unix, any(feature = "flex", feature = "ndarray")))]
mod shrunk;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod tokenize;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod train;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod vectors;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod verify;

#[cfg(not(any(feature = "flex", feature = "ndarray")))]
#[test]
fn training_is_not_tested() {
    eprintln!("skipped: this build holds no CPU backend, so nothing is trained");
}
