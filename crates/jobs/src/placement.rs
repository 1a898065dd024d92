//! Where a job had best run: what each place would cost its owner, all put in seconds of waiting.
//!
//! Waiting is the one price that every user pays, so it is the unit: policy says how many seconds
//! of waiting a percent of the remaining hours, a payer or a kilogram of carbon dioxide is worth.
//! What is not known of a place is not counted, and said to be unknown.

mod weights;

use std::cmp::Ordering;
use std::fmt;

use units::{CountryCode, Payer, Work};

pub use weights::{Weights, WeightsError};

/// What a place must have to be considered at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Only in these countries; in any when none is named.
    pub countries: Vec<CountryCode>,
    /// Only with GPUs whose model name holds this text, in whatever case.
    pub gpu: Option<String>,
    /// Only on nodes with as much memory.
    pub memory_mb_per_node: Option<u64>,
}

/// When a job would start at a place, in seconds from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// If jobs use as little of their time limits as one in ten did.
    pub earliest: u64,
    /// If jobs use as much of them as half of them did.
    pub likely: u64,
    /// If every job runs as long as it may.
    pub latest: u64,
}

/// What is known of running a job at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// When it would start; `None` where the site does not show what runs there.
    pub start: Option<Start>,
    /// How long its data would be on its way, in seconds; `None` where the link is not known.
    pub transfer: Option<u64>,
    /// The most hours that it would use.
    pub held: Work,
    /// What the allocation has left before that.
    pub available: Work,
    /// How long the allocation still lasts, in whole days.
    pub days_left: u32,
    /// Who pays for the allocation.
    pub payers: Vec<Payer>,
    /// The most energy that it would use; `None` where the power of a unit is not known.
    pub watt_hours: Option<u64>,
    /// The most carbon dioxide, in grams; `None` where power or intensity are not known.
    pub carbon_grams: Option<u64>,
}

/// Something that speaks against a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// The likely wait.
    Wait,
    /// How much longer it may turn out.
    Doubt,
    /// Moving the data.
    Transfer,
    /// The part of the remaining hours that it would take.
    Hours,
    /// Hours that would not lapse soon could be kept for later.
    Keeping,
    /// Whose hours they are.
    Payer,
    /// Energy.
    Energy,
    /// Carbon dioxide.
    Carbon,
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wait => "wait",
            Self::Doubt => "doubt",
            Self::Transfer => "transfer",
            Self::Hours => "hours",
            Self::Keeping => "keeping",
            Self::Payer => "payer",
            Self::Energy => "energy",
            Self::Carbon => "carbon",
        })
    }
}

/// What a place would cost, in seconds of waiting; the least is best.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// What each term contributes; terms of nothing are left out.
    pub terms: Vec<(Term, u64)>,
    /// Whether it is known when the job would start. Places where it is not come last.
    pub start_known: bool,
}

impl Score {
    /// All terms together.
    pub fn total(&self) -> u64 {
        self.terms.iter().fold(0, |sum, (_, seconds)| sum.saturating_add(*seconds))
    }

    /// What speaks most for this place over `other`, and by how many seconds; `None` when nothing
    /// does.
    pub fn advantage(&self, other: &Self) -> Option<(Term, u64)> {
        let of = |score: &Self, term: Term| {
            let found = score.terms.iter().find(|(found, _)| *found == term);
            found.map_or(0, |(_, seconds)| *seconds)
        };
        let gains = other
            .terms
            .iter()
            .map(|(term, seconds)| (*term, seconds.saturating_sub(of(self, *term))));
        gains
            .filter(|(_, gain)| *gain > 0)
            .max_by_key(|(term, gain)| (*gain, std::cmp::Reverse(*term)))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |score: &Self| (!score.start_known, score.total());
        key(self).cmp(&key(other)).then_with(|| self.terms.cmp(&other.terms))
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a place would cost by the weights of policy.
pub fn score(prospect: &Prospect, weights: &Weights) -> Score {
    let percent = |of, weight| part(of, weight, 100);
    let wait = prospect.start.map_or(0, |start| percent(start.likely, weights.wait_percent));
    let doubt = prospect.start.map_or(0, |start| {
        percent(start.latest.saturating_sub(start.likely), weights.doubt_percent)
    });
    let transfer = percent(prospect.transfer.unwrap_or_default(), weights.transfer_percent);
    let days = u64::from(prospect.days_left.min(weights.keeping_days_max));
    let payer = prospect.payers.iter().map(|payer| weights.of_payer(*payer)).max();
    let per_thousand = |count: Option<u64>, weight| part(count.unwrap_or_default(), weight, 1_000);
    let all = [
        (Term::Wait, wait),
        (Term::Doubt, doubt),
        (Term::Transfer, transfer),
        (Term::Hours, hours(prospect, weights)),
        (Term::Keeping, days.saturating_mul(u64::from(weights.keeping_seconds_per_day))),
        (Term::Payer, u64::from(payer.unwrap_or_default())),
        (Term::Energy, per_thousand(prospect.watt_hours, weights.energy_seconds_per_kwh)),
        (Term::Carbon, per_thousand(prospect.carbon_grams, weights.carbon_seconds_per_kg)),
    ];
    let terms = all.into_iter().filter(|(_, seconds)| *seconds > 0).collect();
    Score { terms, start_known: prospect.start.is_some() }
}

/// So many `weight` for every `each` of `of`.
fn part(of: u64, weight: u32, each: u128) -> u64 {
    let all = u128::from(of).saturating_mul(u128::from(weight));
    u64::try_from(all.checked_div(each).unwrap_or_default()).unwrap_or(u64::MAX)
}

/// The part of the remaining hours that would be held, by its weight for the whole of them.
fn hours(prospect: &Prospect, weights: &Weights) -> u64 {
    let part = |work: Work| u128::try_from(work.count()).unwrap_or_default();
    let weight = u128::from(weights.hours_seconds_per_percent) * 100;
    let seconds = part(prospect.held).saturating_mul(weight);
    let seconds = seconds.checked_div(part(prospect.available)).unwrap_or(weight);
    u64::try_from(seconds.min(weight)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
