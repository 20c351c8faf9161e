//! Runs from their beginning to their end: new, imported, resumed, in folds, verified. Computes nothing itself.

mod imported;
mod stages;
mod refit;
mod folds;
mod verify;

pub use folds::{ExistingFolds, FoldFigure, FoldRuns, FoldSummary, fold_figures};
pub use imported::Imported;
pub use stages::{Machine, PreparedRun, Preparing, Run, StoppedRun};
pub use verify::{FileFinding, Replay, Replayed, verify_files};
