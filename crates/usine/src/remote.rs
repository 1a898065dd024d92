//! The hub as remote commands see it: its HTTP API, and nothing else of it.
//!
//! Answers are read as JSON and only for what a command needs, so that neighbouring versions of
//! command line and hub work together. Every call that changes something carries an
//! `Idempotency-Key`, so a lost answer can be asked for again.

pub(crate) mod credentials;
pub(crate) mod transfer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::site::client::{Trust, tls};
use anyhow::{Context, Result};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;

use crate::exit::{Failure, Told};
use credentials::{Credentials, Token};

/// How long an ordinary call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Which hub to speak to.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct HubChoice {
    /// The hub [default: the one signed in to last].
    #[arg(long, value_name = "URL", env = "USINE_HUB", global = true, hide_env_values = true)]
    pub(crate) hub: Option<String>,
    /// The CAs that may vouch for the hub (PEM), instead of those of this machine.
    #[arg(long, value_name = "FILE", env = "USINE_CA", global = true, hide_env_values = true)]
    pub(crate) ca: Option<PathBuf>,
}

/// Somebody's way to a hub.
#[derive(Clone)]
pub(crate) struct Remote {
    http: reqwest::Client,
    /// Without a slash at the end.
    url: String,
    token: Option<Token>,
}

/// Problem details as far as people are told of them.
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: Option<String>,
    #[serde(default)]
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    rule: String,
    text: String,
    field: Option<String>,
}

impl Remote {
    /// Speaks to `url` with `token`, or as nobody in particular.
    pub(crate) fn new(url: &str, ca: Option<&Path>, token: Option<Token>) -> Result<Self> {
        let invalid = |text: String| Told::new(Failure::Invalid, text);
        let trust = ca.map_or(Ok(Trust::System), Trust::in_file);
        let trust = trust.map_err(|error| invalid(error.to_string()))?;
        let address =
            Url::parse(url).map_err(|_| invalid(format!("`{url}` is not the address of a hub")))?;
        let http = tls::builder(&address, &trust)?.build().context("cannot make an HTTP client")?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), token })
    }

    /// Speaks to the chosen hub as whoever signed in there. `USINE_TOKEN` overrides the stored
    /// sign-in.
    pub(crate) fn chosen(choice: &HubChoice) -> Result<Self> {
        let stored = Credentials::load()?;
        let url = choice.hub.clone().or_else(|| stored.current().map(str::to_owned));
        let url = url.unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
        let token = match std::env::var("USINE_TOKEN") {
            Ok(token) if !token.is_empty() => Some(Token::new(token)),
            _ => stored.token(&url).cloned(),
        };
        Self::new(&url, choice.ca.as_deref(), token)
    }

    /// The same way for the holder of `token`.
    pub(crate) fn with(&self, token: Token) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// The hub's address, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Reads what stands at `path`, below `/api/v1`.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await
    }

    /// Sends `body` to `path`.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Sends `body` to `path`, where it does no harm to send the same again: without a key, which the
    /// hub would have to keep.
    pub(crate) async fn post_again(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.request(Method::POST, path).timeout(CALL_TIMEOUT).json(body);
        let answer = self.answered(request).await?;
        answer.json().await.context("the hub's answer cannot be understood; is this a Usine hub?")
    }

    /// Sends `body` to `path`; of the rules named in `known`, the one by which it was refused.
    pub(crate) async fn post_or_rule<'a>(
        &self,
        path: &str,
        body: &Value,
        known: &[&'a str],
    ) -> Result<Result<Value, &'a str>> {
        let request = self.request(Method::POST, path).timeout(CALL_TIMEOUT).json(body);
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Ok(answer.json().await.context("the hub's answer cannot be understood")?));
        }
        let problem = answer.json::<Problem>().await.ok();
        let rule = problem.as_ref().and_then(|problem| problem.reasons.first());
        let rule = rule.and_then(|reason| known.iter().find(|known| **known == reason.rule));
        match rule {
            Some(rule) => Ok(Err(*rule)),
            None => Err(self.refusal(status, problem).into()),
        }
    }

    /// Puts `body` at `path`.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// Deletes what stands at `path`.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value> {
        self.call(Method::DELETE, path, None).await
    }

    /// Reads every page of a list, up to `limit` entries.
    pub(crate) async fn list(&self, path: &str, limit: usize) -> Result<Vec<Value>> {
        let mut entries = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = match &cursor {
                Some(cursor) => self.get(&format!("{path}{joint}cursor={cursor}")).await?,
                None => self.get(path).await?,
            };
            let items = page.get("items").and_then(Value::as_array);
            entries.extend(items.into_iter().flatten().cloned());
            cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() || entries.len() >= limit {
                entries.truncate(limit);
                return Ok(entries);
            }
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let changes = method != Method::GET;
        let mut request = self.request(method, path).timeout(CALL_TIMEOUT);
        if changes {
            request = request.header("Idempotency-Key", uuid::Uuid::new_v4().to_string());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.answered(request).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        answer.json().await.context("the hub's answer cannot be understood; is this a Usine hub?")
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    /// The answer to a call that the hub let in.
    async fn answered(&self, request: RequestBuilder) -> Result<Response> {
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let problem = answer.json::<Problem>().await.ok();
        Err(self.refusal(status, problem).into())
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        if let Some(why) = tls::distrust(&error) {
            let message = format!("{} is not trusted as the hub: {why} (--ca FILE)", self.url);
            return Told::new(Failure::Unreachable, message).into();
        }
        let message = if error.is_timeout() {
            format!("the hub at {} takes too long to answer; try again", self.url)
        } else {
            format!(
                "the hub at {} does not answer; start one with `usine up`, or name another with --hub",
                self.url
            )
        };
        let told = Told::new(Failure::Unreachable, message);
        anyhow::Error::from(error.without_url()).context(told)
    }

    fn refusal(&self, status: StatusCode, problem: Option<Problem>) -> Told {
        let field = |problem: &Problem| problem.reasons.iter().all(|reason| reason.rule == "field");
        let failure = match status {
            StatusCode::UNAUTHORIZED => Failure::NotSignedIn,
            StatusCode::NOT_FOUND => Failure::NotFound,
            StatusCode::BAD_REQUEST => Failure::Invalid,
            StatusCode::UNPROCESSABLE_ENTITY if problem.as_ref().is_none_or(field) => {
                Failure::Invalid
            }
            status if status.is_server_error() => Failure::Failed,
            _ => Failure::Refused,
        };
        let Some(problem) = problem else {
            let text = format!("{} answered {status}; is this a Usine hub?", self.url);
            return Told::new(Failure::Failed, text);
        };
        let mut message = problem.detail.unwrap_or(problem.title);
        for reason in problem.reasons {
            let about = match (&reason.field, reason.rule.as_str()) {
                (Some(field), _) => format!("{field}: "),
                (None, "field" | "schema") => String::new(),
                (None, rule) => format!("[{rule}] "),
            };
            message.push_str(&format!("\n  - {about}{}", reason.text));
        }
        if failure == Failure::NotSignedIn {
            message.push_str("\n  sign in with: usine login");
        }
        Told::new(failure, message)
    }
}

/// Waits for `future` on a runtime of its own: what every remote command does.
pub(crate) fn wait<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}
