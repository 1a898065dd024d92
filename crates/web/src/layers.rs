//! What happens around every request: its id and span, limits of rate and time, headers that
//! browsers obey, compression, and a decent answer when a handler panics.

use std::any::Any;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tracing::Instrument as _;

use crate::limit::Limiter;
use crate::problem::{Kind, Problem};
use crate::settings::{ClientAddress, Scheme, Settings};

/// How long a request that moves bytes may take.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(6 * 3_600);
/// How long a site may wait for its next order.
const LONG_POLL_TIMEOUT: Duration = Duration::from_secs(90);
/// How long an answer that is simulated may take.
const SIMULATION_TIMEOUT: Duration = Duration::from_secs(60);
/// How many times the ordinary rate a site may call with its logs and metrics.
const SITE_FACTOR: u32 = 10;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the layers share.
struct Shared {
    settings: Settings,
    general: Limiter,
    sign_in: Limiter,
    sites: Limiter,
    ids: RequestIds,
}

/// Puts every layer around `router`.
pub(crate) fn around(router: Router, settings: Settings) -> Router {
    let site_rate = crate::settings::Rate {
        burst: settings.rate.burst.saturating_mul(at_least_one(SITE_FACTOR)),
        per_minute: settings.rate.per_minute.saturating_mul(at_least_one(SITE_FACTOR)),
    };
    let shared = Arc::new(Shared {
        general: Limiter::new(settings.rate),
        sign_in: Limiter::new(settings.sign_in_rate),
        sites: Limiter::new(site_rate),
        ids: RequestIds::new(),
        settings,
    });
    // The last layer is the outermost.
    router
        .layer(DefaultBodyLimit::max(shared.settings.body_bytes_max))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), within_time))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), within_rate))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), browser_headers))
        .layer(middleware::from_fn_with_state(shared, traced))
}

const fn at_least_one(count: u32) -> std::num::NonZeroU32 {
    match std::num::NonZeroU32::new(count) {
        Some(count) => count,
        None => std::num::NonZeroU32::MIN,
    }
}

/// Names requests: the start of this process, then a counter.
struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    fn new() -> Self {
        use std::hash::{BuildHasher as _, RandomState};
        Self { process: RandomState::new().hash_one("request"), next: AtomicU64::new(1) }
    }

    fn mint(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let text = format!("{:012x}-{number}", self.process >> 16);
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unnamed"))
    }
}

/// Gives the request its id and its span, and logs how it ended.
async fn traced(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let id = foreign_id(request.headers()).unwrap_or_else(|| shared.ids.mint());
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        path = request.uri().path(),
    );
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, millis) = (response.status(), started.elapsed().as_millis());
    span.in_scope(|| {
        if status.is_server_error() {
            tracing::error!(status = status.as_u16(), millis, "request failed");
        } else {
            tracing::debug!(status = status.as_u16(), millis, "request answered");
        }
    });
    response.headers_mut().insert(REQUEST_ID.clone(), id);
    response
}

/// The id that a proxy or client gave, if it is one that may stand in a log line.
fn foreign_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(&REQUEST_ID)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bytes = id.as_bytes();
    ((1..=64).contains(&bytes.len()) && bytes.iter().all(plain)).then(|| id.clone())
}

/// Where a request comes from, as the operator said to tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComesFrom(Option<IpAddr>);

impl fmt::Display for ComesFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

/// Turns away clients that call too often.
async fn within_rate(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let from = ComesFrom(address(&shared.settings, &request));
    request.extensions_mut().insert(from);
    let path = request.uri().path();
    let limiter = match path {
        _ if path.starts_with("/assets/") => return next.run(request).await,
        _ if costs_a_guess(request.method(), path) => &shared.sign_in,
        _ if path.starts_with("/api/v1/sites/") => &shared.sites,
        _ => &shared.general,
    };
    match limiter.take(&client(from), Instant::now()) {
        Ok(()) => next.run(request).await,
        Err(seconds) => {
            tracing::info!(path, "turned away a client that calls too often");
            let detail = format!("try again in {seconds} s");
            Problem::with(Kind::RateLimited, detail).retry_after(seconds).into_response()
        }
    }
}

