//! The statement: what a project was granted, set aside, used and gave back, and who paid.

use app::statement::{AllocationStatement, Line, Movement};
use askama::Template;
use axum::response::Response;
use ledger::Kind as Entry;
use serde::Deserialize;
use units::{Meter, Period, ProjectId, Timestamp, Work};

use super::chart::Bar;
use super::hours;
use super::tongue::Tongue;
use super::visit::{Frame, Visit, page};
use crate::extract::{Path, Query};
use crate::problem::{Kind, Problem};

/// How many movements of one allocation a page shows: the latest.
const MOVEMENTS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "statement.html")]
struct StatementPage {
    frame: Frame,
    project: String,
    title: String,
    period: String,
    before: String,
    after: String,
    drawn_at: String,
    head: String,
    allocations: Vec<Part>,
}

/// One allocation's part.
struct Part {
    partition: String,
    bar: Option<Bar>,
    rows: Vec<Row>,
    total: Row,
    absorbed: Option<String>,
    movements: Vec<MovementRow>,
    /// How many movements there were in all.
    moved: usize,
}

/// One payer's line.
struct Row {
    payer: String,
    granted: String,
    held: String,
    used: String,
    released: String,
    closing: String,
}

struct MovementRow {
    seq: String,
    at: String,
    what: String,
    reason: String,
    job: Option<String>,
    available: String,
    held: String,
    used: String,
}

/// Which quarter: any instant of it.
#[derive(Deserialize)]
pub(crate) struct Quarter {
    at: Option<String>,
}

/// `GET /projects/{id}/statement`.
pub(crate) async fn show(
    visit: Visit,
    Path(id): Path<ProjectId>,
    Query(quarter): Query<Quarter>,
) -> Result<Response, Problem> {
    let t = visit.t();
    let at = match quarter.at {
        None => visit.app.now(),
        Some(text) => text
            .parse::<Timestamp>()
            .map_err(|error| Problem::with(Kind::BadRequest, error.to_string()))?,
    };
    let period = Period::quarter_of(at);
    let statement = visit.app.project_statement(&visit.actor, id, period).await?;
    let project = visit.app.project(&visit.actor, id).await?;
    let day_before =
        |at: Timestamp| at.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(at);
    page(&StatementPage {
        project: id.to_string(),
        title: project.title,
        period: format!("{} – {}", t.day(period.start()), t.day(day_before(period.end()))),
        before: day_before(period.start()).to_string(),
        after: period.end().to_string(),
        drawn_at: t.minute(statement.at),
        head: statement.head.hash.to_string(),
        allocations: statement.allocations.iter().map(|it| part(t, it)).collect(),
        frame: visit.frame,
    })
}

fn part(t: Tongue, statement: &AllocationStatement) -> Part {
    let meter = statement.hours.meter;
    let used: Vec<_> = statement.payers.iter().map(|(payer, line)| (*payer, line.used)).collect();
    let any = used.iter().any(|(_, work)| work.count() > 0);
    let title = t.say("statement-used-by-payer");
    let rows = statement.payers.iter();
    let rows = rows.map(|(payer, line)| row(t, hours::payer(t, *payer), line, meter)).collect();
    let latest = statement.movements.iter().rev().take(MOVEMENTS_MAX);
    let absorbed = (statement.absorbed > Work::ZERO).then(|| t.work(statement.absorbed, meter));
    Part {
        partition: statement.hours.partition.to_string(),
        bar: any.then(|| hours::by_payer(t, title, meter, &used)),
        rows,
        total: row(t, t.say("total"), &statement.total, meter),
        absorbed,
        movements: latest.map(|movement| movement_row(t, movement, meter)).collect(),
        moved: statement.movements.len(),
    }
}

fn row(t: Tongue, payer: String, line: &Line, meter: Meter) -> Row {
    let closing = Work::seconds(line.closing.available.count());
    Row {
        payer,
        granted: t.work(line.granted, meter),
        held: t.work(line.held, meter),
        used: t.work(line.used, meter),
        released: t.work(line.released, meter),
        closing: t.work(closing, meter),
    }
}

fn movement_row(t: Tongue, movement: &Movement, meter: Meter) -> MovementRow {
    let sum = |pick: fn(&app::statement::Change) -> Work| {
        let total: i64 = movement.changes.values().map(|change| pick(change).count()).sum();
        if total == 0 { String::new() } else { signed(t, total, meter) }
    };
    let job = match &movement.kind {
        Entry::Hold { job, .. }
        | Entry::Settle { job, .. }
        | Entry::Release { job, .. }
        | Entry::Correction { job, .. } => Some(job),
        _ => None,
    };
    MovementRow {
        seq: movement.seq.to_string(),
        at: t.minute(movement.at),
        what: t.sub("entry-", movement.kind.name()),
        reason: movement.reason.clone(),
        job: job.map(ToString::to_string),
        available: sum(|change| change.available),
        held: sum(|change| change.held),
        used: sum(|change| change.used),
    }
}

/// An amount with its sign.
fn signed(t: Tongue, seconds: i64, meter: Meter) -> String {
    let text = t.work(Work::seconds(seconds.saturating_abs()), meter);
    if seconds < 0 { format!("−{text}") } else { format!("+{text}") }
}
