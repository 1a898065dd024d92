//! Signing in and out, for programs. Browsers sign in on a page of the portal.

use app::App;
use app::identity::Opened;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::auth::Credential;
use crate::extract::Json;
use crate::idempotency::ShownOnce;
use crate::problem::{Kind, Problem};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(sign_in, sign_out))
}

/// Address and password, or the secret of a one-time sign-in link.
#[derive(Deserialize, ToSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum SignIn {
    /// By address and password.
    Password {
        /// The address of the account.
        email: String,
        /// Its password.
        #[schema(format = Password)]
        password: String,
    },
    /// By the secret at the end of a sign-in link.
    Link {
        /// The secret.
        #[schema(format = Password)]
        link: String,
    },
}

/// A session just opened.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionOut {
    /// What to send as `Authorization: Bearer …`. It is shown only here.
    token: String,
    /// When it ends.
    expires_at: Instant,
    /// Who signed in.
    person: Uuid,
}

impl From<Opened> for SessionOut {
    fn from(opened: Opened) -> Self {
        Self {
            token: opened.secret.reveal().to_owned(),
            expires_at: opened.expires_at.into(),
            person: opened.person.uuid(),
        }
    }
}

/// Sign in.
#[utoipa::path(
    post, path = "/session", tag = "people", security(()),
    request_body = SignIn,
    responses((status = 201, body = SessionOut, description = "A session was opened")),
)]
async fn sign_in(
    State(app): State<App>,
    Json(by): Json<SignIn>,
) -> Result<(StatusCode, ShownOnce<SessionOut>), Problem> {
    let opened = match by {
        SignIn::Password { email, password } => app.sign_in(&email, password).await?,
        SignIn::Link { link } => app.redeem_link(&app::Secret::presented(link)).await?,
    };
    Ok((StatusCode::CREATED, ShownOnce(opened.into())))
}

/// Sign out: the token that made this call stops working.
#[utoipa::path(
    delete, path = "/session", tag = "people",
    responses((status = 204, description = "The session is over")),
)]
async fn sign_out(State(app): State<App>, by: Credential) -> Result<StatusCode, Problem> {
    let secret = by.secret().ok_or_else(|| Problem::new(Kind::Unauthenticated))?;
    app.sign_out(secret).await?;
    Ok(StatusCode::NO_CONTENT)
}
