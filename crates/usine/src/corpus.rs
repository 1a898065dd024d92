//! Readable text of this machine, to learn a language model from: the documentation of installed
//! packages and of the crates that this program was built from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vault::Sha256;

/// The most text that is taken.
const BYTES_MAX: u64 = 3 * 1024 * 1024;
/// The least with which learning makes sense.
pub(crate) const BYTES_MIN: u64 = 300 * 1024;
/// A file shorter than this says little.
const FILE_BYTES_MIN: u64 = 2 * 1024;
/// A file longer than this is rarely prose, and would dominate.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Beginnings of the names of files that say the same everywhere, or nothing in sentences.
const DULL: [&str; 7] =
    ["license", "licence", "copying", "changelog", "changes", "code_of_conduct", "authors"];
/// Folders deeper than this are not looked into.
const DEPTH_MAX: usize = 8;

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Where it was found.
    pub(crate) file: PathBuf,
    /// How long it is.
    pub(crate) size_bytes: u64,
    /// Its digest.
    pub(crate) sha256: Sha256,
}

/// Texts, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Corpus {
    /// In the order in which they were found.
    pub(crate) texts: Vec<Text>,
    /// Their bytes together.
    pub(crate) size_bytes: u64,
    /// The folders that gave something, with how many bytes.
    pub(crate) sources: Vec<(PathBuf, u64)>,
}

impl Corpus {
    /// Everything readable in a file or folder that somebody named; every text file counts.
    pub(crate) fn of(path: &Path) -> Self {
        let mut corpus = Self::default();
        corpus.take(path, Files::AnyText);
        corpus
    }

    /// What this machine has, up to a few megabytes.
    pub(crate) fn of_this_machine(home: Option<&Path>) -> Self {
        let mut corpus = Self::default();
        for root in roots(home) {
            corpus.take(&root, Files::Documentation);
        }
        corpus
    }

    fn take(&mut self, root: &Path, wanted: Files) {
        let mut seen: BTreeSet<Sha256> = self.texts.iter().map(|text| text.sha256).collect();
        let before = self.size_bytes;
        let mut waiting = vec![(root.to_owned(), 0)];
        while let Some((path, depth)) = waiting.pop() {
            if self.size_bytes >= BYTES_MAX {
                break;
            }
            // Links are not followed: they lead out of the folder, or around in it.
            let Ok(meta) = std::fs::symlink_metadata(&path) else { continue };
            if meta.is_dir() && depth < DEPTH_MAX {
                waiting.extend(children(&path).into_iter().map(|child| (child, depth + 1)));
            } else if meta.is_file()
                && (depth == 0 || wanted.include(&path))
                && let Some(text) = readable(&path, meta.len())
                && seen.insert(text.sha256)
            {
                self.size_bytes = self.size_bytes.saturating_add(text.size_bytes);
                self.texts.push(text);
            }
        }
        if self.size_bytes > before {
            self.sources.push((root.to_owned(), self.size_bytes.saturating_sub(before)));
        }
    }
}

/// Which files of a folder are taken.
#[derive(Clone, Copy)]
enum Files {
    /// Those whose names say that they are written for people.
    Documentation,
    /// All that hold text.
    AnyText,
}

impl Files {
    fn include(self, path: &Path) -> bool {
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
        match self {
            Self::AnyText => true,
            Self::Documentation => {
                let name = path.file_name().and_then(|text| text.to_str()).unwrap_or_default();
                let lower = name.to_lowercase();
                if DULL.iter().any(|dull| lower.starts_with(dull)) {
                    return false;
                }
                matches!(extension, "md" | "markdown" | "rst" | "adoc" | "pod")
                    || extension == "txt"
                    || (extension.is_empty() && name.starts_with("README"))
            }
        }
    }
}

/// Where documentation lies on this machine: the sources of the crates first, because they are
/// prose about one subject, then that of installed packages.
fn roots(home: Option<&Path>) -> Vec<PathBuf> {
    let crates = home.map(|home| home.join(".cargo/registry/src"));
    let installed =
        ["/usr/share/doc", "/usr/share/perl", "/usr/share/perl5", "/usr/share/common-licenses"];
    crates.into_iter().chain(installed.map(PathBuf::from)).collect()
}

/// What lies in a folder, in an order that does not depend on the file system; the last is taken
/// first, so the order is turned around.
fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| !hidden(path));
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn readable(path: &Path, size_bytes: u64) -> Option<Text> {
    if !(FILE_BYTES_MIN..=FILE_BYTES_MAX).contains(&size_bytes) {
        return None;
    }
    let content = std::fs::read(path).ok()?;
    let text = std::str::from_utf8(&content).ok()?;
    reads_like_prose(text).then(|| Text {
        file: path.to_owned(),
        size_bytes: u64::try_from(content.len()).unwrap_or(u64::MAX),
        sha256: Sha256::of(&content),
    })
}

/// Whether most of a text is letters and spaces: tables, hex dumps and minified files are not.
fn reads_like_prose(text: &str) -> bool {
    let (mut words, mut control, mut all) = (0_usize, 0_usize, 0_usize);
    for character in text.chars() {
        all = all.saturating_add(1);
        if character.is_alphabetic() || character.is_whitespace() {
            words = words.saturating_add(1);
        }
        if character.is_control() && !matches!(character, '\n' | '\r' | '\t') {
            control = control.saturating_add(1);
        }
    }
    control == 0 && words.saturating_mul(100) >= all.saturating_mul(75)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(word: &str) -> String {
        format!("{word} is a word that stands in this text. ").repeat(60)
    }

    #[test]
    fn texts_are_taken_once_and_junk_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, content: &[u8]| {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        };
        put("a/README.md", prose("Wheat").as_bytes());
        put("b/README.md", prose("Wheat").as_bytes());
        put("b/guide.rst", prose("Barley").as_bytes());
        put("b/short.md", b"too short");
        put("b/binary.md", &[0; 5_000]);
        put("b/latin.md", &[b"caf\xe9 ".as_slice(); 500].concat());
        put("b/table.md", "| 1 | 2 | 3.14159 |\n".repeat(200).as_bytes());
        put("b/main.rs", prose("Rye").as_bytes());
        put("b/.hidden/x.md", prose("Oats").as_bytes());
        std::os::unix::fs::symlink("..", folder.path().join("b/loop")).unwrap();
        let mut corpus = Corpus::default();
        corpus.take(folder.path(), Files::Documentation);
        let names: Vec<_> = corpus
            .texts
            .iter()
            .map(|text| text.file.file_name().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, ["README.md", "guide.rst"]);
        assert_eq!(corpus.sources, [(folder.path().to_owned(), corpus.size_bytes)]);
        assert_eq!(Corpus::of(folder.path()).texts.len(), 3, "a named folder gives every text");
        assert_eq!(Corpus::of(&folder.path().join("b/main.rs")).texts.len(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_gives_nothing() {
        assert_eq!(Corpus::of(Path::new("/nonexistent")), Corpus::default());
    }
}
