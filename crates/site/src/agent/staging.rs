//! Brings a job's inputs to its directory, and its outputs to the hub.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use engine::Engine;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::journal::Entry;
use super::{Error, Shared, key};
use crate::client::{segment, segments};
use crate::protocol::{Event, EventBody, InputMount, Output, StartJob, StoredFile};

/// How many files of one job are on their way at once.
const FILES_AT_ONCE: usize = 4;

/// Why a file cannot come or go: for now, or for good.
#[derive(Debug)]
enum Trouble {
    Passing(Error),
    Lasting(String),
}

impl From<crate::client::Error> for Trouble {
    fn from(error: crate::client::Error) -> Self {
        let lasting = matches!(error.status(), Some(400 | 404 | 409 | 410 | 413 | 415 | 422));
        if lasting { Self::Lasting(error.to_string()) } else { Self::Passing(error.into()) }
    }
}

fn passing(action: &'static str) -> impl FnOnce(io::Error) -> Trouble {
    move |source| Trouble::Passing(Error::Folder { action, source })
}

/// Splits what passes, to be tried again, from what lasts, to be told.
fn settle<T>(outcome: Result<T, Trouble>) -> Result<Result<T, String>, Error> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(Trouble::Lasting(reason)) => Ok(Err(reason)),
        Err(Trouble::Passing(error)) => Err(error),
    }
}

/// Whether `path` is made of plain names only.
fn is_plain(path: &str) -> bool {
    let plain = |component| matches!(component, Component::Normal(_));
    !path.is_empty()
        && !path.contains(['\0', '\\'])
        && path.split('/').all(|name| !name.is_empty())
        && Path::new(path).components().all(plain)
}

/// Puts the inputs of `order` below `work`; the inner error says why that is impossible.
pub(super) async fn fetch_inputs<E: Engine>(
    shared: &Shared<E>,
    order: &StartJob,
    work: &Path,
) -> Result<Result<(), String>, Error> {
    let mut fetches = Vec::new();
    for input in &order.inputs {
        for file in &input.files {
            fetches.push(fetch(shared, order, work, (input, file)).boxed());
        }
    }
    let all = stream::iter(fetches).buffer_unordered(FILES_AT_ONCE).try_collect::<Vec<()>>();
    settle(all.await.map(|_| ()))
}

async fn fetch<E: Engine>(
    shared: &Shared<E>,
    order: &StartJob,
    work: &Path,
    (input, file): (&InputMount, &StoredFile),
) -> Result<(), Trouble> {
    if !is_plain(&input.mount) || input.mount.contains('/') || !is_plain(&file.path) {
        let text = format!("the input path `{}/{}` would leave its place", input.mount, file.path);
        return Err(Trouble::Lasting(text));
    }
    let target = work.join("inputs").join(&input.mount).join(&file.path);
    // Only a verified file ever gets this name.
    if fs::metadata(&target).is_ok_and(|about| about.len() == file.size_bytes) {
        return Ok(());
    }
    let folder = target.parent().unwrap_or(work);
    fs::create_dir_all(folder).map_err(passing("make a folder for inputs"))?;
    let site = segment(shared.settings.site.as_str());
    let from = format!(
        "/sites/{site}/jobs/{}/inputs/{}/{}",
        order.job,
        segment(&input.mount),
        segments(&file.path)
    );
    let draft = draft_of(work, &target);
    receive(shared, &from, file, &draft).await?;
    fs::rename(&draft, &target).map_err(passing("put an input in its place"))
}

/// A name of its own, outside the folder of the inputs.
fn draft_of(work: &Path, target: &Path) -> PathBuf {
    let hash = Sha256::digest(target.as_os_str().as_encoded_bytes());
    work.join(format!(".draft-{}", hex::encode(hash)))
}

async fn receive<E: Engine>(
    shared: &Shared<E>,
    from: &str,
    expected: &StoredFile,
    draft: &Path,
) -> Result<(), Trouble> {
    let _turn = shared.transfers.acquire().await;
    let mut download = shared.client.download(from, 0).await?;
    let mut file = tokio::fs::File::create(draft).await.map_err(passing("write an input"))?;
    let mut hash = Sha256::new();
    let mut length = 0_u64;
    while let Some(bytes) = download.chunk().await? {
        length = length.saturating_add(u64::try_from(bytes.len()).unwrap_or_default());
        if length > expected.size_bytes {
            break;
        }
        hash.update(&bytes);
        file.write_all(&bytes).await.map_err(passing("write an input"))?;
    }
    if length != expected.size_bytes || hex::encode(hash.finalize()) != expected.sha256 {
        let text = format!("the input `{}` is not what the hub says it is", expected.path);
        return Err(Trouble::Lasting(text));
    }
    file.sync_all().await.map_err(passing("make an input durable"))
}

