//! Reviews: what a reviewer was asked to judge, and what an officer makes of a call's reviews.

use access::policy::Criterion;
use access::review::{Points, Standing};
use app::review::{Judged, ReviewRecord, Written, WrittenReview};
use app::{Action, FieldError};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use units::{ApplicationId, CallId, Slug};

use super::case::told;
use super::form::Form;
use super::tongue::Tongue;
use super::visit::{Frame, Visit, on_to, page};
use crate::extract::Path;
use crate::problem::{Kind, Problem};

#[derive(Template)]
#[template(path = "reviews.html")]
struct ReviewsPage {
    frame: Frame,
    lines: Vec<OwnLine>,
}

struct OwnLine {
    application: ApplicationId,
    title: String,
    reason: String,
    asked: String,
    handed_in: Option<String>,
}

/// `GET /reviews`.
pub(crate) async fn own(visit: Visit) -> Result<Response, Problem> {
    visit.signed_in()?;
    let t = visit.t();
    let own = visit.app.own_reviews(&visit.actor).await?;
    let line = |(review, application): (ReviewRecord, app::applications::Application)| OwnLine {
        application: application.id,
        title: application.draft.title,
        reason: review.reason,
        asked: t.minute(review.assigned_at),
        handed_in: review.submitted_at.map(|at| t.minute(at)),
    };
    let lines = own.into_iter().map(line).collect();
    page(&ReviewsPage { frame: visit.frame, lines })
}

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage {
    frame: Frame,
    id: ApplicationId,
    call: String,
    organisation: String,
    draft: access::application::Draft,
    scale: Points,
    criteria: Vec<(Criterion, String)>,
    rule: String,
    to_applicant: String,
    confidential: String,
    handed_in: Option<String>,
    wrong: Vec<FieldError>,
}

/// `GET /applications/{id}/review`.
pub(crate) async fn dossier(
    visit: Visit,
    Path(id): Path<ApplicationId>,
) -> Result<Response, Problem> {
    render_dossier(&visit, id, (None, Vec::new())).await
}

async fn render_dossier(
    visit: &Visit,
    id: ApplicationId,
    (form, wrong): (Option<&Form>, Vec<FieldError>),
) -> Result<Response, Problem> {
    let dossier = visit.app.dossier(&visit.actor, id).await?;
    let written = &dossier.review.written;
    let typed = |field: &str, kept: String| match form {
        Some(form) => form.text(field).to_owned(),
        None => kept,
    };
    let points = |criterion: &Criterion| {
        let kept = written.scores.get(&criterion.key).map(Points::to_string);
        typed(&format!("score-{}", criterion.key), kept.unwrap_or_default())
    };
    let criteria = dossier.procedure.says.criteria.iter();
    page(&ReviewPage {
        id,
        call: dossier.call.title,
        organisation: dossier.organisation.name,
        scale: dossier.procedure.says.scale,
        criteria: criteria.map(|it| (it.clone(), points(it))).collect(),
        rule: dossier.procedure.rule.to_string(),
        to_applicant: typed("to_applicant", written.to_applicant.clone()),
        confidential: typed("confidential", written.confidential.clone()),
        handed_in: dossier.review.submitted_at.map(|at| visit.t().minute(at)),
        draft: dossier.application.draft,
        wrong,
        frame: visit.frame.clone(),
    })
}

/// `POST /applications/{id}/review`: keeps the review, hands it in, or declares a conflict.
pub(crate) async fn write(
    visit: Visit,
    Path(id): Path<ApplicationId>,
    form: Form,
) -> Result<Response, Problem> {
    if form.text("do") == "conflict" {
        return match visit.app.declare_conflict(&visit.actor, id, form.text("text")).await {
            Ok(()) => Ok(on_to("/reviews")),
            Err(app::Error::Invalid(wrong)) => again(&visit, id, (&form, wrong)).await,
            Err(error) => Err(error.into()),
        };
    }
    let hand_in = form.text("do") == "hand-in";
    let written = match written(&form) {
        Ok(written) => written,
        Err(wrong) => return again(&visit, id, (&form, wrong)).await,
    };
    match visit.app.write_review(&visit.actor, id, WrittenReview { written, hand_in }).await {
        Ok(_) if hand_in => Ok(on_to("/reviews")),
        Ok(_) => Ok(on_to(&format!("/applications/{id}/review"))),
        Err(app::Error::Invalid(wrong)) => again(&visit, id, (&form, wrong)).await,
        Err(error) => Err(error.into()),
    }
}

