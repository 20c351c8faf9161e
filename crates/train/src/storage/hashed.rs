//! Reading a file and hashing it at once, on two threads. Knows no format.

use std::io::{self, Read};
use std::sync::mpsc;
use std::thread;

use sha2::{Digest, Sha256};

/// What is read before it is handed over to be hashed: it is still in the processor's cache then.
const PIECE: usize = 1 << 20;

/// The SHA-256 of some bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(Sha256::digest(bytes).as_ref())
}

/// A finished hash, in hexadecimal.
pub(crate) fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first bytes of a file, at most so many, which should be about as many as there are, and their SHA-256.
///
/// # Errors
/// What the system says.
pub fn read_hashed(mut file: impl Read, at_most: u64) -> io::Result<(Vec<u8>, String)> {
    let too_long = |_| io::Error::new(io::ErrorKind::OutOfMemory, "it is longer than memory");
    let mut bytes = vec![0; usize::try_from(at_most).map_err(too_long)?];
    if bytes.len() <= PIECE {
        let n = read_full(&mut file, &mut bytes)?;
        bytes.truncate(n);
        let hash = sha256(&bytes);
        return Ok((bytes, hash));
    }
    let (length, hash) = thread::scope(|scope| {
        let (pieces, to_hash) = mpsc::channel::<&[u8]>();
        let hashing = scope.spawn(move || to_hash.iter().fold(Sha256::new(), |hash, piece| hash.chain_update(piece)));
        let mut length = 0;
        for piece in bytes.chunks_mut(PIECE) {
            let n = read_full(&mut file, piece)?;
            length += n;
            let is_last = n < piece.len();
            // The other end is there as long as this one.
            let _ = pieces.send(&piece[..n]);
            if is_last {
                break;
            }
        }
        drop(pieces);
        let hash = hashing.join().map_err(|_| io::Error::other("the thread that hashes it failed"))?;
        Ok::<_, io::Error>((length, hexadecimal(hash.finalize().as_ref())))
    })?;
    bytes.truncate(length);
    Ok((bytes, hash))
}

/// How many bytes a file has, at most so many, and the SHA-256 of these, which are not kept.
///
/// # Errors
/// What the system says.
pub(crate) fn hash(file: impl Read, at_most: u64) -> io::Result<(u64, String)> {
    let mut file = file.take(at_most);
    let (mut piece, mut length, mut hash) = (vec![0; PIECE.min(at_most as usize).max(1)], 0, Sha256::new());
    loop {
        let n = read_full(&mut file, &mut piece)?;
        length += n as u64;
        hash.update(&piece[..n]);
        if n < piece.len() {
            return Ok((length, hexadecimal(hash.finalize().as_ref())));
        }
    }
}

/// Fills the buffer, or what of it the file has bytes for.
fn read_full(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match file.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, and is interrupted in between.
    struct Drops<'a>(&'a [u8], bool);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let n = buffer.len().min(self.0.len()).min(70_001);
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn what_is_read_is_what_is_there() {
        // FIPS 180's own examples: `abc`, and a million times `a`, which is shorter than a piece.
        let (bytes, found) = read_hashed(&b"abcd"[..], 3).unwrap();
        assert_eq!(bytes, b"abc");
        assert_eq!(found, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let million = vec![b'a'; 1_000_000];
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        // One read behind another, in one piece and in two, with an end before and after what was asked for.
        for at_most in [1_000_000, 1_000_001, PIECE as u64 + 1, 3 * PIECE as u64] {
            let (bytes, found) = read_hashed(Drops(&million, false), at_most).unwrap();
            assert_eq!((bytes.len(), found.as_str()), (1_000_000, expected), "{at_most}");
            assert_eq!(hash(Drops(&million, false), at_most).unwrap(), (1_000_000, expected.to_string()), "{at_most}");
        }
        let long: Vec<u8> = (0..3 * PIECE + 17).map(|i| (i / 7) as u8).collect();
        for length in [PIECE, PIECE + 1, 2 * PIECE, long.len()] {
            let (bytes, found) = read_hashed(Drops(&long, false), length as u64).unwrap();
            assert!(bytes == long[..length] && found == sha256(&long[..length]), "{length}");
            assert_eq!(hash(Drops(&long, false), length as u64).unwrap(), (length as u64, found));
        }
    }

    #[test]
    fn an_error_of_the_disk_is_told() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        for at_most in [3, 3 * PIECE as u64] {
            let error = read_hashed(Broken, at_most).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            assert_eq!(hash(Broken, at_most).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
    }
}
