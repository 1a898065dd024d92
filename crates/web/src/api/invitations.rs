//! Invitations: a role offered to an address, taken by whoever opens the link.

use app::identity::{InvitationRecord, InvitationState};
use app::{App, Grant, Role, Scope, Secret};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::idempotency::ShownOnce;
use crate::page::Page;
use crate::problem::{Kind, Problem};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, send)).routes(routes!(accept)).routes(routes!(revoke))
}

/// Who is invited to what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationIn {
    /// Where the link is sent.
    #[schema(format = Email)]
    email: String,
    /// The role: of the place, as `user`, `project-manager`, `organisation-representative`.
    #[schema(example = "user")]
    role: String,
    /// Where it is to hold: `organisation:ID`, `project:ID`, `federation` or `factory:KEY`.
    #[schema(example = "federation")]
    scope: String,
}

/// An invitation.
#[derive(Serialize, ToSchema)]
struct InvitationOut {
    id: Uuid,
    /// Where the link was sent.
    email: String,
    role: String,
    scope: String,
    /// `open`, `accepted`, `revoked` or `expired`.
    #[schema(example = "open")]
    state: String,
    invited_at: Instant,
    /// Until when it may be accepted.
    expires_at: Instant,
    /// When its letter left.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<Instant>,
    /// Why its letter did not leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl InvitationOut {
    fn of(app: &App, it: InvitationRecord) -> Self {
        Self {
            id: it.id,
            state: InvitationState::of(&it, app.now()).name().to_owned(),
            email: it.email,
            role: it.role,
            scope: it.scope,
            invited_at: it.invited_at.into(),
            expires_at: it.expires_at.into(),
            sent_at: it.letter.sent_at.map(Into::into),
            error: it.letter.error,
        }
    }
}

/// An invitation just made.
#[derive(Serialize, ToSchema)]
struct NewInvitationOut {
    /// The invitation.
    #[serde(flatten)]
    invitation: InvitationOut,
    /// The path of its link, to be handed on by the inviter: only where the hub has no mail server,
    /// and only here.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// Of which place.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PlaceQuery {
    /// `organisation:ID`, `project:ID`, `federation` or `factory:KEY`.
    #[param(example = "federation")]
    scope: String,
}

/// The secret of a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptIn {
    /// What the link ends with.
    secret: String,
}

/// What was accepted.
#[derive(Serialize, ToSchema)]
struct AcceptedOut {
    role: String,
    scope: String,
}

/// The last invitations into a place, newest first.
#[utoipa::path(
    get, path = "/invitations", tag = "people", params(PlaceQuery),
    responses((status = 200, body = Page<InvitationOut>, description = "The last 200")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<PlaceQuery>,
) -> Result<Json<Page<InvitationOut>>, Problem> {
    let scope: Scope = query
        .scope
        .parse()
        .map_err(|error| Problem::with(Kind::BadRequest, format!("scope: {error}")))?;
    let found = app.invitations(&actor, &scope).await?;
    Ok(Json(Page::whole(found.into_iter().map(|it| InvitationOut::of(&app, it)))))
}

/// Invite an address to a role. The link is sent there; where the hub has no mail server, the answer
/// has it.
#[utoipa::path(
    post, path = "/invitations", tag = "people",
    request_body = InvitationIn,
    responses((status = 201, body = NewInvitationOut, description = "The invitation")),
)]
async fn send(
    State(app): State<App>,
    actor: Actor,
    Json(new): Json<InvitationIn>,
) -> Result<(StatusCode, ShownOnce<NewInvitationOut>), Problem> {
    let role: Role =
        new.role.parse().map_err(|error| Problem::field("role", format!("{error}")))?;
    let scope: Scope =
        new.scope.parse().map_err(|error| Problem::field("scope", format!("{error}")))?;
    let (invitation, secret) = app.invite(&actor, &new.email, Grant { role, scope }).await?;
    let link = secret.map(|secret| format!("{}{}", crate::INVITATION_LINK, secret.reveal()));
    let out = NewInvitationOut { invitation: InvitationOut::of(&app, invitation), link };
    Ok((StatusCode::CREATED, ShownOnce(out)))
}

/// Accept an invitation by the secret of its link.
#[utoipa::path(
    post, path = "/invitations/accept", tag = "people",
    request_body = AcceptIn,
    responses((status = 200, body = AcceptedOut, description = "The caller has the role now")),
)]
async fn accept(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<AcceptIn>,
) -> Result<Json<AcceptedOut>, Problem> {
    let Grant { role, scope } =
        app.accept_invitation(&actor, &Secret::presented(body.secret)).await?;
    Ok(Json(AcceptedOut { role: role.name().to_owned(), scope: scope.to_string() }))
}

/// Take an invitation back: its link works no more.
#[utoipa::path(
    delete, path = "/invitations/{id}", tag = "people",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 204, description = "It can no longer be accepted")),
)]
async fn revoke(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.revoke_invitation(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
