//! Curves over steps or time, such as a training's loss.

use std::fmt::Write as _;

use super::escaped;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
/// The drawing's edges: left of the curves stand the figures, right of them the names.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 92.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;
/// More points than this are thinned; the eye sees no difference.
const POINTS_MAX: usize = 360;
/// How many rows of the table stand for the curve.
const ROWS_MAX: usize = 24;

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// What it shows.
    pub(crate) name: String,
    /// Its points, from left to right.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Up to three curves in one drawing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curves {
    /// What the drawing shows.
    pub(crate) title: String,
    /// The same in a sentence, with its outcome.
    pub(crate) description: String,
    /// What runs from left to right.
    pub(crate) across: String,
    /// The curves.
    pub(crate) lines: Vec<Line>,
}

/// The part of the plane that is drawn.
struct Window {
    left: f64,
    right: f64,
    low: f64,
    high: f64,
}

impl Curves {
    /// Whether there is anything to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.points.is_empty())
    }

    /// The drawing.
    pub(crate) fn svg(&self) -> String {
        let window = self.window();
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-labelledby=\"chart-title chart-description\">\
             <title id=\"chart-title\">{}</title><desc id=\"chart-description\">{}</desc>",
            escaped(&self.title),
            escaped(&self.description)
        );
        self.draw_grid(&window, &mut svg);
        let mut taken = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            draw_line(line, index + 1, &window, &mut taken, &mut svg);
        }
        svg.push_str("</svg>");
        svg
    }

    /// What the curves span, with the values' axis from a round figure to a round figure.
    fn window(&self) -> Window {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let span = |pick: fn(&(f64, f64)) -> f64| {
            let values = points().map(pick).filter(|value| value.is_finite());
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
        };
        let (left, right) = widened(span(|point| point.0));
        let (low, high) = widened(span(|point| point.1));
        let step = round_step(high - low);
        Window { left, right, low: (low / step).floor() * step, high: (high / step).ceil() * step }
    }

    fn draw_grid(&self, window: &Window, svg: &mut String) {
        let step = round_step(window.high - window.low);
        for value in ticks(window.low, window.high, step) {
            let y = window.y(value);
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                figure(value, step)
            );
        }
        let base = HEIGHT - BOTTOM;
        let across = round_step(window.right - window.left);
        for value in ticks(window.left, window.right, across) {
            let (x, label) = (window.x(value), figure(value, across));
            let _ = write!(
                svg,
                "<path class=\"axis\" d=\"M{x:.1} {base}v5\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                base + 19.0
            );
        }
        let _ = write!(
            svg,
            "<path class=\"axis\" d=\"M{LEFT} {base}H{}\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            WIDTH - RIGHT,
            HEIGHT - 4.0,
            escaped(&self.across)
        );
    }

    /// The steps of the table, and for each curve its value there.
    pub(crate) fn rows(&self) -> Vec<(String, Vec<String>)> {
        let Some(longest) = self.lines.iter().max_by_key(|line| line.points.len()) else {
            return Vec::new();
        };
        let count = longest.points.len();
        let chosen: Vec<f64> = (0..ROWS_MAX.min(count))
            .filter_map(|row| {
                let last = count.saturating_sub(1);
                let of = ROWS_MAX.min(count).saturating_sub(1).max(1);
                longest.points.get(row * last / of).map(|point| point.0)
            })
            .collect();
        let value = |line: &Line, x: f64| {
            let known = line.points.iter().rev().find(|point| point.0 <= x);
            known.map_or_else(|| "–".to_owned(), |point| format!("{:.4}", point.1))
        };
        chosen
            .into_iter()
            .map(|x| (figure(x, 1.0), self.lines.iter().map(|line| value(line, x)).collect()))
            .collect()
    }
}

impl Window {
    fn x(&self, value: f64) -> f64 {
        LEFT + (value - self.left) / (self.right - self.left) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)
    }
}

/// Draws a curve with its name at its end, above names already standing there.
fn draw_line(line: &Line, index: usize, window: &Window, taken: &mut Vec<f64>, svg: &mut String) {
    let points: Vec<&(f64, f64)> =
        line.points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    let Some(last) = points.last() else { return };
    let every = points.len().div_ceil(POINTS_MAX).max(1);
    let thinned = points.iter().step_by(every).chain(std::iter::once(last));
    let mut path = String::new();
    for (number, (x, y)) in thinned.enumerate() {
        let command = if number == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{:.1} {:.1}", window.x(*x), window.y(*y));
    }
    let (x, y) = (window.x(last.0), window.y(last.1));
    let mut label = y + 4.0;
    while taken.iter().any(|other: &f64| (other - label).abs() < 15.0) {
        label -= 15.0;
    }
    taken.push(label);
    let _ = write!(
        svg,
        "<path class=\"line line-{index}\" d=\"{path}\"/>\
         <circle class=\"dot-{index}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>\
         <text class=\"name\" x=\"{:.1}\" y=\"{label:.1}\">{}</text>",
        x + 9.0,
        escaped(&line.name)
    );
}

/// A span that is not empty.
fn widened((low, high): (f64, f64)) -> (f64, f64) {
    if !low.is_finite() || !high.is_finite() {
        (0.0, 1.0)
    } else if high - low < 1e-9 {
        (low - 0.5, high + 0.5)
    } else {
        (low, high)
    }
}

/// 1, 2 or 5 times a power of ten, so that a span has about five steps.
fn round_step(span: f64) -> f64 {
    let rough = span / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough * 0.999);
    factor.unwrap_or(10.0) * power
}

/// The multiples of `step` within a span.
fn ticks(low: f64, high: f64, step: f64) -> Vec<f64> {
    let first = (low / step - 1e-6).ceil();
    let last = (high / step + 1e-6).floor();
    let count = (last - first).clamp(0.0, 20.0) as usize;
    (0..=count).map(|number| (first + number as f64) * step).collect()
}

/// A figure with as many decimals as its step needs.
fn figure(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}
