//! What the loop works with: where a run stands, what it tells, what it is given, its weights at the start, and a step.
//! The loop itself is `trainer`.

pub(crate) mod recovery;
pub(crate) mod event;
pub(crate) mod job;
mod initial;
pub(crate) mod learner;

pub use event::Event;
pub use job::{Calibrated, Callbacks, Outcome, Refitted, Report, Request};
pub use recovery::SetAside;
