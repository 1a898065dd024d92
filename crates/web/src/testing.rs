//! A hub behind its router, and clients of it, for tests of the API and of the portal.

use app::testing::TestHub;
use app::{App, Role, Scope};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use tower::ServiceExt as _;
use units::PersonId;

use crate::{Rate, Settings, router};

/// A hub over a fresh database, behind its router.
pub struct TestWeb {
    /// The hub.
    pub hub: TestHub,
    router: Router,
}

/// Somebody who calls the router.
#[derive(Clone)]
pub struct Client {
    router: Router,
    credential: Option<(header::HeaderName, String)>,
}

/// What the router answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl TestWeb {
    /// A hub on SQLite, without limits of rate.
    pub async fn new() -> Self {
        Self::of(TestHub::new().await, settings())
    }

    /// A hub behind a router with these settings.
    pub fn of(hub: TestHub, settings: Settings) -> Self {
        let router = router(hub.app.clone(), settings);
        Self { hub, router }
    }

    /// The use cases.
    pub const fn app(&self) -> &App {
        &self.hub.app
    }

    /// The router itself.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Somebody who has not signed in.
    pub fn anonymous(&self) -> Client {
        Client { router: self.router.clone(), credential: None }
    }

    /// Somebody with this bearer secret.
    pub fn bearer(&self, secret: &str) -> Client {
        let credential = Some((header::AUTHORIZATION, format!("Bearer {secret}")));
        Client { router: self.router.clone(), credential }
    }

    /// A new person holding `grants`, calling with a session of theirs.
    ///
    /// # Panics
    /// When the hub refuses: the test cannot go on.
    pub async fn person(&self, name: &str, grants: &[(Role, Scope)]) -> (PersonId, Client) {
        let (id, secret) = self.signed_in(name, grants).await;
        (id, self.bearer(&secret))
    }

    /// Somebody with this session, calling as a browser does: with a cookie, without scripts.
    pub fn cookie(&self, secret: &str) -> Client {
        let cookie = format!("{}={secret}", crate::auth::COOKIE_PLAIN);
        Client { router: self.router.clone(), credential: Some((header::COOKIE, cookie)) }
    }

    /// A new person holding `grants`, and the secret of a session of theirs.
    ///
    /// # Panics
    /// When the hub refuses: the test cannot go on.
    pub async fn signed_in(&self, name: &str, grants: &[(Role, Scope)]) -> (PersonId, String) {
        let (id, _) = self.hub.person(name, grants).await;
        (id, self.session(id).await)
    }

    /// A new person holding `grants`, calling as a browser does: with a cookie, without scripts.
    ///
    /// # Panics
    /// When the hub refuses: the test cannot go on.
    pub async fn browser(&self, name: &str, grants: &[(Role, Scope)]) -> (PersonId, Client) {
        let (id, secret) = self.signed_in(name, grants).await;
        (id, self.cookie(&secret))
    }

    /// The secret of a new session of `person`.
    #[expect(clippy::expect_used, reason = "a test that cannot have its session must fail")]
    async fn session(&self, person: PersonId) -> String {
        let link = self.hub.app.sign_in_link(person).await.expect("a link");
        let opened = self.hub.app.redeem_link(&link).await.expect("a session");
        opened.secret.reveal().to_owned()
    }
}

/// Settings for tests: nobody calls too often.
pub fn settings() -> Settings {
    let rate = Rate::new(1_000_000, 1_000_000);
    Settings { rate, sign_in_rate: rate, ..Settings::default() }
}

impl Client {
    /// Somebody who calls this router without signing in.
    pub const fn of(router: Router) -> Self {
        Self { router, credential: None }
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Body::empty()).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    /// `PUT path` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    /// `POST path` as a form of the portal.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap_or_default();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &kind, Body::from(body)).await
    }

    async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let body = Body::from(body.to_string());
        self.send(method, path, &[("content-type", "application/json")], body).await
    }

    /// Any request, read to its end.
    ///
    /// # Panics
    /// When the request is malformed or its answer breaks off.
    #[expect(clippy::expect_used, reason = "a test whose answer breaks off must fail")]
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let response = self.call(method, path, headers, body).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body that ends");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Any request; only its status, without waiting for the end of a stream.
    ///
    /// # Panics
    /// When the request is malformed.
    pub async fn start(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> StatusCode {
        self.call(method, path, headers, body).await.status()
    }

    #[expect(clippy::expect_used, reason = "a test whose request is malformed must fail")]
    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response {
        let mut request = Request::builder().method(method).uri(path).header("host", "hub.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((name, value)) = &self.credential {
            request = request.header(name, value);
        }
        let request = request.body(body).expect("a well-formed request");
        self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
    }
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The text at a JSON pointer; empty when there is none.
    pub fn at(&self, pointer: &str) -> String {
        let json = self.json();
        json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The answer, demanding its status.
    ///
    /// # Panics
    /// When the status is another; the message has the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}
