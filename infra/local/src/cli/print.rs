//! The output of commands: results on standard output, errors on standard error.

use std::{
    error::Error,
    io::{self, Write as _},
};

use infra::{Failure, config};
use schema::value::is_misleading;
use serde_json::Value;

/// The result could not be written to standard output.
#[derive(Debug, thiserror::Error)]
#[error("print the result")]
pub(super) struct PrintError(#[source] io::Error);

/// Prints a result, as text or as JSON.
pub(super) fn print(json: bool, text: &str, value: &Value) -> Result<(), PrintError> {
    if json { print_text(&format!("{value}\n")) } else { print_text(&format!("{}\n", escaped(text))) }
}

pub(super) fn print_text(text: &str) -> Result<(), PrintError> {
    print_bytes(text.as_bytes())
}

pub(super) fn print_bytes(bytes: &[u8]) -> Result<(), PrintError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(PrintError)
}

/// A number with the name of what is counted.
pub(super) fn counted(number: u64, name: &str) -> String {
    if number == 1 { format!("1 {name}") } else { format!("{number} {name}s") }
}

/// A line for each finding that is named, and one for the number of the others. There are `all`.
pub(super) fn findings(named: impl IntoIterator<Item = String>, all: u64) -> Vec<String> {
    let mut lines: Vec<String> = named.into_iter().collect();
    let others = all.saturating_sub(lines.len() as u64);
    if others > 0 {
        lines.push(format!("and {others} more"));
    }
    lines
}

/// Lines with columns of equal width.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The text with escapes for characters that would control the terminal or rearrange the text around them. Values in
/// it may come from others.
fn escaped(text: &str) -> String {
    let is_shown = |c: char| c == '\n' || !is_misleading(c);
    if text.chars().all(is_shown) {
        return text.to_owned();
    }
    text.chars().map(|c| if is_shown(c) { c.to_string() } else { c.escape_unicode().to_string() }).collect()
}

pub(super) fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let printing = error.downcast_ref::<PrintError>();
    printing.is_some_and(|PrintError(cause)| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// The error and its causes, each on its own line.
pub(super) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("error: {error}\n");
    let (mut at, mut lacks_table) = (error, false);
    loop {
        lacks_table |= at.downcast_ref::<Failure>().is_some_and(Failure::is_missing_table);
        let Some(cause) = at.source() else { break };
        text.push_str(&format!("  because: {cause}\n"));
        at = cause;
    }
    if lacks_table {
        let prefix = config::prefix();
        text.push_str(&format!("there is no such table; check WAITLIST_PREFIX, which is {prefix} now, and other prefixes that you gave\n"));
    }
    escaped(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_control_the_terminal_or_turn_the_text_are_escaped() {
        for (foreign, shown) in [
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\u{202e}b\u{200b}", "a\\u{202e}b\\u{200b}"),
            ("\u{9b}2J\r\u{7}", "\\u{9b}2J\\u{d}\\u{7}"),
            ("Zoë \"one\"\ntwo \u{1f35c} C:\\x", "Zoë \"one\"\ntwo \u{1f35c} C:\\x"),
        ] {
            assert_eq!(escaped(foreign), shown);
        }
    }

    #[test]
    fn one_is_counted_in_the_singular() {
        assert_eq!([0, 1, 2].map(|number| counted(number, "stream")), ["0 streams", "1 stream", "2 streams"]);
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows = [["name", "live"], ["waitlists", "g0"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "name       live\nwaitlists  g0");
    }
}
