//! Names of repositories, and of the branches and tags within them.

use std::fmt;
use std::str::FromStr;

use units::Slug;

/// The text cannot be the name of a repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a name of a repository: use 1 to 96 letters, digits and `.`, `_`, `-`, beginning \
     and ending with a letter, a digit or `_`, without `--` or `..`, and not ending in `.git`"
)]
pub struct NotAName(pub String);

/// What a project calls one of its repositories: as the clients of such repositories allow it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(String);

impl RepositoryName {
    /// The longest name, in characters.
    pub const LENGTH_MAX: usize = 96;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let valid = !text.is_empty()
            && text.len() <= Self::LENGTH_MAX
            && text.chars().all(plain)
            && !text.starts_with(['.', '-'])
            && !text.ends_with(['.', '-'])
            && !text.contains("--")
            && !text.contains("..")
            && !text.to_ascii_lowercase().ends_with(".git");
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAName(text.chars().take(Self::LENGTH_MAX).collect()))
        }
    }
}

impl From<Slug> for RepositoryName {
    /// Every slug is such a name.
    fn from(slug: Slug) -> Self {
        Self(slug.to_string())
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text cannot be the name of a branch or a tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a name of a branch or tag: use 1 to 100 letters, digits and `.`, `_`, `-`, `+`, \
     `/`, without `..` and `//`, with no part that begins or ends with a dot or ends in `.lock`; \
     numbers, commits and names that begin with `refs/` mean something else"
)]
pub struct NotARef(pub String);

/// The name of a branch other than the main one, or of a tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(String);

impl RefName {
    /// The longest name, in characters.
    pub const LENGTH_MAX: usize = 100;
    /// The branch that every repository has, which is therefore no such name.
    pub const MAIN: &str = "main";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RefName {
    type Err = NotARef;

    fn from_str(text: &str) -> Result<Self, NotARef> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '/');
        let part = |part: &str| {
            !part.is_empty()
                && !part.starts_with(['.', '-'])
                && !part.ends_with('.')
                && !part.ends_with(".lock")
        };
        let digits = |length: usize| {
            text.len() >= length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let number = text.bytes().all(|byte| byte.is_ascii_digit());
        let taken = text == Self::MAIN || text.starts_with("refs/") || number || digits(32);
        let identifier = text.parse::<units::RevisionId>().is_ok();
        let valid = text.len() <= Self::LENGTH_MAX
            && text.chars().all(plain)
            && text.split('/').all(part)
            && !text.contains("..")
            && !taken
            && !identifier;
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotARef(text.chars().take(Self::LENGTH_MAX).collect()))
        }
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_called_as_people_call_them() {
        for text in ["texts", "My_Model-7B.v2", "a", "_x_", "0"] {
            assert!(text.parse::<RepositoryName>().is_ok(), "{text:?} was refused");
        }
        let long = "a".repeat(97);
        for text in
            ["", "a b", "a/b", ".a", "a.", "-a", "a--b", "a..b", "x.git", "x.GIT", "é", &long]
        {
            assert!(text.parse::<RepositoryName>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_ref_means_nothing_else_and_leads_nowhere() {
        for text in ["dev", "v1.0", "release/2026-11", "feature_x+1"] {
            assert!(text.parse::<RefName>().is_ok(), "{text:?} was refused");
        }
        let commit = "018f2a6e7c2b7d1e9a510b7c2f6f9a10abababab";
        let id = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10";
        for text in [
            "",
            "main",
            "12",
            commit,
            id,
            "refs/heads/x",
            "a..b",
            "a//b",
            "/a",
            "a/",
            "../x",
            ".x",
            "x.lock",
            "a b",
            "a\0",
            "a\u{202e}b",
            "-x",
            "é",
        ] {
            assert!(text.parse::<RefName>().is_err(), "{text:?} was accepted");
        }
    }
}
