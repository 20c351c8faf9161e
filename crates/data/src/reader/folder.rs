//! A folder with one folder per label, each text a file (the layout of the IMDB reviews).
//!
//! Labels and files are taken in the order of their names. If there is any .txt file, the texts are the .txt files, and
//! others are what belongs to them; else every file is a text, but for those that hold no text. Hidden entries are skipped.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::input::not_text;
use super::origin::DataOrigin;
use super::raw::RawExamplesBuilder;
use super::rows::{Fields, LabelValue, ParsedRow, RowSink};
use super::source::TextReader;
use crate::config::{DataConfig, TextColumns, extension};
use crate::error::{DataError, Location};
use crate::examples::All;
use crate::fingerprint::hex;

/// How many files are read before their texts are put in order, so that they are not in memory twice.
const AT_ONCE: usize = 4096;

/// What one file holds.
struct TextFile {
    text: Result<String, DataError>,
    sha256: String,
}

/// Hands every text below `path` to `builder`.
pub(super) fn read(path: &Path, config: &DataConfig, builder: &mut RawExamplesBuilder<'_>) -> Result<(), DataError> {
    let plain = |setting, needs| DataError::PlainFolder { path: path.to_owned(), setting, needs };
    match config.text {
        TextColumns::One(_) => {}
        TextColumns::Two(..) => return Err(plain("data.text", "pairs of texts")),
        TextColumns::Joined(_) => return Err(plain("data.text", "columns")),
    }
    if config.multi_label {
        return Err(plain("data.multi_label", "lists of labels"));
    }
    if config.group.is_some() {
        return Err(plain("data.group", "groups"));
    }
    let mut files = Vec::new();
    let mut labels = Vec::new();
    for (folder, texts) in texts_of_labels(path, config)? {
        labels.push((folder.file_name().unwrap_or_default().to_string_lossy().into_owned(), texts.len()));
        files.extend(texts);
    }

    let mut digest = Sha256::new();
    let mut kept = Vec::new();
    let mut labels = labels.iter().flat_map(|(label, count)| std::iter::repeat_n(label.as_str(), *count));
    for piece in files.chunks(AT_ONCE) {
        // Collecting keeps the order of the files, so of several bad ones the first by name is reported.
        let read: Vec<Result<TextFile, DataError>> = piece
            .par_iter()
            .map(|file| {
                let mut source = TextReader::open(DataOrigin::File(file), config)?;
                let text = source.read_all();
                Ok(TextFile { text, sha256: source.sha256()? })
            })
            .collect();
        for ((file, label), result) in piece.iter().zip(&mut labels).zip(read) {
            let TextFile { text, sha256 } = result?;
            let name = file.strip_prefix(path).unwrap_or(file).to_string_lossy();
            digest.update(format!("{sha256}  {name}\n"));
            let before = builder.raw.texts.len();
            let mut rows = RowSink { config, with_label: true, consumer: builder, first: &mut None };
            match text {
                Ok(text) => {
                    let (label, fields) = (LabelValue::Field(label), Fields::None);
                    let row =
                        ParsedRow { line: 0, element: None, text: &text, second: None, label, group: None, fields };
                    rows.row(&row, || Location { path: file.clone(), ..Location::default() })?;
                }
                Err(error) => rows.bad(error)?,
            }
            if builder.raw.texts.len() > before {
                kept.push(file.clone());
            }
        }
    }
    builder.raw.places = All::of_files(kept);
    builder.raw.is_folder = true;
    builder.end_file(path.to_owned(), hex(&digest.finalize()));
    Ok(())
}

/// The folders of the labels, each with its texts.
fn texts_of_labels(path: &Path, config: &DataConfig) -> Result<Vec<(PathBuf, Vec<PathBuf>)>, DataError> {
    let folders = entries(path, |entry| entry.is_dir())?;
    if folders.is_empty() {
        return Err(DataError::NoLabelFolders { path: path.to_owned() });
    }
    let with_files = |folder: PathBuf| Ok((entries(&folder, |entry| entry.is_file())?, folder));
    let mut labels = folders.into_iter().map(with_files).collect::<Result<Vec<_>, DataError>>()?;
    let is_txt = |file: &PathBuf| extension(file) == "txt";
    let any_txt = labels.iter().flat_map(|(files, _)| files).any(is_txt);
    labels
        .par_iter_mut()
        .for_each(|(files, _)| files.retain(|file| if any_txt { is_txt(file) } else { holds_text(file, config) }));
    if let Some((_, folder)) = labels.iter().find(|(files, _)| files.is_empty()) {
        let folders = entries(folder, |entry| entry.is_dir())?;
        return Err(DataError::NoTexts { path: folder.clone(), any_txt, has_folders: !folders.is_empty() });
    }
    Ok(labels.into_iter().map(|(files, folder)| (folder, files)).collect())
}

/// Whether a file begins as a text may. What cannot be opened is told when it is read.
fn holds_text(file: &Path, config: &DataConfig) -> bool {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(1 << 10).read_to_end(&mut head));
    // UTF-16 has zero bytes, which are told as what they are where the encoding is another one.
    let is_utf_16 = config.encoding.to_lowercase().starts_with("utf-16")
        || head.starts_with(&[0xFF, 0xFE])
        || head.starts_with(&[0xFE, 0xFF]);
    read.is_err() || not_text(&head).is_none() && (is_utf_16 || !is_binary(&head))
}

/// Whether bytes are of no encoding of texts: with a zero among them, or many that control what nobody types.
fn is_binary(bytes: &[u8]) -> bool {
    let controls = bytes.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31)).count();
    bytes.contains(&0) || controls * 20 > bytes.len()
}

/// The entries of a folder that are not hidden and that `keep` wants, in the order of their names.
fn entries(folder: &Path, keep: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if !entry.file_name().to_string_lossy().starts_with('.') && keep(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
