//! API tokens: scoped, expiring, listed, revocable.

use app::identity::{ApiToken, NewToken};
use app::{Ability, App};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use units::TokenId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path};
use crate::idempotency::ShownOnce;
use crate::page::Page;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// What a token may be used for.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AbilityName {
    /// Look at what the holder may see.
    Read,
    /// Register organisations, apply, manage members.
    Apply,
    /// Submit and cancel jobs.
    Run,
    /// Write datasets and models.
    Data,
    /// Use roles of staff, and manage tokens and grants.
    Administer,
}

impl From<AbilityName> for Ability {
    fn from(name: AbilityName) -> Self {
        match name {
            AbilityName::Read => Self::Read,
            AbilityName::Apply => Self::Apply,
            AbilityName::Run => Self::Run,
            AbilityName::Data => Self::Data,
            AbilityName::Administer => Self::Administer,
        }
    }
}

impl From<Ability> for AbilityName {
    fn from(ability: Ability) -> Self {
        match ability {
            Ability::Read => Self::Read,
            Ability::Apply => Self::Apply,
            Ability::Run => Self::Run,
            Ability::Data => Self::Data,
            Ability::Administer => Self::Administer,
        }
    }
}

/// What somebody asks of a new token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenIn {
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// What it may be used for.
    #[schema(min_items = 1)]
    abilities: Vec<AbilityName>,
    /// Days until it expires.
    #[schema(minimum = 1, maximum = 365)]
    days: u32,
}

/// A token as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenOut {
    id: Uuid,
    name: String,
    abilities: Vec<AbilityName>,
    created_at: Instant,
    expires_at: Instant,
}

impl From<ApiToken> for TokenOut {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id.uuid(),
            name: token.name,
            abilities: token.abilities.into_iter().map(Into::into).collect(),
            created_at: token.created_at.into(),
            expires_at: token.expires_at.into(),
        }
    }
}

/// A token just made, with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewTokenOut {
    /// The token.
    #[serde(flatten)]
    token: TokenOut,
    /// What to send as `Authorization: Bearer …`. It is shown only here.
    secret: String,
}

impl NewTokenOut {
    /// A token just made, which shows its secret.
    pub(super) fn new(token: ApiToken, secret: &app::Secret) -> Self {
        Self { token: token.into(), secret: secret.reveal().to_owned() }
    }
}

/// The caller's tokens that still work, newest first.
#[utoipa::path(
    get, path = "/tokens", tag = "people",
    responses((status = 200, body = Page<TokenOut>, description = "The tokens")),
)]
async fn list(State(app): State<App>, actor: Actor) -> Result<Json<Page<TokenOut>>, Problem> {
    Ok(Json(Page::whole(app.tokens(&actor).await?)))
}

/// Make a token.
#[utoipa::path(
    post, path = "/tokens", tag = "people",
    request_body = TokenIn,
    responses((status = 201, body = NewTokenOut, description = "The token and its secret")),
)]
async fn create(
    State(app): State<App>,
    actor: Actor,
    Json(new): Json<TokenIn>,
) -> Result<(StatusCode, ShownOnce<NewTokenOut>), Problem> {
    let abilities = new.abilities.into_iter().map(Into::into).collect();
    let new = NewToken { name: new.name, abilities, days: new.days };
    let (token, secret) = app.create_token(&actor, new).await?;
    Ok((StatusCode::CREATED, ShownOnce(NewTokenOut::new(token, &secret))))
}

/// Revoke a token of the caller.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "people",
    params(("id" = Uuid, Path, description = "The token")),
    responses((status = 204, description = "The token no longer works")),
)]
async fn revoke(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Problem> {
    app.revoke_token(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
