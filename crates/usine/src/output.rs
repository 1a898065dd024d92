//! What commands print: tables and sentences for people, the hub's own JSON for programs.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Result;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// For whom a command prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Somebody at a terminal.
    #[default]
    People,
    /// A program, by `--json`.
    Programs,
}

impl Audience {
    /// Prints `value` for programs, or what `tell` makes of it for people.
    pub(crate) fn show(self, value: &Value, tell: impl FnOnce(&Value)) -> Result<()> {
        match self {
            Self::Programs => println!("{}", serde_json::to_string_pretty(value)?),
            Self::People => tell(value),
        }
        Ok(())
    }

    /// Prints a list for programs, or as a table with one row an entry for people.
    pub(crate) fn list<const N: usize>(
        self,
        entries: &[Value],
        nothing: &str,
        header: [&str; N],
        row: impl Fn(&Value) -> [String; N],
    ) -> Result<()> {
        match self {
            Self::Programs => println!("{}", serde_json::to_string_pretty(entries)?),
            Self::People if entries.is_empty() => println!("{nothing}"),
            Self::People => println!("{}", table(header, entries.iter().map(row))),
        }
        Ok(())
    }
}

/// A table that fits the terminal.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table
}

/// Aligns a column of figures to the right.
pub(crate) fn right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// The text at `pointer` (as `/period/start`); empty when there is none.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The whole number at `pointer`, 0 when there is none.
pub(crate) fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// The amount of work at `pointer`, to the second where it is less than an hour.
pub(crate) fn work(value: &Value, pointer: &str) -> String {
    let seconds = number(value, &format!("{pointer}/unit_seconds"));
    let amount = text(value, &format!("{pointer}/text"));
    match amount.strip_suffix("-h").and_then(|amount| amount.rsplit_once(' ')) {
        Some((_, unit)) if seconds.abs() < 3_600 => format!("{seconds} {unit}-seconds"),
        _ => amount,
    }
}

/// The entries at `pointer`; none when there is no list.
pub(crate) fn entries<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// An instant as people write it, to the minute, in UTC.
pub(crate) fn when(value: &Value, pointer: &str) -> String {
    let text = text(value, pointer);
    match text.split_once('T') {
        Some((day, time)) => format!("{day} {}", time.get(..5).unwrap_or(time)),
        None => text,
    }
}

/// Bytes as people write them.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

/// A bar for `total` bytes, with rate and time left; hidden where nobody watches.
pub(crate) fn byte_bar(total: u64, label: &str) -> ProgressBar {
    let style = "{prefix:>12} {bar:30} {binary_bytes:>10} of {binary_total_bytes:<10} {binary_bytes_per_sec:>12}, {eta} left";
    bar(total, label, style)
}

/// A bar for `total` steps, with room for a message.
pub(crate) fn step_bar(total: u64, label: &str) -> ProgressBar {
    bar(total, label, "{prefix:>12} {bar:30} {pos:>6} of {len:<6} {msg}")
}

/// A spinner for work of unknown length.
pub(crate) fn spinner(label: &str) -> ProgressBar {
    let bar = bar(0, label, "{prefix:>12} {spinner} {msg}");
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn bar(total: u64, label: &str, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("█▉▊▋▌▍▎▏ ");
    ProgressBar::new(total).with_style(style).with_prefix(label.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn little_work_is_told_to_the_second() {
        let amount = |seconds: i64, text: &str| json!({ "unit_seconds": seconds, "text": text });
        assert_eq!(work(&amount(59, "0.02 GPU-h"), ""), "59 GPU-seconds");
        assert_eq!(work(&amount(18_000_000, "5 000.00 GPU-h"), ""), "5 000.00 GPU-h");
        assert_eq!(work(&Value::Null, ""), "");
    }

    #[test]
    fn values_are_read_only_where_they_are() {
        let value = json!({ "a": { "at": "2026-11-21T09:03:59.5Z", "n": 3 }, "none": null });
        assert_eq!(when(&value, "/a/at"), "2026-11-21 09:03");
        assert_eq!((text(&value, "/a/n"), number(&value, "/a/n")), ("3".to_owned(), 3));
        assert_eq!((text(&value, "/none"), text(&value, "/b/c")), (String::new(), String::new()));
        assert!(entries(&value, "/a").is_empty());
    }
}
