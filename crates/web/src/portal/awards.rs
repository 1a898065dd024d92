//! What is done with hours after their award: said in words, and asked for by a form.

use access::allocation::{Allocation, ReportStage, Stage, Suspension, Tranche};
use app::allocations::{Change, ChangeKind, ChangeRecord};
use app::{Action, Scope};
use axum::response::Response;
use units::{AllocationId, Meter, Work};

use super::form::Form;
use super::tongue::Tongue;
use super::visit::{Visit, on_to};
use crate::extract::Path;
use crate::problem::Problem;

/// What the visitor may do with an allocation as it stands, by the words of the form.
pub(super) fn may(visit: &Visit, allocation: &Allocation) -> Vec<&'static str> {
    let first = match allocation.stage(visit.app.now()) {
        Stage::Suspended { .. } => "resume",
        Stage::Granted { .. } | Stage::Active { .. } if allocation.suspended.is_some() => "resume",
        Stage::Granted { .. } | Stage::Active { .. } => "suspend",
        Stage::Expired { .. } | Stage::Closed { .. } => return Vec::new(),
    };
    let all = [
        (first, Change::Suspend),
        ("extend", Change::Extend { months: 1 }),
        ("supplement", Change::Supplement { hours: 1 }),
        ("terminate", Change::Terminate),
    ];
    let scope = visit.app.scope_of_allocation(allocation);
    let may = |change: &Change| visit.actor.can(change.action(), scope.as_slice());
    all.into_iter().filter(|(_, change)| may(change)).map(|(word, _)| word).collect()
}

/// Since when and why nothing may be submitted.
pub(super) fn suspended(t: Tongue, suspension: &Suspension) -> String {
    let day = t.day(suspension.since);
    let said = [("day", day.as_str()), ("reason", &suspension.reason)];
    t.fill("award-suspended-since", &said)
}

/// What is released for this month.
pub(super) fn released(t: Tongue, tranche: &Tranche, meter: Meter) -> String {
    let amount = tranche.quota.count().saturating_add(tranche.carried.count());
    let amount = t.work(Work::seconds(amount), meter);
    let (used, day) = (t.work(tranche.used, meter), t.day(tranche.period.end()));
    let said = [("amount", amount.as_str()), ("used", &used), ("day", &day)];
    t.fill("award-released", &said)
}

/// Where a final report stands.
pub(super) fn report(t: Tongue, stage: &ReportStage) -> String {
    let day = stage.at().map_or_else(|| t.say("unknown"), |at| t.day(at));
    let said = [("day", day.as_str())];
    match stage {
        ReportStage::Later { .. } => t.fill("award-report-later", &said),
        ReportStage::Due { .. } => t.fill("award-report-due", &said),
        ReportStage::Overdue { .. } => t.fill("award-report-overdue", &said),
        ReportStage::HandedIn { .. } => t.fill("award-report-handed-in", &said),
    }
}

/// Whether the visitor may hand in the final report.
pub(super) fn may_report(visit: &Visit, allocation: &Allocation) -> bool {
    visit.actor.can(Action::HandInReport, &[Scope::Project(allocation.project)])
}

/// `POST /allocations/{id}/report`.
pub(crate) async fn hand_in(
    visit: Visit,
    Path(id): Path<AllocationId>,
    form: Form,
) -> Result<Response, Problem> {
    visit.app.hand_in_report(&visit.actor, id, form.text("content")).await?;
    let view = visit.app.allocation(&visit.actor, id).await?;
    Ok(on_to(&format!("/projects/{}#hours", view.allocation.project)))
}

/// A change in a sentence.
pub(super) fn in_words(t: Tongue, record: &ChangeRecord, meter: Meter) -> String {
    let day = t.day(record.at);
    let much = match record.kind {
        ChangeKind::Extended { months } => t.number(i64::from(months)),
        ChangeKind::Supplemented { hours } => t.work(hours, meter),
        ChangeKind::Suspended | ChangeKind::Resumed | ChangeKind::Terminated => String::new(),
    };
    let said = [("day", day.as_str()), ("much", &much), ("reason", &record.reason)];
    match record.kind {
        ChangeKind::Suspended => t.fill("award-suspended", &said),
        ChangeKind::Resumed => t.fill("award-resumed", &said),
        ChangeKind::Terminated => t.fill("award-terminated", &said),
        ChangeKind::Extended { .. } => t.fill("award-extended", &said),
        ChangeKind::Supplemented { .. } => t.fill("award-supplemented", &said),
    }
}

/// `POST /allocations/{id}/changes`.
pub(crate) async fn change(
    visit: Visit,
    Path(id): Path<AllocationId>,
    form: Form,
) -> Result<Response, Problem> {
    let much = || {
        let wrong = |error| Problem::field("much", format!("a whole number: {error}"));
        form.text("much").parse::<u32>().map_err(wrong)
    };
    let change = match form.text("what") {
        "suspend" => Change::Suspend,
        "resume" => Change::Resume,
        "terminate" => Change::Terminate,
        "extend" => Change::Extend { months: much()? },
        "supplement" => Change::Supplement { hours: much()? },
        other => return Err(Problem::field("what", format!("`{other}` is not known"))),
    };
    let reason = form.text("reason");
    let changed = visit.app.change_allocation(&visit.actor, id, (change, reason)).await?;
    Ok(on_to(&format!("/projects/{}#hours", changed.project)))
}
