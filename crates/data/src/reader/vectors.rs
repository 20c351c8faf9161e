//! Pretrained word vectors from the text files of word2vec, fastText and GloVe. Does not know which rows they go into.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use super::input::UnpackedReader;
use super::open::open;
use super::source::{TextReader, trim_line_end};
use crate::error::{DataError, Location, RowError, RowFault, VectorsError};

/// The longest word of a vector file, in bytes; what a line may have beside its values.
const MAX_WORD_BYTES: usize = 1 << 20;
/// More bytes than any program writes for one value.
const MAX_VALUE_BYTES: usize = 64;

/// The vectors of a file that are for tokens of a vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// Token id and vector, ascending by id. Where the file has a token more than once, its first vector.
    pub rows: Vec<(u32, Vec<f32>)>,
    /// How many vectors the file holds.
    pub in_file: usize,
    /// Hexadecimal SHA-256 of the file's bytes.
    pub sha256: String,
}

/// Reads the vectors whose word `words` gives an id for, from a text file with a word and `dim` values on each line.
///
/// A first line of two whole numbers is the `count dim` that word2vec and fastText write; GloVe files have none. Words
/// may hold spaces, as some of GloVe do: the last `dim` fields of a line are the values. Blank lines are skipped. The
/// file is read once and never held whole; the values of words without an id are counted but not looked at.
///
/// # Errors
/// The file is missing, unreadable, a folder, empty, or not text in UTF-8; its vectors are not of `dim` values; a line
/// has too few or too many, or one that is not a finite number; the first line announces another number of vectors; no
/// word has an id.
pub fn load_vectors(path: &Path, words: &dyn Fn(&str) -> Option<u32>, dim: usize) -> Result<Vectors, DataError> {
    let limit = MAX_WORD_BYTES.saturating_add(dim.saturating_mul(MAX_VALUE_BYTES));
    // In UTF-8, whatever the encoding of the examples.
    let mut source = TextReader::new(UnpackedReader::plain(open(path)?), path.to_owned(), encoding_rs::UTF_8, limit);
    let mut line = String::new();
    let mut announced = None;
    let mut in_file = 0;
    let mut any = false;
    let mut rows = BTreeMap::new();
    while source.read_line(&mut line).map_err(as_vectors)? {
        let text = trim_line_end(&line).trim_end_matches(SPACES);
        if !text.is_empty() {
            let at = source.at(source.line());
            match header(text).filter(|_| !any) {
                Some((count, found)) => {
                    check_dim(path, found, dim)?;
                    announced = Some(count);
                }
                None => {
                    if !any {
                        check_dim(path, first_dim(text, dim), dim)?;
                    }
                    in_file += 1;
                    let (word, values) = split(text, dim, &at)?;
                    if let Some(Entry::Vacant(entry)) = words(word).map(|id| rows.entry(id)) {
                        entry.insert(parse(values, dim, &at)?);
                    }
                }
            }
            any = true;
        }
        line.clear();
    }
    if !any {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    if let Some(announced) = announced.filter(|&announced| announced != in_file) {
        return Err(VectorsError::Count { path: path.to_owned(), announced, found: in_file }.into());
    }
    if rows.is_empty() {
        return Err(VectorsError::NoneKnown { path: path.to_owned(), in_file }.into());
    }
    Ok(Vectors { rows: rows.into_iter().collect(), in_file, sha256: source.sha256()? })
}

/// What stands between a word and its values. Other white space can be part of a word.
const SPACES: [char; 2] = [' ', '\t'];

/// The fields of a line.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.split(SPACES).filter(|field| !field.is_empty())
}

/// The `count dim` of a first line.
fn header(text: &str) -> Option<(usize, usize)> {
    let mut fields = fields(text);
    let numbers = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    fields.next().is_none().then_some(numbers)
}

/// How many values the first vector has: `dim` if what is before the last `dim` fields can be a word.
fn first_dim(text: &str, dim: usize) -> usize {
    let found = fields(text).count().saturating_sub(1);
    if found > dim && !fields(text).skip(1).all(is_number) { dim } else { found }
}

