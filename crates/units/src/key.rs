//! Names that people give to things of the federation, safe in URLs and file names.

use std::fmt;
use std::str::FromStr;

/// The text cannot be used as a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// A slug breaks the alphabet or length rule.
    #[error(
        "`{0}` is not a name: use 1 to 64 lower-case letters, digits and single hyphens, \
         starting with a letter or digit"
    )]
    Slug(String),
    /// A partition key lacks the dot between system and partition.
    #[error("`{0}` does not name a partition: write SYSTEM.PARTITION, for example lumi.lumi-g")]
    Partition(String),
}

/// A short name: lower-case letters, digits and single hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

impl Slug {
    /// The longest slug, in characters.
    pub const LENGTH_MAX: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid = !text.is_empty()
            && text.len() <= Self::LENGTH_MAX
            && text.chars().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if valid { Ok(Self(text.to_owned())) } else { Err(NotAKey::Slug(text.to_owned())) }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A partition of a system: `system.partition`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey {
    /// The system it is part of.
    pub system: Slug,
    /// Its name within the system.
    pub partition: Slug,
}

impl FromStr for PartitionKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let (system, partition) =
            text.split_once('.').ok_or_else(|| NotAKey::Partition(text.to_owned()))?;
        Ok(Self { system: system.parse()?, partition: partition.parse()? })
    }
}

impl fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.system, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_key_survives_printing_and_parsing() {
        let key: PartitionKey = "meluxina-ai.gpu".parse().unwrap();
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn names_that_could_leave_a_path_or_a_url_are_refused() {
        for text in ["", "..", "a/b", "A", "-a", "a-", "a--b", "é", "a b", &"a".repeat(65)] {
            assert!(text.parse::<Slug>().is_err(), "{text:?} was accepted");
        }
    }
}
