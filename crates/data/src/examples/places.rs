//! Where each of many examples stands, in four bytes an example. Reads no file.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Location;

/// The file and line of each example; selections share the memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Places {
    all: Arc<All>,
    /// Which of them these are, in order; `None` if all.
    selected: Option<Arc<[u32]>>,
}

/// Places that grow one by one.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct All {
    files: Vec<ExampleFile>,
    /// The line of each example, or its element in a JSON array; numbers beyond what fits are told as the largest that
    /// does. Empty where every example is a file of its own.
    numbers: Vec<u32>,
}

/// A file of examples.
#[derive(Debug, PartialEq, Eq)]
struct ExampleFile {
    path: PathBuf,
    /// The number of examples up to its end.
    end: usize,
    /// Whether it is a JSON array.
    is_array: bool,
}

impl All {
    /// The examples that follow stand in this file.
    pub(crate) fn begin(&mut self, file: PathBuf) {
        self.files.push(ExampleFile { path: file, end: self.numbers.len(), is_array: false });
    }

    /// Notes the line of the next example of the last file or, in a JSON array, its element.
    pub(crate) fn push(&mut self, line: u64, element: Option<u64>) {
        self.numbers.push(u32::try_from(element.unwrap_or(line)).unwrap_or(u32::MAX));
        if let Some(file) = self.files.last_mut() {
            file.end = self.numbers.len();
            file.is_array = element.is_some();
        }
    }

    /// Examples each of which is a whole file.
    pub(crate) fn of_files(files: Vec<PathBuf>) -> Self {
        let source = |(path, end)| ExampleFile { path, end, is_array: false };
        Self { files: files.into_iter().zip(1..).map(source).collect(), numbers: Vec::new() }
    }

    pub(crate) fn finish(self) -> Places {
        Places { all: Arc::new(self), selected: None }
    }

    /// Where example `index` stands; `None` if there is none.
    pub(crate) fn get(&self, index: usize) -> Option<Location> {
        let file = self.files.get(self.files.partition_point(|file| file.end <= index))?;
        let number = self.numbers.get(index).map(|&number| u64::from(number));
        let (line, element) = if file.is_array { (None, number.and_then(NonZeroU64::new)) } else { (number, None) };
        Some(Location { path: file.path.clone(), line, element })
    }
}

impl Places {
    pub(crate) fn get(&self, index: usize) -> Option<Location> {
        match &self.selected {
            None => self.all.get(index),
            Some(selected) => self.all.get(*selected.get(index)? as usize),
        }
    }

    /// The places `indices` in their order. Panics if there is no such place.
    pub(crate) fn select(&self, indices: &[u32]) -> Self {
        let selected = match &self.selected {
            None => Arc::from(indices),
            Some(selected) => indices.iter().map(|&index| selected[index as usize]).collect(),
        };
        Self { all: Arc::clone(&self.all), selected: Some(selected) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_know_their_file_and_line() {
        let mut all = All::default();
        all.begin("a".into());
        all.push(2, None);
        all.push(1 << 40, None);
        all.begin("empty".into());
        all.begin("b".into());
        all.push(5, None);
        all.begin("c".into());
        all.push(9, Some(3));
        let places = all.finish();
        let shown = |places: &Places, index| places.get(index).map(|place| place.to_string());
        let of = |places: &Places| (0..5).map(|index| shown(places, index).unwrap_or_default()).collect::<Vec<_>>();
        assert_eq!(of(&places), ["a:2", "a:4294967295", "b:5", "c, element 3", ""]);
        assert_eq!(of(&places.select(&[2, 0]).select(&[1, 0])), ["a:2", "b:5", "", "", ""]);
        assert_eq!(of(&All::of_files(vec!["x".into(), "y".into()]).finish()), ["x", "y", "", "", ""]);
    }
}
