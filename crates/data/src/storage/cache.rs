//! Encoded texts on the disk, so that large corpora are encoded once and never held in memory. Knows neither what the
//! texts are nor what encodes them: that is in the key.
//!
//! An entry is a directory named by its key, with `ids` and `lengths` (numbers as this machine writes them), a `journal`
//! with one line for each shard that is done, and a `lock` that readers share and a writer has alone. A line is written
//! after its shard and carries the SHA-256 of it, so whatever an interruption, a full disk or a damaged file leaves
//! behind, the shards before it are used and the rest is encoded again.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::encoded::{EncodedText, EncodedTexts, TokenCounts};
use super::numbers::{self, Storage, cache_dir};
use super::texts::Texts;
use crate::error::DataError;
use crate::fingerprint::hex;
use crate::progress::{DataProgress, OnProgress};

/// Goes up when an entry is laid out differently.
const LAYOUT: u32 = 1;

/// How many texts a shard has: few enough that little is lost with one, and that its ids are small beside 300 MB.
const SHARD: usize = 32_768;

/// An entry that nobody has used for so long is removed.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What makes ids of a text.
type Encode<'a> = dyn Fn(&str) -> Result<EncodedText, DataError> + Sync + 'a;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shard {
    texts: usize,
    ids: usize,
    counts: TokenCounts,
    /// Of the ids and lengths of the shard's texts.
    sha256: String,
}

/// The sound shards at the beginning of an entry.
#[derive(Debug, Default, Clone, Copy)]
struct SoundShards {
    texts: usize,
    ids: usize,
    counts: TokenCounts,
    /// The length of their lines in the journal.
    journal: u64,
}

impl SoundShards {
    /// One shard more, whose line in the journal has so many bytes.
    fn add(&mut self, shard: &Shard, line: usize) {
        self.texts += shard.texts;
        self.ids += shard.ids;
        self.counts += shard.counts;
        self.journal += line as u64;
    }
}

