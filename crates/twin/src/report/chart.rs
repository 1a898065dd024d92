//! The report's two drawings: waits with their margins, and the days of a machine.

use std::fmt::Write as _;

use super::html::Escaped;
use super::told::duration;
use crate::results::MachineDays;
use crate::statistics::Estimate;

const WIDTH: f64 = 720.0;
const LABEL: f64 = 190.0;
const RIGHT: f64 = 110.0;
const ROW: f64 = 22.0;

/// A bar with its margin, such as the wait of a class under a policy.
pub(super) struct Row {
    /// Whose it is; empty where the row above says it.
    pub(super) label: String,
    /// Which of the scenarios, from 0.
    pub(super) scenario: usize,
    pub(super) estimate: Estimate,
}

/// The colour of a scenario.
pub(super) const fn key(scenario: usize) -> usize {
    scenario % 6 + 1
}

/// Waits as bars from zero, with whiskers for the margins, on an axis of time.
pub(super) fn waits(title: &str, rows: &[Row]) -> String {
    let reach = |row: &Row| row.estimate.mean + row.estimate.margin.unwrap_or(0.0);
    let most = rows.iter().map(reach).fold(1.0, f64::max);
    let step = step_seconds(most);
    let span = (most / step).ceil() * step;
    let scale = (WIDTH - LABEL - RIGHT) / span;
    let height = ROW * rows.len() as f64 + 26.0;
    let mut svg = open(title, height);
    let base = height - 22.0;
    for tick in 0..=(span / step) as u32 {
        let seconds = f64::from(tick) * step;
        let x = LABEL + seconds * scale;
        let _ = write!(
            svg,
            "<path class=\"rule\" d=\"M{x:.1} 0V{base:.1}\"/>\
             <text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            height - 6.0,
            tick_label(seconds, step)
        );
    }
    for (index, row) in rows.iter().enumerate() {
        draw_row(&mut svg, row, index as f64 * ROW, scale);
    }
    svg.push_str("</svg>");
    svg
}

fn draw_row(svg: &mut String, row: &Row, top: f64, scale: f64) {
    let Estimate { mean, margin } = row.estimate;
    let (middle, width) = (top + ROW / 2.0, mean.max(0.0) * scale);
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
         <g class=\"k{}\"><rect class=\"bar\" x=\"{LABEL}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"12\"/></g>",
        LABEL - 10.0,
        middle + 4.0,
        Escaped(&row.label),
        key(row.scenario),
        middle - 6.0,
    );
    let mut end = LABEL + width;
    if let Some(margin) = margin {
        let (from, to) =
            (LABEL + (mean - margin).max(0.0) * scale, LABEL + (mean + margin) * scale);
        let _ = write!(
            svg,
            "<path class=\"whisker\" d=\"M{from:.1} {middle:.1}H{to:.1}M{from:.1} {:.1}v8M{to:.1} {:.1}v8\"/>",
            middle - 4.0,
            middle - 4.0
        );
        end = end.max(to);
    }
    let (x, y) = (end + 8.0, middle + 4.0);
    let _ = write!(svg, "<text class=\"soft\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", duration(mean));
}

/// Steps that people count time in.
const STEPS_SECONDS: [f64; 14] = [
    10.0,
    60.0,
    300.0,
    600.0,
    1_800.0,
    3_600.0,
    7_200.0,
    21_600.0,
    43_200.0,
    86_400.0,
    172_800.0,
    604_800.0,
    1_209_600.0,
    2_592_000.0,
];

/// The least step of which at most six reach `most`.
fn step_seconds(most: f64) -> f64 {
    let fits = |step: &f64| most / step <= 6.0;
    STEPS_SECONDS.into_iter().find(fits).unwrap_or((most / 6.0 / 2_592_000.0).ceil() * 2_592_000.0)
}

fn tick_label(seconds: f64, step: f64) -> String {
    match step {
        step if step < 60.0 => format!("{seconds} s"),
        step if step < 3_600.0 => format!("{} min", seconds / 60.0),
        step if step < 86_400.0 => format!("{} h", seconds / 3_600.0),
        _ => format!("{} d", seconds / 86_400.0),
    }
}

const DAYS_HEIGHT: f64 = 120.0;

/// How much of a machine was busy on each day; above it, pale, what its queue would have filled
/// besides, up to another machine.
pub(super) fn days(title: &str, days: &MachineDays, scenario: usize) -> String {
    let mut svg = open(title, DAYS_HEIGHT + 22.0);
    let (left, right) = (44.0, WIDTH);
    let count = days.busy.len().max(1) as f64;
    let wide = (right - left) / count;
    // The lower half is the machine, the upper what waits for it.
    let half = DAYS_HEIGHT / 2.0;
    for (share, label) in [(0.0, "0 %"), (1.0, "full"), (2.0, "twice")] {
        let y = DAYS_HEIGHT - share * half;
        let _ = write!(
            svg,
            "<path class=\"rule\" d=\"M{left} {y:.1}H{right}\"/>\
             <text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            left - 6.0,
            (y + 4.0).max(11.0)
        );
    }
    let _ = write!(svg, "<g class=\"k{}\">", key(scenario));
    for (day, (busy, waiting)) in days.busy.iter().zip(&days.waiting).enumerate() {
        let (Some(busy), Some(waiting)) = (busy, waiting) else { continue };
        let (x, width) = (left + day as f64 * wide, (wide * 0.86).max(0.6));
        let (busy, waiting) = (busy * half, (waiting * half).min(2.0 * half - busy * half));
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{busy:.1}\"/>\
             <rect class=\"pale\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{waiting:.1}\"/>",
            DAYS_HEIGHT - busy,
            DAYS_HEIGHT - busy - waiting
        );
    }
    let _ = write!(
        svg,
        "</g><text class=\"soft\" x=\"{left}\" y=\"{y}\">day 1</text>\
         <text class=\"soft\" x=\"{right}\" y=\"{y}\" text-anchor=\"end\">day {count}</text></svg>",
        y = DAYS_HEIGHT + 18.0
    );
    svg
}

fn open(title: &str, height: f64) -> String {
    let title = Escaped(title);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>"
    )
}
