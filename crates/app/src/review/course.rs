//! How far reviews have come: for one application, and for a call in order.

use std::collections::BTreeMap;

use access::call::Call;
use access::policy::{Entry as PolicyEntry, Procedure};
use access::review::{
    Course, Evaluation, Obstacle, Place, Rebuttal as Answer, Scores, Verdict, evaluate, obstacles,
    rank,
};
use store::Tx;
use store::reviews::{self as records, Agreed, Appeal, Rebuttal, ReviewRecord, TechnicalCheck};
use store::verdicts::{self, VerdictRecord};
use units::{ApplicationId, CallId, Timestamp};

use super::{of_application, said};
use crate::applications::Application;
use crate::notices::ApplicationNews;
use crate::{Action, Actor, App, Error, FieldError, Scope};

/// An application in the order of its call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The application.
    pub application: Application,
    /// The factory's word.
    pub technical: Option<TechnicalCheck>,
    /// How many reviews were asked for, and how many are there.
    pub reviews: (u32, u32),
    /// What the reviews come to.
    pub evaluation: Option<Evaluation>,
    /// Its place among those that have passed.
    pub place: Option<Place>,
    /// What is proposed or adopted.
    pub verdict: Option<VerdictRecord>,
}

/// Everything about the review of an application that the reader may know.
#[derive(Clone, Debug, PartialEq)]
pub struct Proceedings<'a> {
    /// The application.
    pub application: Application,
    /// Under which call.
    pub call: Call,
    /// How peers review it, where they do.
    pub procedure: Option<&'a PolicyEntry<Procedure>>,
    /// Whether the reader decides, and so knows everything.
    pub staff: bool,
    /// Whether the reader speaks for the factory whose machine is asked for.
    pub operator: bool,
    /// The factory's word.
    pub technical: Option<TechnicalCheck>,
    /// The reviews; an applicant reads them without names and what is confidential.
    pub reviews: Vec<ReviewRecord>,
    /// What they come to.
    pub evaluation: Option<Evaluation>,
    /// What the reviewers have agreed on.
    pub agreed: Option<Agreed>,
    /// The applicant's answer.
    pub rebuttal: Option<Rebuttal>,
    /// What is proposed, adopted or published; an applicant knows it from publication on.
    pub verdict: Option<VerdictRecord>,
    /// The appeal.
    pub appeal: Option<Appeal>,
    /// Until when an appeal may be made, after a refusal.
    pub appeal_until: Option<Timestamp>,
    /// What stands against an award, and against a refusal.
    pub obstacles: (Vec<Obstacle>, Vec<Obstacle>),
}

impl App {
    /// Says, for the factory whose machine is asked for, whether it can be done.
    ///
    /// # Errors
    /// When the actor may not, or the application waits for no decision.
    pub async fn check_technically(
        &self,
        actor: &Actor,
        id: ApplicationId,
        (feasible, remark): (bool, &str),
    ) -> Result<TechnicalCheck, Error> {
        let tx = self.store().write().await?;
        let (application, call) =
            self.submitted_for(&tx, actor, (Action::CheckTechnically, id)).await?;
        self.not_their_own(&tx, actor, &application).await?;
        self.undecided(&tx, id).await?;
        let check = TechnicalCheck {
            feasible,
            remark: said("remark", remark)?,
            checked_by: actor.person_id()?,
            checked_at: self.now(),
        };
        records::check_technically(&tx, id, &check).await?;
        let word = if feasible { "feasible" } else { "not feasible" };
        let (rule, detail) = (call.rule.to_string(), format!("{word}: {}", check.remark));
        let what = ("application.check-technically", of_application(id));
        self.audit_review(&tx, actor, what, (&rule, &detail)).await?;
        let news = ApplicationNews::Checked { feasible, remark: check.remark.clone() };
        self.tell_of(&tx, actor, &application, news).await?;
        tx.commit().await?;
        Ok(check)
    }

