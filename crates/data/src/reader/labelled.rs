//! The labelled texts of a split: a folder, files one after the other, or the standard input.

use std::path::PathBuf;

use super::choice::RowsWanted;
use super::file::read_rows;
use super::folder;
use super::open::stat;
use super::origin::DataOrigin;
use super::raw::{RawExamples, RawExamplesBuilder};
use super::rows::RowSink;
use crate::config::{DataConfig, Files, Format};
use crate::error::DataError;

/// Reads the labelled texts of a split: of a folder, or of files one after the other. Where they are those to train on,
/// every label that `data.rename` and `data.drop` name must be among them.
pub(crate) fn read_labelled(files: &Files, config: &DataConfig, is_training: bool) -> Result<RawExamples, DataError> {
    let paths = files.expand()?;
    let mut builder = RawExamplesBuilder::new(config);
    if let [path] = paths.as_slice()
        && stat(path)?.is_dir()
    {
        if !matches!(config.format, Format::Auto | Format::Folder) {
            return Err(DataError::IsFolder { path: path.clone() });
        }
        folder::read(path, config, &mut builder)?;
        return builder.finish(is_training);
    }
    let mut first = None;
    for path in &paths {
        read_file(DataOrigin::File(path), config, &mut builder, &mut first)?;
    }
    builder.finish(is_training)
}

/// Reads the labelled texts that stand on the standard input, laid out like the file to train on.
pub(crate) fn read_labelled_stdin(config: &DataConfig) -> Result<RawExamples, DataError> {
    let mut builder = RawExamplesBuilder::new(config);
    read_file(DataOrigin::Stdin, config, &mut builder, &mut None)?;
    builder.finish(false)
}

fn read_file(
    from: DataOrigin<'_>,
    config: &DataConfig,
    builder: &mut RawExamplesBuilder<'_>,
    first: &mut Option<(PathBuf, Vec<String>)>,
) -> Result<(), DataError> {
    builder.begin_file(from.path().to_owned());
    let sha256 =
        read_rows(from, RowsWanted::Examples, &mut RowSink { config, with_label: true, consumer: builder, first })?;
    builder.end_file(from.path().to_owned(), sha256);
    Ok(())
}
