//! Verdicts: proposed by one, adopted by another, published; and appeals against them.

use access::review::Verdict;
use app::App;
use app::review::VerdictRecord;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use units::ApplicationId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path};
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(propose))
        .routes(routes!(adopt))
        .routes(routes!(send_back))
        .routes(routes!(publish))
        .routes(routes!(appeal))
        .routes(routes!(decide_appeal))
}

/// What is to become of an application.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerdictIn {
    /// How many hours are granted, of the mode's unit; it is refused when not given.
    #[schema(minimum = 0)]
    award_hours: Option<u32>,
    /// Why, in words that the applicant reads.
    #[schema(min_length = 1, max_length = 10_000)]
    remark: String,
}

/// What is proposed, adopted or published.
#[derive(Serialize, ToSchema)]
pub(super) struct VerdictOut {
    id: Uuid,
    /// `award` or `refuse`.
    #[schema(example = "award")]
    verdict: String,
    /// How many hours are granted.
    hours: Option<u32>,
    remark: String,
    proposed_by: Uuid,
    proposed_at: Instant,
    adopted_by: Option<Uuid>,
    adopted_at: Option<Instant>,
    published_at: Option<Instant>,
}

impl From<VerdictRecord> for VerdictOut {
    fn from(record: VerdictRecord) -> Self {
        let hours = match record.verdict {
            Verdict::Award { hours } => Some(hours),
            Verdict::Refuse => None,
        };
        Self {
            id: record.id,
            verdict: record.verdict.name().to_owned(),
            hours,
            remark: record.remark,
            proposed_by: record.proposed_by.uuid(),
            proposed_at: record.proposed_at.into(),
            adopted_by: record.adopted.map(|(by, _)| by.uuid()),
            adopted_at: record.adopted.map(|(_, at)| at.into()),
            published_at: record.published_at.map(Into::into),
        }
    }
}

/// Propose what is to become of an application; a second person adopts it.
#[utoipa::path(
    post, path = "/applications/{id}/verdict", tag = "verdicts", request_body = VerdictIn,
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 201, body = VerdictOut, description = "The proposal")),
)]
async fn propose(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(new): Json<VerdictIn>,
) -> Result<(StatusCode, Json<VerdictOut>), Problem> {
    let verdict = new.award_hours.map_or(Verdict::Refuse, |hours| Verdict::Award { hours });
    let proposed = app.propose_verdict(&actor, id, (verdict, &new.remark)).await?;
    Ok((StatusCode::CREATED, Json(proposed.into())))
}

/// Adopt what somebody else has proposed; the hours of an award are set aside.
#[utoipa::path(
    post, path = "/applications/{id}/verdict/adopt", tag = "verdicts",
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 200, body = VerdictOut, description = "The verdict")),
)]
async fn adopt(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<Json<VerdictOut>, Problem> {
    Ok(Json(app.adopt_verdict(&actor, id).await?.into()))
}

/// Why something is sent back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RemarkIn {
    #[schema(min_length = 1, max_length = 10_000)]
    remark: String,
}

/// Send a verdict that is not published back to those who propose.
#[utoipa::path(
    post, path = "/applications/{id}/verdict/return", tag = "verdicts", request_body = RemarkIn,
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 204, description = "Nothing is proposed any more")),
)]
async fn send_back(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(why): Json<RemarkIn>,
) -> Result<StatusCode, Problem> {
    app.return_verdict(&actor, id, &why.remark).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Publish an adopted verdict: an award becomes project and allocation, and the applicant knows.
#[utoipa::path(
    post, path = "/applications/{id}/verdict/publish", tag = "verdicts",
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 204, description = "It holds")),
)]
async fn publish(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<StatusCode, Problem> {
    app.publish_verdict(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An appeal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AppealIn {
    /// Why.
    #[schema(min_length = 1, max_length = 10_000)]
    text: String,
}

/// Appeal against a refusal that people have decided, once.
#[utoipa::path(
    post, path = "/applications/{id}/appeal", tag = "verdicts", request_body = AppealIn,
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 204, description = "It is on record")),
)]
async fn appeal(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(new): Json<AppealIn>,
) -> Result<StatusCode, Problem> {
    app.appeal(&actor, id, &new.text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What comes of an appeal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnswerIn {
    /// Whether it is right: the application waits for a new verdict then.
    upheld: bool,
    /// Why.
    #[schema(min_length = 1, max_length = 10_000)]
    answer: String,
}

/// Decide on an appeal; who took part in the verdict may not.
#[utoipa::path(
    post, path = "/applications/{id}/appeal/decision", tag = "verdicts", request_body = AnswerIn,
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 204, description = "It is on record")),
)]
async fn decide_appeal(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(decided): Json<AnswerIn>,
) -> Result<StatusCode, Problem> {
    app.decide_appeal(&actor, id, (decided.upheld, &decided.answer)).await?;
    Ok(StatusCode::NO_CONTENT)
}
