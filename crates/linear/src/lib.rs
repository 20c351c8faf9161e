//! A sparse linear text classifier: n-grams of words and of characters, weighted by TF-IDF, and one weight vector per label,
//! solved to its optimum. It knows no tensors, no files and no command line.
//!
//! ```
//! use attentive_linear::{Examples, FeatureSettings, LinearModel, SolverSettings, Targets};
//!
//! let texts = ["a fine film", "fine acting", "a bad film", "bad acting"];
//! let examples = Examples::new(Targets::One(&[1, 1, 0, 0]), 2);
//! let model = LinearModel::fit(&texts, &examples, &FeatureSettings::default(), &SolverSettings::default(), &|| false)?;
//! let logits = model.logits(&["a fine story"], &|| false)?; // [texts, labels]
//! assert!(logits[1] > logits[0]);
//! # Ok::<(), attentive_linear::LinearError>(())
//! ```
//!
//! Everything runs on all threads of the current rayon pool and gives the same bits for any number of them.
//!
//! The modules are listed in the order of their imports: each uses only those above it.

mod error;
mod lanes;

mod rows;
mod settings;
mod text;

mod characters;
mod examples;
mod ngrams;

mod batches;

mod calibration;
mod dual;
mod frequencies;
mod ratios;

mod features;
mod solve;

mod model;

mod contributions;

pub use calibration::calibrated_scale;
pub use characters::Characters;
pub use contributions::Contribution;
pub use error::{LinearError, Stop};
pub use examples::{Examples, Targets};
pub use features::{FeatureParts, Features};
pub use model::LinearModel;
pub use rows::Rows;
pub use settings::{FeatureSettings, Loss, SolverSettings};
pub use solve::{Solution, Weights, solve};
