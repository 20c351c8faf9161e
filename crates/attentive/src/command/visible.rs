//! Text of files, such as labels, as a terminal may show it.

/// Whether a terminal would obey a character instead of showing it, or turn the writing round by it.
pub(crate) fn is_obeyed(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text on one line, with every character written out that a terminal would obey.
pub(crate) fn visible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match is_obeyed(character) {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_obey() {
        assert_eq!(visible("\u{1b}[2J größer\n\u{202e}"), "\\u{1b}[2J größer\\n\\u{202e}");
    }
}
