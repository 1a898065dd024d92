//! Sending files: each once, under its digest, then one commit that names them all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::command::{Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{byte_bar, bytes, entries, number, spinner, text};
use crate::remote::transfer::Measured;
use crate::remote::{Remote, wait};

/// How many files are on their way at once.
const FILES_AT_ONCE: usize = 4;

/// What to send, and as what.
#[derive(clap::Args)]
pub(crate) struct PushArguments {
    /// Files and folders to send.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The dataset's name within the project.
    #[arg(long)]
    name: String,
    /// The project that owns it.
    #[arg(long, value_name = "ID")]
    project: String,
    /// What people call it, if it is new [default: its name].
    #[arg(long)]
    title: Option<String>,
    /// The licence of its content, if it is new, as SPDX writes it.
    #[arg(long, value_name = "SPDX")]
    licence: Option<String>,
    /// How closely it must be kept, if it is new: open, internal, confidential or personal.
    #[arg(long, value_name = "CLASS", default_value = "internal")]
    sensitivity: String,
    /// What you say about this revision.
    #[arg(long, short, default_value = "Send files")]
    message: String,
}

/// A repository to make if it is not there.
pub(crate) struct NewRepository<'a> {
    pub(crate) project: &'a str,
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    pub(crate) licence: Option<&'a str>,
    pub(crate) sensitivity: &'a str,
}

/// What was sent.
pub(crate) struct Pushed {
    pub(crate) repository: Value,
    pub(crate) revision: Value,
    /// Bytes that had to be sent.
    pub(crate) sent_bytes: u64,
}

pub(super) fn run(arguments: &PushArguments, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let files = gathered(&arguments.paths)?;
    if files.is_empty() {
        let message = "there is no file in what you named; nothing was sent";
        return Err(Told::new(Failure::Invalid, message).into());
    }
    let new = NewRepository {
        project: &arguments.project,
        name: &arguments.name,
        title: arguments.title.as_deref().unwrap_or(&arguments.name),
        licence: arguments.licence.as_deref(),
        sensitivity: &arguments.sensitivity,
    };
    let pushed = wait(push_files(&remote, &new, &files, &arguments.message))?;
    let shown = json!({ "repository": pushed.repository, "revision": pushed.revision });
    session.audience.show(&shown, |_| {
        println!(
            "dataset {} is at revision {}: {} files, {} ({} had to be sent)",
            arguments.name,
            number(&pushed.revision, "/number"),
            number(&pushed.revision, "/file_count"),
            bytes(number(&pushed.revision, "/size_bytes").unsigned_abs()),
            bytes(pushed.sent_bytes),
        );
        println!("  {}", text(&pushed.repository, "/id"));
    })
}

/// Every file below `paths`, by its path in the repository. Links are not followed.
fn gathered(paths: &[PathBuf]) -> Result<BTreeMap<vault::FilePath, PathBuf>> {
    let mut files = BTreeMap::new();
    for root in paths {
        let mut waiting = vec![root.clone()];
        while let Some(path) = waiting.pop() {
            let meta = std::fs::symlink_metadata(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            if meta.is_dir() {
                for entry in std::fs::read_dir(&path)? {
                    waiting.push(entry?.path());
                }
            } else if meta.is_file() {
                files.insert(named(root, &path)?, path);
            }
        }
    }
    Ok(files)
}

/// What a file is called in the repository: its path below the folder that was named, or its name.
fn named(root: &Path, file: &Path) -> Result<vault::FilePath> {
    let below = file.strip_prefix(root).unwrap_or(file);
    let below =
        if below.as_os_str().is_empty() { file.file_name().map(Path::new) } else { Some(below) };
    let text = below.and_then(Path::to_str).with_context(|| {
        format!("the name of {} is not text and cannot be sent", file.display())
    })?;
    text.parse().with_context(|| format!("{} cannot be sent under its name", file.display()))
}

/// Sends `files` as the next revision of a dataset.
pub(crate) async fn push_files(
    remote: &Remote,
    new: &NewRepository<'_>,
    files: &BTreeMap<vault::FilePath, PathBuf>,
    message: &str,
) -> Result<Pushed> {
    let repository = open(remote, new).await?;
    let id = text(&repository, "/id");
    let head = repository.pointer("/head").cloned().unwrap_or(Value::Null);
    let known = if head.is_null() {
        BTreeMap::new()
    } else {
        digests(&remote.get(&format!("/repositories/{id}/revisions/main")).await?)
    };
    let measured = measure(files)?;
    let wanted: Vec<_> =
        measured.iter().filter(|(path, _, file)| known.get(*path) != Some(&file.sha256)).collect();
    let sent_bytes = wanted.iter().map(|(_, _, file)| file.size_bytes).sum();
    let bar = byte_bar(sent_bytes, "sending");
    let sending = stream::iter(&wanted).map(|(_, here, file)| {
        let to = format!("/repositories/{id}/blobs/{}", file.sha256);
        let bar = &bar;
        async move { remote.send_file(&to, here, file.size_bytes, bar).await }
    });
    sending.buffer_unordered(FILES_AT_ONCE).try_for_each(|_| async { Ok(()) }).await?;
    bar.finish_and_clear();
    if wanted.is_empty() && !head.is_null() {
        let message = "every file is in the newest revision already; nothing was sent";
        return Err(Told::new(Failure::Refused, message).into());
    }
    let put: Vec<_> = wanted
        .iter()
        .map(|(path, _, file)| json!({ "path": path.as_str(), "sha256": file.sha256 }))
        .collect();
    let commit = json!({ "parent": head, "message": message, "put": put });
    let revision = remote.post(&format!("/repositories/{id}/revisions"), &commit).await?;
    Ok(Pushed { repository, revision, sent_bytes })
}

fn digests(revision: &Value) -> BTreeMap<vault::FilePath, String> {
    let files = entries(revision, "/files").iter();
    files
        .filter_map(|file| Some((text(file, "/path").parse().ok()?, text(file, "/sha256"))))
        .collect()
}

fn measure(
    files: &BTreeMap<vault::FilePath, PathBuf>,
) -> Result<Vec<(&vault::FilePath, &Path, Measured)>> {
    let bar = spinner("reading");
    let measured = files
        .iter()
        .map(|(path, here)| {
            bar.set_message(path.to_string());
            Ok((path, here.as_path(), Measured::of(here)?))
        })
        .collect();
    bar.finish_and_clear();
    measured
}

/// The dataset, made if the project has none of that name.
async fn open(remote: &Remote, new: &NewRepository<'_>) -> Result<Value> {
    let of_project = format!("/projects/{}/repositories", segment(new.project));
    let all = remote.list(&format!("{of_project}?kind=dataset&limit=200"), usize::MAX).await?;
    if let Some(found) = all.into_iter().find(|one| text(one, "/name") == new.name) {
        return Ok(found);
    }
    let body = json!({
        "kind": "dataset",
        "name": new.name,
        "title": new.title,
        "licence": new.licence,
        "sensitivity": new.sensitivity,
    });
    remote.post(&of_project, &body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_below_the_folder_that_was_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("a/b/c.txt"), "c").unwrap();
        std::fs::write(folder.path().join("d.txt"), "d").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        let names = |paths: &[PathBuf]| {
            let files = gathered(paths).unwrap();
            files.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&[folder.path().to_owned()]), "a/b/c.txt d.txt");
        assert_eq!(names(&[folder.path().join("d.txt")]), "d.txt");
        assert!(gathered(&[folder.path().join("nothing")]).is_err());
    }
}
