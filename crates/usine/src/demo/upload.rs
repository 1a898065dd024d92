//! Step 4: text of this machine becomes a dataset.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use vault::FilePath;

use super::Story;
use crate::command::data::{NewRepository, push_files};
use crate::corpus::Corpus;
use crate::output::{bytes, number, text};

/// The most files that are named one by one.
const NAMED_MAX: usize = 4;

/// Sends the corpus as a dataset of the project.
pub(super) async fn tell(story: &mut Story, corpus: &Corpus) -> Result<()> {
    story.narrator.heading("It uploads text to learn from");
    let narrator = &story.narrator;
    narrator.say(&format!(
        "{} texts, {}, each once, read from:",
        corpus.texts.len(),
        bytes(corpus.size_bytes),
    ));
    for (folder, size_bytes) in &corpus.sources {
        narrator.figure(&bytes(*size_bytes), &folder.display().to_string());
    }
    for found in corpus.texts.iter().take(NAMED_MAX) {
        let below = corpus.sources.iter().find_map(|(at, _)| found.file.strip_prefix(at).ok());
        let shown = below.filter(|below| below.file_name().is_some()).unwrap_or(&found.file);
        narrator.bullet(&format!("{} ({})", shown.display(), bytes(found.size_bytes)));
    }
    let more = corpus.texts.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        narrator.bullet(&format!("and {more} more; `usine data show texts` lists them all"));
    }
    let files = named(corpus)?;
    let new = NewRepository {
        project: &story.project,
        name: "texts",
        title: "Technical documentation",
        licence: None,
        sensitivity: "internal",
    };
    let pushed = push_files(&story.ada, &new, &files, "Texts found on this machine").await?;
    story.dataset = text(&pushed.repository, "/id");
    narrator.pause();
    narrator.check(
        true,
        &format!(
            "dataset `texts` is at revision {}: {} files, {}, every one checked by its SHA-256",
            number(&pushed.revision, "/number"),
            number(&pushed.revision, "/file_count"),
            bytes(number(&pushed.revision, "/size_bytes").unsigned_abs()),
        ),
    );
    narrator.figure("identifier", &story.dataset);
    narrator.figure("tree digest", &text(&pushed.revision, "/tree"));
    Ok(())
}

/// A name in the repository for each text: its place on this machine, where that can be one.
fn named(corpus: &Corpus) -> Result<BTreeMap<FilePath, PathBuf>> {
    let mut files = BTreeMap::new();
    for (number, text) in (1..).zip(&corpus.texts) {
        let name = path_of(&text.file).or_else(|| format!("text-{number}.txt").parse().ok());
        files.insert(name.context("a text has no name")?, text.file.clone());
    }
    Ok(files)
}

fn path_of(file: &Path) -> Option<FilePath> {
    file.to_str()?.trim_start_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_place_as_its_name() {
        assert_eq!(
            path_of(Path::new("/usr/share/doc/x.md")).unwrap().as_str(),
            "usr/share/doc/x.md"
        );
        assert_eq!(path_of(Path::new("/a/con")), None);
    }
}
