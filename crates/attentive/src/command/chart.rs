//! Bars and wrapped lines that fit the terminal. Plain characters, no colour.

/// Narrower terminals are treated as of this width; what does not fit is wrapped by the terminal.
const NARROWEST: usize = 40;
/// Lines are not longer than this in the widest terminal.
const WIDEST: usize = 100;

/// How many columns a line may have: those of the terminal, or of `COLUMNS`, or 100.
pub(crate) fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
    columns.unwrap_or(WIDEST).clamp(NARROWEST, WIDEST)
}

/// One line of a histogram.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// What is counted, such as `21 – 40`.
    pub(crate) name: String,
    pub(crate) count: u64,
    /// What is said behind the count.
    pub(crate) note: String,
}

/// The lines with a bar each, as long as the counts are large; none is longer than `width`. A count that is not 0 has a
/// bar, however short.
pub(crate) fn histogram(lines: &[Line], width: usize) -> String {
    let longest = |text: &dyn Fn(&Line) -> usize| lines.iter().map(text).max().unwrap_or(0);
    let names = longest(&|line| line.name.chars().count());
    let counts: Vec<String> = lines.iter().map(|line| crate::table::count(line.count)).collect();
    let numbers = counts.iter().map(|count| count.chars().count()).max().unwrap_or(0);
    let notes = longest(&|line| line.note.chars().count());
    let room = width.saturating_sub(names + numbers + notes + 8).clamp(8, 40);
    let most = lines.iter().map(|line| line.count).max().unwrap_or(0).max(1);
    let mut text = String::new();
    for (line, count) in lines.iter().zip(&counts) {
        let length = (line.count as f64 / most as f64 * room as f64).round() as usize;
        let bar = if line.count > 0 { "█".repeat(length.max(1)) } else { String::new() };
        let row = format!("  {:>names$}  {bar:<room$}  {count:>numbers$}  {}", line.name, line.note);
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// The words of a text on lines of at most `width` columns; the first begins with `first`, the others with as many
/// spaces as `indent`. Longer words stand alone.
pub(crate) fn wrapped(first: &str, indent: usize, text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column == 0 {
            lines.push_str(first);
            column = indent;
        } else if column + 1 + length > width {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion() {
        let line = |name: &str, count, note: &str| Line { name: name.to_string(), count, note: note.to_string() };
        let lines = [line("1 – 9", 1600, ""), line("10 – 19", 800, "half"), line("20 +", 1, ""), line("30 +", 0, "")];
        assert_eq!(
            histogram(&lines, 40),
            "    1 – 9  ████████████████  1,600
  10 – 19  ████████            800  half
     20 +  █                     1
     30 +                        0
"
        );
        assert_eq!(histogram(&lines, 10).lines().next(), Some("    1 – 9  ████████  1,600"));
    }

    #[test]
    fn words_are_wrapped() {
        assert_eq!(wrapped("note: ", 6, "one two three four", 15), "note: one two\n      three\n      four\n");
        assert_eq!(wrapped("", 2, "averylongword x", 8), "averylongword\n  x\n");
    }
}
