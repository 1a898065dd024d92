//! Files to and from the hub, as streams.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use reqwest::{Body, Method, Response, header};
use serde::de::DeserializeOwned;
use tokio_util::io::ReaderStream;

use super::{Client, Error, read};

const CHUNK_BYTES: usize = 256 * 1024;

/// Is told how many bytes have gone by.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// A file on its way here.
#[derive(Debug)]
pub struct Download {
    response: Response,
    /// Its length, where the hub tells.
    pub length: Option<u64>,
}

impl Download {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.response.chunk().await.map_err(Error::Interrupted)
    }
}

impl Client {
    /// Begins to read the file at `path`, from `offset` on.
    ///
    /// # Errors
    /// What the hub answers instead, or that it cannot be reached.
    pub async fn download(&self, path: &str, offset: u64) -> Result<Download, Error> {
        let request = || match offset {
            0 => self.request(Method::GET, path),
            _ => self.request(Method::GET, path).header(header::RANGE, format!("bytes={offset}-")),
        };
        let response = self.carry(request).await?;
        Ok(Download { length: response.content_length(), response })
    }

    /// Sends the file that `open` opens to `path`; opened again for another attempt, which is
    /// harmless because what is sent is named by its content.
    ///
    /// # Errors
    /// What the hub answers instead, that it cannot be reached, or that the file cannot be read.
    pub async fn upload<T, F>(&self, path: &str, open: F, progress: Progress) -> Result<T, Error>
    where
        T: DeserializeOwned,
        F: Fn() -> io::Result<File> + Send + Sync,
    {
        let mut attempts = self.patience.attempts();
        loop {
            let request = || {
                let file = open().map_err(Error::File)?;
                let length = file.metadata().map_err(Error::File)?.len();
                let request = self.request(Method::PUT, path);
                Ok(request
                    .header(header::CONTENT_TYPE, "application/octet-stream")
                    .header(header::CONTENT_LENGTH, length)
                    .body(body(file, Arc::clone(&progress))))
            };
            let error = match self.attempt(request).await {
                Ok(response) => return read(response).await,
                Err(error) => error,
            };
            match attempts.pause_after(&error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }
}

fn body(file: File, progress: Progress) -> Body {
    let reader = ReaderStream::with_capacity(tokio::fs::File::from_std(file), CHUNK_BYTES);
    let mut sent = 0_u64;
    Body::wrap_stream(reader.inspect(move |chunk| {
        if let Ok(bytes) = chunk {
            sent = sent.saturating_add(u64::try_from(bytes.len()).unwrap_or_default());
            progress(sent);
        }
    }))
}
