//! The portal: pages rendered here, working without scripts, in English and French.
//!
//! A page's handler asks use cases of `app`, puts what they answer into a template and renders it.
//! Not here: decisions, and any way to the records but through `app`.

mod assets;
mod chart;
mod error;
mod form;
mod settings;
mod sign_in;
mod tongue;
mod visit;

use app::App;
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::settings::Scheme;

pub(crate) use error::for_people;

/// Every page.
pub(crate) fn router(scheme: Scheme) -> Router<App> {
    Router::new()
        .merge(account())
        .route("/problems/{slug}", get(error::explain))
        .route("/assets/{version}/{name}", get(assets::serve))
        .layer(Extension(scheme))
}

/// Doors and one's own account.
fn account() -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in::door).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/register", get(sign_in::registration).post(sign_in::register))
        .route("/welcome/{secret}", get(sign_in::welcome).post(sign_in::redeem))
        .route("/language", post(sign_in::language))
        .route("/settings", get(settings::show))
        .route("/settings/tokens", post(settings::create_token))
        .route("/settings/tokens/{id}/revoke", post(settings::revoke_token))
        .route("/settings/password", post(settings::set_password))
}
