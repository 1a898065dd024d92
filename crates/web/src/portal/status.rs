//! Whether partitions can take work now, and why not, in words.

use app::sites::PartitionStatus;
use askama::Template;
use axum::response::Response;
use jobs::readiness::{Obstacle, Readiness, Takes, Weight};

use super::tongue::Tongue;
use super::visit::{Frame, Visit, page};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    frame: Frame,
    partitions: Vec<Line>,
}

/// A partition in one line.
struct Line {
    factory: String,
    partition: String,
    takes: Badge,
    hurdles: Vec<Hurdle>,
}

/// A word with the colour of what it means.
pub(super) struct Badge {
    pub(super) text: String,
    pub(super) class: &'static str,
}

/// Something that stands in the way of work, in words, with the colour of its weight.
pub(super) struct Hurdle {
    pub(super) text: String,
    pub(super) class: &'static str,
}

/// `GET /status`.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let t = visit.t();
    let partitions = visit.app.status(&visit.actor).await?;
    let line = |status: &PartitionStatus| Line {
        factory: status.factory.to_string(),
        partition: status.partition.to_string(),
        takes: Badge::of(t, status.readiness.takes()),
        hurdles: hurdles(t, &status.readiness),
    };
    let partitions = partitions.iter().map(line).collect();
    page(&StatusPage { frame: visit.frame, partitions })
}

impl Badge {
    pub(super) fn of(t: Tongue, takes: Takes) -> Self {
        let class = match takes {
            Takes::Work => "good",
            Takes::Less => "wait",
            Takes::Nothing => "bad",
        };
        Self { text: t.sub("takes-", takes.name()), class }
    }
}

/// What stands in the way of work, the heaviest first.
pub(super) fn hurdles(t: Tongue, readiness: &Readiness) -> Vec<Hurdle> {
    let hurdle = |obstacle: &Obstacle| Hurdle {
        text: said(t, obstacle),
        class: match obstacle.weight() {
            Weight::Blocks => "bad",
            Weight::Limits => "wait",
            Weight::Note => "note",
        },
    };
    readiness.obstacles.iter().map(hurdle).collect()
}

fn said(t: Tongue, obstacle: &Obstacle) -> String {
    let fill = |key: &str, gaps: &[(&str, String)]| {
        let gaps: Vec<(&str, &str)> =
            gaps.iter().map(|(name, value)| (*name, value.as_str())).collect();
        t.fill(key, &gaps)
    };
    match obstacle {
        Obstacle::NotEnrolled => t.say("hurdle-not-enrolled"),
        Obstacle::Silent => t.say("hurdle-silent"),
        Obstacle::AgentAway { since } => fill("hurdle-agent-away", &[("at", t.minute(since))]),
        Obstacle::Dismissed { since } => fill("hurdle-dismissed", &[("at", t.minute(since))]),
        Obstacle::Drained { drained, .. } => {
            let gaps = [("at", t.minute(drained.since)), ("reason", drained.reason.clone())];
            fill("hurdle-drained", &gaps)
        }
        Obstacle::Failing { answer } if answer.is_empty() => t.say("hurdle-failing"),
        Obstacle::Failing { answer } => fill("hurdle-failing-so", &[("answer", answer.clone())]),
        Obstacle::Closed { word } => fill("hurdle-closed", &[("word", word.clone())]),
        Obstacle::NodesAway { nodes } => {
            let away = i64::from(nodes.all.saturating_sub(nodes.up));
            let gaps = [("away", t.number(away)), ("all", t.number(i64::from(nodes.all)))];
            fill("hurdle-nodes-away", &gaps)
        }
        Obstacle::Maintenance { reserved, begun, all } => {
            let gaps = [
                ("name", reserved.name.clone()),
                ("nodes", t.number(i64::from(reserved.nodes))),
                ("from", t.minute(reserved.from)),
                ("until", t.minute(reserved.until)),
            ];
            match (begun, all) {
                (true, true) => fill("hurdle-maintenance-all", &gaps),
                (true, false) => fill("hurdle-maintenance-some", &gaps),
                (false, true) => fill("hurdle-maintenance-all-later", &gaps),
                (false, false) => fill("hurdle-maintenance-some-later", &gaps),
            }
        }
        Obstacle::AccountingBehind { records } => {
            let records = i64::try_from(*records).unwrap_or(i64::MAX);
            fill("hurdle-accounting", &[("records", t.number(records))])
        }
        Obstacle::ClockOff { ahead_milliseconds } => {
            let seconds = ahead_milliseconds.saturating_abs() / 1_000;
            let key = if *ahead_milliseconds < 0 { "clock-behind" } else { "clock-ahead" };
            let off = fill(key, &[("seconds", t.number(seconds))]);
            fill("hurdle-clock", &[("off", off)])
        }
        Obstacle::Queue { jobs, seconds } => {
            let work = t.seconds(i64::try_from(*seconds).unwrap_or(i64::MAX));
            fill("hurdle-queue", &[("jobs", t.number(i64::from(*jobs))), ("work", work)])
        }
    }
}
