//! When a run is saved, what is kept of it, and how it goes back to what was saved.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Halt, Trainer};
use crate::checkpoint::{Snapshot, State};
use crate::error::TrainError;
use crate::preparation::prepare::places;
use crate::training::event::Event;
use crate::training::job::{Callbacks, Job};
use crate::training::learner::{Learner, restore};

/// How often a run goes back before it gives up.
const MAX_ROLLBACKS: u32 = 2;

impl Trainer<'_> {
    /// Whether the config asks for a checkpoint here.
    pub(super) fn is_scheduled(&self) -> bool {
        self.config.train.checkpoint_every.is_some_and(|every| self.state.step.is_multiple_of(every))
    }

    /// Whether the last checkpoint is longer ago than the config allows.
    pub(super) fn is_overdue(&self) -> bool {
        let minutes = self.config.train.checkpoint_minutes;
        Duration::try_from_secs_f64(60.0 * minutes).is_ok_and(|allowed| self.saved_at.elapsed() >= allowed)
    }

    /// Saves a checkpoint that the config asks for. If the next step is a good one, it is where a run that diverges goes
    /// back to.
    pub(super) fn save(&mut self, snapshot: &Snapshot, callbacks: &mut Callbacks) -> Result<(), TrainError> {
        if self.state.non_finite.in_a_row == 0 {
            self.state.last_scheduled = Some(self.state.step);
        }
        self.write(snapshot, true, callbacks)
    }

    /// Saves a checkpoint that a signal or the clock asks for. Nothing that the run does later depends on it.
    pub(super) fn save_besides(&mut self, callbacks: &mut Callbacks) -> Result<(), TrainError> {
        match self.snapshot() {
            Ok(snapshot) => self.write(&snapshot, false, callbacks),
            Err(Halt::Diverged { tensor }) => {
                self.saved_at = Instant::now();
                (callbacks.on_event)(&Event::NotSaved { step: self.state.step, tensor });
                Ok(())
            }
            Err(Halt::Failed(error)) => Err(error),
        }
    }

    /// Writes a checkpoint, then removes those that are no longer wanted.
    fn write(&mut self, snapshot: &Snapshot, is_scheduled: bool, callbacks: &mut Callbacks) -> Result<(), TrainError> {
        self.run.check_in_place()?;
        self.metrics_log.sync(&mut self.state)?;
        let path = self.store.save(&self.state, self.job.origin, snapshot)?;
        (self.saved, self.saved_at) = (Some(self.state.step), Instant::now());
        let (train, state) = (&self.config.train, &self.state);
        self.store.retain(train.keep_checkpoints, |step| {
            // What another program trained, which `verify` begins with.
            step == 0
                || state.selection.has(step)
                || [state.last_scheduled, state.last_good].contains(&Some(step))
                || train.keep_every.is_some_and(|every| step.is_multiple_of(every))
        })?;
        (callbacks.on_event)(&Event::Saved { step: self.state.step, path, is_scheduled });
        Ok(())
    }

    /// Goes back to the last checkpoint that is known to be good, or to the start, with a lower learning rate.
    pub(super) fn roll_back(&mut self, tensor: String, callbacks: &mut Callbacks) -> Result<(), TrainError> {
        let rollbacks = self.state.non_finite.rollbacks;
        if rollbacks == MAX_ROLLBACKS {
            return self.give_up(tensor);
        }
        let Job { config, prepared, device, .. } = *self.job;
        let (learner, state) = match self.state.last_good {
            Some(step) => restore(self.job, self.store.load(step)?, &self.loader)?,
            None => (Learner::new(config, prepared, device)?, State::default()),
        };
        // Those behind it lead to where this run has just been.
        self.store.remove_after(state.step)?;
        self.saved = self.state.last_good;
        let from = std::mem::replace(&mut self.state, state);
        self.learner = learner;
        self.state.non_finite.rollbacks = rollbacks + 1;
        self.state.changes = from.changes;
        self.metrics_log.cut(self.state.metrics_bytes)?;
        let (to, scale) = (self.state.step, self.rollback_scale());
        self.metrics_log
            .write(&json!({ "step": to, "rolled_back_from": from.step, "not_finite": tensor, "lr_scale": scale }))?;
        (callbacks.on_event)(&Event::RolledBack { from: from.step, to, scale });
        Ok(())
    }

    /// Fails with the place of every example of the last step.
    fn give_up(&self, tensor: String) -> Result<(), TrainError> {
        let plan = self.loader.plan(self.state.epoch);
        let last = self.state.step_in_epoch.saturating_sub(1) as usize;
        Err(TrainError::Diverged {
            step: self.state.step,
            epoch: self.state.epoch + 1,
            tensor,
            rollbacks: self.state.non_finite.rollbacks,
            examples: places(self.config, plan.batch(last))?,
        })
    }
}
