//! Where a file stands in a repository. Paths come from strangers and end up in folders of jobs
//! and of people's own machines, so whatever could leave such a folder is refused here.

use std::fmt;
use std::str::FromStr;

/// The text cannot be the path of a file in a repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// There is no text.
    #[error("the path is empty")]
    Empty,
    /// The whole path is longer than [`FilePath::LENGTH_MAX`] bytes.
    #[error("the path is longer than {} bytes", FilePath::LENGTH_MAX)]
    TooLong,
    /// There are more than [`FilePath::DEPTH_MAX`] names in the path.
    #[error("the path is nested deeper than {} folders", FilePath::DEPTH_MAX)]
    TooDeep,
    /// It starts at the root of a file system.
    #[error("the path starts with `/`: paths are relative to the repository")]
    Absolute,
    /// It holds a character that would not survive or would mislead elsewhere.
    #[error("the path holds the character U+{code:04X}, which is not allowed", code = u32::from(*.0))]
    Character(char),
    /// One of its names is not a usable file name.
    #[error("`{name}` in the path {why}")]
    Name {
        /// The offending name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// A relative path with `/` between names, safe to create below any folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

impl FilePath {
    /// The longest path, in bytes of UTF-8.
    pub const LENGTH_MAX: usize = 1_024;
    /// The most names in a path.
    pub const DEPTH_MAX: usize = 32;
    /// The longest single name, in bytes of UTF-8 (the limit of common file systems).
    pub const NAME_LENGTH_MAX: usize = 255;

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last name of the path.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folders that must exist for this file, outermost first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').filter_map(|(end, _)| self.0.get(..end))
    }
}

impl FromStr for FilePath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        if text.is_empty() {
            return Err(BadPath::Empty);
        }
        if text.len() > Self::LENGTH_MAX {
            return Err(BadPath::TooLong);
        }
        if text.starts_with('/') {
            return Err(BadPath::Absolute);
        }
        if let Some(character) = text.chars().find(|character| misleading(*character)) {
            return Err(BadPath::Character(character));
        }
        if text.split('/').count() > Self::DEPTH_MAX {
            return Err(BadPath::TooDeep);
        }
        for name in text.split('/') {
            check_name(name).map_err(|why| BadPath::Name { name: name.to_owned(), why })?;
        }
        Ok(Self(text.to_owned()))
    }
}

/// Control characters, separators of other systems, and invisible or direction-changing ones.
fn misleading(character: char) -> bool {
    character.is_control()
        || matches!(character, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(
            character,
            '\u{00AD}' | '\u{061C}' | '\u{200B}' | '\u{200E}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFD}' | '\u{E0000}'..='\u{E007F}'
        )
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("is empty: write one `/` between names and none at the end");
    }
    if name == "." || name == ".." {
        return Err("would leave the folder it stands in");
    }
    if name.len() > FilePath::NAME_LENGTH_MAX {
        return Err("is longer than 255 bytes");
    }
    if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        return Err("starts or ends with a space, or ends with a dot");
    }
    if name.eq_ignore_ascii_case(".git") || name.eq_ignore_ascii_case(".usine") {
        return Err("is reserved");
    }
    if is_device(name.split('.').next().unwrap_or(name).trim_end()) {
        return Err("names a device on some systems");
    }
    Ok(())
}

/// The device names of Windows, with which a file there cannot be called.
fn is_device(stem: &str) -> bool {
    let stem = stem.to_ascii_lowercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            matches!(rest.chars().next(), Some('0'..='9' | '¹' | '²' | '³'))
                && rest.chars().count() == 1
        })
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_names_in_every_script_are_accepted() {
        for text in [
            "README.md",
            "data/train-00000-of-00012.parquet",
            ".gitattributes",
            "données/été 2026.txt",
            "δεδομένα/κείμενο.txt",
            "данные/текст.txt",
            "数据/文本.txt",
            "بيانات/نص.txt",
            "a.b.c/..hidden",
            "console.txt",
            "com10",
        ] {
            assert_eq!(text.parse::<FilePath>().map(|path| path.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn paths_that_could_leave_a_folder_or_mislead_are_refused() {
        for text in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/./b",
            "a//b",
            "a/",
            "a\\..\\b",
            "C:/x",
            "a\0b",
            "a\nb",
            "a\u{1b}[31m",
            "a\u{202e}txt.exe",
            "a\u{200b}",
            "a\u{feff}",
            "a ",
            " a",
            "a.",
            ".GIT/config",
            "x/.git",
            "NUL",
            "con.txt",
            "Aux .tar",
            "COM1.log",
            "lpt³",
            &"a".repeat(256),
            &"a/".repeat(600),
            &format!("{}a", "d/".repeat(32)),
        ] {
            assert!(text.parse::<FilePath>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_path_lists_the_folders_it_needs() {
        let path: FilePath = "a/b/c.txt".parse().unwrap();
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(path.name(), "c.txt");
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_stays_below_its_folder(text in "(?s)[a-z./\\\\\u{0}-\u{7f}é]{0,40}") {
            if let Ok(path) = text.parse::<FilePath>() {
                prop_assert!(
                    Path::new(path.as_str()).components().all(|part| matches!(part, Component::Normal(_)))
                );
                prop_assert_eq!(path.as_str().parse::<FilePath>(), Ok(path.clone()));
            }
        }

        #[test]
        fn parsing_never_fails_otherwise_than_with_a_reason(text in "\\PC{0,300}") {
            if let Err(reason) = text.parse::<FilePath>() {
                prop_assert!(!reason.to_string().is_empty());
            }
        }
    }
}
