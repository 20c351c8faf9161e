//! Bundles: a trained classifier as a directory that whoever receives it can check, use and read about.
//!
//! What is written appears under its name when it is whole, or not at all; what is read has every byte under a SHA-256 that is
//! verified before any parser sees it. This crate knows no other format, prints nothing and names no backend.
//!
//! The modules are listed in the order of their imports: each uses only those above it.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod error;

mod export_model;
mod labels;

mod about;
mod examples;

mod manifest;
mod readme;

mod bundle;

pub use about::{About, Measured, Trained};
pub use bundle::{Bundle, Verified, write_bundle};
pub use error::BundleError;
pub use examples::{Example, OwnTexts, own_texts};
pub use export_model::{ExportModel, WEIGHTS};
pub use labels::{head_name, thresholds_of};
