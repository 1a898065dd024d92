//! Names of output files, with the placeholders of Slurm.

use std::fmt;
use std::str::FromStr;

/// The text cannot name an output file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAFilePattern {
    /// Nothing was written.
    #[error("the file name is empty")]
    Empty,
    /// A placeholder that is not offered.
    #[error("`%{0}` is not offered in file names: use %j, %A, %a, %x, %u or %%")]
    Placeholder(String),
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Field {
    Job,
    Array,
    Index,
    Name,
    User,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Piece {
    Text(String),
    /// A field, and to how many digits a number is filled up with zeros.
    Field(Field, u8),
}

/// The name of an output file, such as `logs/%x-%j.out`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FilePattern(Vec<Piece>);

/// What the placeholders stand for in one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNames<'a> {
    /// `%j`: the number of the job.
    pub job: i64,
    /// `%A`: the number of the array that the job is an element of, or of the job itself.
    pub array: i64,
    /// `%a`: the index in the array.
    pub index: Option<u32>,
    /// `%x`: the name of the job.
    pub name: &'a str,
    /// `%u`: who submitted it.
    pub user: &'a str,
}

impl FilePattern {
    /// The name for one job.
    pub fn expand(&self, names: &FileNames<'_>) -> String {
        let expanded = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field(Field::Job, width) => filled(names.job, *width),
            Piece::Field(Field::Array, width) => filled(names.array, *width),
            Piece::Field(Field::Index, width) => {
                filled(names.index.unwrap_or_default().into(), *width)
            }
            Piece::Field(Field::Name, _) => names.name.replace('/', "_"),
            Piece::Field(Field::User, _) => names.user.replace('/', "_"),
        });
        expanded.collect()
    }
}

/// A number with zeros before it, up to so many digits.
fn filled(number: i64, width: u8) -> String {
    format!("{number:0width$}", width = usize::from(width))
}

impl FromStr for FilePattern {
    type Err = NotAFilePattern;

    fn from_str(text: &str) -> Result<Self, NotAFilePattern> {
        if text.is_empty() {
            return Err(NotAFilePattern::Empty);
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            plain.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                plain.push('%');
                rest = after;
                continue;
            }
            let (piece, after) = placeholder(after)?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }
}

/// The placeholder at the start of `text`, its percent sign already taken, and what follows it.
fn placeholder(text: &str) -> Result<(Piece, &str), NotAFilePattern> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (width, rest) = text.split_at(digits);
    let letter = rest.chars().next();
    let refused = || NotAFilePattern::Placeholder(width.chars().chain(letter).collect());
    let width: u8 = if width.is_empty() { 0 } else { width.parse().map_err(|_| refused())? };
    let (field, after) = match (letter, rest.get(1..)) {
        (Some('j'), Some(after)) => (Field::Job, after),
        (Some('A'), Some(after)) => (Field::Array, after),
        (Some('a'), Some(after)) => (Field::Index, after),
        (Some('x'), Some(after)) => (Field::Name, after),
        (Some('u'), Some(after)) => (Field::User, after),
        _ => return Err(refused()),
    };
    // Slurm caps the width at ten digits.
    Ok((Piece::Field(field, width.min(10)), after))
}

impl fmt::Display for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            let (field, width) = match piece {
                Piece::Text(text) => {
                    f.write_str(&text.replace('%', "%%"))?;
                    continue;
                }
                Piece::Field(field, width) => (field, width),
            };
            f.write_str("%")?;
            if *width > 0 {
                write!(f, "{width}")?;
            }
            f.write_str(match field {
                Field::Job => "j",
                Field::Array => "A",
                Field::Index => "a",
                Field::Name => "x",
                Field::User => "u",
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, NotAFilePattern> {
        let names = FileNames { job: 19, array: 17, index: Some(7), name: "a/b", user: "ada" };
        text.parse::<FilePattern>().map(|pattern| pattern.expand(&names))
    }

    #[test]
    fn placeholders_stand_for_the_job() {
        let (job, array) = (19, 17);
        let table = [
            ("out.txt", "out.txt".to_owned()),
            ("slurm-%j.out", format!("slurm-{job}.out")),
            ("%A_%a", format!("{array}_7")),
            ("%3a", "007".to_owned()),
            ("%99a", "0000000007".to_owned()),
            ("%x.%u", "a_b.ada".to_owned()),
            ("100%%", "100%".to_owned()),
        ];
        for (text, expected) in table {
            assert_eq!(expanded(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_placeholders_are_refused_by_name() {
        let refused = |name: &str| Err(NotAFilePattern::Placeholder(name.to_owned()));
        assert_eq!(expanded("%N.out"), refused("N"));
        assert_eq!(expanded("x%"), refused(""));
        assert_eq!(expanded("%é"), refused("é"));
        assert_eq!(expanded("%999a"), refused("999a"));
        assert_eq!(expanded(""), Err(NotAFilePattern::Empty));
    }
}