    /// Enters what reviewers who differed have agreed on; it counts in place of their means.
    ///
    /// # Errors
    /// When the actor may not arrange reviews, points are not valid, or reviews are missing.
    pub async fn enter_agreed(
        &self,
        actor: &Actor,
        id: ApplicationId,
        (scores, remark): (BTreeMap<units::Slug, access::review::Points>, &str),
    ) -> Result<Agreed, Error> {
        let tx = self.store().write().await?;
        let (application, call) =
            self.submitted_for(&tx, actor, (Action::ArrangeReview, id)).await?;
        self.not_their_own(&tx, actor, &application).await?;
        self.undecided(&tx, id).await?;
        let procedure = self.peers_of(&call)?;
        let wrong =
            |fault: &access::review::ScoreFault| FieldError::new("scores", fault.to_string());
        if let Err(faults) = Scores::new(scores.clone(), &procedure.says) {
            return Err(Error::Invalid(faults.iter().map(wrong).collect()));
        }
        let reviews = records::of_application(&tx, id).await?;
        let there = reviews.iter().filter(|review| review.submitted_at.is_some()).count();
        if u32::try_from(there).unwrap_or(u32::MAX) < procedure.says.reviewers {
            let text = format!("{there} of {} reviews are there", procedure.says.reviewers);
            return Err(Error::refused(procedure.rule.to_string(), text));
        }
        let (entered_by, entered_at) = (actor.person_id()?, self.now());
        let agreed = Agreed { scores, remark: said("remark", remark)?, entered_by, entered_at };
        records::enter_agreed(&tx, id, &agreed).await?;
        let rule = procedure.rule.to_string();
        let what = ("review.agree", of_application(id));
        self.audit_review(&tx, actor, what, (&rule, &agreed.remark)).await?;
        tx.commit().await?;
        Ok(agreed)
    }

    /// The applications to a call that wait for a decision: those that have passed in their order,
    /// then the others. That they were read is on record.
    ///
    /// # Errors
    /// When the actor may not arrange reviews, or there is no such call.
    pub async fn ranking(&self, actor: &Actor, call: CallId) -> Result<Vec<Judged>, Error> {
        let tx = self.store().read().await?;
        let call = self.call_for(&tx, actor, (Action::ArrangeReview, call)).await?;
        let procedure = self.procedure_of(&call);
        let mut technical = records::technical_checks(&tx, call.id).await?;
        let agreed = records::agreed_of_call(&tx, call.id).await?;
        let mut verdicts: BTreeMap<ApplicationId, VerdictRecord> = BTreeMap::new();
        for verdict in verdicts::standing_of_call(&tx, call.id).await? {
            verdicts.insert(verdict.application, verdict);
        }
        let mut reviews = BTreeMap::<_, Vec<Option<Points>>>::new();
        for review in records::rated(&tx, call.id).await? {
            reviews.entry(review.application).or_default().push(review.scores);
        }
        let mut judged = Vec::new();
        for application in store::applications::undecided(&tx, call.id).await? {
            let mine = reviews.remove(&application.id).unwrap_or_default();
            let agreed = agreed.get(&application.id);
            let asked = count(mine.len());
            let handed_in: Vec<Points> = mine.into_iter().flatten().collect();
            judged.push(Judged {
                technical: technical.remove(&application.id),
                reviews: (asked, count(handed_in.len())),
                evaluation: procedure.and_then(|it| evaluation(&it.says, handed_in, agreed)),
                place: None,
                verdict: verdicts.remove(&application.id),
                application,
            });
        }
        if let Some(procedure) = procedure {
            place(&mut judged, &procedure.says);
        }
        drop(tx);
        let what = ("reviews.look", format!("call:{}", call.id));
        self.record_look(actor, what, "ArrangeReview").await?;
        Ok(judged)
    }

    /// What the reader may know of the review of an application. That staff have read it is on
    /// record.
    ///
    /// # Errors
    /// When there is no application that the actor may see.
    pub async fn proceedings(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<Proceedings<'_>, Error> {
        let tx = self.store().read().await?;
        let application = self.application_for(&tx, actor, (Action::ViewApplication, id)).await?;
        let asked = application.draft.partition.as_ref();
        let factory: Vec<Scope> =
            asked.and_then(|it| self.rules().scope_of(it)).into_iter().collect();
        let own = self.belongs_to(&tx, actor, application.organisation).await?;
        let staff = !own && actor.can(Action::DecideApplication, &factory);
        let mut whole = self.all_of(&tx, application).await?;
        whole.staff = staff;
        whole.operator = !own && actor.can(Action::CheckTechnically, &factory);
        drop(tx);
        if !staff {
            return Ok(for_applicant(whole));
        }
        let what = ("application.look", of_application(id));
        self.record_look(actor, what, "DecideApplication").await?;
        Ok(whole)
    }

