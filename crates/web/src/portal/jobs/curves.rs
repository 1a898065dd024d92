//! What a job measures: its loss as curves, everything else by its latest value.

use std::collections::BTreeMap;

use units::JobId;

use super::Figures;
use crate::portal::chart::{Curves, Line};
use crate::portal::visit::Visit;
use crate::problem::Problem;

/// How many measurements are asked for at once.
const BATCH: u32 = 500;
/// How many measurements a drawing looks at.
const MEASURED_MAX: usize = 20_000;
/// How many curves fit into one drawing.
const CURVES_MAX: usize = 3;

/// The measurements of a job.
pub(super) async fn figures(visit: &Visit, id: JobId) -> Result<Figures, Problem> {
    let t = visit.t();
    let mut measured: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let (mut after, mut count) = (0, 0);
    loop {
        let batch = visit.app.job_metrics(&visit.actor, id, None, after, BATCH).await?;
        let full = batch.len() >= BATCH as usize;
        count += batch.len();
        for metric in batch {
            after = metric.seq;
            measured.entry(metric.name).or_default().push((metric.step as f64, metric.value));
        }
        if !full || count >= MEASURED_MAX {
            break;
        }
    }
    let latest = measured.iter().filter_map(|(name, points)| {
        points.last().map(|(_, value)| (name.replace('_', " "), shown(*value)))
    });
    let latest: Vec<_> = latest.collect();
    let losses: Vec<Line> = measured
        .iter()
        .filter(|(name, _)| name.contains("loss"))
        .take(CURVES_MAX)
        .map(|(name, points)| Line { name: name.replace('_', " "), points: points.clone() })
        .collect();
    let description = losses.iter().filter_map(|line| {
        let (first, last) = (line.points.first()?, line.points.last()?);
        let gaps =
            [("name", line.name.as_str()), ("first", &shown(first.1)), ("last", &shown(last.1))];
        Some(t.fill("curve-outcome", &gaps))
    });
    let curves = Curves {
        title: t.say("curve-title"),
        description: description.collect::<Vec<_>>().join(" "),
        across: t.say("curve-step"),
        lines: losses,
    };
    Ok(Figures { t, curves, latest })
}

/// A measured value with about four significant digits.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
