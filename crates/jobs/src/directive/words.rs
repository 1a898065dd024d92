//! Splitting a directive line into words, with the quoting of `sbatch`.

/// A quote that is opened and never closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unclosed(pub(crate) char);

/// The words of a line: separated by blanks, grouped by quotes, a backslash takes the next
/// character as it is, and an unquoted `#` begins a comment.
pub(crate) fn split(line: &str) -> Result<Vec<String>, Unclosed> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', _) => word.get_or_insert_default().extend(characters.next()),
            (_, Some(open)) if character == open => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(character),
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            ('#', None) => break,
            (blank, None) if blank.is_whitespace() => words.extend(word.take()),
            (plain, None) => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    match quote {
        Some(open) => Err(Unclosed(open)),
        None => Ok(words),
    }
}

/// `text` so that [`split`] reads it as one word.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |character: char| {
        character.is_alphanumeric()
            || matches!(character, '_' | '-' | '.' | '/' | ':' | ',' | '=' | '%' | '+')
    };
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_split_as_sbatch_does() {
        let table: [(&str, &[&str]); 9] = [
            (" --time=1:00 -N 2 ", &["--time=1:00", "-N", "2"]),
            ("--job-name=\"my job\"", &["--job-name=my job"]),
            ("--job-name='my \"job\"'", &["--job-name=my \"job\""]),
            ("-J my\\ job", &["-J", "my job"]),
            ("--time=1:00 # one minute", &["--time=1:00"]),
            ("--comment='a # b'", &["--comment=a # b"]),
            ("--comment=a\\#b", &["--comment=a#b"]),
            ("-J ''", &["-J", ""]),
            ("", &[]),
        ];
        for (line, expected) in table {
            assert_eq!(split(line).unwrap(), expected, "{line:?}");
        }
        assert_eq!(split("-J 'open"), Err(Unclosed('\'')));
        assert_eq!(split("-J \"a\\\""), Err(Unclosed('"')));
    }

    proptest! {
        #[test]
        fn a_quoted_text_is_read_back_as_one_word(text in "\\PC*") {
            prop_assert_eq!(split(&quoted(&text)), Ok(vec![text]));
        }
    }
}
