//! A model that Keras might have saved: `.keras`, `.weights.h5`, or a part of one that is sound otherwise, which the first byte
//! says. It is refused with a reason, or its weights are as many as their shapes say, and no more numbers than the file has
//! bytes.
#![no_main]

use attentive_export::fuzzing::{Part, keras};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| attentive_fuzz::uncaught(|| try_file(data)));

fn try_file(data: &[u8]) {
    let Some((&which, rest)) = data.split_first() else { return };
    let part = [Part::File, Part::Config, Part::Vocabulary][usize::from(which) % 3];
    match keras(part, rest) {
        Ok(numbers) => assert!(numbers <= 1000 + rest.len()),
        Err(reason) => assert!(!reason.is_empty()),
    }
}
