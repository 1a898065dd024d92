//! Reviews: reviewers and what they know, who judges what, and what all of it comes to.

mod case;
mod dto;

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use units::{ApplicationId, CallId, PersonId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Actor;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;
use case::{AgreedIn, DossierOut, ProceedingsOut, ReviewIn, ReviewOut, TechnicalIn, TextIn};
use dto::{
    ArrangeIn, ArrangedOut, FieldOut, JudgedOut, OwnReviewOut, PoolEntryOut, ProfileJson,
    ReviewerIn,
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(fields))
        .routes(routes!(profile, state_profile))
        .routes(routes!(pool, add))
        .routes(routes!(remove))
        .routes(routes!(arrange))
        .routes(routes!(ranking))
        .routes(routes!(own))
        .routes(routes!(dossier, write))
        .routes(routes!(conflict))
        .routes(routes!(proceedings))
        .routes(routes!(technical))
        .routes(routes!(agreed))
        .routes(routes!(show))
        .routes(routes!(answer))
}

/// The fields of knowledge that applications and reviewers name.
#[utoipa::path(
    get, path = "/fields", tag = "reviews", security(()),
    responses((status = 200, body = Page<FieldOut>, description = "All of them")),
)]
async fn fields(State(app): State<App>, actor: Actor) -> Result<Json<Page<FieldOut>>, Problem> {
    let fields = app.fields(&actor)?.into_iter().map(Into::into).collect();
    Ok(Json(Page { items: fields, next: None }))
}

/// What the caller states of themselves as a reviewer.
#[utoipa::path(
    get, path = "/reviewer", tag = "reviews",
    responses((status = 200, body = ProfileJson, description = "What they state")),
)]
async fn profile(State(app): State<App>, actor: Actor) -> Result<Json<ProfileJson>, Problem> {
    Ok(Json(app.reviewer_profile(&actor).await?.unwrap_or_default().into()))
}

/// State what one knows, with whom one has published and how much one takes.
#[utoipa::path(
    put, path = "/reviewer", tag = "reviews", request_body = ProfileJson,
    responses((status = 200, body = ProfileJson, description = "What they state now")),
)]
async fn state_profile(
    State(app): State<App>,
    actor: Actor,
    Json(profile): Json<ProfileJson>,
) -> Result<Json<ProfileJson>, Problem> {
    Ok(Json(app.state_profile(&actor, profile.read()?).await?.into()))
}

/// The pool of reviewers of a call.
#[utoipa::path(
    get, path = "/calls/{id}/reviewers", tag = "reviews",
    params(("id" = Uuid, Path, description = "Which call")),
    responses((status = 200, body = Page<PoolEntryOut>, description = "Everybody in it")),
)]
async fn pool(
    State(app): State<App>,
    actor: Actor,
    Path(call): Path<CallId>,
) -> Result<Json<Page<PoolEntryOut>>, Problem> {
    let pool = app.reviewer_pool(&actor, call).await?;
    Ok(Json(Page { items: pool.into_iter().map(Into::into).collect(), next: None }))
}

/// Put a reviewer into the pool of a call; doing it again changes nothing.
#[utoipa::path(
    post, path = "/calls/{id}/reviewers", tag = "reviews", request_body = ReviewerIn,
    params(("id" = Uuid, Path, description = "Which call")),
    responses((status = 204, description = "They are in it")),
)]
async fn add(
    State(app): State<App>,
    actor: Actor,
    Path(call): Path<CallId>,
    Json(new): Json<ReviewerIn>,
) -> Result<StatusCode, Problem> {
    app.add_reviewer(&actor, call, &new.email).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a reviewer out of the pool of a call; what they were asked to review stays theirs.
#[utoipa::path(
    delete, path = "/calls/{id}/reviewers/{person}", tag = "reviews",
    params(
        ("id" = Uuid, Path, description = "Which call"),
        ("person" = Uuid, Path, description = "Who"),
    ),
    responses((status = 204, description = "They are in it no more")),
)]
async fn remove(
    State(app): State<App>,
    actor: Actor,
    Path((call, person)): Path<(CallId, PersonId)>,
) -> Result<StatusCode, Problem> {
    app.remove_reviewer(&actor, call, person).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask reviewers of the pool for the reviews that applications still lack: those who know the
/// field, evenly, nobody with a conflict. With `dry_run` nothing is changed.
#[utoipa::path(
    post, path = "/calls/{id}/reviews", tag = "reviews", request_body = ArrangeIn,
    params(("id" = Uuid, Path, description = "Which call")),
    responses((status = 200, body = ArrangedOut, description = "Who is asked, and what is short")),
)]
async fn arrange(
    State(app): State<App>,
    actor: Actor,
    Path(call): Path<CallId>,
    Json(how): Json<ArrangeIn>,
) -> Result<Json<ArrangedOut>, Problem> {
    let arranged = app.arrange_reviews(&actor, (call, how.dry_run), |_, _| {}).await?;
    Ok(Json(arranged.into()))
}

