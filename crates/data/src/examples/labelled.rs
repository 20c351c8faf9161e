//! Texts, or pairs of texts, with their labels, and the name of the split they belong to. Does not read files.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::places::Places;
use super::targets::Targets;
use crate::error::Location;
use crate::storage::Texts;

/// What a set of examples is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Fitted to; vocabulary and label set come from here.
    Train,
    /// Measured on while training.
    Validation,
    /// Measured on once, at the end.
    Test,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// Labelled texts, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Examples {
    /// The texts as they stand in the file; of pairs, the first of each.
    pub texts: Texts,
    /// The second text of each example if `data.text` names two columns.
    pub seconds: Option<Texts>,
    /// The group of each example if `data.group` names a column; empty where an example has none.
    pub(crate) groups: Option<Texts>,
    /// The label ids of each example.
    pub targets: Targets,
    pub(crate) places: Places,
}

impl Examples {
    /// How many examples there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The text of example `index`, or its two. Panics if there is no such example.
    pub(crate) fn text(&self, index: usize) -> (&str, Option<&str>) {
        (self.texts.get(index), self.seconds.as_ref().map(|seconds| seconds.get(index)))
    }

    /// The name of the group of example `index`; `None` if it has none.
    pub(crate) fn group(&self, index: usize) -> Option<&str> {
        Some(self.groups.as_ref()?.get(index)).filter(|group| !group.is_empty())
    }

    /// Where example `index` comes from; `None` if there is no such example.
    pub fn location(&self, index: usize) -> Option<Location> {
        self.places.get(index)
    }

    /// The examples `indices` in their order. Panics if there is no such example.
    pub(crate) fn select(&self, indices: &[u32]) -> Self {
        let mut targets = Targets::default();
        indices.iter().for_each(|&index| targets.push(self.targets.of(index as usize)));
        Self {
            texts: self.texts.select(indices),
            seconds: self.seconds.as_ref().map(|seconds| seconds.select(indices)),
            groups: self.groups.as_ref().map(|groups| groups.select(indices)),
            targets,
            places: self.places.select(indices),
        }
    }

    /// The examples for which `wanted` does not hold, and those for which it does; both keep their order.
    pub(crate) fn split_off(&self, wanted: &[bool]) -> (Self, Self) {
        let (taken, rest): (Vec<u32>, Vec<u32>) = (0..).take(self.len()).partition(|&index| wanted[index as usize]);
        (self.select(&rest), self.select(&taken))
    }
}
