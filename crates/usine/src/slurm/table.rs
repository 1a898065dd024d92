//! Columns as Slurm prints them: a width, which side, and whether what is longer is cut.

/// How wide a column is, and where in it a value stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Width {
    /// The width; what is longer is as wide as it is where nothing is cut.
    pub(super) size: Option<usize>,
    pub(super) right: bool,
    /// Whether a longer value is cut.
    pub(super) cut: bool,
}

impl Width {
    /// `value` in this width.
    pub(super) fn fit(self, value: &str) -> String {
        let Some(size) = self.size else { return value.to_owned() };
        let kept: String = if self.cut { value.chars().take(size).collect() } else { value.into() };
        if self.right { format!("{kept:>size$}") } else { format!("{kept:<size$}") }
    }
}

/// A width as it is written behind the name of a field: `10`, `.10` for the right side.
pub(super) fn written(text: &str) -> Option<Width> {
    let (right, digits) = match text.strip_prefix('.') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let size: usize = digits.parse().ok()?;
    Some(Width { size: Some(size.min(1_000)), right, cut: true })
}

/// A piece of a format such as `%.18i %j`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The letter of a field, in a width.
    Field(char, Width),
    /// Text that stands as it is.
    Text(String),
}

/// Takes a format apart. `%%` is not Slurm's; a percent sign at the end stands for itself.
pub(super) fn pieces(format: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        let width = after.trim_start_matches(|mark: char| mark == '.' || mark.is_ascii_digit());
        let (size, behind) = after.split_at(after.len().saturating_sub(width.len()));
        let mut letters = behind.chars();
        match letters.next() {
            Some(letter) => pieces.push(Piece::Field(letter, written(size).unwrap_or_default())),
            None => pieces.push(Piece::Text("%".to_owned())),
        }
        rest = letters.as_str();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_their_columns_as_slurm_puts_them() {
        let fit = |text: &str, value: &str| written(text).unwrap().fit(value);
        assert_eq!(fit(".8", "a_long_name"), "a_long_n");
        assert_eq!(fit(".8", "wrap"), "    wrap");
        assert_eq!(fit("8", "wrap"), "wrap    ");
        assert_eq!(Width::default().fit("any"), "any");
        assert_eq!(written("x"), None);
    }

    #[test]
    fn a_format_is_fields_with_text_between_them() {
        let right = |size| Width { size: Some(size), right: true, cut: true };
        let expected = [
            Piece::Field('i', right(18)),
            Piece::Text(" ".to_owned()),
            Piece::Field('j', Width::default()),
            Piece::Text("|".to_owned()),
        ];
        assert_eq!(pieces("%.18i %j|"), expected);
        assert_eq!(pieces("100%"), [Piece::Text("100".to_owned()), Piece::Text("%".to_owned())]);
        assert_eq!(pieces(""), []);
    }
}
