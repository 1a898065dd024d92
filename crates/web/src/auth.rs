//! Who calls: a bearer token or a browser's session cookie becomes an [`Actor`].
//!
//! A cookie is sent by the browser whoever wrote the page, so an unsafe call by cookie must come
//! from a page of ours: by what the browser says of its origin, and by a token that only our pages
//! know. Not here: passwords, grants and identities (`app::identity`).

use std::ops::Deref;

use app::{App, Secret};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Kind, Problem};
use crate::settings::Scheme;

/// The session cookie over plain HTTP.
pub(crate) const COOKIE_PLAIN: &str = "usine_session";
/// The session cookie over HTTPS; the prefix binds it to this host.
pub(crate) const COOKIE_SECURE: &str = "__Host-usine_session";
/// The cookie of a sign-in on its way to a provider and back, over plain HTTP and over HTTPS.
const ATTEMPT_PLAIN: &str = "usine_attempt";
const ATTEMPT_SECURE: &str = "__Host-usine_attempt";
/// The header that carries the token of our pages on unsafe calls by cookie.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// Who calls. Somebody who has not signed in is an actor too; use cases say what they may do.
#[derive(Clone, Debug)]
pub struct Actor(pub app::Actor);

impl Deref for Actor {
    type Target = app::Actor;

    fn deref(&self) -> &app::Actor {
        &self.0
    }
}

/// How the caller proved who they are.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// Not at all.
    None,
    /// By `Authorization: Bearer`.
    Bearer(Secret),
    /// By the browser's cookie.
    Cookie(Secret),
}

impl Credential {
    fn of(headers: &HeaderMap) -> Self {
        if let Some(token) = bearer(headers) {
            return Self::Bearer(Secret::presented(token));
        }
        cookie(headers, COOKIE_SECURE)
            .or_else(|| cookie(headers, COOKIE_PLAIN))
            .map_or(Self::None, |value| Self::Cookie(Secret::presented(value)))
    }

    /// The token that our own pages send back with every form of this session.
    pub(crate) fn csrf(&self) -> Option<String> {
        let Self::Cookie(secret) = self else { return None };
        let key = blake3::derive_key("usine 2026 form token", secret.reveal().as_bytes());
        Some(hex::encode(key))
    }