/// Stores every output that was not told of yet, and tells.
pub(super) async fn store_outputs<E: Engine>(
    shared: &Shared<E>,
    order: &StartJob,
) -> Result<(), Error> {
    let told = shared.journal.mark(order.job).outputs;
    let work = shared.engine.prepare(order.job).await?;
    for output in &order.outputs {
        if told.contains(&output.output) {
            continue;
        }
        let name = output.output.clone();
        let body = match settle(store(shared, order, &work, output).await)? {
            Ok(files) => EventBody::OutputStored { output: name, files },
            Err(reason) => EventBody::OutputRefused { output: name, reason },
        };
        let what = format!("output/{}", output.output);
        let (key, at) = (key::event(order.job, &what), shared.now());
        let event = Event { key, job: order.job, at, body };
        shared
            .journal
            .append(vec![Entry::from(event)])
            .map_err(Error::folder("write its journal"))?;
    }
    Ok(())
}

async fn store<E: Engine>(
    shared: &Shared<E>,
    order: &StartJob,
    work: &Path,
    output: &Output,
) -> Result<Vec<StoredFile>, Trouble> {
    if !is_plain(&output.path) || !engine::beneath::is_folder(work, &output.path) {
        return Err(Trouble::Lasting(format!("the job left no folder `{}`", output.path)));
    }
    let files = engine::beneath::walk(&work.join(&output.path))
        .map_err(|error| Trouble::Lasting(error.to_string()))?;
    if files.is_empty() {
        return Err(Trouble::Lasting(format!("the folder `{}` is empty", output.path)));
    }
    let mut sends = Vec::new();
    for file in &files {
        sends.push(send(shared, order, work, (output, file)).boxed());
    }
    stream::iter(sends).buffered(FILES_AT_ONCE).try_collect().await
}

async fn send<E: Engine>(
    shared: &Shared<E>,
    order: &StartJob,
    work: &Path,
    (output, file): (&Output, &String),
) -> Result<StoredFile, Trouble> {
    let site = segment(shared.settings.site.as_str());
    let path = format!("{}/{file}", output.path);
    let open = || engine::beneath::open(work, &path);
    let _turn = shared.transfers.acquire().await;
    let (size_bytes, sha256) = digest(open())
        .await
        .map_err(|error| Trouble::Lasting(format!("`{file}` cannot be read: {error}")))?;
    let to = format!(
        "/sites/{site}/jobs/{}/outputs/{}/{}?sha256={sha256}",
        order.job,
        segment(&output.output),
        segments(file)
    );
    let stored: StoredFile = shared.client.upload(&to, open, Arc::new(|_| {})).await?;
    if stored.size_bytes != size_bytes || stored.sha256 != sha256 {
        let source = io::Error::other(format!("the hub received something else for `{file}`"));
        return Err(Trouble::Passing(Error::Folder { action: "store an output", source }));
    }
    Ok(StoredFile { path: file.clone(), size_bytes, sha256 })
}

/// Length and hash of a file; reading a large one must not hold up the other jobs.
async fn digest(opened: io::Result<File>) -> io::Result<(u64, String)> {
    let mut file = opened?;
    let read = move || {
        let mut hash = Sha256::new();
        let mut length = 0_u64;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok((length, hex::encode(hash.finalize()))),
                count => {
                    hash.update(buffer.get(..count).unwrap_or_default());
                    length = length.saturating_add(u64::try_from(count).unwrap_or_default());
                }
            }
        }
    };
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_followed() {
        for path in ["a", "a/b.txt", "ü/x y"] {
            assert!(is_plain(path), "{path} was refused");
        }
        for path in ["", "/a", "../a", "a/../b", "a//b", "a/", "./a", ".", "a\0b", "a\\b"] {
            assert!(!is_plain(path), "{path:?} was followed");
        }
    }
}