    /// Everything about the review of an application.
    pub(super) async fn all_of(
        &self,
        tx: &Tx,
        application: Application,
    ) -> Result<Proceedings<'_>, Error> {
        let id = application.id;
        let call = store::calls::by_id(tx, application.call).await?;
        let call = call.ok_or(Error::NotFound("call"))?;
        let mode = self.mode_of(&call)?;
        let procedure = self.procedure_of(&call);
        let technical = records::technical_check(tx, id).await?;
        let reviews = records::of_application(tx, id).await?;
        let agreed = records::agreed(tx, id).await?;
        let rebuttal = records::rebuttal(tx, id).await?;
        let verdict = verdicts::standing(tx, id).await?;
        let evaluation = procedure
            .and_then(|it| evaluation(&it.says, handed_in(&reviews).collect(), agreed.as_ref()));
        let course = Course {
            steps: &mode.says.reviews,
            technical: technical.as_ref().map(|check| check.feasible),
            evaluation: evaluation.as_ref(),
            rebuttal: answer_of(procedure, rebuttal.as_ref()),
        };
        let against = |verdict| obstacles(verdict, &course, self.now());
        let obstacles = (against(Verdict::Award { hours: 1 }), against(Verdict::Refuse));
        let appeal_until = appeal_until(procedure, verdict.as_ref());
        let appeal = records::appeal(tx, id).await?;
        Ok(Proceedings {
            application,
            call,
            procedure,
            staff: true,
            operator: false,
            technical,
            reviews,
            evaluation,
            agreed,
            rebuttal,
            verdict,
            appeal,
            appeal_until,
            obstacles,
        })
    }

    /// Demands that no verdict was adopted over an application.
    pub(super) async fn undecided(&self, tx: &Tx, id: ApplicationId) -> Result<(), Error> {
        let standing = verdicts::standing(tx, id).await?;
        if standing.is_some_and(|it| it.adopted.is_some() && it.published_at.is_none()) {
            let text = "a verdict on it was adopted; send that back first";
            return Err(Error::Conflict(text.to_owned()));
        }
        Ok(())
    }
}

/// What a review gives, by criterion.
type Points = BTreeMap<units::Slug, access::review::Points>;

/// What the reviews give that were handed in.
fn handed_in(reviews: &[ReviewRecord]) -> impl Iterator<Item = Points> {
    let handed_in = reviews.iter().filter(|review| review.submitted_at.is_some());
    handed_in.map(|review| review.written.scores.clone())
}

fn evaluation(
    procedure: &Procedure,
    handed_in: Vec<Points>,
    agreed: Option<&Agreed>,
) -> Option<Evaluation> {
    let points = handed_in.into_iter();
    let points: Vec<Scores> =
        points.filter_map(|points| Scores::new(points, procedure).ok()).collect();
    let agreed = agreed.and_then(|it| Scores::new(it.scores.clone(), procedure).ok());
    evaluate(procedure, &points, agreed.as_ref())
}

/// Gives those that have passed their places, and puts them first.
fn place(judged: &mut [Judged], procedure: &Procedure) {
    let rated = judged.iter().filter_map(|it| {
        Some((it.application.id, it.application.state_at, it.evaluation.clone()?))
    });
    let places = rank(procedure.order, &rated.collect::<Vec<_>>());
    for it in judged.iter_mut() {
        it.place = places.iter().find(|place| place.application == it.application.id).copied();
    }
    judged.sort_by_key(|it| it.place.map_or(u32::MAX, |place| place.place));
}

fn answer_of(procedure: Option<&PolicyEntry<Procedure>>, rebuttal: Option<&Rebuttal>) -> Answer {
    let foreseen = procedure.and_then(|it| it.says.rebuttal_days.known()).is_some();
    match rebuttal {
        Some(Rebuttal { text: Some(_), .. }) => Answer::Over,
        Some(Rebuttal { closes_at, .. }) => Answer::Open { until: *closes_at },
        None if foreseen => Answer::Due,
        None => Answer::NotForeseen,
    }
}

/// Until when an appeal may be made, by the days that the procedure gives after publication.
pub(super) fn appeal_until(
    procedure: Option<&PolicyEntry<Procedure>>,
    verdict: Option<&VerdictRecord>,
) -> Option<Timestamp> {
    let days = procedure?.says.appeal_days.known()?;
    let verdict = verdict.filter(|it| it.verdict == Verdict::Refuse)?;
    days_after(verdict.published_at?, *days)
}

/// So many times 24 hours after `at`.
pub(super) fn days_after(at: Timestamp, days: u32) -> Option<Timestamp> {
    let hours = i64::from(days).checked_mul(24)?;
    at.checked_add(jiff::SignedDuration::from_hours(hours)).ok()
}

/// What an applicant may know: nothing of the reviews until they are shown or the verdict is
/// published, and never who wrote them.
fn for_applicant(mut whole: Proceedings<'_>) -> Proceedings<'_> {
    whole.verdict = whole.verdict.filter(|verdict| verdict.published_at.is_some());
    whole.obstacles = (Vec::new(), Vec::new());
    if whole.rebuttal.is_none() && whole.verdict.is_none() {
        whole.technical = None;
        whole.reviews = Vec::new();
        whole.evaluation = None;
        whole.agreed = None;
    }
    whole.reviews.retain(|review| review.submitted_at.is_some());
    for review in &mut whole.reviews {
        review.name = String::new();
        review.reason = String::new();
        review.written.confidential = String::new();
    }
    whole
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