async fn again(
    visit: &Visit,
    id: ApplicationId,
    (form, wrong): (&Form, Vec<FieldError>),
) -> Result<Response, Problem> {
    let page = render_dossier(visit, id, (Some(form), wrong)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// The review as the form has it; criteria that are left empty have no points yet. Which criteria
/// there are is said when it is written: the application need not be read for it.
fn written(form: &Form) -> Result<Written, Vec<FieldError>> {
    let mut written = Written {
        to_applicant: form.text("to_applicant").replace("\r\n", "\n"),
        confidential: form.text("confidential").replace("\r\n", "\n"),
        ..Written::default()
    };
    let mut wrong = Vec::new();
    for (criterion, typed) in form.beginning("score-") {
        let typed = typed.replace(',', ".");
        match (criterion.parse::<Slug>(), typed.parse::<Points>()) {
            _ if typed.is_empty() => {}
            (Ok(criterion), Ok(points)) => {
                written.scores.insert(criterion, points);
            }
            (Err(error), _) => wrong.push(FieldError::new("scores", error.to_string())),
            (_, Err(error)) => wrong.push(FieldError::new("scores", error.to_string())),
        }
    }
    if wrong.is_empty() { Ok(written) } else { Err(wrong) }
}

#[derive(Template)]
#[template(path = "call_review.html")]
struct CallReviewPage {
    frame: Frame,
    call: CallId,
    title: String,
    rule: Option<String>,
    lines: Vec<JudgedLine>,
    pool: Vec<app::review::PoolEntry>,
    /// What the last look for reviewers would come to or came to.
    arranged: Option<app::review::Arranged>,
    email: String,
    wrong: Vec<FieldError>,
}

struct JudgedLine {
    application: ApplicationId,
    title: String,
    place: String,
    hours: String,
    feasible: Option<bool>,
    reviews: (u32, u32),
    total: String,
    standing: String,
    verdict: String,
}

fn line(t: Tongue, judged: Judged) -> JudgedLine {
    let place = judged.place.map(|place| {
        let tie = if place.tied { "=" } else { "" };
        format!("{}{tie}", place.place)
    });
    let standing = judged.evaluation.as_ref().map(|it| match it.standing {
        Standing::Incomplete { .. } => t.say("review-incomplete"),
        Standing::Apart(_) => t.say("review-apart"),
        Standing::Below(_) => t.say("review-below"),
        Standing::Passed => t.say("review-passed"),
    });
    JudgedLine {
        application: judged.application.id,
        title: judged.application.draft.title,
        place: place.unwrap_or_default(),
        hours: judged.application.draft.hours.map(|it| it.to_string()).unwrap_or_default(),
        feasible: judged.technical.map(|check| check.feasible),
        reviews: (judged.reviews.1, judged.reviews.0),
        total: judged.evaluation.map(|it| it.total.to_string()).unwrap_or_default(),
        standing: standing.unwrap_or_default(),
        verdict: judged.verdict.as_ref().map(|it| told(t, it)).unwrap_or_default(),
    }
}

/// `GET /calls/{id}/review`.
pub(crate) async fn of_call(visit: Visit, Path(id): Path<CallId>) -> Result<Response, Problem> {
    render_call(&visit, id, (String::new(), Vec::new(), None)).await
}

async fn render_call(
    visit: &Visit,
    id: CallId,
    (email, wrong, arranged): (String, Vec<FieldError>, Option<app::review::Arranged>),
) -> Result<Response, Problem> {
    visit.signed_in()?;
    let judged = visit.app.ranking(&visit.actor, id).await?;
    let (call, _) = visit.app.call(&visit.actor, id).await?;
    let rule = visit.app.procedure_of(&call).map(|procedure| procedure.rule.to_string());
    let pool = match rule {
        Some(_) => visit.app.reviewer_pool(&visit.actor, id).await?,
        None => Vec::new(),
    };
    page(&CallReviewPage {
        call: id,
        title: call.title,
        rule,
        lines: judged.into_iter().map(|it| line(visit.t(), it)).collect(),
        pool,
        arranged,
        email,
        wrong,
        frame: visit.frame.clone(),
    })
}

/// `POST /calls/{id}/review`: puts a reviewer into the pool, or asks for reviews.
pub(crate) async fn arrange(
    visit: Visit,
    Path(id): Path<CallId>,
    form: Form,
) -> Result<Response, Problem> {
    match form.text("do") {
        "add" => {
            let email = form.text("email").to_owned();
            match visit.app.add_reviewer(&visit.actor, id, &email).await {
                Ok(()) => Ok(on_to(&format!("/calls/{id}/review"))),
                Err(app::Error::Invalid(wrong)) => {
                    let page = render_call(&visit, id, (email, wrong, None)).await?;
                    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
                }
                Err(error) => Err(error.into()),
            }
        }
        word @ ("try" | "ask") => {
            let how = (id, word == "try");
            let arranged = visit.app.arrange_reviews(&visit.actor, how, |_, _| {}).await?;
            render_call(&visit, id, (String::new(), Vec::new(), Some(arranged))).await
        }
        _ => Err(Problem::new(Kind::BadRequest)),
    }
}

/// Whether the visitor judges applications anywhere.
pub(crate) fn judges(actor: &app::Actor) -> bool {
    actor.can(Action::ReviewApplication, &[])
}
