//! Tables: headers, fields and quotes.

use attentive_data::{Column, TextColumns};

use crate::{Fails, Read, case, check, short, with};

#[test]
fn nothing_to_read() {
    check(vec![
        case("empty.csv", "", Fails("`DIR/empty.csv` is empty", "")),
        case("empty.tsv", "", Fails("`DIR/empty.tsv` is empty", "")),
        case("blank.csv", "\n\r\n\n", Fails("`DIR/blank.csv` is empty", "")),
        case("bom_only.csv", "\u{FEFF}", Fails("`DIR/bom_only.csv` is empty", "")),
        case(
            "header.csv",
            "text,label\n",
            Fails("`DIR/header.csv` has a header and no rows", "if the first line is data, set `data.header = false`"),
        ),
        case(
            "header.tsv",
            "text\tlabel",
            Fails("`DIR/header.tsv` has a header and no rows", "if the first line is data, set `data.header = false`"),
        ),
    ]);
}

#[test]
fn headers() {
    check(vec![
        case(
            "missing.csv",
            "txt,label\na,x\n",
            Fails("`DIR/missing.csv` has no column `text`: its columns are `txt`, `label`", "did you mean `txt`?"),
        ),
        case(
            "missing.tsv",
            "text\tlabl\na\tx\n",
            Fails("`DIR/missing.tsv` has no column `label`: its columns are `text`, `labl`", "did you mean `labl`?"),
        ),
        case(
            "case.csv",
            "Text,Label\na,x\nb,y\n",
            Fails("`DIR/case.csv` has no column `text`: its columns are `Text`, `Label`", "did you mean `Text`?"),
        ),
        case(
            "double.csv",
            "text,label,label\na,x,y\n",
            Fails("`DIR/double.csv` has 2 columns called `label`", "give the column by its number, counted from 0"),
        ),
        case(
            "semicolon.csv",
            "text;label\na;x\n",
            Fails(
                "`DIR/semicolon.csv` has no column `text`: its columns are `text;label`",
                "the columns look separated by `;`: set `data.format = \"csv\"` and `data.delimiter = \";\"`",
            ),
        ),
        case(
            "tab.csv",
            "text\tlabel\na\tx\n",
            Fails(
                "`DIR/tab.csv` has no column `text`: its columns are `text label`",
                "the columns look separated by tabs: set `data.format = \"tsv\"`",
            ),
        ),
        case(
            "comma.tsv",
            "text,label\na,x\n",
            Fails(
                "`DIR/comma.tsv` has no column `text`: its columns are `text,label`",
                "the columns look separated by commas: set `data.format = \"csv\"`",
            ),
        ),
        case("spaces.csv", " text , label \na,x\nb,y\n", Read(&["a", "b"], &["x", "y"])),
        case("quoted.csv", "\"text\",\"label\"\na,x\nb,y\n", Read(&["a", "b"], &["x", "y"])),
        case("unnamed.csv", ",text,,label\n1,a,2,x\n1,b,2,y\n", Read(&["a", "b"], &["x", "y"])),
        with(
            "number.csv",
            "a,x\nb,y\n",
            |config| {
                config.header = false;
                config.text = TextColumns::One(Column::Number(0));
                config.label = Column::Number(7);
            },
            Fails(
                "DIR/number.csv:1: there is no column 7: the line has 2 columns, counted from 0",
                "correct `data.text` or `data.label`",
            ),
        ),
    ]);
}

#[test]
fn fields() {
    check(vec![
        case(
            "few.csv",
            "text,label\na,x\nb\n",
            Fails(
                "DIR/few.csv:3: the row has 1 field, the first line has 2: `b`",
                "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`",
            ),
        ),
        case(
            "many.csv",
            "text,label\na,x\nb, then c,y\n",
            Fails(
                "DIR/many.csv:3: the row has 3 fields, the first line has 2: `b, then c,y`",
                "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`",
            ),
        ),
        case(
            "few.tsv",
            "text\tlabel\na\n",
            Fails(
                "DIR/few.tsv:2: the row has 1 field, the first line has 2: `a`",
                "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`",
            ),
        ),
        case(
            "many.tsv",
            "text\tlabel\na\tx\tz\u{1B}[31m\n",
            Fails(
                "DIR/many.tsv:2: the row has 3 fields, the first line has 2: `a\\tx\\tz\\u{1b}[31m`",
                "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`",
            ),
        ),
        case(
            "trailing.csv",
            "text,label\na,x,\n",
            Fails(
                "DIR/trailing.csv:2: the row has 3 fields, the first line has 2: `a,x,`",
                "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`",
            ),
        ),
        case("inside.csv", "text,label\n\"a,\nb\",x\nc,y\n", Read(&["a,\nb", "c"], &["x", "y"])),
        case("doubled.csv", "text,label\n\"say \"\"hi\"\"\",x\n\"\"\"\",y\n", Read(&["say \"hi\"", "\""], &["x", "y"])),
        case("plain_quote.csv", "text,label\n5\" disk,x\nb,y\n", Read(&["5\" disk", "b"], &["x", "y"])),
        case("empty.csv", "text,label\n,x\n\"\",y\n", Read(&["", ""], &["x", "y"])),
        case("tsv_quote.tsv", "text\tlabel\n\"a\tx\nb\"\ty\n", Read(&["\"a", "b\""], &["x", "y"])),
    ]);
}

#[test]
fn quotes() {
    let rows = "c,x\n".repeat(100);
    check(vec![
        case(
            "unclosed.csv",
            "text,label\na,x\n\"b,y\nc,x\n",
            Fails(
                "DIR/unclosed.csv:3: a quote opens here and is never closed: `\"b,y`",
                "close the quote; a TSV whose quotes are part of the text needs `data.quoting = false`",
            ),
        ),
        with(
            "swallows.csv",
            format!("text,label\na,x\n\"b,y\n{rows}"),
            short,
            Fails(
                "DIR/swallows.csv:3: the line, field or text is longer than 64 bytes",
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`",
            ),
        ),
        case(
            "after.csv",
            "text,label\n\"a\"b,x\n",
            Fails(
                "DIR/after.csv:2: text follows a closing quote: `b,x`",
                "a quote inside a quoted field is written twice; a TSV whose quotes are part of the text needs `data.quoting = false`",
            ),
        ),
        case(
            "after_lines.csv",
            "text,label\n\"a\n\nb\" c,x\n",
            Fails(
                "DIR/after_lines.csv:4: text follows a closing quote: ` c,x`",
                "a quote inside a quoted field is written twice; a TSV whose quotes are part of the text needs `data.quoting = false`",
            ),
        ),
        with(
            "unclosed.tsv",
            "text\tlabel\n\"a\tx\n",
            |config| config.quoting = true,
            Fails(
                "DIR/unclosed.tsv:2: a quote opens here and is never closed: `\"a\\tx`",
                "close the quote; a TSV whose quotes are part of the text needs `data.quoting = false`",
            ),
        ),
        case(
            "unclosed_header.csv",
            "\"text,label\na,x\n",
            Fails(
                "DIR/unclosed_header.csv:1: a quote opens here and is never closed: `\"text,label`",
                "close the quote; a TSV whose quotes are part of the text needs `data.quoting = false`",
            ),
        ),
    ]);
}
