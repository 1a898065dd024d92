//! The HTTP API, the portal and sign-in, all thin over `app`.
//!
//! Handlers extract, call one use case and render. Not here: decisions, SQL, configuration files.

pub mod api;
mod auth;
pub mod extract;
mod hugging_face;
mod idempotency;
mod layers;
mod limit;
mod oidc;
mod openapi;
pub mod page;
mod portal;
pub mod post;
pub mod problem;
mod serve;
mod settings;
pub mod sse;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod tls;
mod weighed;

use app::App;
use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::response::{IntoResponse, Response};

pub use auth::Actor;
pub use oidc::{ClaimNames, ProviderError, ProviderSettings, Providers};
pub use serve::serve;
pub use settings::{ClientAddress, Rate, Scheme, Settings};
pub use tls::{Tls, TlsError};

use crate::problem::{Kind, Problem};

/// Where a one-time sign-in link leads; its secret follows.
pub const SIGN_IN_LINK: &str = "/sign-in/link/";

/// Where a person says yes to a program that asks for a token.
pub const DEVICE: &str = "/device";

/// Where an invitation's link leads; its secret follows.
pub const INVITATION_LINK: &str = "/invitation/";

/// Everything the hub answers over HTTP.
pub fn router(app: App, settings: Settings) -> Router {
    let router = Router::new()
        .merge(api::router(&app))
        .merge(hugging_face::router(settings.scheme))
        .merge(portal::router(settings.scheme, settings.providers.clone()))
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(app.clone(), auth::identified))
        .with_state(app);
    layers::around(router, settings).layer(middleware::from_fn(portal::for_people))
}

/// The answer for a path that nothing stands at.
async fn nowhere(request: Request) -> Response {
    let detail = format!("nothing stands at {}", request.uri().path());
    Problem::with(Kind::NotFound, detail).into_response()
}
