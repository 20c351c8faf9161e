//! `MANIFEST.json` of a bundle: what it is, and the size and SHA-256 of every other file. Its own hash is its last value, so
//! that every byte of a bundle is covered and the file is plain JSON all the same.

use std::collections::BTreeMap;

use attentive_train::{FileEntry, parse_manifest, sha256};
use serde::{Deserialize, Serialize};

use crate::about::About;

/// Its name.
pub(crate) const MANIFEST: &str = "MANIFEST.json";
/// A longer file is no manifest. The largest part is the number of examples of each label, once for each of three splits:
/// `labels.json` holds at most 16 MiB, two million labels, and beside each name there are at most 30 bytes more here.
pub(crate) const MAX_BYTES: u64 = 256 << 20;
/// The version of the layout; it changes with what the files hold.
const SCHEMA: u32 = 1;
/// What stands before the manifest's own hash, and behind it.
const BEFORE: &str = ",\n  \"sha256\": \"";
const BEHIND: &str = "\"\n}\n";
/// The length of a hash.
const HASH: usize = 64;

/// What a bundle is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BundleManifest {
    schema: u32,
    /// The version that made it.
    pub attentive: String,
    /// Where it comes from.
    pub about: About,
    /// Every other file.
    pub files: BTreeMap<String, FileEntry>,
    /// The hash of what stands before it.
    #[serde(skip_serializing)]
    #[allow(dead_code, reason = "it is compared before the rest is parsed")]
    sha256: String,
}

impl BundleManifest {
    /// The manifest of these files.
    pub(crate) fn new(about: About, files: &[(&str, Vec<u8>)]) -> Self {
        let entry = |(name, bytes): &(&str, Vec<u8>)| ((*name).to_string(), FileEntry::of(bytes));
        Self {
            schema: SCHEMA,
            attentive: env!("CARGO_PKG_VERSION").to_string(),
            about,
            files: files.iter().map(entry).collect(),
            sha256: String::new(),
        }
    }

    /// The bytes of the file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let json = serde_json::to_string_pretty(self).expect("names and finite numbers are always valid JSON");
        let open = json.trim_end_matches('}').trim_end();
        let open = format!("{open}{BEFORE}");
        let hash = sha256(open.as_bytes());
        (open + &hash + BEHIND).into_bytes()
    }

    /// Reads the file; the hash comes first.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn from_bytes(text: &[u8]) -> Result<Self, String> {
        let end = text.len().checked_sub(HASH + BEHIND.len()).ok_or("it is cut off")?;
        let (body, tail) = text.split_at(end);
        let (hash, behind) = tail.split_at(HASH);
        if !body.ends_with(BEFORE.as_bytes()) || behind != BEHIND.as_bytes() || hash != sha256(body).as_bytes() {
            return Err("its hash does not match".to_string());
        }
        parse_manifest(text, SCHEMA)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_json_and_every_byte_counts() {
        let about = About {
            name: "a }\"".to_string(),
            step: 7,
            fingerprint: String::new(),
            data: BTreeMap::new(),
            measured: BTreeMap::new(),
        };
        let manifest = BundleManifest::new(about, &[("b", b"abc".to_vec())]);
        let bytes = manifest.to_bytes();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        // The hash of `abc` is FIPS 180's own example.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(json["files"]["b"], serde_json::json!({ "bytes": 3, "sha256": hash }));
        let read = BundleManifest::from_bytes(&bytes).unwrap();
        assert_eq!((&read.about, &read.files), (&manifest.about, &manifest.files));
        for i in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[i] ^= 1 << bit;
                assert!(BundleManifest::from_bytes(&flipped).is_err(), "bit {bit} of byte {i}");
            }
            assert!(BundleManifest::from_bytes(&bytes[..i]).is_err(), "cut to {i}");
        }
        assert!(BundleManifest::from_bytes(&[bytes.as_slice(), b"\n"].concat()).is_err());
    }

    #[test]
    fn a_layout_to_come_is_told_as_such() {
        let body = format!("{{\n  \"schema\": 2,\n  \"new\": true{BEFORE}");
        let text = format!("{body}{}{BEHIND}", sha256(body.as_bytes()));
        let error = BundleManifest::from_bytes(text.as_bytes()).unwrap_err();
        assert_eq!(error, "it has the layout 2, but this version of attentive reads 1");
    }
}
