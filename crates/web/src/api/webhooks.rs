//! Webhooks: the caller's notices, sent as JSON to an address of theirs; and how all that leaves the
//! hub fares.

use app::App;
use app::notices::{Delivery, PostHealth, Unsent, Webhook};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path};
use crate::idempotency::ShownOnce;
use crate::page::Page;
use crate::portal::tongue::{Told, Tongue};
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(delete))
        .routes(routes!(test))
        .routes(routes!(deliveries))
        .routes(routes!(health))
}

/// Where notices are to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookIn {
    /// An address that begins with https:// and leads to a public host.
    #[schema(example = "https://example.org/notices", max_length = 500)]
    url: String,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
struct WebhookOut {
    id: Uuid,
    /// Where it leads.
    url: String,
    made_at: Instant,
    /// Since when every delivery has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Instant>,
    /// Since when nothing is sent there; a test switches it on again.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<Instant>,
}

impl From<Webhook> for WebhookOut {
    fn from(it: Webhook) -> Self {
        Self {
            id: it.id,
            url: it.url,
            made_at: it.made_at.into(),
            failing_since: it.failing_since.map(Into::into),
            disabled_at: it.disabled_at.map(Into::into),
        }
    }
}

/// A webhook just added, with its secret.
#[derive(Serialize, ToSchema)]
struct NewWebhookOut {
    /// The webhook.
    #[serde(flatten)]
    webhook: WebhookOut,
    /// What everything sent there is signed with, as libraries for Standard Webhooks read it. It is
    /// shown only here.
    secret: String,
}

/// A notice on its way to a webhook, or arrived there.
#[derive(Serialize, ToSchema)]
struct DeliveryOut {
    /// The notice, which is also the `webhook-id`.
    notice: Uuid,
    /// What it tells of.
    #[schema(example = "application.awarded")]
    kind: String,
    /// When it was told.
    at: Instant,
    /// `due`, `delivered` or `given-up`.
    #[schema(example = "delivered")]
    state: String,
    /// How often it was sent.
    attempts: u32,
    /// The HTTP status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When it is sent (again).
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Instant>,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Instant>,
}

impl From<Delivery> for DeliveryOut {
    fn from(it: Delivery) -> Self {
        Self {
            notice: it.notice.id,
            kind: it.notice.kind,
            at: it.notice.told_at.into(),
            state: it.state.word().to_owned(),
            attempts: it.attempts,
            status: it.status,
            error: it.error,
            due_at: it.due_at.map(Into::into),
            ended_at: it.ended_at.map(Into::into),
        }
    }
}

/// The caller's webhooks, oldest first.
#[utoipa::path(
    get, path = "/webhooks", tag = "people",
    responses((status = 200, body = Page<WebhookOut>, description = "All of them")),
)]
async fn list(State(app): State<App>, actor: Actor) -> Result<Json<Page<WebhookOut>>, Problem> {
    Ok(Json(Page::whole(app.webhooks(&actor).await?)))
}

/// Send the caller's notices to an address of theirs.
#[utoipa::path(
    post, path = "/webhooks", tag = "people",
    request_body = WebhookIn,
    responses((status = 201, body = NewWebhookOut, description = "The webhook and its secret")),
)]
async fn add(
    State(app): State<App>,
    actor: Actor,
    Json(new): Json<WebhookIn>,
) -> Result<(StatusCode, ShownOnce<NewWebhookOut>), Problem> {
    let (webhook, secret) = app.add_webhook(&actor, &new.url).await?;
    Ok((StatusCode::CREATED, ShownOnce(NewWebhookOut { webhook: webhook.into(), secret })))
}

/// Delete a webhook of the caller.
#[utoipa::path(
    delete, path = "/webhooks/{id}", tag = "people",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 204, description = "Nothing is sent there any more")),
)]
async fn delete(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.delete_webhook(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a test to a webhook of the caller; one that was switched off is on again.
#[utoipa::path(
    post, path = "/webhooks/{id}/test", tag = "people",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 202, description = "It is sent within seconds; look at the deliveries")),
)]
async fn test(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.test_webhook(&actor, id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The last deliveries of a webhook of the caller, newest first.
#[utoipa::path(
    get, path = "/webhooks/{id}/deliveries", tag = "people",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = Page<DeliveryOut>, description = "The last fifty")),
)]
async fn deliveries(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<Uuid>,
) -> Result<Json<Page<DeliveryOut>>, Problem> {
    Ok(Json(Page::whole(app.deliveries(&actor, id).await?)))
}

/// How letters and webhooks fare.
#[derive(Serialize, ToSchema)]
struct PostOut {
    /// The mail server; absent when notices stay in the inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    mail_server: Option<String>,
    /// Notices of the last thirty days that wait to be sent by e-mail.
    waiting: i64,
    /// Of these, those that were tried in vain before.
    tried: i64,
    /// Those that were sent.
    sent: i64,
    /// Those that were given up.
    unsent: i64,
    /// The last that were given up, newest first.
    given_up: Vec<UnsentOut>,
    /// How many webhooks there are.
    webhooks: i64,
    /// Of these, those that fail or are switched off.
    webhooks_failing: i64,
}

/// A letter that was given up.
#[derive(Serialize, ToSchema)]
struct UnsentOut {
    /// The address.
    to: String,
    /// What it would have told.
    subject: String,
    /// Why it was not sent.
    error: String,
    /// When it was given up.
    at: Instant,
}

impl From<Unsent> for UnsentOut {
    fn from(it: Unsent) -> Self {
        let subject = Told::of(Tongue::English, &it.item.notice).subject;
        Self { to: it.email, subject, error: it.error, at: it.ended_at.into() }
    }
}

impl From<PostHealth> for PostOut {
    fn from(it: PostHealth) -> Self {
        let (webhooks, webhooks_failing) = it.webhooks;
        Self {
            mail_server: it.mail_server,
            waiting: it.letters.waiting,
            tried: it.letters.tried,
            sent: it.letters.sent,
            unsent: it.letters.unsent,
            given_up: it.unsent.into_iter().map(Into::into).collect(),
            webhooks,
            webhooks_failing,
        }
    }
}

/// How letters and webhooks of the last thirty days fare.
#[utoipa::path(
    get, path = "/post", tag = "people",
    responses((status = 200, body = PostOut, description = "What has left, and what has not")),
)]
async fn health(State(app): State<App>, actor: Actor) -> Result<Json<PostOut>, Problem> {
    Ok(Json(app.post_health(&actor).await?.into()))
}
