//! The case of one application: how far its review has come, and what the visitor may do with it.

use access::review::Verdict;
use app::review::{Proceedings, ReviewRecord, VerdictRecord};
use app::{Action, FieldError, Scope};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use units::ApplicationId;

use super::form::Form;
use super::tongue::Tongue;
use super::visit::{Frame, Visit, on_to, page};
use crate::extract::Path;
use crate::problem::{Kind, Problem};

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    frame: Frame,
    id: ApplicationId,
    title: String,
    call: access::call::Call,
    state: &'static str,
    hours: String,
    technical: Option<(bool, String)>,
    total: Option<String>,
    criteria: Vec<CriterionLine>,
    reviews: Vec<ReviewLine>,
    answer_until: Option<String>,
    answer: Option<String>,
    verdict: Option<(String, String)>,
    appeal: Option<String>,
    appeal_answer: Option<String>,
    against_award: Vec<String>,
    against_refusal: Vec<String>,
    may: May,
    text: String,
    wrong: Vec<FieldError>,
}

struct CriterionLine {
    name: String,
    points: String,
    spread: String,
    below: bool,
}

struct ReviewLine {
    name: String,
    scores: String,
    to_applicant: String,
    confidential: String,
    handed_in: bool,
}

/// What the visitor may do now.
#[derive(Default)]
struct May {
    check: bool,
    release: bool,
    propose: bool,
    adopt: bool,
    publish: bool,
    send_back: bool,
    answer: bool,
    appeal: bool,
    decide_appeal: bool,
}

/// `GET /applications/{id}/case`.
pub(crate) async fn show(visit: Visit, Path(id): Path<ApplicationId>) -> Result<Response, Problem> {
    render(&visit, id, (String::new(), Vec::new())).await
}

async fn render(
    visit: &Visit,
    id: ApplicationId,
    (text, wrong): (String, Vec<FieldError>),
) -> Result<Response, Problem> {
    visit.signed_in()?;
    let t = visit.t();
    let case = visit.app.proceedings(&visit.actor, id).await?;
    let may = may(visit, &case);
    let says = case.procedure.map(|procedure| &procedure.says);
    let name = |key: &units::Slug| {
        let criterion = says.and_then(|it| it.criteria.iter().find(|it| it.key == *key));
        criterion.map_or_else(|| key.to_string(), |it| it.name.clone())
    };
    let results = case.evaluation.iter().flat_map(|it| &it.criteria);
    let criteria = results.map(|it| CriterionLine {
        name: name(&it.criterion),
        points: it.counts.to_string(),
        spread: format!("{}–{}", it.spread.0, it.spread.1),
        below: it.below,
    });
    let (award, refusal) = &case.obstacles;
    page(&CasePage {
        id,
        criteria: criteria.collect(),
        total: case.evaluation.as_ref().map(|it| it.total.to_string()),
        technical: case.technical.map(|check| (check.feasible, check.remark)),
        reviews: case.reviews.iter().map(review).collect(),
        answer_until: case.rebuttal.as_ref().map(|it| t.minute(it.closes_at)),
        answer: case.rebuttal.and_then(|it| it.text),
        verdict: case.verdict.map(|it| (told(t, &it), it.remark)),
        appeal: case.appeal.as_ref().map(|it| it.text.clone()),
        appeal_answer: case.appeal.and_then(|it| it.answer),
        against_award: award.iter().map(ToString::to_string).collect(),
        against_refusal: refusal.iter().map(ToString::to_string).collect(),
        state: case.application.state.name(),
        hours: case.application.draft.hours.map(|it| it.to_string()).unwrap_or_default(),
        title: case.application.draft.title,
        call: case.call,
        may,
        text,
        wrong,
        frame: visit.frame.clone(),
    })
}

fn review(review: &ReviewRecord) -> ReviewLine {
    let scores = review.written.scores.iter().map(|(key, points)| format!("{key} {points}"));
    ReviewLine {
        name: review.name.clone(),
        scores: scores.collect::<Vec<_>>().join(", "),
        to_applicant: review.written.to_applicant.clone(),
        confidential: review.written.confidential.clone(),
        handed_in: review.submitted_at.is_some(),
    }
}