/// Whether the request tries a secret that somebody else may have: makes us hash a password, look
/// up a sign-in link, ask a provider, or compare a code or a key of an agent.
fn costs_a_guess(method: &Method, path: &str) -> bool {
    let site = path.strip_prefix("/api/v1/sites/").and_then(|rest| rest.split_once('/'));
    let of_agent = site.is_some_and(|(_, rest)| rest == "agent" || rest.starts_with("agent/"));
    method == Method::POST
        && (matches!(
            path,
            "/api/v1/session" | "/api/v1/people" | "/api/v1/devices" | "/sign-in" | "/register"
        ) || of_agent)
        || path.starts_with(crate::SIGN_IN_LINK)
        || path.starts_with(crate::oidc::WAY_OUT)
        || path.starts_with(crate::oidc::WAY_BACK)
        || path == crate::DEVICE
}

/// The address that a request comes from.
fn address(settings: &Settings, request: &Request) -> Option<IpAddr> {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    match settings.client_address {
        ClientAddress::Connection => connection,
        ClientAddress::ForwardedFor => forwarded_for(request.headers()).or(connection),
    }
}

/// The client as the limits know it: its address, of IPv6 the network.
fn client(from: ComesFrom) -> String {
    match from.0 {
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        _ => from.to_string(),
    }
}

/// The address that the proxy before us appended.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// Ends requests that take too long.
async fn within_time(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let limit = time_for(&shared.settings, &request);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("it was stopped after {} s", limit.as_secs());
            Problem::with(Kind::Timeout, detail).retry_after(5).into_response()
        }
    }
}

fn time_for(settings: &Settings, request: &Request) -> Duration {
    let path = request.uri().path();
    if path.starts_with("/api/v1/sites/") && path.ends_with("/orders") {
        return LONG_POLL_TIMEOUT;
    }
    let of_call = path.strip_prefix("/api/v1").unwrap_or(path).starts_with("/calls/");
    if of_call && path.ends_with("/what-if") {
        return SIMULATION_TIMEOUT;
    }
    let bytes = HeaderValue::from_static("application/octet-stream");
    if request.headers().get(header::CONTENT_TYPE) == Some(&bytes)
        || crate::hugging_face::moves_bytes(path)
    {
        return TRANSFER_TIMEOUT;
    }
    settings.request_timeout
}

/// What pages may load and who may frame them: only our own files, nobody.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Headers that keep browsers careful. A handler's own choice stands.
async fn browser_headers(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    add(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::X_FRAME_OPTIONS, "DENY");
    add(header::REFERRER_POLICY, "same-origin");
    add(header::CACHE_CONTROL, "private, no-cache");
    add(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    add(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    add(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    if shared.settings.scheme == Scheme::Https {
        add(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    response
}

/// The answer to a request whose handler panicked.
#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn after_panic(cause: Box<dyn Any + Send + 'static>) -> Response {
    let message = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = message, "a handler panicked");
    Problem::new(Kind::Internal).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> Request {
        let mut request = Request::new(axum::body::Body::empty());
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let peer: SocketAddr = "10.0.0.9:1".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    }

    #[test]
    fn a_client_cannot_choose_its_address_unless_a_proxy_is_trusted() {
        let forged = request(&[("x-forwarded-for", "1.1.1.1, 2.2.2.2")]);
        let direct = Settings::default();
        let told =
            |settings: &Settings, request: &Request| client(ComesFrom(address(settings, request)));
        assert_eq!(told(&direct, &forged), "10.0.0.9");
        let proxied = Settings { client_address: ClientAddress::ForwardedFor, ..direct };
        assert_eq!(told(&proxied, &forged), "2.2.2.2");
        let v6 = request(&[("x-forwarded-for", "2001:db8:1:2:3:4:5:6")]);
        assert_eq!(told(&proxied, &v6), "2001:db8:1:2");
    }

    #[test]
    fn request_ids_that_could_forge_log_lines_are_replaced() {
        let given = |id: &str| foreign_id(request(&[("x-request-id", id)]).headers());
        assert!(given("a-1.b_2").is_some());
        assert!(given("a b").is_none());
        assert!(given(&"a".repeat(65)).is_none());
    }

    #[test]
    fn no_two_requests_share_an_id() {
        let ids = RequestIds::new();
        assert_ne!(ids.mint(), ids.mint());
    }
}
