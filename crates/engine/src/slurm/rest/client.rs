//! HTTP to `slurmrestd`, with a token of whoever asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Method, Url};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::sync::Mutex;

use super::RestSettings;
use super::format::ASKED;
use crate::Error;
use crate::slurm::process::{self, Invocation};
use crate::slurm::settings::Settings;

/// A token is renewed so long before its end.
const SPARE_SECONDS: u64 = 60;
/// An answer is no longer than the list of all jobs of a large cluster.
const ANSWER_BYTES_MAX: usize = 1 << 30;

#[derive(Debug)]
pub(super) struct Client {
    settings: Arc<Settings>,
    rest: RestSettings,
    http: reqwest::Client,
    base: Url,
    me: String,
    tokens: Mutex<BTreeMap<String, (String, Instant)>>,
}

impl Client {
    pub(super) async fn new(settings: Arc<Settings>, rest: RestSettings) -> Result<Self, Error> {
        let wrong = |why: String| Error::Refused(format!("`{}`: {why}", rest.address));
        if !["unix:", "http:"].iter().any(|scheme| rest.address.starts_with(scheme)) {
            return Err(wrong("it begins with neither `http:` nor `unix:`".to_owned()));
        }
        let plain = no_tls().map_err(|error| wrong(error.to_string()))?;
        let builder = reqwest::Client::builder().timeout(settings.patience).no_proxy();
        let builder = builder.tls_backend_preconfigured(plain);
        let (builder, base) = match rest.address.strip_prefix("unix:") {
            Some(path) => (builder.unix_socket(path), "http://localhost"),
            None => (builder, rest.address.as_str()),
        };
        let base = Url::parse(base).map_err(|error| wrong(error.to_string()))?;
        let http = builder.build().map_err(|error| wrong(error.to_string()))?;
        let me = process::own_login(&settings).await?;
        Ok(Self { settings, rest, http, base, me, tokens: Mutex::default() })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Error> {
        self.call(Method::GET, None, path, None).await
    }

    pub(super) async fn post(
        &self,
        user: Option<&str>,
        path: &str,
        body: &Value,
    ) -> Result<Value, Error> {
        self.call(Method::POST, user, path, Some(body)).await
    }

    pub(super) async fn delete(&self, user: Option<&str>, path: &str) -> Result<Value, Error> {
        self.call(Method::DELETE, user, path, None).await
    }

    async fn call(
        &self,
        method: Method,
        user: Option<&str>,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let user = user.unwrap_or(&self.me);
        let unclear = |answer: String| Error::Unclear { asked: ASKED.into(), answer };
        let url = self.base.join(path).map_err(|error| unclear(error.to_string()))?;
        let token = self.token(user).await?;
        let mut request = self.http.request(method, url);
        request = request.header("X-SLURM-USER-NAME", user).header("X-SLURM-USER-TOKEN", token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| unclear(chain(&error)))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| unclear(chain(&error)))?;
        if status == reqwest::StatusCode::UNAUTHORIZED {
            self.tokens.lock().await.remove(user);
        }
        // Some failures come with another status and the same form, some as plain text.
        let answer = Some(&bytes).filter(|bytes| bytes.len() <= ANSWER_BYTES_MAX);
        answer.and_then(|bytes| serde_json::from_slice(bytes).ok()).ok_or_else(|| {
            let text: String = String::from_utf8_lossy(&bytes).chars().take(200).collect();
            unclear(format!("{status}: {}", text.trim()))
        })
    }

    /// A token of a user; made once and kept until shortly before its end.
    async fn token(&self, user: &str) -> Result<String, Error> {
        let mut tokens = self.tokens.lock().await;
        if let Some((token, until)) = tokens.get(user)
            && *until > Instant::now()
        {
            return Ok(token.clone());
        }
        let seconds = self.rest.lifespan_seconds;
        let word =
            |word: &String| word.replace("{user}", user).replace("{seconds}", &seconds.to_string());
        let mut words = self.rest.token.iter().map(word);
        let program = words.next().unwrap_or_default();
        let printed = Invocation::new(program, words).ask(&self.settings).await?;
        let printed = String::from_utf8_lossy(&printed);
        let line = printed.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let token = line.strip_prefix("SLURM_JWT=").unwrap_or(line).to_owned();
        let spare = u64::from(seconds).saturating_sub(SPARE_SECONDS);
        let until = Instant::now() + Duration::from_secs(spare);
        tokens.insert(user.to_owned(), (token.clone(), until));
        Ok(token)
    }
}

/// The library wants TLS to be set up, though addresses with it are refused: nobody is trusted.
fn no_tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// An error with its causes; without the address, which may be of no use to who reads it.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