    /// The secret of the session or token.
    pub(crate) const fn secret(&self) -> Option<&Secret> {
        match self {
            Self::None => None,
            Self::Bearer(secret) | Self::Cookie(secret) => Some(secret),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// A session cookie for `secret`, living `seconds`; with 0 the browser forgets it.
pub(crate) fn session_cookie(scheme: Scheme, secret: &str, seconds: i64) -> Option<HeaderValue> {
    set_cookie(scheme, (COOKIE_PLAIN, COOKIE_SECURE), secret, seconds)
}

/// The cookie of a sign-in at a provider, living `seconds`; with 0 the browser forgets it. It comes
/// back from the provider's site because that way is a link, which `SameSite=Lax` lets pass.
pub(crate) fn attempt_cookie(scheme: Scheme, secret: &str, seconds: i64) -> Option<HeaderValue> {
    set_cookie(scheme, (ATTEMPT_PLAIN, ATTEMPT_SECURE), secret, seconds)
}

/// The secret of the sign-in at a provider that this browser began.
pub(crate) fn attempt_of(scheme: Scheme, headers: &HeaderMap) -> Option<Secret> {
    let name = match scheme {
        Scheme::Http => ATTEMPT_PLAIN,
        Scheme::Https => ATTEMPT_SECURE,
    };
    cookie(headers, name).map(Secret::presented)
}

fn set_cookie(
    scheme: Scheme,
    (plain, secure): (&str, &str),
    secret: &str,
    seconds: i64,
) -> Option<HeaderValue> {
    let (name, end) = match scheme {
        Scheme::Http => (plain, ""),
        Scheme::Https => (secure, "; Secure"),
    };
    let text = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{end}");
    HeaderValue::from_str(&text).ok()
}

/// Finds out who calls, and leaves the [`Actor`] and the [`Credential`] with the request.
pub(crate) async fn identified(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Response {
    let credential = Credential::of(request.headers());
    let found = match credential.secret() {
        None => Ok(app::Actor::anonymous()),
        Some(secret) => app.authenticate(secret).await.map(|session| session.actor),
    };
    let (actor, credential) = match (found, &credential) {
        (Ok(actor), _) => (actor, credential),
        // A forgotten session is like none: the browser sends its cookie whatever happened to it.
        (Err(app::Error::BadCredentials(_)), Credential::Cookie(_)) => {
            (app::Actor::anonymous(), Credential::None)
        }
        (Err(error), _) => {
            return crate::hugging_face::refused_credentials(Problem::from(error).into_response());
        }
    };
    if let Err(problem) = same_site(request.method(), request.headers(), &credential) {
        return problem.into_response();
    }
    tracing::debug!(actor = %actor.subject(), "identified the caller");
    request.extensions_mut().insert(credential);
    request.extensions_mut().insert(Actor(actor));
    next.run(request).await
}

/// Refuses an unsafe call that a page of another site makes with our visitor's cookie, or tries to
/// sign our visitor in.
fn same_site(method: &Method, headers: &HeaderMap, credential: &Credential) -> Result<(), Problem> {
    if method.is_safe() || matches!(credential, Credential::Bearer(_)) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some() && authority == text("host")
        }
        (None, None) => true,
    };
    if ours { Ok(()) } else { Err(Problem::new(Kind::CrossSite)) }
}

/// Refuses an unsafe call to the API by cookie that does not carry the token of our pages.
pub(crate) async fn from_our_pages(request: Request, next: Next) -> Response {
    let expected = request.extensions().get::<Credential>().and_then(Credential::csrf);
    let sent = request.headers().get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    match (request.method().is_safe(), expected) {
        (false, Some(expected)) if !same(sent.unwrap_or_default(), &expected) => {
            let detail = "an unsafe call by cookie needs the X-CSRF-Token of our pages";
            Problem::with(Kind::CrossSite, detail).into_response()
        }
        _ => next.run(request).await,
    }
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    // Equality of BLAKE3 hashes is constant in time.
    blake3::hash(a.as_bytes()) == blake3::hash(b.as_bytes())
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // Absent only where a route was added outside the layer, which no route is.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::new(Kind::Unauthenticated))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Credential {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::new(Kind::Unauthenticated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_our_own_pages_may_act_with_a_cookie() {
        let cookie = Credential::Cookie(Secret::presented("s"));
        let check = |method: Method, pairs: &[(&'static str, &str)], credential: &Credential| {
            same_site(&method, &headers(pairs), credential).is_ok()
        };
        let foreign = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
        assert!(check(Method::GET, &foreign, &cookie));
        assert!(!check(Method::POST, &foreign, &cookie));
        assert!(!check(Method::POST, &foreign, &Credential::None));
        assert!(check(Method::POST, &foreign, &Credential::Bearer(Secret::presented("t"))));
        assert!(!check(Method::POST, &[("sec-fetch-site", "same-site")], &cookie));
        assert!(check(Method::POST, &[("sec-fetch-site", "same-origin")], &cookie));
        let old = [("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")];
        assert!(check(Method::POST, &old, &cookie));
        let other = [("origin", "http://127.0.0.1:9"), ("host", "127.0.0.1:8080")];
        assert!(!check(Method::POST, &other, &cookie));
        assert!(!check(Method::POST, &[("origin", "null"), ("host", "h")], &cookie));
    }

    #[test]
    fn each_session_has_its_own_form_token() {
        let token = |secret: &str| Credential::Cookie(Secret::presented(secret)).csrf().unwrap();
        assert_eq!(token("a"), token("a"));
        assert_ne!(token("a"), token("b"));
        assert!(same(&token("a"), &token("a")));
        assert!(!same("", &token("a")));
        assert_eq!(Credential::Bearer(Secret::presented("a")).csrf(), None);
    }

    #[test]
    fn a_session_over_https_is_bound_to_this_host() {
        let cookie = session_cookie(Scheme::Https, "s", 60).unwrap();
        assert_eq!(
            cookie.to_str().unwrap(),
            "__Host-usine_session=s; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
    }

    #[test]
    fn cookies_are_found_among_others() {
        let sent = headers(&[("cookie", "a=1; usine_session=abc; b=2")]);
        assert_eq!(cookie(&sent, COOKIE_PLAIN), Some("abc"));
        assert_eq!(cookie(&sent, "session"), None);
    }
}
