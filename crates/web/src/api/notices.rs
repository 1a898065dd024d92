//! Notices: what happened and concerns the caller, and how they want to be told.

use app::App;
use app::notices::{ByMail, InboxRecord, NoticeSettings};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::portal::tongue::{Told, Tongue};
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read_all))
        .routes(routes!(read))
        .routes(routes!(settings, set_settings))
}

/// Which notices to give.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NoticeQuery {
    /// Only those that are unread.
    #[serde(default)]
    #[param(default = false)]
    unread: bool,
    /// Where to go on: the `next` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// Something that happened and concerns the caller, in the language that they have chosen.
#[derive(Serialize, ToSchema)]
struct NoticeOut {
    id: Uuid,
    /// What it tells of.
    #[schema(example = "application.awarded")]
    kind: String,
    /// When it was told.
    at: Instant,
    /// When it was read, once it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<Instant>,
    /// What happened, in one line.
    subject: String,
    /// What happened and why.
    text: String,
    /// What to do next.
    next: String,
    /// Where in the portal there is more about it.
    #[schema(example = "/projects/018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10")]
    link: String,
}

impl NoticeOut {
    fn of(t: Tongue, record: InboxRecord) -> Self {
        let Told { subject, text, next } = Told::of(t, &record.notice);
        Self {
            id: record.notice.id,
            at: record.notice.told_at.into(),
            read_at: record.read_at.map(Into::into),
            subject,
            text,
            next,
            link: record.notice.link,
            kind: record.notice.kind,
        }
    }
}

/// The caller's notices, newest first.
#[utoipa::path(
    get, path = "/notices", tag = "people", params(NoticeQuery),
    responses((status = 200, body = Page<NoticeOut>, description = "One page of them")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<NoticeQuery>,
) -> Result<Json<Page<NoticeOut>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let limit = page.limit()?;
    let settings = app.notice_settings(&actor).await?;
    let t = Tongue::chosen(&settings.language).unwrap_or(Tongue::English);
    let found = app.inbox(&actor, (query.unread, page.after()?), limit).await?;
    let Page { items, next } = Page::<InboxRecord>::new(found, limit, |it| it.notice.id);
    Ok(Json(Page { items: items.into_iter().map(|it| NoticeOut::of(t, it)).collect(), next }))
}

/// How many notices were marked.
#[derive(Serialize, ToSchema)]
struct MarkedOut {
    /// That many were unread before.
    marked: u64,
}

/// Mark all notices of the caller as read.
#[utoipa::path(
    post, path = "/notices/read", tag = "people",
    responses((status = 200, body = MarkedOut, description = "How many were unread")),
)]
async fn read_all(State(app): State<App>, actor: Actor) -> Result<Json<MarkedOut>, Problem> {
    Ok(Json(MarkedOut { marked: app.read_notices(&actor, None).await? }))
}

/// Mark a notice of the caller as read.
#[utoipa::path(
    post, path = "/notices/{id}/read", tag = "people",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 204, description = "It is read")),
)]
async fn read(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.read_notices(&actor, Some(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A language that the hub speaks.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum LanguageName {
    /// English.
    En,
    /// French.
    Fr,
}

/// When somebody gets their notices by e-mail.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ByMailName {
    /// Each as it comes.
    AtOnce,
    /// All of a day in one letter, at seven in the morning in Brussels.
    Daily,
    /// Never.
    No,
}

/// How somebody wants to be told.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticeSettingsBody {
    /// The language of their notices.
    language: LanguageName,
    /// When they get them by e-mail.
    mail: ByMailName,
    /// Whether they hear of every call that opens or is about to close.
    calls: bool,
}

impl From<NoticeSettings> for NoticeSettingsBody {
    fn from(it: NoticeSettings) -> Self {
        let language = match Tongue::chosen(&it.language) {
            Some(Tongue::French) => LanguageName::Fr,
            Some(Tongue::English) | None => LanguageName::En,
        };
        let mail = match it.mail {
            ByMail::AtOnce => ByMailName::AtOnce,
            ByMail::Daily => ByMailName::Daily,
            ByMail::No => ByMailName::No,
        };
        Self { language, mail, calls: it.calls }
    }
}

impl From<NoticeSettingsBody> for NoticeSettings {
    fn from(it: NoticeSettingsBody) -> Self {
        let t = match it.language {
            LanguageName::En => Tongue::English,
            LanguageName::Fr => Tongue::French,
        };
        let mail = match it.mail {
            ByMailName::AtOnce => ByMail::AtOnce,
            ByMailName::Daily => ByMail::Daily,
            ByMailName::No => ByMail::No,
        };
        Self { language: t.code().to_owned(), mail, calls: it.calls }
    }
}

/// How the caller is told.
#[utoipa::path(
    get, path = "/notices/settings", tag = "people",
    responses((status = 200, body = NoticeSettingsBody, description = "What they have chosen")),
)]
async fn settings(
    State(app): State<App>,
    actor: Actor,
) -> Result<Json<NoticeSettingsBody>, Problem> {
    Ok(Json(app.notice_settings(&actor).await?.into()))
}

/// Choose how the caller is told, from the next notice on.
#[utoipa::path(
    put, path = "/notices/settings", tag = "people",
    request_body = NoticeSettingsBody,
    responses((status = 204, description = "It is kept")),
)]
async fn set_settings(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<NoticeSettingsBody>,
) -> Result<StatusCode, Problem> {
    app.set_notice_settings(&actor, &body.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
