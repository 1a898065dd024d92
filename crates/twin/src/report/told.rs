//! Figures as people read them.

use crate::results::{Band, Figure, Scope};
use crate::statistics::Estimate;

/// How figures of one kind are written.
#[derive(Clone, Copy, Debug)]
pub struct Told(pub Figure);

impl Told {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Figure::Jobs => "jobs",
            Figure::WaitSecondsMean => "mean wait",
            Figure::WaitSecondsMedian => "half wait at most",
            Figure::WaitSeconds95th => "19 of 20 wait at most",
            Figure::BoundedSlowdown => "bounded slowdown",
            Figure::Utilisation => "utilisation",
            Figure::JobsNotRun => "jobs that could not run",
            Figure::LostHours => "hours lost to failures",
            Figure::PoolHours => "hours of the pool",
            Figure::UsedHours => "used",
            Figure::UnusedHours => "unused",
            Figure::OverGrantedHours => "over-granted",
            Figure::Fairness => "fairness between payers",
            Figure::EnergyKwh => "energy",
            Figure::CarbonKg => "carbon dioxide",
        }
    }

    /// A value with its unit.
    pub fn value(self, value: f64) -> String {
        match self.0 {
            Figure::WaitSecondsMean | Figure::WaitSecondsMedian | Figure::WaitSeconds95th => {
                duration(value)
            }
            Figure::Utilisation => format!("{:.1} %", value * 100.0),
            Figure::BoundedSlowdown => format!("{value:.2}"),
            Figure::Fairness => format!("{value:.3}"),
            Figure::Jobs | Figure::JobsNotRun => grouped(value),
            Figure::LostHours
            | Figure::PoolHours
            | Figure::UsedHours
            | Figure::UnusedHours
            | Figure::OverGrantedHours => format!("{} h", grouped(value)),
            Figure::EnergyKwh => format!("{} MWh", grouped(value / 1_000.0)),
            Figure::CarbonKg => format!("{} t", grouped(value / 1_000.0)),
        }
    }

    /// An estimate with its margin, if it has one.
    pub fn estimate(self, estimate: &Estimate) -> String {
        let mean = self.value(estimate.mean);
        match estimate.margin {
            // A margin that is all rounding is none.
            Some(margin) if margin > estimate.mean.abs() * 1e-9 => {
                format!("{mean} ± {}", self.value(margin))
            }
            _ => mean,
        }
    }

    /// A difference, such as `12 min less, 9 min to 15 min`.
    pub fn change(self, difference: &Estimate) -> String {
        let (size, word) = match difference.mean {
            mean if mean < 0.0 => (-mean, "less"),
            mean => (mean, "more"),
        };
        let margin = difference.margin.unwrap_or(0.0);
        let told = self.value(size);
        if margin > size {
            return format!("{told} {word} ± {}", self.value(margin));
        }
        let (least, most) = (self.value(size - margin), self.value(size + margin));
        if least == most {
            format!("{told} {word}")
        } else {
            format!("{told} {word}, {least} to {most}")
        }
    }
}

/// Of whom or of what.
pub fn scope_in_words(scope: &Scope) -> String {
    match scope {
        Scope::All => "all".to_owned(),
        Scope::Class(class) => class.clone(),
        Scope::Size(Band::Part) => "part of a node".to_owned(),
        Scope::Size(Band::Node) => "one node".to_owned(),
        Scope::Size(Band::Few) => "2 to 8 nodes".to_owned(),
        Scope::Size(Band::Many) => "more than 8 nodes".to_owned(),
        Scope::Sessions => "sessions".to_owned(),
        Scope::Machine(machine) => machine.clone(),
        Scope::Pool(machine, payer) => format!("{payer} on {machine}"),
    }
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

/// In the largest unit of which there are at least two.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 2.0 * MINUTE => format!("{seconds:.0} s"),
        seconds if seconds < 2.0 * HOUR => format!("{:.0} min", seconds / MINUTE),
        seconds if seconds < 2.0 * DAY => format!("{:.1} h", seconds / HOUR),
        seconds => format!("{:.1} d", seconds / DAY),
    }
}

/// With a thin space between thousands, and a decimal below ten.
fn grouped(value: f64) -> String {
    if value.abs() < 10.0 && value.fract().abs() > 0.04 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if value < -0.5 { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        let told: Vec<String> = [5.0, 300.0, 90_000.0, 1e6].map(duration).to_vec();
        assert_eq!(told, ["5 s", "5 min", "25.0 h", "11.6 d"]);
        assert_eq!(grouped(1_234_567.0), "1\u{202f}234\u{202f}567");
        assert_eq!([grouped(0.0), grouped(2.5), grouped(-40.0)], ["0", "2.5", "−40"]);
        let wait = Told(Figure::WaitSecondsMean);
        let change = Estimate { mean: -720.0, margin: Some(180.0) };
        assert_eq!(wait.change(&change), "12 min less, 9 min to 15 min");
        let noise = Estimate { mean: 60.0, margin: Some(90.0) };
        assert_eq!(wait.change(&noise), "60 s more ± 90 s");
        assert_eq!(wait.estimate(&Estimate { mean: 5.0, margin: None }), "5 s");
    }
}
