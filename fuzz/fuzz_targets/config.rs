//! TOML text to a config. What is accepted is written out and read again, and must be the same config; what is refused
//! must say why, with its excerpts.
#![no_main]

use attentive_train::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match fuzzing::config(text) {
        Ok(config) => {
            let written = config.to_toml();
            let again = fuzzing::config(&written).unwrap_or_else(|error| panic!("{error}\nof\n{written}"));
            assert_eq!(config, again, "{written}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
