//! The run directory: its files, its lock, its log of steps. Knows neither what is computed nor when it is written.

mod lock;
mod files;
mod linear_files;
mod directory;
pub(crate) mod metrics_log;
mod optimizer_state;

pub(crate) use directory::LockedRun;
pub use directory::RunDir;
pub(crate) use linear_files::LinearFiles;
pub use optimizer_state::OptimizerState;
