//! A folder with one folder per label, each text a .txt file (the layout of the IMDB reviews).
//!
//! Labels and files are taken in the order of their names. Hidden entries and files with other extensions are skipped.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::config::{DataConfig, extension};
use crate::error::DataError;
use crate::texts::TextsBuilder;

use super::source::hex;
use super::{RawExamples, RawLabels, open_source};

/// Reads every text below `path`.
pub(super) fn read(path: &Path, config: &DataConfig) -> Result<RawExamples, DataError> {
    if config.text.is_pair() {
        return Err(DataError::PlainFolder { path: path.to_owned(), setting: "data.text", needs: "pairs of texts" });
    }
    if config.multi_label {
        return Err(DataError::PlainFolder {
            path: path.to_owned(),
            setting: "data.multi_label",
            needs: "lists of labels",
        });
    }
    if config.group.is_some() {
        return Err(DataError::PlainFolder { path: path.to_owned(), setting: "data.group", needs: "groups" });
    }
    let labels = entries(path, |entry| entry.is_dir())?;
    if labels.is_empty() {
        return Err(DataError::NoLabelFolders { path: path.to_owned() });
    }
    let mut files = Vec::new();
    let mut names = RawLabels::default();
    for label in labels {
        let texts = entries(&label, |entry| extension(entry) == "txt" && entry.is_file())?;
        if texts.is_empty() {
            return Err(DataError::NoTexts { path: label });
        }
        let name = label.file_name().unwrap_or_default().to_string_lossy().trim().to_owned();
        for _ in &texts {
            names.push(std::iter::once(name.clone()));
        }
        files.extend(texts);
    }

    // Collecting keeps the order of the files, so of several bad ones the first by name is reported.
    let read: Vec<Result<(String, String), DataError>> = files
        .par_iter()
        .map(|file| {
            let mut source = open_source(file, config)?;
            let text = source.read_all()?;
            Ok((text, source.sha256()))
        })
        .collect();
    let mut digest = Sha256::new();
    let mut texts = TextsBuilder::default();
    for (file, result) in files.iter().zip(read) {
        let (text, sha256) = result?;
        let name = file.strip_prefix(path).unwrap_or(file).to_string_lossy();
        digest.update(format!("{sha256}  {name}\n"));
        texts.push(&text);
    }
    let places = (0..).map(|file| (file, 0)).take(files.len()).collect();
    Ok(RawExamples {
        texts,
        seconds: None,
        labels: names,
        groups: None,
        files,
        places,
        sha256: hex(&digest.finalize()),
        is_folder: true,
    })
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
