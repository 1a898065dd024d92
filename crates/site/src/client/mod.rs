//! A typed client of the hub's API: for the agent, the command line, and tests.
//!
//! Not here: what the API offers. Callers name paths and types; this carries them, with a key on
//! every unsafe call, so that repeating one after a lost reply is harmless.

mod access;
mod error;
mod events;
mod retry;
pub mod tls;
mod transfer;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use units::Slug;
use uuid::Uuid;

use crate::identity::Identity;
use access::{Access, Door};
use engine::Clock;

pub use error::{Error, Problem, Reason};
pub use events::{EventStream, ServerEvent};
pub use retry::Patience;
pub use tls::Trust;
pub use transfer::{Download, Progress};
pub use wire::Wire;

/// The header with the idempotency key.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// How long the hub may stay silent, beyond what a request asks it to wait.
const SILENCE_SECONDS_MAX: u64 = 60;

/// The name of an unsafe call: the hub does what it asks once, however often it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(Uuid);

impl Key {
    /// The key of a call that something durable already names.
    pub const fn of(name: Uuid) -> Self {
        Self(name)
    }

    /// The key of a call that is made for the first time.
    #[expect(clippy::disallowed_methods, reason = "a client mints the names of its own calls")]
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

/// Speaks to one hub as one person, site or stranger.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    wire: Arc<dyn Wire>,
    clock: Clock,
    base: String,
    access: Arc<Access>,
    patience: Patience,
}

impl std::fmt::Debug for Client {
    /// Leaves the token out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the hub at `address`, such as `https://hub.example.eu`, that this machine trusts;
    /// with a token, or as anybody.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn new(address: &str, token: Option<String>) -> Result<Self, Error> {
        let client = Self::trusting(address, &Trust::System)?;
        let access = token.map_or(Access::Nobody, Access::Token);
        Ok(Self { access: Arc::new(access), ..client })
    }

    /// A client of the hub at `address`, as anybody, that takes a server for the hub if `trust`
    /// says so.
    ///
    /// # Errors
    /// When the address is not one, or the machine's own roots cannot be read.
    pub fn trusting(address: &str, trust: &Trust) -> Result<Self, Error> {
        let base = address.trim_end_matches('/');
        let url = reqwest::Url::parse(base).map_err(|_| Error::Address(address.to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(Error::Address(address.to_owned()));
        }
        let http = tls::builder(&url, trust)?
            .read_timeout(Duration::from_secs(SILENCE_SECONDS_MAX))
            .build()
            .map_err(Error::Setup)?;
        let base = format!("{base}/api/v1");
        Ok(Self {
            wire: Arc::new(http.clone()),
            http,
            clock: Clock::Machine,
            base,
            access: Arc::default(),
            patience: Patience::default(),
        })
    }

    /// The same as the agent of `site`, which its key lets in.
    #[must_use]
    pub fn as_agent(self, site: Slug, identity: Identity) -> Self {
        Self { access: Arc::new(Access::Agent(Door::new(site, identity))), ..self }
    }

    /// The same over another wire than the network, by another clock than the machine's.
    #[must_use]
    pub fn over(self, wire: Arc<dyn Wire>, clock: Clock) -> Self {
        Self { wire, clock, ..self }
    }

    /// What time it is here.
    pub(crate) fn now(&self) -> units::Timestamp {
        self.clock.now()
    }

    /// The same as anybody, making one attempt at each call.
    fn anonymous(&self) -> Self {
        Self { access: Arc::default(), patience: Patience::NONE, ..self.clone() }
    }

    /// The same, giving up on a hub that does not answer sooner or later.
    #[must_use]
    pub const fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Reads `path`, which may carry a query.
    ///
    /// # Errors
    /// What the hub answers instead, or that it cannot be reached.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        read(self.carry(|| self.request(Method::GET, path)).await?).await
    }

    /// Sends `body` to make something.
    ///
    /// # Errors
    /// What the hub answers instead, or that it cannot be reached.
    pub async fn post<B, T>(&self, path: &str, body: &B, key: Key) -> Result<T, Error>
    where
        B: Serialize + Sync + ?Sized,
        T: DeserializeOwned,
    {
        self.send(Method::POST, path, body, key).await
    }

    /// Sends `body` to replace something.
    ///
    /// # Errors
    /// What the hub answers instead, or that it cannot be reached.
    pub async fn put<B, T>(&self, path: &str, body: &B, key: Key) -> Result<T, Error>
    where
        B: Serialize + Sync + ?Sized,
        T: DeserializeOwned,
    {
        self.send(Method::PUT, path, body, key).await
    }

    /// Removes what is at `path`.
    ///
    /// # Errors
    /// What the hub answers instead, or that it cannot be reached.
    pub async fn delete(&self, path: &str, key: Key) -> Result<(), Error> {
        self.carry(|| self.request(Method::DELETE, path).header(KEY, key.0.to_string())).await?;
        Ok(())
    }

    async fn send<B, T>(&self, method: Method, path: &str, body: &B, key: Key) -> Result<T, Error>
    where
        B: Serialize + Sync + ?Sized,
        T: DeserializeOwned,
    {
        let request =
            || self.request(method.clone(), path).header(KEY, key.0.to_string()).json(body);
        read(self.carry(request).await?).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request until the hub has an answer to it, or patience runs out.
    async fn carry(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Error> {
        let mut attempts = self.patience.attempts();
        loop {
            let error = match self.attempt(|| Ok(request())).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            match attempts.pause_after(&error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    /// One attempt, with what lets it in. A token that an agent's key has opened is opened once
    /// more when the hub does not take it.
    async fn attempt(
        &self,
        request: impl Fn() -> Result<RequestBuilder, Error>,
    ) -> Result<Response, Error> {
        let door = match &*self.access {
            Access::Nobody => return self.answer(request()?).await,
            Access::Token(token) => return self.answer(request()?.bearer_auth(token)).await,
            Access::Agent(door) => door,
        };
        let token = Box::pin(door.token(self)).await?;
        match self.answer(request()?.bearer_auth(&token)).await {
            Err(error) if error.status() == Some(401) => {
                door.forget(&token).await;
                let token = Box::pin(door.token(self)).await?;
                self.answer(request()?.bearer_auth(&token)).await
            }
            answer => answer,
        }
    }

    /// A response of success, or the error that it stands for.
    async fn answer(&self, request: RequestBuilder) -> Result<Response, Error> {
        let request = request.build().map_err(Error::unsent)?;
        let response = self.wire.carry(request).await?;
        let status = response.status();
        if status.is_success() || status == reqwest::StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        let wait_seconds = wait_seconds(response.headers());
        let text = response.text().await.map_err(Error::Interrupted)?;
        Err(Error::refused(status.as_u16(), &text, wait_seconds))
    }
}

fn wait_seconds(headers: &HeaderMap) -> Option<u64> {
    headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

/// Reads the body as JSON; an empty one stands for nothing.
async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let bytes = response.bytes().await.map_err(Error::Interrupted)?;
    let json: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
    serde_json::from_slice(json).map_err(Error::Malformed)
}

/// Makes `text` safe as one segment of a path.
pub fn segment(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            safe.push_str(&format!("%{byte:02X}"));
        }
    }
    safe
}

/// Makes `path` safe as the rest of a path: its slashes stay.
pub fn segments(path: &str) -> String {
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
