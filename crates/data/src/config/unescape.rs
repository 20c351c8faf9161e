//! Escapes in texts, read as the characters that they stand for.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way of writing characters by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unescape {
    /// HTML entities: `&amp;` is `&`, `&#39;` and `&apos;` are `'`. Each is decoded once, so that `&amp;lt;` is `&lt;`.
    Html,
}

impl Unescape {
    /// A text with the characters that its escapes stand for.
    pub(super) fn read(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Html => html_escape::decode_html_entities(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the table of named character references of the HTML standard.
    #[test]
    fn entities_are_the_characters_of_the_standard() {
        for (text, decoded) in [
            ("Tom &amp; Jerry", "Tom & Jerry"),
            ("it&#39;s &quot;so&quot; &#x4e2d;&eacute;", "it's \"so\" \u{4e2d}\u{e9}"),
            ("&lt;b&gt; &nbsp;&hellip;", "<b> \u{a0}\u{2026}"),
            ("&amp;lt;", "&lt;"),
            ("AT&T & &unknown; &#; &#xD800; &", "AT&T & &unknown; &#; &#xD800; &"),
            // No text holds a NUL character.
            ("a&#0;b", "a&#0;b"),
        ] {
            assert_eq!(Unescape::Html.read(text), decoded, "{text}");
        }
    }
}
