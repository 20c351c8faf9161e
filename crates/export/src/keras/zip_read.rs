//! The members of a ZIP archive that are stored as they are, which is how Keras makes a `.keras` file. Nothing is unpacked
//! to the disk, and nothing is larger in memory than in the archive.

use std::collections::BTreeMap;
use std::ops::Range;

use super::zip::crc32;

/// The end of an archive that has no comment.
const END: usize = 22;
/// How many members there may be.
const MAX_MEMBERS: usize = 10_000;

/// The members of an archive by name.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    /// Where each is, and its checksum.
    members: BTreeMap<String, (Range<usize>, u32)>,
}

impl<'a> Archive<'a> {
    /// Reads the directory of an archive.
    ///
    /// # Errors
    /// Why it is none that Keras makes.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let start = bytes.len().checked_sub(END).filter(|&start| bytes[start..].starts_with(b"PK\x05\x06"));
        let start = start.ok_or("it does not end as a ZIP archive: it is cut off, or something else")?;
        let end = &bytes[start..];
        let (n, length, offset) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16));
        if n == 0xFFFF || offset == u32::MAX || length == u32::MAX {
            return Err("it is larger than the 4 GiB of a plain ZIP archive".to_string());
        }
        if usize::from(n) > MAX_MEMBERS || u16_at(end, 8) != n || end[4..8] != [0; 4] {
            return Err("it has too many members, or parts of it are elsewhere".to_string());
        }
        let directory = (offset as usize).checked_add(length as usize).filter(|&end| end == start);
        directory.ok_or("its directory is not where it should be")?;
        let (mut rest, mut members, mut total) = (&bytes[offset as usize..start], BTreeMap::new(), 0);
        for _ in 0..n {
            let (name, member, behind) = member(bytes, rest, offset as usize)?;
            rest = behind;
            total += member.0.len();
            if members.insert(name.clone(), member).is_some() {
                return Err(format!("`{name}` is in it twice"));
            }
        }
        match rest.is_empty() && total <= bytes.len() {
            true => Ok(Self { bytes, members }),
            false => Err("its directory is damaged, or its members overlap".to_string()),
        }
    }

    /// A member whose checksum is right, if there is one of this name.
    ///
    /// # Errors
    /// That its checksum is wrong.
    pub(super) fn get(&self, name: &str) -> Result<Option<&'a [u8]>, String> {
        match self.members.get(name) {
            None => Ok(None),
            Some((place, crc)) => match &self.bytes[place.clone()] {
                bytes if crc32(bytes) == *crc => Ok(Some(bytes)),
                _ => Err("its checksum does not match".to_string()),
            },
        }
    }

    /// Where a member is in the archive.
    pub(super) fn place(&self, name: &str) -> Option<Range<usize>> {
        self.members.get(name).map(|(place, _)| place.clone())
    }

    /// The names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }
}

/// The first member of what is left of a directory, its name, and what is left behind it. Members lie before `limit`.
#[expect(clippy::type_complexity, reason = "told by the sentence above")]
fn member<'a>(
    bytes: &[u8],
    directory: &'a [u8],
    limit: usize,
) -> Result<(String, (Range<usize>, u32), &'a [u8]), String> {
    let damaged = || "its directory is damaged".to_string();
    let entry = directory.get(..46).filter(|entry| entry.starts_with(b"PK\x01\x02")).ok_or_else(damaged)?;
    let [name_length, extra, comment] = [28, 30, 32].map(|offset| usize::from(u16_at(entry, offset)));
    let name = directory.get(46..46 + name_length).ok_or_else(damaged)?;
    let behind = directory.get(46 + name_length + extra + comment..).ok_or_else(damaged)?;
    let name = std::str::from_utf8(name).map_err(|_| "the name of a member is not UTF-8")?;
    check_name(name)?;
    let (flags, method, crc) = (u16_at(entry, 8), u16_at(entry, 10), u32_at(entry, 16));
    let [packed, length, offset] = [20, 24, 42].map(|offset| u32_at(entry, offset) as usize);
    if flags & 1 != 0 {
        return Err(format!("`{name}` is encrypted"));
    }
    if method != 0 || packed != length {
        return Err(format!("`{name}` is compressed, where Keras stores it as it is"));
    }
    let header = offset.checked_add(30).and_then(|end| bytes.get(offset..end));
    let header = header.filter(|header| header.starts_with(b"PK\x03\x04")).ok_or_else(damaged)?;
    let start = offset + 30 + usize::from(u16_at(header, 26)) + usize::from(u16_at(header, 28));
    let end = start.checked_add(length).filter(|&end| end <= limit);
    let end = end.ok_or_else(|| format!("`{name}` has {length} bytes, which the archive does not hold"))?;
    Ok((name.to_string(), (start..end, crc), behind))
}

/// Nothing is ever written under such a name; one that leads out of an archive says enough of the whole.
fn check_name(name: &str) -> Result<(), String> {
    let leads_out = name.split('/').any(|part| part == ".." || part == ".");
    match leads_out || name.is_empty() || name.starts_with('/') || name.contains(['\\', ':', '\0']) {
        true => Err(format!("the member `{name}` leads out of the archive")),
        false => Ok(()),
    }
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("4 bytes"))
}

fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(bytes[offset..offset + 2].try_into().expect("2 bytes"))
}
