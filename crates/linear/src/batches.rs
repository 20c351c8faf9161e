//! Many texts, cut into batches that are read on all cores. No result depends on where they are cut.

use std::ops::Range;

use crate::error::{LinearError, Stop, check};
use crate::ngrams::{Key, Piece, Table, of_piece};
use crate::settings::FeatureSettings;
use crate::text::push_lower;

/// Bytes of texts in a batch: enough that most of its words are there often, few enough that its tables stay small.
const BYTES: Range<usize> = 1 << 14..1 << 22;
/// Into how many batches small data is cut.
const BATCHES: usize = 32;

/// The texts in order, cut into consecutive batches.
pub(crate) fn batches<'a, 't>(texts: &'a [&'t str]) -> Vec<&'a [&'t str]> {
    let total = texts.iter().map(|text| text.len()).sum::<usize>();
    let size = (total / BATCHES).clamp(BYTES.start, BYTES.end);
    let (mut batches, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, text) in texts.iter().enumerate() {
        // An empty text has its cost too.
        bytes += text.len() + 16;
        if bytes >= size {
            batches.push(&texts[start..=index]);
            (start, bytes) = (index + 1, 0);
        }
    }
    if start < texts.len() {
        batches.push(&texts[start..]);
    }
    batches
}

/// The texts of a batch in lower case.
pub(crate) struct Lowered {
    text: String,
    ends: Vec<usize>,
}

impl Lowered {
    /// # Errors
    /// [`LinearError::Stopped`] if the caller asks for it.
    pub(crate) fn new(batch: &[&str], stop: Stop) -> Result<Self, LinearError> {
        check(stop)?;
        let mut lowered = Self { text: String::new(), ends: Vec::with_capacity(batch.len()) };
        for text in batch {
            push_lower(text, &mut lowered.text);
            lowered.ends.push(lowered.text.len());
        }
        Ok(lowered)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }
}

/// The n-grams of pieces that were met before in a batch, as whatever ids they were given. Words come back often: looking up
/// one word is several times faster than looking up its n-grams.
#[derive(Default)]
pub(crate) struct Pieces<'t> {
    known: Table<Piece<'t>, Range<usize>>,
    ids: Vec<u32>,
}

impl<'t> Pieces<'t> {
    /// The ids of the n-grams of a piece that have one.
    pub(crate) fn ids(
        &mut self,
        piece: Piece<'t>,
        settings: &FeatureSettings,
        mut id: impl FnMut(Key) -> Option<u32>,
    ) -> &[u32] {
        let ids = &mut self.ids;
        let range = self.known.entry(piece).or_insert_with(|| {
            let start = ids.len();
            of_piece(piece, settings, |key, _| ids.extend(id(key)));
            start..ids.len()
        });
        &self.ids[range.clone()]
    }
}
