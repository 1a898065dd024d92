//! Accounts: making one, and one's own.

use app::identity::{Access, Account, NewAccount};
use app::{App, Grant};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use units::PersonId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path};
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(me))
        .routes(routes!(set_password))
        .routes(routes!(close))
        .routes(routes!(open))
}

/// What somebody sends to make an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountIn {
    /// The address to sign in with.
    #[schema(format = Email, max_length = 254)]
    email: String,
    /// How they are called.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// Their password.
    #[schema(format = Password, min_length = 10, max_length = 256)]
    password: String,
}

/// An account as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountOut {
    id: Uuid,
    email: String,
    name: String,
    created_at: Instant,
    /// Roles held, and where.
    grants: Vec<GrantOut>,
}

/// A role held somewhere.
#[derive(Serialize, ToSchema)]
pub(crate) struct GrantOut {
    /// The role.
    #[schema(example = "project-manager")]
    role: String,
    /// Where it holds.
    #[schema(example = "project:018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10")]
    scope: String,
}

impl From<&Grant> for GrantOut {
    fn from(grant: &Grant) -> Self {
        Self { role: grant.role.name().to_owned(), scope: grant.scope.to_string() }
    }
}

impl From<Account> for AccountOut {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.uuid(),
            email: account.email,
            name: account.name,
            created_at: account.created_at.into(),
            grants: account.grants.iter().map(Into::into).collect(),
        }
    }
}

/// Make a local account.
#[utoipa::path(
    post, path = "/people", tag = "people", security(()),
    request_body = AccountIn,
    responses((status = 201, body = AccountOut, description = "The account was made")),
)]
async fn register(
    State(app): State<App>,
    actor: Actor,
    Json(new): Json<AccountIn>,
) -> Result<(StatusCode, Json<AccountOut>), Problem> {
    let new = NewAccount { email: new.email, name: new.name, password: new.password };
    let account = app.register(&actor, new).await?;
    Ok((StatusCode::CREATED, Json(account.into())))
}

/// The caller's own account, with the roles held.
#[utoipa::path(
    get, path = "/me", tag = "people",
    responses((status = 200, body = AccountOut, description = "The account")),
)]
async fn me(State(app): State<App>, actor: Actor) -> Result<Json<AccountOut>, Problem> {
    Ok(Json(app.me(&actor).await?.into()))
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordIn {
    /// The new password.
    #[schema(format = Password, min_length = 10, max_length = 256)]
    password: String,
}

/// Set the caller's password. Every session of theirs ends.
#[utoipa::path(
    put, path = "/me/password", tag = "people",
    request_body = PasswordIn,
    responses((status = 204, description = "The password is set")),
)]
async fn set_password(
    State(app): State<App>,
    actor: Actor,
    Json(new): Json<PasswordIn>,
) -> Result<StatusCode, Problem> {
    app.set_password(&actor, new.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Close somebody's account: their sessions and tokens are revoked for good, and they cannot sign
/// in until it is opened again. What they hold and their jobs stay. An administrator's account is
/// not closed before that role is taken away.
#[utoipa::path(
    post, path = "/people/{id}/close", tag = "people",
    params(("id" = Uuid, Path, description = "Whose")),
    responses((status = 204, description = "The account is closed")),
)]
async fn close(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<PersonId>,
) -> Result<StatusCode, Problem> {
    app.set_access(&actor, id, Access::Closed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Open an account again. Its holder signs in anew.
#[utoipa::path(
    post, path = "/people/{id}/open", tag = "people",
    params(("id" = Uuid, Path, description = "Whose")),
    responses((status = 204, description = "The account is open")),
)]
async fn open(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<PersonId>,
) -> Result<StatusCode, Problem> {
    app.set_access(&actor, id, Access::Open).await?;
    Ok(StatusCode::NO_CONTENT)
}
