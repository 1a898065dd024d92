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

/// What the visitor may do with an allocation as it stands.
#[derive(Default)]
pub(super) struct May {
    /// By the words of the form: what takes a number at most.
    pub(super) change: Vec<&'static str>,
    /// Move hours to another.
    pub(super) transfer: bool,
    /// Let another award follow.
    pub(super) renew: bool,
}

/// See [`May`].
pub(super) fn may(visit: &Visit, allocation: &Allocation, is_released: bool) -> May {
    let scope = visit.app.scope_of_allocation(allocation);
    let may = |change: &Change| visit.actor.can(change.action(), scope.as_slice());
    let renew = may(&Change::Renew { hours: 1, months: 1 });
    let first = match allocation.stage(visit.app.now()) {
        Stage::Suspended { .. } => "resume",
        Stage::Granted { .. } | Stage::Active { .. } if allocation.suspended.is_some() => "resume",
        Stage::Granted { .. } | Stage::Active { .. } => "suspend",
        Stage::Expired { .. } => return May { renew, ..May::default() },
        Stage::Closed { .. } => return May::default(),
    };
    let all = [
        (first, Change::Suspend),
        ("extend", Change::Extend { months: 1 }),
        ("supplement", Change::Supplement { hours: 1 }),
        ("advance", Change::Advance { hours: 1 }),
        ("terminate", Change::Terminate),
    ];
    let all = all.into_iter().filter(|(word, _)| is_released || *word != "advance");
    let change = all.filter(|(_, change)| may(change)).map(|(word, _)| word).collect();
    let transfer = may(&Change::Transfer { to: allocation.id, hours: 1 });
    May { change, transfer, renew }
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
    let months = record.kind.months().map(|months| t.number(i64::from(months)));
    let hours = record.kind.hours().map(|hours| t.work(hours, meter));
    let much = months.or(hours).unwrap_or_default();
    let said = [("day", day.as_str()), ("much", &much), ("reason", &record.reason)];
    match record.kind {
        ChangeKind::Suspended => t.fill("award-suspended", &said),
        ChangeKind::Resumed => t.fill("award-resumed", &said),
        ChangeKind::Terminated => t.fill("award-terminated", &said),
        ChangeKind::Extended { .. } => t.fill("award-extended", &said),
        ChangeKind::Supplemented { .. } => t.fill("award-supplemented", &said),
        ChangeKind::MovedOut { .. } => t.fill("award-moved-out", &said),
        ChangeKind::MovedIn { .. } => t.fill("award-moved-in", &said),
        ChangeKind::Advanced { .. } => t.fill("award-advanced", &said),
        ChangeKind::Cut { .. } => t.fill("award-cut", &said),
        ChangeKind::Renewed { .. } => t.fill("award-renewed", &said),
    }
}

/// `POST /allocations/{id}/changes`.
pub(crate) async fn change(
    visit: Visit,
    Path(id): Path<AllocationId>,
    form: Form,
) -> Result<Response, Problem> {
    let number = |field| {
        let wrong = |error| Problem::field(field, format!("a whole number: {error}"));
        form.text(field).parse::<u32>().map_err(wrong)
    };
    let much = || number("much");
    let other = || {
        let wrong = |error| Problem::field("to", format!("the other allocation: {error}"));
        form.text("to").parse::<AllocationId>().map_err(wrong)
    };
    let change = match form.text("what") {
        "suspend" => Change::Suspend,
        "resume" => Change::Resume,
        "terminate" => Change::Terminate,
        "extend" => Change::Extend { months: much()? },
        "supplement" => Change::Supplement { hours: much()? },
        "transfer" => Change::Transfer { to: other()?, hours: much()? },
        "advance" => Change::Advance { hours: much()? },
        "renew" => Change::Renew { hours: much()?, months: number("months")? },
        other => return Err(Problem::field("what", format!("`{other}` is not known"))),
    };
    let reason = form.text("reason");
    let changed = visit.app.change_allocation(&visit.actor, id, (change, reason)).await?;
    Ok(on_to(&format!("/projects/{}#hours", changed.project)))
}
