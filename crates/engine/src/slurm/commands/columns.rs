//! Tables whose columns have the widths that were asked for.

/// The columns of a table by name and width in bytes, each followed by a blank or by nothing.
pub(super) struct Columns<const N: usize> {
    columns: [(&'static str, usize); N],
    /// What follows each column.
    gap: usize,
}

impl<const N: usize> Columns<N> {
    pub(super) const fn new(columns: [(&'static str, usize); N], gap: usize) -> Self {
        Self { columns, gap }
    }

    /// What a command is to print, with `between` name and width.
    pub(super) fn format(&self, between: &str) -> String {
        let one = |(name, width): &(&str, usize)| format!("{name}{between}{width}");
        self.columns.iter().map(one).collect::<Vec<_>>().join(",")
    }

    /// The fields of a line, without the blanks that fill them up; `None` when the line is too short
    /// to be one of the table's.
    pub(super) fn split<'l>(&self, line: &'l [u8]) -> Option<[&'l str; N]> {
        let (mut fields, mut begin) = ([""; N], 0_usize);
        for (field, (_, width)) in fields.iter_mut().zip(&self.columns) {
            let end = begin.checked_add(*width)?;
            *field = str::from_utf8(line.get(begin..end)?).ok()?.trim();
            begin = end.checked_add(self.gap)?;
        }
        Some(fields)
    }
}

/// The lines of a text, without their ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|mark| *mark == b'\n').filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Columns<2> = Columns::new([("Job", 4), ("Comment", 6)], 1);

    #[test]
    fn fields_stand_at_their_places() {
        assert_eq!(TABLE.format("%-"), "Job%-4,Comment%-6");
        assert_eq!(TABLE.split(b"12   abc    "), Some(["12", "abc"]));
        assert_eq!(TABLE.split(b"12   a b c  more"), Some(["12", "a b c"]));
    }

    #[test]
    fn a_line_within_a_comment_is_too_short_to_be_one_of_the_table() {
        assert_eq!(TABLE.split(b"99   x"), None);
        assert_eq!(TABLE.split("123ä  abcdef".as_bytes()), None);
    }
}
