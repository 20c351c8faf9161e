//! Files as they should not be: what is read of those that are fine all the same, and the exact message, sort of failure
//! and hint for the others.
//!
//! Paths are shown as `DIR/…`, `DIR` being the test's own folder.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bytes;
mod delimited;
mod fasttext;
mod files;
mod json;
mod json_array;
mod labels;
mod packed;
#[cfg(feature = "parquet")]
mod parquet;
mod skipped;
#[cfg(feature = "xlsx")]
mod xlsx;

use std::fs;

use attentive_data::{Corpus, DataConfig, DataErrorKind, load_corpus};
use temp_dir::TempDir;

/// A file, how it is read, and what comes of it.
struct Case {
    name: &'static str,
    content: Vec<u8>,
    change: fn(&mut DataConfig),
    expected: Expected,
}

enum Expected {
    /// The texts, and the labels by their names.
    Read(&'static [&'static str], &'static [&'static str]),
    /// The message and the hint.
    Fails(&'static str, &'static str),
}
use Expected::{Fails, Read};

fn case(name: &'static str, content: impl AsRef<[u8]>, expected: Expected) -> Case {
    with(name, content, |_| {}, expected)
}

fn with(name: &'static str, content: impl AsRef<[u8]>, change: fn(&mut DataConfig), expected: Expected) -> Case {
    Case { name, content: content.as_ref().to_vec(), change, expected }
}

fn load(
    folder: &TempDir,
    name: &str,
    content: &[u8],
    change: fn(&mut DataConfig),
) -> Result<Corpus, (DataErrorKind, [String; 2])> {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let mut config = DataConfig { train: path.into(), ..DataConfig::default() };
    change(&mut config);
    load_corpus(&config, 1).map_err(|error| {
        let folder = folder.path().display().to_string();
        (error.kind(), [error.to_string().replace(&folder, "DIR"), error.hint().unwrap_or_default()])
    })
}

/// The texts and label names of the training examples.
fn seen(corpus: &Corpus) -> (Vec<String>, Vec<String>) {
    let name = |ids: &[u32]| {
        let names: Vec<&str> = ids.iter().map(|&id| corpus.labels.names()[id as usize].as_str()).collect();
        names.join("+")
    };
    (corpus.train.texts.iter().map(str::to_owned).collect(), corpus.train.targets.iter().map(name).collect())
}

/// Every case is tried, so that one run shows all that differ.
fn check(cases: Vec<Case>) {
    let mut differences = Vec::new();
    for (number, case) in cases.into_iter().enumerate() {
        let folder = TempDir::new().unwrap();
        let found = load(&folder, case.name, &case.content, case.change);
        let fits = match (&found, &case.expected) {
            (Ok(corpus), Read(texts, labels)) => {
                let (found_texts, found_labels) = seen(corpus);
                found_texts == *texts && found_labels == *labels
            }
            (Err((kind, told)), Fails(message, hint)) => *kind == DataErrorKind::Bad && told == &[*message, *hint],
            _ => false,
        };
        if !fits {
            let found = match found {
                Ok(corpus) => {
                    let (texts, labels) = seen(&corpus);
                    format!("Read(&{texts:?}, &{labels:?})")
                }
                Err((kind, [message, hint])) => format!("{kind:?} Fails({message:?}, {hint:?})"),
            };
            differences.push(format!("{number} {}: {found}", case.name));
        }
    }
    assert!(differences.is_empty(), "\n{}\n", differences.join("\n"));
}

fn multi(config: &mut DataConfig) {
    config.multi_label = true;
}

fn short(config: &mut DataConfig) {
    config.max_line_bytes = 64;
}

/// Reads files cut at every so many bytes, all of which have to be refused, and files with one byte changed: how many of
/// those are refused, of how many.
#[cfg(any(feature = "parquet", feature = "xlsx"))]
fn damaged(file: &str, names: &[&str], content: fn(&str) -> Vec<u8>, step: usize) -> (usize, usize) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(file);
    let config = DataConfig { train: path.clone().into(), ..DataConfig::default() };
    let (mut refused, mut tried) = (0, 0);
    for name in names {
        let whole = content(name);
        for length in (0..whole.len()).step_by(step) {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(load_corpus(&config, 1).is_err(), "{name} cut to {length}");
        }
        for position in (0..whole.len()).step_by(3) {
            let mut bytes = whole.clone();
            bytes[position] ^= [0x01, 0x80, 0xFF, 0x55][position % 4];
            fs::write(&path, &bytes).unwrap();
            tried += 1;
            refused += usize::from(load_corpus(&config, 1).is_err());
        }
    }
    (refused, tried)
}