/// The key of texts that are encoded as `recipe` says.
pub(crate) fn key(texts: &Texts, recipe: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(format!(
        "{LAYOUT} {} {} {} ",
        env!("CARGO_PKG_VERSION"),
        cfg!(target_endian = "little"),
        recipe.len()
    ));
    digest.update(recipe);
    for text in texts.iter() {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    hex(&digest.finalize())
}

/// The entry `key`, with what is missing of it encoded first.
///
/// # Errors
/// [`DataError::Cache`] when the disk fails, [`DataError::Interrupted`] when `on_progress` says so (what is encoded by then is
/// kept), and whatever `encode` says.
pub(crate) fn encoded(
    key: &str,
    texts: &Texts,
    encode: &Encode<'_>,
    on_progress: &OnProgress,
) -> Result<EncodedTexts, DataError> {
    let directory = cache_dir().join("encoded").join(key);
    CacheEntry { directory, n_texts: texts.len(), shard: SHARD }.encoded(texts, encode, on_progress)
}

struct CacheEntry {
    directory: PathBuf,
    n_texts: usize,
    /// Texts of a new shard.
    shard: usize,
}

impl CacheEntry {
    fn encoded(&self, texts: &Texts, encode: &Encode<'_>, on_progress: &OnProgress) -> Result<EncodedTexts, DataError> {
        let failed = |source| DataError::Cache { path: self.directory.clone(), source };
        self.make().map_err(failed)?;
        loop {
            let lock = self.file("lock").map_err(failed)?;
            lock.lock_shared().map_err(failed)?;
            if self.done().map_err(failed)?.texts == texts.len() {
                return self.open(lock).map_err(failed);
            }
            lock.unlock().map_err(failed)?;
            // Another process may be at it; what it has done by the time it lets go is done.
            lock.lock().map_err(failed)?;
            self.complete(texts, encode, on_progress)?;
        }
    }

    fn make(&self) -> io::Result<()> {
        if !self.directory.exists() {
            if let Some(all) = self.directory.parent() {
                remove_unused(all);
            }
            fs::create_dir_all(&self.directory)?;
        }
        Ok(())
    }

    fn file(&self, name: &str) -> io::Result<File> {
        File::options().read(true).write(true).create(true).truncate(false).open(self.directory.join(name))
    }

    fn open(&self, lock: File) -> io::Result<EncodedTexts> {
        let done = self.done()?;
        self.file("journal")?.set_modified(SystemTime::now())?;
        let ids = Storage::map(self.file("ids")?, done.ids)?;
        let lengths = Storage::<u32>::map(self.file("lengths")?, done.texts)?;
        let ends = lengths.slice(0..done.texts).iter().map(|&length| length as usize).collect();
        Ok(EncodedTexts::mapped(ids, ends, done.counts, lock))
    }

    /// The shards that are sound: all of them if the entry is complete.
    fn done(&self) -> io::Result<SoundShards> {
        let whole = |name| -> io::Result<Storage<u32>> {
            let file = self.file(name)?;
            let len = file.metadata()?.len() as usize / size_of::<u32>();
            Storage::map(file, len)
        };
        let (ids, lengths) = (whole("ids")?, whole("lengths")?);
        let mut done = SoundShards::default();
        let mut shards = Vec::new();
        for line in BufReader::new(self.file("journal")?).split(b'\n') {
            let line = line?;
            let Some(shard) = parse(&line) else { break };
            let texts = done.texts..done.texts + shard.texts;
            let at = done.ids..done.ids + shard.ids;
            if texts.end > lengths.len() || at.end > ids.len() || texts.end > self.n_texts {
                break;
            }
            done.add(&shard, line.len() + 1);
            shards.push((shard.sha256, texts, at, done));
        }
        let is_sound = |(sum, texts, at, _): &(String, _, _, _)| sha256(&ids, at, &lengths, texts) == *sum;
        let sound: Vec<bool> = shards.par_iter().map(is_sound).collect();
        let n_sound = sound.iter().take_while(|&&sound| sound).count();
        shards.truncate(n_sound);
        Ok(shards.pop().map_or_else(SoundShards::default, |(.., done)| done))
    }

    /// Encodes what is missing. The caller has the lock for itself.
    fn complete(&self, texts: &Texts, encode: &Encode<'_>, on_progress: &OnProgress) -> Result<(), DataError> {
        let failed = |source| DataError::Cache { path: self.directory.clone(), source };
        let mut done = self.done().map_err(failed)?;
        let mut writer = ShardWriter::open(self, &done).map_err(failed)?;
        while done.texts < texts.len() {
            if !on_progress(&DataProgress::Encoding { done: done.texts, total: texts.len() }) {
                return Err(DataError::Interrupted { kept: done.texts > 0 });
            }
            let piece = done.texts..texts.len().min(done.texts + self.shard);
            let encoded: Result<Vec<EncodedText>, DataError> =
                piece.into_par_iter().with_min_len(16).map(|index| encode(texts.get(index))).collect();
            writer.append(&encoded?, &mut done).map_err(failed)?;
        }
        on_progress(&DataProgress::Encoding { done: done.texts, total: texts.len() });
        Ok(())
    }
}

/// The three files of an entry, behind what is sound of them.
struct ShardWriter {
    ids: File,
    lengths: File,
    journal: File,
}

impl ShardWriter {
    fn open(entry: &CacheEntry, done: &SoundShards) -> io::Result<Self> {
        let at = |name, length: u64| -> io::Result<File> {
            let mut file = entry.file(name)?;
            file.set_len(length)?;
            io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
            Ok(file)
        };
        let journal = at("journal", done.journal)?; // first: it must never tell of more than there is
        let ids = at("ids", (done.ids * size_of::<u32>()) as u64)?;
        let lengths = at("lengths", (done.texts * size_of::<u32>()) as u64)?;
        Ok(Self { ids, lengths, journal })
    }

    fn append(&mut self, texts: &[EncodedText], done: &mut SoundShards) -> io::Result<()> {
        let ids: Vec<u32> = texts.iter().flat_map(|text| &text.ids).copied().collect();
        // A text has fewer ids than bytes, and those are counted in 32 bits.
        let lengths: Vec<u32> = texts.iter().map(|text| text.ids.len() as u32).collect();
        let mut counts = TokenCounts::default();
        texts.iter().for_each(|text| counts += TokenCounts::of(text));
        let sha256 = digest(&ids, &lengths);
        numbers::write(&mut self.ids, &ids)?;
        numbers::write(&mut self.lengths, &lengths)?;
        let shard = Shard { texts: texts.len(), ids: ids.len(), counts, sha256 };
        let line = line(&shard)?;
        self.journal.write_all(line.as_bytes())?;
        done.add(&shard, line.len());
        Ok(())
    }
}

/// A line of the journal: the SHA-256 of what follows it, and the shard.
fn line(shard: &Shard) -> io::Result<String> {
    let json = serde_json::to_string(shard)?;
    Ok(format!("{} {json}\n", hex(&Sha256::digest(&json))))
}

/// The shard of a line that is whole.
fn parse(line: &[u8]) -> Option<Shard> {
    let (sha256, json) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    if hex(&Sha256::digest(json)) != sha256 {
        return None;
    }
    serde_json::from_str(json).ok()
}

fn sha256(ids: &Storage<u32>, at: &Range<usize>, lengths: &Storage<u32>, texts: &Range<usize>) -> String {
    digest(ids.slice(at.clone()), lengths.slice(texts.clone()))
}

fn digest(ids: &[u32], lengths: &[u32]) -> String {
    let mut digest = Sha256::new();
    digest.update(bytemuck::cast_slice::<u32, u8>(ids));
    digest.update(bytemuck::cast_slice::<u32, u8>(lengths));
    hex(&digest.finalize())
}

/// Removes entries that nobody uses or has used for long. Whatever cannot be removed is left for another time.
fn remove_unused(all: &Path) {
    let Ok(entries) = fs::read_dir(all) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let used = fs::metadata(path.join("journal")).and_then(|metadata| metadata.modified());
        let is_old = used.is_ok_and(|used| used.elapsed().is_ok_and(|elapsed| elapsed > KEPT));
        if is_old && File::open(path.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(&path); // left for another time
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use temp_dir::TempDir;

    use super::*;
    use crate::progress::UNWATCHED;

    /// A text of n bytes is n, n - 1, …, 1; one id more was cut off.
    fn count_down(text: &str) -> Result<EncodedText, DataError> {
        let ids: Vec<u32> = (1..=text.len() as u32).rev().collect();
        Ok(EncodedText { n_tokens: ids.len() + 1, ids, n_unknown: 0 })
    }

    fn texts() -> Texts {
        (0..10).map(|n| "x".repeat(n)).collect()
    }

    fn entry(directory: &TempDir) -> CacheEntry {
        CacheEntry { directory: directory.path().join("key"), n_texts: 10, shard: 3 }
    }

    /// Opens the entry and says how many texts had to be encoded for it.
    fn open(directory: &TempDir) -> usize {
        let encoded = AtomicUsize::new(0);
        let encode = |text: &str| {
            encoded.fetch_add(1, Ordering::Relaxed);
            count_down(text)
        };
        let found = entry(directory).encoded(&texts(), &encode, UNWATCHED).unwrap();
        let all: Vec<Vec<u32>> = (0..found.len()).map(|index| found.ids(index).into_owned()).collect();
        let expected: Vec<Vec<u32>> = texts().iter().map(|text| count_down(text).unwrap().ids).collect();
        assert_eq!(all, expected);
        // 0 + 1 + … + 9 ids, and one token more of each text.
        let stats = found.stats();
        assert_eq!((stats.mean_length, stats.dropped, stats.max_length), (5.5, 10.0 / 55.0, 10));
        encoded.into_inner()
    }

    #[test]
    fn texts_are_encoded_once() {
        let directory = TempDir::new().unwrap();
        assert_eq!((open(&directory), open(&directory)), (10, 0));
    }

    #[test]
    fn an_interrupted_encoding_goes_on() {
        let directory = TempDir::new().unwrap();
        let stop_at_6 = |progress: &DataProgress| *progress != DataProgress::Encoding { done: 6, total: 10 };
        let error = entry(&directory).encoded(&texts(), &count_down, &stop_at_6).unwrap_err();
        assert!(matches!(error, DataError::Interrupted { kept: true }), "{error}");
        assert_eq!(open(&directory), 4);
    }

    /// Every byte of every file, flipped, cut off and doubled: what comes out is right each time, see `open`.
    #[test]
    fn a_damaged_entry_is_never_trusted() {
        let directory = TempDir::new().unwrap();
        open(&directory);
        for name in ["ids", "lengths", "journal"] {
            let path = entry(&directory).directory.join(name);
            let sound = fs::read(&path).unwrap();
            for byte in (0..sound.len()).step_by(if name == "journal" { 7 } else { 1 }) {
                let mut flipped = sound.clone();
                flipped[byte] ^= 0x10;
                for damaged in [&flipped, &sound[..byte]] {
                    fs::write(&path, damaged).unwrap();
                    assert!(open(&directory) > 0, "{name} damaged at {byte} went unnoticed");
                    assert_eq!(open(&directory), 0);
                }
            }
            fs::write(&path, [sound.as_slice(), &[7; 20]].concat()).unwrap();
            assert_eq!(open(&directory), 0, "what follows the last shard is not looked at");
        }
    }

    #[test]
    fn the_key_tells_texts_and_recipes_apart() {
        let of = |texts: &[&str], recipe| key(&texts.iter().collect(), recipe);
        let keys = [of(&["ab", "c"], "r"), of(&["a", "bc"], "r"), of(&["abc"], "r"), of(&["ab", "c"], "s")];
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), 4);
        assert_eq!(keys[0], of(&["ab", "c"], "r"));
    }

    #[test]
    fn readers_share_an_entry() {
        let directory = TempDir::new().unwrap();
        let first = entry(&directory).encoded(&texts(), &count_down, UNWATCHED).unwrap();
        assert_eq!(open(&directory), 0);
        assert_eq!(*first.ids(3), [3, 2, 1]);
    }
}
