//! Webhooks: notices as JSON, signed as the specification of Standard Webhooks asks.
//!
//! What is sent must not reach what only the hub can reach: names are resolved here and only
//! public addresses are called, redirections are not followed, answers are not read.

use std::net::SocketAddr;
use std::time::Duration;

use app::notices::{Fact, Failure, Parcel, is_public, receiver};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use ring::hmac;
use serde_json::{Map, Value, json};
use units::Timestamp;

use super::PostError;
use crate::portal::tongue::{Told, Tongue};

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What stands before the base64 of a secret.
const SECRET_PREFIX: &str = "whsec_";

/// Sends to webhooks.
pub(super) struct Sender {
    http: reqwest::Client,
    private: bool,
}

/// What came of one attempt.
pub(super) struct Answer {
    /// The receiver's status, if it answered.
    pub(super) status: Option<u16>,
    /// Why it does not count as delivered.
    pub(super) failure: Option<Failure>,
}

impl Answer {
    fn failed(status: Option<u16>, text: String, for_good: bool) -> Self {
        Self { status, failure: Some(Failure { text, for_good }) }
    }
}

impl Sender {
    pub(super) fn new(private: bool) -> Result<Self, PostError> {
        let wrong = |error: &dyn std::fmt::Display| PostError::Webhooks(error.to_string());
        let https = reqwest::Url::parse("https://localhost/").map_err(|error| wrong(&error))?;
        let builder = site::client::tls::builder(&https, &site::client::Trust::System);
        let http = builder
            .map_err(|error| wrong(&error))?
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .dns_resolver(std::sync::Arc::new(Guarded { private }))
            .build()
            .map_err(|error| wrong(&error))?;
        Ok(Self { http, private })
    }

    /// Sends a notice to its webhook.
    pub(super) async fn send(&self, parcel: &Parcel, hub_url: &str, now: Timestamp) -> Answer {
        // The operator may have closed the private networks since.
        let url = match receiver(&parcel.url, self.private) {
            Ok(url) => url,
            Err(error) => return Answer::failed(None, error.to_string(), true),
        };
        let body = body(parcel, hub_url).to_string();
        let (id, at) = (parcel.delivery.notice.id.to_string(), now.as_second());
        let Some(signature) = signed(&parcel.secret, (&id, at), &body) else {
            return Answer::failed(None, "the stored secret is damaged".to_owned(), true);
        };
        let request = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                Answer { status: Some(answer.status().as_u16()), failure: None }
            }
            Ok(answer) => {
                let status = answer.status();
                // Gone: the receiver says that it will never take anything again.
                let gone = status == reqwest::StatusCode::GONE;
                Answer::failed(Some(status.as_u16()), format!("it answered {status}"), gone)
            }
            Err(error) => Answer::failed(None, causes(&error), false),
        }
    }
}

/// An error with everything behind it: the last cause is the one that helps.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::from("it could not be reached");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Resolves names, and leaves out what is not public.
struct Guarded {
    private: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open: Vec<SocketAddr> =
                found.filter(|address| private || is_public(address.ip())).collect();
            if open.is_empty() {
                let text = "it leads into a private network, which this hub does not call";
                return Err(text.into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// What is sent: the fields of Standard Webhooks, with the text in English and the particulars.
fn body(parcel: &Parcel, hub_url: &str) -> Value {
    let notice = &parcel.delivery.notice;
    let told = Told::of(Tongue::English, notice);
    let facts: Map<String, Value> =
        notice.facts.iter().map(|(name, fact)| (name.clone(), particular(fact))).collect();
    json!({
        "type": notice.kind,
        "timestamp": notice.told_at.to_string(),
        "data": {
            "id": notice.id,
            "subject": told.subject,
            "text": told.text,
            "next": told.next,
            "link": format!("{hub_url}{}", notice.link),
            "facts": facts,
        },
    })
}

fn particular(fact: &Fact) -> Value {
    match fact {
        Fact::Text(text) | Fact::Word(text) => json!(text),
        Fact::Count(count) => json!(count),
        Fact::Day(at) | Fact::Minute(at) => json!(at.to_string()),
        Fact::Share(share) => json!({ "parts_per_million": share.parts() }),
        Fact::Amount(work, meter) => {
            json!({ "unit_seconds": work.count(), "unit": meter.to_string() })
        }
    }
}

/// The signature of what is sent: version 1, HMAC-SHA256 over id, instant and body.
fn signed(secret: &str, (id, at): (&str, i64), body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        // The example of the specification's reference libraries.
        let body = r#"{"test": 2432232314}"#;
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signature = signed(secret, ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330), body);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(signed("no prefix", ("1", 1), body), None);
    }

    #[tokio::test]
    async fn a_name_that_leads_into_a_private_network_is_not_called() {
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = Guarded { private: false }.resolve(name()).await;
        let complaint = refused.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(complaint.contains("private network"), "{complaint}");
        assert!(Guarded { private: true }.resolve(name()).await.is_ok());
    }
}
