//! Bad TOML and odd text: syntax errors, line ends, wide and control characters, long lines, depth.

use super::{assert_report, read};

#[test]
fn every_syntax_error_is_reported() {
    assert_report(
        "a = 1\na = 2\nb = \"open\nc = tru\nd = adam\ne =\n[f\n",
        &[],
        "
c.toml:2:1: duplicate key `a`
  |
2 | a = 2
  | ^ it is set above already; keep one
  |
c.toml:3:10: invalid basic string
  |
3 | b = \"open
  |          ^ expected `\"`
  |
c.toml:4:5: invalid boolean
  |
4 | c = tru
  |     ^^^ expected `true`
  |
c.toml:5:5: string values must be quoted
  |
5 | d = adam
  |     ^^^^ write `\"adam\"`
  |
c.toml:6:4: missing value
  |
6 | e =
  |    ^
  |
c.toml:7:3: unclosed table
  |
7 | [f
  |   ^ expected `]`
  |
6 problems in c.toml",
    );
    assert_report(
        "[train]\n[train]\n",
        &[],
        "
c.toml:2:2: duplicate key `train`
  |
2 | [train]
  |  ^^^^^ it is set above already; keep one
  |
1 problem in c.toml",
    );
}

#[test]
fn line_ends_byte_order_marks_and_control_characters() {
    assert_report(
        "data.train = \"a\0b\"\n",
        &[],
        "
c.toml:1:16: invalid basic string
  |
1 | data.train = \"a␀b\"
  |                ^ write control characters as escapes, such as `\\u0000`
  |
1 problem in c.toml",
    );
    assert_report(
        "\u{feff}sed = 1\r\ndata = { train = \"見本\u{202e}\",\ttrian = 3 }\r\n",
        &[],
        "
c.toml:1:1: unknown key `sed`
  |
1 | sed = 1
  | ^^^ did you mean `seed`?
  |
c.toml:2:25: unknown key `trian` in `[data]`
  |
2 | data = { train = \"見本\u{fffd}\", trian = 3 }
  |                           ^^^^^ did you mean `train`?
  |
2 problems in c.toml",
    );
    assert_report(
        "data = { train = \"a\", lowercase = \"見e\u{301}\" }",
        &[],
        "
c.toml:1:35: `data.lowercase` is a string, but must be `true` or `false`
  |
1 | data = { train = \"a\", lowercase = \"見e\u{301}\" }
  |                                   ^^^^^
  |
1 problem in c.toml",
    );
}

#[test]
fn long_lines_are_cut_around_the_span() {
    let text = format!("data = {{ train = \"{}\", trian = 1, text = [\"{}\"] }}", "a".repeat(200), "b".repeat(200));
    let expected = format!(
        "
c.toml:1:222: unknown key `trian` in `[data]`
  |
1 | …{}\", trian = 1, text = [\"{}…
  | {}^^^^^ did you mean `train`?
  |
1 problem in c.toml",
        "a".repeat(27),
        "b".repeat(50),
        " ".repeat(31),
    );
    assert_report(&text, &[], &expected);
}

#[test]
fn depth_does_not_overflow_the_stack() {
    let report = |text: &str| read(text, &[]).expect_err("the config is bad");
    let arrays = report(&format!("data = {}", "[".repeat(10_000)));
    assert_eq!(arrays.problems[0].message, "nested too deep");
    assert_eq!(arrays.problems.len(), 2, "{arrays}");
    assert_eq!(report(&format!("data = {}", "{a=".repeat(10_000))).problems[0].message, "nested too deep");
    assert_eq!(report(&format!("{} = 1", vec!["a"; 10_000].join("."))).problems[0].message, "nested too deep");
    assert_eq!(report(&format!("[{}]", vec!["a"; 10_000].join("."))).problems[0].message, "nested too deep");
    let argument = format!("{}=1", vec!["a"; 10_000].join("."));
    read("data.train = \"a\"", &[argument.as_str()]).expect_err("the override is bad");
}
