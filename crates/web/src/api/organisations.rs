//! Organisations: on record, declared, assessed; their members.

mod declared;
mod dto;
mod verifications;

use app::organisations::Filter;
use app::{App, Role};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use units::OrganisationId;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::{Kind, Problem};
use declared::DeclarationIn;
use dto::{AssessmentOut, OrganisationIn, OrganisationOut};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, register))
        .routes(routes!(show))
        .routes(routes!(declare))
        .routes(routes!(assessment))
        .routes(routes!(members, add_member))
        .merge(verifications::routes())
}

/// A member of an organisation or a project.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberOut {
    person: Uuid,
    name: String,
    email: String,
    /// What they are there.
    #[schema(example = "organisation-representative")]
    role: String,
    since: Instant,
}

impl From<app::organisations::Member> for MemberOut {
    fn from(member: app::organisations::Member) -> Self {
        Self {
            person: member.person.uuid(),
            name: member.name,
            email: member.email,
            role: member.role.name().to_owned(),
            since: member.since.into(),
        }
    }
}

/// Somebody to bring in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberIn {
    /// The address of their account.
    #[schema(format = "email", max_length = 254)]
    email: String,
    /// What they are to be.
    #[schema(example = "user")]
    role: String,
}

impl MemberIn {
    /// The address and the role, when the role exists.
    pub(crate) fn read(&self) -> Result<(&str, Role), Problem> {
        let role = self.role.parse().map_err(|error| Problem::field("role", format!("{error}")))?;
        Ok((&self.email, role))
    }
}

/// The longest text that is looked for in names, in characters.
const NAME_LENGTH_MAX: usize = 200;

/// Which organisations to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrganisationsQuery {
    /// Only those whose names have words that begin with each of these.
    #[param(max_length = 200, example = "lum lang")]
    name: Option<String>,
    /// Where to go on: the `next` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// The organisations that the caller may see, newest first.
#[utoipa::path(
    get, path = "/organisations", tag = "organisations", params(OrganisationsQuery),
    responses((status = 200, body = Page<OrganisationOut>, description = "One page of them")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<OrganisationsQuery>,
) -> Result<Json<Page<OrganisationOut>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let limit = page.limit()?;
    if query.name.as_ref().is_some_and(|name| name.chars().count() > NAME_LENGTH_MAX) {
        let text = format!("`name` has at most {NAME_LENGTH_MAX} characters");
        return Err(Problem::with(Kind::BadRequest, text));
    }
    let filter = Filter { name: query.name, before: page.after()? };
    let found = app.organisations(&actor, &filter, limit).await?;
    Ok(Json(Page::new(found, limit, |organisation| organisation.id)))
}

/// Put an organisation on record; the caller represents it from now on.
#[utoipa::path(
    post, path = "/organisations", tag = "organisations",
    request_body = OrganisationIn,
    responses((status = 201, body = OrganisationOut, description = "It is on record")),
)]
async fn register(
    State(app): State<App>,
    actor: Actor,
    Json(new): Json<OrganisationIn>,
) -> Result<(StatusCode, Json<OrganisationOut>), Problem> {
    let organisation = app.register_organisation(&actor, new.read()?).await?;
    Ok((StatusCode::CREATED, Json(organisation.into())))
}

/// One organisation.
#[utoipa::path(
    get, path = "/organisations/{id}", tag = "organisations",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = OrganisationOut, description = "The organisation")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrganisationId>,
) -> Result<Json<OrganisationOut>, Problem> {
    Ok(Json(app.organisation(&actor, id).await?.into()))
}

/// Declare the enterprise's data and its group; the answer is the assessment. Earlier declarations
/// are kept.
#[utoipa::path(
    put, path = "/organisations/{id}/declaration", tag = "organisations",
    params(("id" = Uuid, Path, description = "Whose")),
    request_body = DeclarationIn,
    responses((status = 200, body = AssessmentOut, description = "The assessment, line by line")),
)]
async fn declare(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrganisationId>,
    Json(declaration): Json<DeclarationIn>,
) -> Result<Json<AssessmentOut>, Problem> {
    let declared = app.declare(&actor, id, declaration.read()?).await?;
    let until = app.declaration_valid_until(&declared);
    Ok(Json(AssessmentOut::new(declared, until)))
}

/// The newest assessment of an organisation.
#[utoipa::path(
    get, path = "/organisations/{id}/assessment", tag = "organisations",
    params(("id" = Uuid, Path, description = "Whose")),
    responses((status = 200, body = AssessmentOut, description = "The assessment, line by line")),
)]
async fn assessment(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrganisationId>,
) -> Result<Json<AssessmentOut>, Problem> {
    let declared = app.assessment(&actor, id).await?;
    let until = app.declaration_valid_until(&declared);
    Ok(Json(AssessmentOut::new(declared, until)))
}

/// Who belongs to an organisation, oldest first.
#[utoipa::path(
    get, path = "/organisations/{id}/members", tag = "organisations",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = Page<MemberOut>, description = "The members")),
)]
async fn members(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrganisationId>,
) -> Result<Json<Page<MemberOut>>, Problem> {
    Ok(Json(Page::whole(app.organisation_members(&actor, id).await?)))
}

/// Make somebody a representative, or a user of all the organisation's projects.
#[utoipa::path(
    post, path = "/organisations/{id}/members", tag = "organisations",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = MemberIn,
    responses((status = 201, body = MemberOut, description = "They belong to it")),
)]
async fn add_member(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrganisationId>,
    Json(new): Json<MemberIn>,
) -> Result<(StatusCode, Json<MemberOut>), Problem> {
    let member = app.add_organisation_member(&actor, id, new.read()?).await?;
    Ok((StatusCode::CREATED, Json(member.into())))
}
