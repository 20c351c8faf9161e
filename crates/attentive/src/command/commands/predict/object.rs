//! JSON objects as they are written: members are found and added without making values of those that are there, so that
//! every number and every string stays as it is.

use std::borrow::Cow;

/// The members of an object that has been read as one: keys, and values as they are written.
pub(super) fn members(object: &str) -> Vec<(String, &str)> {
    let decoded = |(key, value)| (serde_json::from_str(key).unwrap_or_default(), value);
    raw_members(object).into_iter().map(decoded).collect()
}

/// The object with another name for a key, if it has this one.
pub(super) fn with_renamed<'o>(object: &'o str, key: &str, other: &str) -> Cow<'o, str> {
    let is_it = |raw: &str| serde_json::from_str(raw).is_ok_and(|found: String| found == key);
    let mut members = raw_members(object);
    if !members.iter().any(|(raw, _)| is_it(raw)) {
        return Cow::Borrowed(object);
    }
    let other = string(other, true);
    members.iter_mut().filter(|(raw, _)| is_it(raw)).for_each(|(raw, _)| *raw = &other);
    let members: Vec<String> = members.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    Cow::Owned(format!("{{{}}}", members.join(", ")))
}

/// Keys and values as they are written.
fn raw_members(object: &str) -> Vec<(&str, &str)> {
    let mut members = Vec::new();
    let mut scanner = ObjectScanner { text: object, at: 0 };
    scanner.skip("{");
    while let Some(key) = scanner.value() {
        scanner.skip(":");
        let value = scanner.value().unwrap_or_default();
        scanner.skip(",");
        members.push((key, value));
    }
    members
}

/// Finds where values end.
struct ObjectScanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> ObjectScanner<'a> {
    /// Goes past white space and these characters.
    fn skip(&mut self, characters: &str) {
        let rest = &self.text[self.at..];
        self.at +=
            rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || characters.contains(c)).len();
    }

    /// The value that begins here, if one does.
    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            match (in_string, byte) {
                (true, _) if escaped => escaped = false,
                (true, b'\\') => escaped = true,
                (true, b'"') => in_string = false,
                (true, _) => {}
                (false, b'"') => in_string = true,
                (false, b'{' | b'[') => depth += 1,
                (false, b'}' | b']' | b',' | b':') if depth == 0 => break,
                (false, b'}' | b']') => depth -= 1,
                (false, _) => {}
            }
            self.at += 1;
        }
        let value = self.text[start..self.at].trim_end();
        (!value.is_empty()).then_some(value)
    }
}

/// A value as the text of a field: strings without quotes, null as nothing. `None` for a string that is no text.
pub(super) fn as_field(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes() {
        [b'"', ..] => serde_json::from_str(value).ok().map(Cow::Owned),
        b"null" => Some(Cow::Borrowed("")),
        _ => Some(Cow::Borrowed(value)),
    }
}

/// Writes an object on one line, with more members behind its own.
pub(super) fn write_with(out: &mut String, object: &str, more: &str) {
    let body = object.trim().strip_suffix('}').unwrap_or("{").trim_end();
    // A line break in JSON is white space: those in strings are escaped.
    for (index, line) in body.split(['\n', '\r']).map(str::trim_ascii).filter(|line| !line.is_empty()).enumerate() {
        out.push_str(if index == 0 { "" } else { " " });
        out.push_str(line);
    }
    if !body.ends_with('{') {
        out.push(',');
    }
    out.push_str(more);
    out.push('}');
}

/// A text as a JSON string; `ascii` escapes every character beyond.
pub(super) fn string(text: &str, ascii: bool) -> String {
    let string = serde_json::Value::from(text).to_string();
    if !ascii || string.is_ascii() {
        return string;
    }
    let mut escaped = String::with_capacity(string.len() * 2);
    for character in string.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            let units = &mut [0; 2];
            character.encode_utf16(units).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_as_they_are_written() {
        let object =
            "{ \"a\\\"}\" : \"x, \\\\\" ,\n\"b\":[1,{\"c\":\"]\"}], \"d\": 1e999, \"e\":\"\\ud800\",\"\":null }";
        let expected =
            [("a\"}", "\"x, \\\\\""), ("b", "[1,{\"c\":\"]\"}]"), ("d", "1e999"), ("e", "\"\\ud800\""), ("", "null")];
        assert_eq!(members(object), expected.map(|(key, value)| (key.to_string(), value)));
        assert_eq!(members("{}"), []);
        let fields: Vec<_> = members(object).into_iter().map(|(_, value)| as_field(value)).collect();
        assert_eq!(fields[0].as_deref(), Some("x, \\"));
        assert_eq!(fields[2..].iter().map(Option::as_deref).collect::<Vec<_>>(), [Some("1e999"), None, Some("")]);
    }

    #[test]
    fn members_are_added_behind_the_others() {
        let added = |object: &str| {
            let mut out = String::new();
            write_with(&mut out, object, "\"p\":1");
            out
        };
        assert_eq!(added("{\"n\": 9007199254740993}"), "{\"n\": 9007199254740993,\"p\":1}");
        assert_eq!(added(" {\r\n  \"a\": 1,\n  \"b\": 2\n}\n"), "{ \"a\": 1, \"b\": 2,\"p\":1}");
        assert_eq!(added("{ }"), "{\"p\":1}");
        assert_eq!(string("é\n😀", true), "\"\\u00e9\\n\\ud83d\\ude00\"");
        assert_eq!(string("é", false), "\"é\"");
    }
}
