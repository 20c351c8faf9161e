//! Which encoding a file is in: the one that all of its bytes are valid in.

use std::io::Read;
use std::path::Path;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::DataError;
use crate::reader::{open_unpacked, read_failure};

/// The encoding of a file. A byte order mark, which readers obey, counts as UTF-8 here.
pub(super) fn encoding_of(path: &Path) -> Result<&'static Encoding, DataError> {
    let head = head(path, 1 << 12)?;
    if let Some(encoding) = without_mark(&head) {
        return Ok(encoding);
    }
    // No text in any other encoding holds a zero byte, so there is no need to read on, which might never end.
    if head.contains(&0) && !head.starts_with(&[0xFF, 0xFE]) && !head.starts_with(&[0xFE, 0xFF]) {
        return Ok(UTF_8);
    }
    if decodes(path, UTF_8)? {
        return Ok(UTF_8);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    each_piece(path, |bytes, last| {
        detector.feed(bytes, last);
        true
    })?;
    let guess = detector.guess(None, Utf8Detection::Deny);
    Ok(if decodes(path, guess)? { guess } else { WINDOWS_1252 })
}

/// The first bytes of a file, at most `limit`.
pub(super) fn head(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    open_unpacked(path)?.take(limit).read_to_end(&mut bytes).map_err(|error| read_failure(error, path, 0))?;
    Ok(bytes)
}

/// UTF-16 without a byte order mark: every second byte of Western text is 0, which no other text holds.
fn without_mark(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match head.len() / 4 {
        _ if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) => None,
        0 => None,
        many if odd > many && even == 0 => Some(UTF_16LE),
        many if even > many && odd == 0 => Some(UTF_16BE),
        _ => None,
    }
}

fn decodes(path: &Path, encoding: &'static Encoding) -> Result<bool, DataError> {
    let mut decoder = encoding.new_decoder();
    let mut text = String::new();
    let mut valid = true;
    each_piece(path, |bytes, last| {
        text.clear();
        text.reserve(3 * bytes.len() + 16);
        let (result, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, last);
        valid = result == DecoderResult::InputEmpty;
        valid
    })?;
    Ok(valid)
}

/// Hands out the bytes of a file piece by piece, until `take` has enough; the last piece is empty.
fn each_piece(path: &Path, mut take: impl FnMut(&[u8], bool) -> bool) -> Result<(), DataError> {
    let mut file = open_unpacked(path)?;
    let mut piece = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut piece).map_err(|error| read_failure(error, path, 0))?;
        if !take(&piece[..n], n == 0) || n == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_from_bytes() {
        let folder = temp_dir::TempDir::new().unwrap();
        let path = folder.path().join("x");
        let western = "Le café était très cher, mais l’hôtel, ça va.\n".repeat(20);
        let chinese = "这家酒店的服务很好，下次还会来。房间有点小。\n".repeat(20);
        let utf_16: Vec<u8> = western.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked: Vec<u8> = [0xFF, 0xFE].into_iter().chain(utf_16.iter().copied()).collect();
        for (bytes, name) in [
            (western.clone().into_bytes(), "UTF-8"),
            (WINDOWS_1252.encode(&western).0.into_owned(), "windows-1252"),
            (encoding_rs::GB18030.encode(&chinese).0.into_owned(), "GBK"),
            (encoding_rs::BIG5.encode("這家酒店的服務很好，下次還會來。").0.into_owned(), "Big5"),
            (
                encoding_rs::WINDOWS_1251.encode("Очень хороший фильм, советую посмотреть").0.into_owned(),
                "windows-1251",
            ),
            (utf_16, "UTF-16LE"),
            (marked, "UTF-8"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(encoding_of(&path).unwrap().name(), name);
        }
    }
}
