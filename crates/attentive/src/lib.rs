//! Attentive as a library: train text classifiers, and use what was trained. The command of the same name is this library with
//! a command line around it.
//!
//! Train on a file:
//!
//! ```no_run
//! # fn main() -> Result<(), attentive::Error> {
//! let config = attentive::load_config("reviews.toml")?;
//! let report = attentive::Training::new(config).run("runs/reviews")?;
//! println!("trained {} epochs", report.epochs_trained);
//! # Ok(())
//! # }
//! ```
//!
//! Train on examples in memory, and classify with the result:
//!
//! ```
//! # fn main() -> Result<(), attentive::Error> {
//! # let folder = temp_dir::TempDir::new().unwrap();
//! # let run = folder.path().join("run");
//! let examples = [("a fine film", "good"), ("dull and long", "bad")].repeat(20);
//! let mut config = attentive::Config::default();
//! config.model.embedding.dim = 8;
//! config.train.epochs = 8;
//! attentive::Training::new(config).on(&examples).run(&run)?;
//!
//! let classifier = attentive::Classifier::open(&run)?;
//! assert_eq!(classifier.predict(&["a fine film"])?[0].label(), Some("good"));
//! # Ok(())
//! # }
//! ```
//!
//! A classifier can be used by several threads at once; a run and a bundle are opened alike:
//!
//! ```no_run
//! # fn main() -> Result<(), attentive::Error> {
//! let classifier = attentive::Classifier::open("reviews.bundle")?;
//! std::thread::scope(|scope| {
//!     for text in ["a fine film", "dull and long"] {
//!         let classifier = &classifier;
//!         scope.spawn(move || println!("{:?}", classifier.predict(&[text])));
//!     }
//! });
//! # Ok(())
//! # }
//! ```
//!
//! The features choose what is compiled: the backends `flex`, `ndarray` and `wgpu`, and `command`, which a program that only
//! trains and predicts does without.
//!
//! The modules are listed in the order of their imports: each uses only those above it.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod error;
mod machine;

mod saved;

mod classifier;
mod training;

mod quickstart;

pub use attentive_train::{Callbacks, Config, Event, Metrics, Outcome, Prediction, Report, Request};
pub use classifier::Classifier;
pub use error::Error;
pub use machine::{load_config, machine};
pub use quickstart::{QUICKSTART_CONFIG, write_quickstart};
pub use saved::{SavedClassifier, read_weights};
pub use training::Training;
