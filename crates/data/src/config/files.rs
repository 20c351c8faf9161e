//! The files of a split as the config writes them, `"path"`, `"pattern"` or an array of these, and the files they name.
//! Reads no file.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, glob_with};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::DataError;

/// One or more paths or patterns such as `data/*.csv`. What exists as it is written is a path; anything else with `*`,
/// `?` or `[` in it is a pattern, whose matches are taken in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files(Vec<PathBuf>);

impl Files {
    /// The paths and patterns as they are written.
    pub fn as_written(&self) -> &[PathBuf] {
        &self.0
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|path| path.as_os_str().is_empty())
    }

    /// The files that are there, patterns replaced by what they match.
    ///
    /// # Errors
    /// A pattern is none or matches nothing; a folder cannot be read; a file is named twice. A path that does not exist
    /// is left to whoever opens it.
    pub(crate) fn expand(&self) -> Result<Vec<PathBuf>, DataError> {
        let mut files = Vec::new();
        for path in &self.0 {
            let pattern = path.to_string_lossy();
            if !pattern.contains(['*', '?', '[']) || fs::symlink_metadata(path).is_ok() {
                files.push(path.clone());
                continue;
            }
            let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
            let matches = glob_with(&pattern, options)
                .map_err(|error| DataError::Pattern { pattern: path.clone(), reason: error.msg.to_owned() })?;
            let mut matches = matches.collect::<Result<Vec<_>, _>>().map_err(|error| {
                let path = error.path().to_owned();
                DataError::Read { path, source: error.into() }
            })?;
            if matches.is_empty() {
                return Err(DataError::NoMatch { pattern: path.clone() });
            }
            matches.sort();
            // A link and what it leads to are one file, which is taken under the first of its names.
            let mut met = HashSet::new();
            matches.retain(|path| met.insert(same(path)));
            files.append(&mut matches);
        }
        let mut met = HashSet::new();
        match files.iter().find(|path| !met.insert(same(path))) {
            Some(path) => Err(DataError::NamedTwice { path: path.clone() }),
            None => Ok(files),
        }
    }
}

/// What is the same for all names of a file.
fn same(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, path) in self.0.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { ", " }, path.display())?;
        }
        Ok(())
    }
}

impl From<PathBuf> for Files {
    fn from(path: PathBuf) -> Self {
        Self(vec![path])
    }
}

impl From<&Path> for Files {
    fn from(path: &Path) -> Self {
        Self::from(path.to_owned())
    }
}

impl From<&str> for Files {
    fn from(path: &str) -> Self {
        Self::from(PathBuf::from(path))
    }
}

impl From<Vec<PathBuf>> for Files {
    fn from(paths: Vec<PathBuf>) -> Self {
        Self(paths)
    }
}

impl Serialize for Files {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [] => serializer.serialize_str(""),
            [path] => path.serialize(serializer),
            paths => paths.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FilesVisitor;

        impl<'de> Visitor<'de> for FilesVisitor {
            type Value = Files;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, a pattern, or an array of them")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<Files, E> {
                Ok(Files::from(path))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Files, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(sequence)).map(Files)
            }
        }

        deserializer.deserialize_any(FilesVisitor)
    }
}

impl JsonSchema for Files {
    fn schema_name() -> Cow<'static, str> {
        "Files".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A path, a pattern such as `data/*.csv`, or an array of them.",
            "oneOf": [
                { "type": "string", "description": "A path or a pattern." },
                { "type": "array", "description": "Several of them, read one after the other.",
                  "items": { "type": "string" }, "minItems": 1 }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_stays_a_plain_string() {
        let read = |json: &str| serde_json::from_str::<Files>(json).map_err(|error| error.to_string());
        for (json, written) in [("\"a\"", "\"a\""), ("[\"a\"]", "\"a\""), ("[\"b\",\"a\"]", "[\"b\",\"a\"]")] {
            assert_eq!(serde_json::to_string(&read(json).unwrap()).unwrap(), written);
        }
        let message = "invalid type: integer `3`, expected a path, a pattern, or an array of them at line 1 column 1";
        assert_eq!(read("3"), Err(message.to_owned()));
    }

    #[test]
    fn what_exists_is_a_path_and_the_rest_a_pattern() {
        let folder = temp_dir::TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["b.csv", "a.csv", ".hidden.csv", "a.tsv", "x[1].csv", "x1.csv"] {
            fs::write(path(name), "").unwrap();
        }
        let expand = |names: &[&str]| {
            let files = Files::from(names.iter().map(|name| path(name)).collect::<Vec<_>>()).expand();
            files.map(|files| files.iter().map(|file| file.file_name().unwrap().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(expand(&["?.csv"]).unwrap(), ["a.csv", "b.csv"]);
        assert_eq!(expand(&["*.tsv", "b.csv"]).unwrap(), ["a.tsv", "b.csv"]);
        assert_eq!(expand(&["x[1].csv"]).unwrap(), ["x[1].csv"]);
        assert_eq!(expand(&["[b-x][1].csv"]).unwrap(), ["x1.csv"]);
        assert_eq!(expand(&["none.csv"]).unwrap(), ["none.csv"]);
        assert!(matches!(expand(&["*.csv", "a.csv"]), Err(DataError::NamedTwice { .. })));
        assert!(matches!(expand(&["*.json"]), Err(DataError::NoMatch { .. })));
        assert!(matches!(expand(&["a**"]), Err(DataError::Pattern { .. })));
    }
}
