//! Columns of numbers that are in memory while they are small and in a scratch file once they are not. Knows nothing of
//! texts.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytemuck::Pod;

use super::mapped::Mapped;

/// A column of more bytes than this goes to a file.
const IN_MEMORY: usize = 16 << 20;

/// What is written at once. The operating system keeps a file in memory in pieces of the size in which it was written,
/// and maps in whole pieces: large ones would be costly to look into.
const PIECE: usize = 16 << 10;

/// Writes numbers as this machine has them in memory.
pub(crate) fn write<T: Pod>(file: &mut impl Write, values: &[T]) -> io::Result<()> {
    bytemuck::cast_slice(values).chunks(PIECE).try_for_each(|piece| file.write_all(piece))
}

/// A finished column. Clones share it.
#[derive(Debug, Clone)]
pub(crate) enum Storage<T> {
    Memory(Arc<Vec<T>>),
    /// So many values at the beginning of a file.
    File(Arc<Mapped>, usize),
}

impl<T> Default for Storage<T> {
    fn default() -> Self {
        Self::Memory(Arc::default())
    }
}

impl<T: Pod> Storage<T> {
    /// The first `len` numbers of a file, as this machine writes them.
    ///
    /// # Errors
    /// When the file is shorter, or cannot be mapped.
    pub(crate) fn map(file: File, len: usize) -> io::Result<Self> {
        let map = Mapped::new(file)?;
        if map.len() / size_of::<T>() < len {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(Self::File(Arc::new(map), len))
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Memory(values) => values.len(),
            Self::File(_, len) => *len,
        }
    }

    pub(crate) fn is_in_file(&self) -> bool {
        matches!(self, Self::File(..))
    }

    /// Some of the values. Panics if there are not so many.
    pub(crate) fn slice(&self, range: Range<usize>) -> &[T] {
        match self {
            Self::Memory(values) => &values[range],
            Self::File(map, _) => {
                bytemuck::cast_slice(map.bytes(range.start * size_of::<T>()..range.end * size_of::<T>()))
            }
        }
    }

    /// Some of the values, by a copy where they are in a file: what is read here and there comes by position, which
    /// costs a fraction of mapping in the page around it and giving that back. Panics if there are not so many.
    pub(crate) fn read(&self, range: Range<usize>) -> Cow<'_, [T]> {
        match self {
            Self::Memory(values) => Cow::Borrowed(&values[range]),
            Self::File(map, len) => {
                assert!(range.end <= *len, "values {range:?} of {len} do not exist");
                let mut values = vec![T::zeroed(); range.len()];
                match map.read(bytemuck::cast_slice_mut(&mut values), range.start * size_of::<T>()) {
                    Ok(()) => Cow::Owned(values),
                    Err(_) => Cow::Borrowed(self.slice(range)),
                }
            }
        }
    }
}

/// A column that grows.
#[derive(Debug)]
pub(crate) struct Growing<T> {
    memory: Vec<T>,
    file: Option<BufWriter<File>>,
    len: usize,
    limit: usize,
    /// Told when the column is finished, so that whoever appends need not ask each time.
    failure: Option<io::Error>,
}

impl<T: Pod> Growing<T> {
    /// An empty column.
    pub(crate) fn new() -> Self {
        Self::with_limit(IN_MEMORY)
    }

    /// An empty column that goes to a file once it has more than `limit` bytes.
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { memory: Vec::new(), file: None, len: 0, limit, failure: None }
    }

    pub(crate) fn extend(&mut self, values: &[T]) {
        self.len += values.len();
        if self.failure.is_none()
            && let Err(error) = self.append(values)
        {
            self.failure = Some(error);
        }
    }

    fn append(&mut self, values: &[T]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            return write(file, values);
        }
        self.memory.extend_from_slice(values);
        if self.memory.len() * size_of::<T>() > self.limit {
            let mut file = BufWriter::with_capacity(PIECE, scratch_file()?);
            write(&mut file, &self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        Ok(())
    }

    /// The column as it is from now on.
    pub(crate) fn finish(self) -> io::Result<Storage<T>> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        match self.file {
            None => Ok(Storage::Memory(Arc::new(self.memory))),
            Some(file) => Storage::map(file.into_inner().map_err(io::IntoInnerError::into_error)?, self.len),
        }
    }
}

/// The directory for what does not fit in memory: `attentive` in `XDG_CACHE_HOME`, else in `.cache` in the home
/// directory, else in the directory for temporary files.
pub fn cache_dir() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let parent = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    parent.unwrap_or_else(std::env::temp_dir).join("attentive")
}

/// An empty file without a name: it is gone with the process, however that ends.
fn scratch_file() -> io::Result<File> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let directory = cache_dir();
    fs::create_dir_all(&directory)?;
    loop {
        let name = format!("scratch-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = directory.join(name);
        // Only a new file: another process with this number may have left one, and a link could lead anywhere.
        match File::options().read(true).write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => {
                let file = file?;
                fs::remove_file(&path)?;
                return Ok(file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_same_in_memory_and_in_a_file() {
        let values: Vec<u32> = (0..1000).map(|i| i * 7).collect();
        let column = |limit| {
            let mut column = Growing::with_limit(limit);
            values.chunks(3).for_each(|values| column.extend(values));
            column.finish().unwrap()
        };
        let (memory, file) = (column(4000), column(3999));
        assert!(!memory.is_in_file() && file.is_in_file());
        for column in [memory, file] {
            assert_eq!(column.len(), 1000);
            assert_eq!(column.slice(998..1000), [998 * 7, 999 * 7]);
            assert_eq!(*column.read(500..502), [3500, 3507]);
        }
    }
}
