//! What may be changed of awards after they were made, and how their hours are released.

use units::{PartsPerMillion, Payer, Slug};

use super::{Entry, entries};
use crate::document::{Figure, Table, Value};

/// Whose awards an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of an access mode.
    Mode(Slug),
    /// Those out of the hours of a payer.
    Payer(Payer),
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
}

/// The entries of `awards.toml`.
pub(super) struct AwardRules {
    pub(super) changes: Vec<Entry<AwardChanges>>,
    pub(super) releases: Vec<Entry<Release>>,
}

pub(super) fn read(root: &Table<'_>) -> Option<AwardRules> {
    let changes = entries(root, "changes", changes);
    let releases = entries(root, "releases", |table| {
        let systems = table.required("systems", |value| value.list(Value::parsed));
        let carry_over = table.required("carry_over", Value::percent);
        let grace = table.required("grace", Value::percent);
        Some(Release { systems: systems?, carry_over: carry_over?, grace: grace? })
    });
    Some(AwardRules { changes: changes?, releases: releases? })
}

fn changes(table: &Table<'_>) -> Option<AwardChanges> {
    let mode = table.optional("mode", Value::parsed).map(Whose::Mode);
    let payer = table.optional("payer", Value::parsed).map(Whose::Payer);
    let whose = match (mode, payer) {
        (Some(whose), None) | (None, Some(whose)) => Some(whose),
        _ => table.fault("needs either `mode` or `payer`"),
    };
    let months = |key| table.required(key, |value| value.figure(Value::count));
    let (extension, total) = (months("extension_months_max"), months("months_total_max"));
    let supplement = table.required("supplement_max", |value| value.figure(Value::percent));
    let together = table.required("together", Value::boolean);
    Some(AwardChanges {
        whose: whose?,
        extension_months_max: extension?,
        months_total_max: total?,
        supplement_max: supplement?,
        together: together?,
    })
}
