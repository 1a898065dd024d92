//! Signing in a program without a browser: the device flow of RFC 8628, in this API's own manner
//! (JSON both ways; the errors of section 3.5 are the rules of a refusal). A person answers in the
//! portal, where they see what asks.

use app::identity::Asked;
use app::{App, Secret};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::tokens::NewTokenOut;
use super::wire::Instant;
use crate::extract::Json;
use crate::idempotency::ShownOnce;
use crate::layers::ComesFrom;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(collect))
}

/// A program that wants to act for somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceIn {
    /// What it calls itself; the person reads it, and the token is called so.
    #[schema(min_length = 1, max_length = 80, example = "command line on laptop")]
    name: String,
}

/// What the program shows, and what it keeps.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceOut {
    /// By what it asks again. It is shown only here.
    device_code: String,
    /// What the person types.
    #[schema(example = "WDJB-MJHT")]
    user_code: String,
    /// Where, below the hub's address.
    verification_path: &'static str,
    /// Until when the person may answer.
    expires_at: Instant,
    /// Seconds to wait between two questions; five more after each `slow_down`.
    interval: i64,
}

impl From<Asked> for DeviceOut {
    fn from(asked: Asked) -> Self {
        Self {
            device_code: asked.device.reveal().to_owned(),
            user_code: asked.code,
            verification_path: crate::DEVICE,
            expires_at: asked.expires_at.into(),
            interval: asked.interval_seconds,
        }
    }
}

/// What the program kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceCodeIn {
    /// The `device_code` of the first answer.
    #[schema(format = Password)]
    device_code: String,
}

/// Ask for a token that a person must approve.
#[utoipa::path(
    post, path = "/devices", tag = "people", security(()),
    request_body = DeviceIn,
    responses((status = 201, body = DeviceOut, description = "What to show and what to keep")),
)]
async fn ask(
    State(app): State<App>,
    Extension(from): Extension<ComesFrom>,
    Json(new): Json<DeviceIn>,
) -> Result<(StatusCode, ShownOnce<DeviceOut>), Problem> {
    let asked = app.ask_for_device(&new.name, &from.to_string()).await?;
    Ok((StatusCode::CREATED, ShownOnce(asked.into())))
}

/// Fetch the token, once the person has approved. Until then it is refused by the rule
/// `authorization_pending`, or by `slow_down` when asked too soon; for good by `access_denied` and
/// `expired_token`.
#[utoipa::path(
    post, path = "/devices/token", tag = "people", security(()),
    request_body = DeviceCodeIn,
    responses((status = 201, body = NewTokenOut, description = "The token and its secret")),
)]
async fn collect(
    State(app): State<App>,
    Json(kept): Json<DeviceCodeIn>,
) -> Result<(StatusCode, ShownOnce<NewTokenOut>), Problem> {
    let (token, secret) = app.collect_device(&Secret::presented(kept.device_code)).await?;
    Ok((StatusCode::CREATED, ShownOnce(NewTokenOut::new(token, &secret))))
}
