//! Signing in and out, for programs, and the sign-ins that are open. Browsers sign in on a page of
//! the portal.

use app::App;
use app::identity::{OpenSession, Opened};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use units::TokenId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::auth::Credential;
use crate::extract::{Json, Path};
use crate::idempotency::ShownOnce;
use crate::page::Page;
use crate::problem::{Kind, Problem};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, sign_out))
        .routes(routes!(list))
        .routes(routes!(end))
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

/// A sign-in that still holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpenSessionOut {
    id: Uuid,
    /// How it was opened.
    #[schema(example = "password")]
    means: String,
    opened_at: Instant,
    expires_at: Instant,
    /// Whether this call came by it.
    current: bool,
}

impl From<OpenSession> for OpenSessionOut {
    fn from(session: OpenSession) -> Self {
        Self {
            id: session.id.uuid(),
            means: session.means,
            opened_at: session.opened_at.into(),
            expires_at: session.expires_at.into(),
            current: session.current,
        }
    }
}

/// The caller's sign-ins that still hold: the one of this call, then the newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "people",
    responses((status = 200, body = Page<OpenSessionOut>, description = "The sign-ins")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    by: Credential,
) -> Result<Json<Page<OpenSessionOut>>, Problem> {
    Ok(Json(Page::whole(app.sessions(&actor, by.secret()).await?)))
}

/// End a sign-in of the caller.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "people",
    params(("id" = Uuid, Path, description = "The sign-in")),
    responses((status = 204, description = "It is over")),
)]
async fn end(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Problem> {
    app.revoke_token(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
