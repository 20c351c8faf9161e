//! What the manifests of checkpoints and bundles have in common: the length and hash of each file, and the version of the layout.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::storage::hashed::sha256;

/// What a file was when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// How many bytes it has.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl FileEntry {
    /// That of a file with this content.
    pub fn of(content: &[u8]) -> Self {
        Self { bytes: content.len() as u64, sha256: sha256(content) }
    }

    /// Whether a file has the length that was written.
    ///
    /// # Errors
    /// By how much it differs.
    pub fn check_length(&self, bytes: u64) -> Result<(), String> {
        match bytes == self.bytes {
            true => Ok(()),
            false => Err(format!("it has {bytes} bytes, but was written with {}", self.bytes)),
        }
    }

    /// Whether so many bytes with this hash are those that were written.
    ///
    /// # Errors
    /// That they are not.
    pub fn check(&self, bytes: u64, sha256: &str) -> Result<(), String> {
        self.check_length(bytes)?;
        if sha256 == self.sha256 { Ok(()) } else { Err("its hash does not match".to_string()) }
    }
}

/// Parses a manifest of this layout. What a layout means is only known to its version, so it is asked for first.
///
/// # Errors
/// What is wrong with it.
pub fn parse_manifest<T: DeserializeOwned>(json: &[u8], layout: u32) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Version {
        schema: u32,
    }
    let Version { schema } = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if schema != layout {
        return Err(format!("it has the layout {schema}, but this version of attentive reads {layout}"));
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}
