//! Requests of the OpenID library, by the HTTP client of the workspace.

use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};
use reqwest::{Client, Url, redirect};
use site::client::tls::{self, Trust};

/// How long a provider may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// It could not be asked, or broke off.
    #[error("{0}")]
    Request(#[from] reqwest::Error),
    /// It is not who it should be.
    #[error("{0}")]
    Distrusted(String),
    /// It says more than anybody needs.
    #[error("the answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    /// The answer is not one of HTTP.
    #[error("{0}")]
    Malformed(#[from] openidconnect::http::Error),
}

/// A client that follows no redirect, so that a provider cannot send the hub elsewhere.
pub(super) fn client(issuer: &Url, roots: &Trust) -> Result<Client, String> {
    let builder = tls::builder(issuer, roots).map_err(|error| error.to_string())?;
    let builder = builder.redirect(redirect::Policy::none()).timeout(ANSWER_TIMEOUT);
    builder.build().map_err(|error| error.to_string())
}

/// Carries out one request.
pub(super) async fn carried(
    client: Client,
    request: HttpRequest,
) -> Result<HttpResponse, Unanswered> {
    let asked = reqwest::Request::try_from(request)?;
    let mut answer = client.execute(asked).await.map_err(|error| match tls::distrust(&error) {
        Some(why) => Unanswered::Distrusted(why),
        None => Unanswered::Request(error.without_url()),
    })?;
    let mut response = openidconnect::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
            return Err(Unanswered::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(response.body(body)?)
}
