//! Files of markup, which tell what is a text and a label only by tags of their own.

/// What a file of markup is called, by its extension or by what it begins with; `None` if it is of another kind.
pub(crate) fn markup(extension: &str, beginning: &str) -> Option<&'static str> {
    let beginning = beginning.trim_start_matches('\u{FEFF}').trim_start();
    let begins = |with: &str| beginning.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    match extension {
        "xml" => Some("XML"),
        "sgm" | "sgml" => Some("SGML"),
        "html" | "htm" | "xhtml" => Some("HTML"),
        _ if begins("<?xml") => Some("XML"),
        _ if begins("<!doctype html") || begins("<html") => Some("HTML"),
        _ if begins("<!doctype") => Some("SGML"),
        _ => None,
    }
}

/// How a file of this markup becomes one that can be read.
pub(super) fn hint(content: &str) -> String {
    let converter = match content {
        "XML" => "for rows of equal elements `pandas.read_xml(\"a.xml\").to_csv(\"a.csv\", index=False)`",
        "HTML" => "for a table `pandas.read_html(\"a.html\")[0].to_csv(\"a.csv\", index=False)`",
        _ => "a few lines of Python with `html.parser`",
    };
    format!("only its own tags say what is a text and what a label: convert it to csv or jsonl, {converter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_told_by_extension_or_beginning() {
        for (extension, beginning, expected) in [
            ("xml", "", Some("XML")),
            ("dat", "\u{FEFF}\n<?xml version=\"1.0\"?>", Some("XML")),
            ("txt", "<!DOCTYPE lewis SYSTEM \"lewis.dtd\">", Some("SGML")),
            ("csv", "<!doctype HTML>", Some("HTML")),
            ("csv", "<b>good</b>,pos", None),
            ("txt", "é", None),
        ] {
            assert_eq!(markup(extension, beginning), expected, "{extension} {beginning}");
        }
    }
}
