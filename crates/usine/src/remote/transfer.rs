//! Files on their way to and from the hub: streamed, digested on the way, with progress.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use futures_util::TryStreamExt;
use indicatif::ProgressBar;
use reqwest::{Body, Method};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::Remote;

/// What is read from a file at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The length and SHA-256 of a file of this machine.
pub(crate) struct Measured {
    pub(crate) size_bytes: u64,
    pub(crate) sha256: String,
}

impl Measured {
    /// Reads `file` once.
    pub(crate) fn of(file: &Path) -> Result<Self> {
        use sha2::Digest;
        let mut reader =
            std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        let (mut sha256, mut size_bytes) = (sha2::Sha256::new(), 0_u64);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = reader.read(&mut chunk)?;
            let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else {
                let sha256 = vault::Sha256::from_bytes(sha256.finalize().into()).to_string();
                return Ok(Self { size_bytes, sha256 });
            };
            sha256.update(read);
            size_bytes = size_bytes.saturating_add(u64::try_from(count)?);
        }
    }
}

impl Remote {
    /// Sends `file` to `path`, moving `progress` as bytes go out.
    pub(crate) async fn send_file(
        &self,
        path: &str,
        file: &Path,
        size_bytes: u64,
        progress: &ProgressBar,
    ) -> Result<Value> {
        let opened = tokio::fs::File::open(file)
            .await
            .with_context(|| format!("cannot read {}", file.display()))?;
        let moved = progress.clone();
        let stream = tokio_util::io::ReaderStream::with_capacity(opened, CHUNK_BYTES)
            .inspect_ok(move |chunk| moved.inc(u64::try_from(chunk.len()).unwrap_or(u64::MAX)));
        let request = self
            .request(Method::PUT, path)
            .header("Content-Type", "application/octet-stream")
            .header("Content-Length", size_bytes)
            .body(Body::wrap_stream(stream));
        Ok(self.answered(request).await?.json().await?)
    }

    /// Fetches `path` into `file`, which appears only when all of it is there and has the digest
    /// `sha256`.
    pub(crate) async fn fetch_file(
        &self,
        path: &str,
        file: &Path,
        sha256: &str,
        progress: &ProgressBar,
    ) -> Result<()> {
        use sha2::Digest;
        let (part, mut out) = begun(file).await?;
        let mut digest = sha2::Sha256::new();
        let mut bytes = self.answered(self.request(Method::GET, path)).await?.bytes_stream();
        while let Some(chunk) = bytes.try_next().await? {
            digest.update(&chunk);
            out.write_all(&chunk).await?;
            progress.inc(u64::try_from(chunk.len())?);
        }
        out.sync_all().await?;
        let found = vault::Sha256::from_bytes(digest.finalize().into()).to_string();
        if found != sha256 {
            bail!(
                "{} arrived damaged (SHA-256 {found}, expected {sha256}); try again",
                file.display()
            );
        }
        tokio::fs::rename(&part, file).await?;
        Ok(())
    }

    /// Writes what stands at `path` into `file`, which appears only when all of it is there; says
    /// how many bytes that are.
    pub(crate) async fn save(&self, path: &str, file: &Path) -> Result<u64> {
        let mut bytes = self.answered(self.request(Method::GET, path)).await?.bytes_stream();
        let (part, mut out) = begun(file).await?;
        let mut written = 0_u64;
        while let Some(chunk) = bytes.try_next().await? {
            out.write_all(&chunk).await?;
            written = written.saturating_add(u64::try_from(chunk.len())?);
        }
        out.sync_all().await?;
        tokio::fs::rename(&part, file).await?;
        Ok(written)
    }

    /// Writes what stands at `path` to standard output.
    pub(crate) async fn print(&self, path: &str) -> Result<()> {
        let mut bytes = self.answered(self.request(Method::GET, path)).await?.bytes_stream();
        while let Some(chunk) = bytes.try_next().await? {
            std::io::stdout().write_all(&chunk)?;
        }
        Ok(())
    }
}

/// A file beside `file` to write first, so that half of it is never taken for the whole.
async fn begun(file: &Path) -> Result<(PathBuf, tokio::fs::File)> {
    let mut name = file.file_name().context("a file needs a name")?.to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let out = tokio::fs::File::create(&part)
        .await
        .with_context(|| format!("cannot write {}", part.display()))?;
    Ok((part, out))
}