/// The applications that wait for a decision: those that have passed in order, ties shown.
#[utoipa::path(
    get, path = "/calls/{id}/ranking", tag = "reviews",
    params(("id" = Uuid, Path, description = "Which call")),
    responses((status = 200, body = Page<JudgedOut>, description = "All of them")),
)]
async fn ranking(
    State(app): State<App>,
    actor: Actor,
    Path(call): Path<CallId>,
) -> Result<Json<Page<JudgedOut>>, Problem> {
    let judged = app.ranking(&actor, call).await?;
    Ok(Json(Page { items: judged.into_iter().map(Into::into).collect(), next: None }))
}

/// The reviews that the caller was asked for.
#[utoipa::path(
    get, path = "/reviews", tag = "reviews",
    responses((status = 200, body = Page<OwnReviewOut>, description = "All that still matter")),
)]
async fn own(State(app): State<App>, actor: Actor) -> Result<Json<Page<OwnReviewOut>>, Problem> {
    let reviews = app.own_reviews(&actor).await?;
    Ok(Json(Page { items: reviews.into_iter().map(Into::into).collect(), next: None }))
}

/// What the caller reads of an application that they were asked to judge.
#[utoipa::path(
    get, path = "/applications/{id}/review", tag = "reviews",
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 200, body = DossierOut, description = "The application and their review")),
)]
async fn dossier(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<Json<DossierOut>, Problem> {
    Ok(Json(app.dossier(&actor, id).await?.into()))
}

/// Write a review; handed in, it stays as it is.
#[utoipa::path(
    put, path = "/applications/{id}/review", tag = "reviews", request_body = ReviewIn,
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 200, body = ReviewOut, description = "The review")),
)]
async fn write(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(written): Json<ReviewIn>,
) -> Result<Json<ReviewOut>, Problem> {
    Ok(Json(app.write_review(&actor, id, written.read()?).await?.into()))
}

/// Say that one may not judge an application; one is asked no more.
#[utoipa::path(
    post, path = "/applications/{id}/review/conflict", tag = "reviews", request_body = TextIn,
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 204, description = "It is on record")),
)]
async fn conflict(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(said): Json<TextIn>,
) -> Result<StatusCode, Problem> {
    app.declare_conflict(&actor, id, &said.text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything about the review of an application that the caller may know.
#[utoipa::path(
    get, path = "/applications/{id}/proceedings", tag = "reviews",
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 200, body = ProceedingsOut, description = "How far it has come")),
)]
async fn proceedings(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<Json<ProceedingsOut>, Problem> {
    Ok(Json(app.proceedings(&actor, id).await?.into()))
}

/// Say, for the factory whose machine is asked for, whether it can be done.
#[utoipa::path(
    post, path = "/applications/{id}/technical-check", tag = "reviews", request_body = TechnicalIn,
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 204, description = "It is on record")),
)]
async fn technical(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(check): Json<TechnicalIn>,
) -> Result<StatusCode, Problem> {
    app.check_technically(&actor, id, (check.feasible, &check.remark)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enter what reviewers who differed have agreed on; it counts in place of their means.
#[utoipa::path(
    post, path = "/applications/{id}/agreed-review", tag = "reviews", request_body = AgreedIn,
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 204, description = "It is on record")),
)]
async fn agreed(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(agreed): Json<AgreedIn>,
) -> Result<StatusCode, Problem> {
    let (scores, remark) = agreed.read()?;
    app.enter_agreed(&actor, id, (scores, &remark)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show the applicant the reviews, who may then answer.
#[utoipa::path(
    post, path = "/applications/{id}/reviews/show", tag = "reviews",
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 204, description = "The applicant reads them from now on")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<StatusCode, Problem> {
    app.show_reviews(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answer the reviews, once.
#[utoipa::path(
    post, path = "/applications/{id}/reviews/answer", tag = "reviews", request_body = TextIn,
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 204, description = "It is on record")),
)]
async fn answer(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(said): Json<TextIn>,
) -> Result<StatusCode, Problem> {
    app.answer_reviews(&actor, id, &said.text).await?;
    Ok(StatusCode::NO_CONTENT)
}