fn check_dim(path: &Path, found: usize, dim: usize) -> Result<(), DataError> {
    if found == dim { Ok(()) } else { Err(VectorsError::Dim { path: path.to_owned(), found, dim }.into()) }
}

fn is_number(field: &str) -> bool {
    field.parse::<f32>().is_ok()
}

/// The word and the text of its values.
fn split<'a>(text: &'a str, dim: usize, at: &Location) -> Result<(&'a str, &'a str), DataError> {
    let wrong = || {
        let found = fields(text).count().saturating_sub(1);
        DataError::from(VectorsError::Length { at: at.clone(), expected: dim, found })
    };
    let mut word = text;
    for _ in 0..dim {
        word = word.trim_end_matches(SPACES);
        word = &word[..word.rfind(SPACES).ok_or_else(wrong)? + 1];
    }
    let values = &text[word.len()..];
    let word = word.trim_end_matches(SPACES);
    // `the 1 2 3` for two values is a vector of three rather than the word `the 1`.
    if word.contains(SPACES) && fields(word).skip(1).all(is_number) {
        return Err(wrong());
    }
    Ok((word, values))
}

fn parse(values: &str, dim: usize, at: &Location) -> Result<Vec<f32>, DataError> {
    let mut vector = Vec::with_capacity(dim);
    for field in fields(values) {
        let value = field.parse().ok().filter(|value: &f32| value.is_finite());
        vector.push(value.ok_or_else(|| VectorsError::Value { at: at.clone(), value: field.to_owned() })?);
    }
    Ok(vector)
}

/// A fault of the bytes as a fault of a vector file: the settings of `[data]` are no remedy for it.
fn as_vectors(error: DataError) -> DataError {
    let DataError::Row(RowError { at, fault }) = error else { return error };
    let reason = match fault {
        RowFault::Nul => "the line holds a NUL character".to_owned(),
        RowFault::TooLong { limit } => format!("the line is longer than {limit} bytes"),
        fault => fault.to_string(),
    };
    VectorsError::Text { at, reason }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 4] = ["the", "a", ". .", "é"];

    fn load(content: impl AsRef<[u8]>, dim: usize) -> Result<Vectors, DataError> {
        let folder = temp_dir::TempDir::new().unwrap();
        let path = folder.path().join("a.vec");
        std::fs::write(&path, content).unwrap();
        let id = |word: &str| (0u32..).zip(WORDS).find(|(_, known)| *known == word).map(|(id, _)| id);
        load_vectors(&path, &id, dim)
    }

    #[test]
    fn all_text_forms_give_the_same_rows() {
        let expected = vec![(0, vec![0.5, -1.0]), (1, vec![2.0, 3e-4])];
        let glove = "a 2 3e-4\nunseen 9 9\nthe 0.5 -1\n";
        let vectors = load(glove, 2).unwrap();
        assert_eq!((&vectors.rows, vectors.in_file), (&expected, 3));
        // word2vec writes a space at the end of each line.
        let vectors = load(format!("3 2\n{}", glove.replace('\n', " \r\n")), 2).unwrap();
        assert_eq!((&vectors.rows, vectors.in_file), (&expected, 3));
        let vectors = load(glove.replace(' ', "\t"), 2).unwrap();
        assert_eq!(vectors.rows, expected);
        assert_eq!(load("\u{FEFF}a 1\n\n", 1).unwrap().rows, [(1, vec![1.0])]);
    }

    #[test]
    fn words_may_hold_spaces_and_the_first_of_two_counts() {
        let vectors = load(". . 1 2\né 3 4\nthe 5 6\nthe 7 8\n\u{a0} 1 1\n", 2).unwrap();
        assert_eq!(vectors.rows, [(0, vec![5.0, 6.0]), (2, vec![1.0, 2.0]), (3, vec![3.0, 4.0])]);
        assert_eq!(vectors.in_file, 5);
    }

    #[test]
    fn the_bytes_are_named() {
        // printf 'a 1\n' | sha256sum
        assert_eq!(
            load("a 1\n", 1).unwrap().sha256,
            "6a03830a1811a4a0f43d6bf891c9461728aa0f1b49f389fcdc8b36e67e6560c2"
        );
    }
}
