//! Roles of the federation and of factories: who holds which, given and taken.

use app::identity::HeldGrant;
use app::{App, Grant, Role, Scope};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use units::PersonId;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::Page;
use crate::problem::{Kind, Problem};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, give)).routes(routes!(take))
}

/// Which grants to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct GrantsQuery {
    /// Where they hold: `federation` (the default), `factory:KEY`, `organisation:ID`, `project:ID`.
    scope: Option<String>,
}

/// A role to give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantIn {
    /// To whom.
    person: Uuid,
    /// Which role.
    #[schema(example = "programme-officer")]
    role: String,
    /// Where: `federation` or `factory:KEY`.
    #[schema(example = "federation")]
    scope: String,
}

/// A role that somebody holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct HeldGrantOut {
    person: Uuid,
    role: String,
    scope: String,
    /// Who gave it.
    granted_by: String,
    granted_at: Instant,
}

impl From<HeldGrant> for HeldGrantOut {
    fn from(held: HeldGrant) -> Self {
        Self {
            person: held.person.uuid(),
            role: held.grant.role.name().to_owned(),
            scope: held.grant.scope.to_string(),
            granted_by: held.granted_by,
            granted_at: held.granted_at.into(),
        }
    }
}

/// The grants of one scope, oldest first.
#[utoipa::path(
    get, path = "/grants", tag = "people", params(GrantsQuery),
    responses((status = 200, body = Page<HeldGrantOut>, description = "The grants")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<GrantsQuery>,
) -> Result<Json<Page<HeldGrantOut>>, Problem> {
    let scope = query.scope.as_deref().unwrap_or("federation").parse::<Scope>();
    let scope = scope.map_err(|error| Problem::with(Kind::BadRequest, error.to_string()))?;
    Ok(Json(Page::whole(app.grants_in(&actor, &scope).await?)))
}

/// Give a role of the federation or of a factory.
#[utoipa::path(
    post, path = "/grants", tag = "people",
    request_body = GrantIn,
    responses((status = 201, body = HeldGrantOut, description = "The role is held")),
)]
async fn give(
    State(app): State<App>,
    actor: Actor,
    Json(new): Json<GrantIn>,
) -> Result<(StatusCode, Json<HeldGrantOut>), Problem> {
    let role = new.role.parse().map_err(|error| Problem::field("role", format!("{error}")))?;
    let scope = new.scope.parse().map_err(|error| Problem::field("scope", format!("{error}")))?;
    let person = PersonId::from_uuid(new.person);
    let held = app.give_role(&actor, person, Grant { role, scope }).await?;
    Ok((StatusCode::CREATED, Json(held.into())))
}

/// Take a role away. The last administrator stays.
#[utoipa::path(
    delete, path = "/grants/{person}/{role}/{scope}", tag = "people",
    params(
        ("person" = Uuid, Path, description = "Whose"),
        ("role" = String, Path, description = "Which role"),
        ("scope" = String, Path, description = "Where"),
    ),
    responses((status = 204, description = "The role is no longer held")),
)]
async fn take(
    State(app): State<App>,
    actor: Actor,
    Path((person, role, scope)): Path<(PersonId, Role, Scope)>,
) -> Result<StatusCode, Problem> {
    app.take_role(&actor, person, &Grant { role, scope }).await?;
    Ok(StatusCode::NO_CONTENT)
}
