//! What may be changed of awards after they were made, and how their hours are released.

use units::{PartsPerMillion, Payer, Slug};

use super::{Entry, entries, entries_if_any};
use crate::document::{Figure, Table, Value};

/// Whose awards an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of an access mode.
    Mode(Slug),
    /// Those out of the hours of a payer.
    Payer(Payer),
}

impl Whose {
    /// Whether an award under `mode` out of the hours of `payers` is meant.
    pub(super) fn concerns(&self, mode: &Slug, payers: &[Payer]) -> bool {
        match self {
            Self::Mode(of) => of == mode,
            Self::Payer(of) => payers.contains(of),
        }
    }
}

/// What officers may change of an award.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwardChanges {
    /// Of which awards.
    pub whose: Whose,
    /// By how many months it may be extended, all extensions together.
    pub extension_months_max: Figure<u32>,
    /// For how many months it may last in all.
    pub months_total_max: Figure<u32>,
    /// By which part of its hours it may be supplemented, all supplements together.
    pub supplement_max: Figure<PartsPerMillion>,
    /// Whether it may have both more time and more hours.
    pub together: bool,
    /// Which part of its hours may move to other awards, all transfers together.
    pub transfer_max: Figure<PartsPerMillion>,
    /// Which part of its hours may be released before their month, all advances together.
    pub advance_max: Figure<PartsPerMillion>,
    /// How often an award may be followed by another without an application.
    pub renewals_max: Figure<u32>,
}

/// What happens to jobs beyond the part of the hours that is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// They are refused until the next part is released.
    Refused,
    /// They run behind all others.
    LowerPriority,
}

impl Beyond {
    /// The choices, by name.
    pub const WORDS: [(&str, Self); 2] =
        [("refused", Self::Refused), ("lower-priority", Self::LowerPriority)];
}

/// How the hours of awards are released: each month its part by days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// On which systems.
    pub systems: Vec<Slug>,
    /// How much of what a month leaves unused may be used later.
    pub carry_over: PartsPerMillion,
    /// How far a month may be overdrawn, at the cost of the next.
    pub grace: PartsPerMillion,
    /// After how many days use counts half when what it leaves is carried over; it counts in full
    /// without.
    pub half_life_days: Option<u32>,
    /// What happens beyond it.
    pub beyond: Beyond,
}

/// When hours that are not used are taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Of which awards.
    pub whose: Whose,
    /// So many months after the beginning.
    pub after_months: u32,
    /// If less than this part of them is used by then.
    pub used_below: PartsPerMillion,
}

/// How much a payer's part of a partition may be promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// On which systems; on all without any.
    pub systems: Vec<Slug>,
    /// How much may be promised of what the part delivers in the time of the award: what open awards
    /// are likely to use of it until then, and the award itself.
    pub factor: PartsPerMillion,
}

/// The entries of `awards.toml`.
pub(super) struct AwardRules {
    pub(super) changes: Vec<Entry<AwardChanges>>,
    pub(super) releases: Vec<Entry<Release>>,
    pub(super) cuts: Vec<Entry<Cut>>,
    pub(super) commitments: Vec<Entry<Commitment>>,
}

/// What came to be said later is optional: the texts that stand behind older decisions are read too.
pub(super) fn read(root: &Table<'_>) -> Option<AwardRules> {
    let changes = entries(root, "changes", changes);
    let releases = entries(root, "releases", release);
    let cuts = entries_if_any(root, "cuts", cut);
    let commitments = entries_if_any(root, "commitments", commitment);
    Some(AwardRules {
        changes: changes?,
        releases: releases?,
        cuts: cuts?,
        commitments: commitments?,
    })
}

fn changes(table: &Table<'_>) -> Option<AwardChanges> {
    let whose = whose(table);
    let months = |key| table.required(key, |value| value.figure(Value::count));
    let part = |key| table.optional(key, |value| value.figure(Value::percent));
    let (extension, total) = (months("extension_months_max"), months("months_total_max"));
    let supplement = table.required("supplement_max", |value| value.figure(Value::percent));
    let renewals = table.optional("renewals_max", |value| value.figure(Value::count));
    let together = table.required("together", Value::boolean);
    Some(AwardChanges {
        whose: whose?,
        extension_months_max: extension?,
        months_total_max: total?,
        supplement_max: supplement?,
        together: together?,
        transfer_max: part("transfer_max").unwrap_or_else(unsaid),
        advance_max: part("advance_max").unwrap_or_else(unsaid),
        renewals_max: renewals.unwrap_or_else(unsaid),
    })
}

fn unsaid<T>() -> Figure<T> {
    Figure::Unknown("the entry does not say".to_owned())
}

fn release(table: &Table<'_>) -> Option<Release> {
    let systems = table.required("systems", |value| value.list(Value::parsed));
    let carry_over = table.required("carry_over", Value::percent);
    let grace = table.required("grace", Value::percent);
    let half_life_days = table.optional("half_life_days", Value::count);
    let beyond = table.optional("beyond", |value| value.choice(&Beyond::WORDS));
    Some(Release {
        systems: systems?,
        carry_over: carry_over?,
        grace: grace?,
        half_life_days,
        beyond: beyond.unwrap_or(Beyond::Refused),
    })
}

fn cut(table: &Table<'_>) -> Option<Cut> {
    let whose = whose(table);
    let after_months = table.required("after_months", Value::count);
    let used_below = table.required("used_below", Value::percent);
    Some(Cut { whose: whose?, after_months: after_months?, used_below: used_below? })
}

fn commitment(table: &Table<'_>) -> Option<Commitment> {
    let systems = table.required("systems", |value| value.list(Value::parsed));
    let factor = table.required("factor_percent", Value::count).map(PartsPerMillion::percent);
    Some(Commitment { systems: systems?, factor: factor? })
}

fn whose(table: &Table<'_>) -> Option<Whose> {
    let mode = table.optional("mode", Value::parsed).map(Whose::Mode);
    let payer = table.optional("payer", Value::parsed).map(Whose::Payer);
    match (mode, payer) {
        (Some(whose), None) | (None, Some(whose)) => Some(whose),
        _ => table.fault("needs either `mode` or `payer`"),
    }
}
