//! Names, rows, texts and numbers as messages show them: short, and on one line.

/// The first 80 characters of a row, those that cannot be seen written as escapes.
pub(crate) fn beginning(row: &str) -> String {
    const SHOWN: usize = 80;
    let mut short = String::new();
    for character in row.chars().take(SHOWN) {
        if character.is_control() || character == '\u{FEFF}' {
            short.extend(character.escape_default());
        } else {
            short.push(character);
        }
    }
    if row.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// At most 20 names in backticks.
pub(crate) fn quoted(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut list: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", excerpt(name))).collect();
    if names.len() > SHOWN {
        list.push(format!("and {} more", names.len() - SHOWN));
    }
    list.join(", ")
}

/// The first 60 characters of a text, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// `1234567` as `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
