//! `MANIFEST.json`: what a checkpoint is made of and from, with the size and hash of every file. Its last line is the hash
//! of the lines above, so that every byte of a checkpoint is covered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::origin::Origin;
use crate::storage::hashed::sha256;
use crate::storage::manifest::{FileEntry, parse_manifest};

/// Its name.
pub(super) const MANIFEST: &str = "MANIFEST.json";

/// A longer file is no manifest: the largest part is the config, which may not be longer than a mebibyte.
pub(super) const MAX_BYTES: u64 = 8 << 20;

/// The version of the layout; it changes with what the files hold.
pub(crate) const SCHEMA: u32 = 3;

/// The hash and the ends of the lines around it.
const LAST_LINE: usize = 66;

/// What a checkpoint is made of and from.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckpointManifest {
    schema: u32,
    /// The step after which.
    pub step: u64,
    /// What the run is made from.
    pub origin: Origin,
    /// Every other file of the checkpoint.
    pub files: BTreeMap<String, FileEntry>,
}

impl CheckpointManifest {
    /// The manifest of a checkpoint after `step`, before its files.
    pub(super) fn new(step: u64, origin: &Origin) -> Self {
        Self { schema: SCHEMA, step, origin: origin.clone(), files: BTreeMap::new() }
    }

    /// Notes a file by its length and its hash.
    pub(super) fn add(&mut self, name: &str, bytes: usize, sha256: String) {
        self.files.insert(name.to_string(), FileEntry { bytes: bytes as u64, sha256 });
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// What JSON cannot hold.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        let hash = sha256(&text);
        text.extend_from_slice(format!("\n{hash}\n").as_bytes());
        Ok(text)
    }

    /// Reads the file; the hash comes first.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn from_bytes(text: &[u8]) -> Result<Self, String> {
        let (body, hash) =
            text.len().checked_sub(LAST_LINE).and_then(|end| text.split_at_checked(end)).ok_or("it is cut off")?;
        if hash != format!("\n{}\n", sha256(body)).as_bytes() {
            return Err("its hash does not match".to_string());
        }
        parse_manifest(body, SCHEMA)
    }
}
