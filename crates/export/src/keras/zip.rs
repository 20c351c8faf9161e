//! A ZIP archive of files that are stored as they are, which is what a `.keras` file is. Writes only; no time in it.

use crate::error::ExportError;

/// The archive of these files, in their order.
///
/// # Errors
/// [`ExportError::TooLarge`] above the 4 GiB that the format's sizes hold.
pub(super) fn archive(files: &[(&str, &[u8])]) -> Result<Vec<u8>, ExportError> {
    let limit = u64::from(u32::MAX) - (1 << 16);
    let bytes = files.iter().map(|(_, content)| content.len() as u64).sum();
    if bytes > limit {
        return Err(ExportError::TooLarge { bytes, limit });
    }
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let offset = out.len() as u32;
        let mut common = Vec::new(); // what the file's header and the directory have in common
        common.extend([20u16, 0, 0, 0, 0x21].map(u16::to_le_bytes).concat()); // version 2.0, stored, 1980-01-01
        common.extend([crc32(content), content.len() as u32, content.len() as u32].map(u32::to_le_bytes).concat());
        common.extend([name.len() as u16, 0].map(u16::to_le_bytes).concat());
        out.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), content].concat());
        directory.extend([b"PK\x01\x02\x14\x00", common.as_slice(), &[0; 10]].concat());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (n, start) = (files.len() as u16, out.len() as u32);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend([n, n].map(u16::to_le_bytes).concat());
    out.extend([directory.len() as u32, start].map(u32::to_le_bytes).concat());
    out.extend([0; 2]);
    Ok(out)
}

/// The checksum of the format: the polynomial 0x04C11DB7, reflected.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut table = [0u32; 256];
    for (i, entry) in table.iter_mut().enumerate() {
        *entry = (0..8).fold(i as u32, |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 });
    }
    !bytes.iter().fold(!0, |crc, byte| crc >> 8 ^ table[(crc as u8 ^ byte) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926); // the check value of CRC-32/ISO-HDLC
        assert_eq!(crc32(b""), 0);
    }
}