/// A verdict in a few words.
pub(super) fn told(t: Tongue, verdict: &VerdictRecord) -> String {
    let what = match verdict.verdict {
        Verdict::Award { hours } => {
            t.fill("verdict-award", &[("hours", hours.to_string().as_str())])
        }
        Verdict::Refuse => t.say("verdict-refuse"),
    };
    let step = match (verdict.published_at, verdict.adopted) {
        (Some(_), _) => t.say("verdict-published"),
        (None, Some(_)) => t.say("verdict-adopted"),
        (None, None) => t.say("verdict-proposed"),
    };
    format!("{what}, {step}")
}

fn may(visit: &Visit, case: &Proceedings<'_>) -> May {
    let submitted = case.application.state.name() == "submitted";
    let organisation = Scope::Organisation(case.application.organisation);
    let applies = visit.actor.can(Action::ApplyForHours, std::slice::from_ref(&organisation));
    let standing = case.verdict.as_ref().filter(|it| it.published_at.is_none());
    let adopted = standing.is_some_and(|it| it.adopted.is_some());
    let decides = case.staff && submitted;
    let me = visit.actor.person_id().ok();
    let mine = standing.is_some_and(|it| Some(it.proposed_by) == me);
    let answered = case.rebuttal.as_ref().is_none_or(|it| it.text.is_some());
    let foreseen = case.procedure.is_some_and(|it| it.says.rebuttal_days.known().is_some());
    May {
        check: submitted && case.operator,
        release: decides && foreseen && case.rebuttal.is_none(),
        propose: decides && standing.is_none(),
        adopt: decides && standing.is_some() && !adopted && !mine,
        publish: decides && adopted,
        send_back: decides && standing.is_some(),
        answer: applies && submitted && !answered,
        appeal: applies
            && case.appeal.is_none()
            && case.appeal_until.is_some_and(|until| visit.app.now() < until),
        decide_appeal: case.staff && case.appeal.as_ref().is_some_and(|it| it.upheld.is_none()),
    }
}

/// `POST /applications/{id}/case`: what `do` names.
pub(crate) async fn act(
    visit: Visit,
    Path(id): Path<ApplicationId>,
    form: Form,
) -> Result<Response, Problem> {
    let (app, actor, text) = (&visit.app, &visit.actor, form.text("text"));
    let done = match form.text("do") {
        "feasible" => app.check_technically(actor, id, (true, text)).await.map(|_| ()),
        "infeasible" => app.check_technically(actor, id, (false, text)).await.map(|_| ()),
        "release" => app.show_reviews(actor, id).await,
        "answer" => app.answer_reviews(actor, id, text).await,
        "award" => match form.text("hours").parse() {
            Ok(hours) => {
                app.propose_verdict(actor, id, (Verdict::Award { hours }, text)).await.map(|_| ())
            }
            Err(_) => Err(app::Error::invalid("hours", "write a whole number of hours")),
        },
        "refuse" => app.propose_verdict(actor, id, (Verdict::Refuse, text)).await.map(|_| ()),
        "adopt" => app.adopt_verdict(actor, id).await.map(|_| ()),
        "return" => app.return_verdict(actor, id, text).await,
        "publish" => app.publish_verdict(actor, id).await.map(|_| ()),
        "appeal" => app.appeal(actor, id, text).await,
        "uphold" => app.decide_appeal(actor, id, (true, text)).await,
        "reject" => app.decide_appeal(actor, id, (false, text)).await,
        _ => return Err(Problem::new(Kind::BadRequest)),
    };
    let wrong = match done {
        Ok(()) => return Ok(on_to(&format!("/applications/{id}/case"))),
        Err(app::Error::Invalid(wrong)) => wrong,
        Err(app::Error::Refused(reasons)) => {
            reasons.into_iter().map(|it| FieldError::new("case", it.text)).collect()
        }
        Err(app::Error::Conflict(text)) => vec![FieldError::new("case", text)],
        Err(error) => return Err(error.into()),
    };
    let page = render(&visit, id, (text.to_owned(), wrong)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
