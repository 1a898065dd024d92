//! Who is a small or medium-sized enterprise, and who a start-up.

use units::{Cents, PartsPerMillion};

use super::{Entry, entries};
use crate::document::{Table, Value};
use crate::sme::SizeClass;

/// The ceilings of one class: staff, and one of turnover or balance sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Fewer annual work units than this.
    pub headcount_below: u32,
    /// Turnover up to this.
    pub turnover_max: Cents,
    /// Balance sheet total up to this.
    pub balance_sheet_max: Cents,
}

/// The definition of Recommendation 2003/361/EC, in figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmeDefinition {
    /// Micro-enterprises.
    pub micro: Ceilings,
    /// Small enterprises.
    pub small: Ceilings,
    /// Medium-sized enterprises.
    pub medium: Ceilings,
    /// A holding of at least this makes partners.
    pub partner_from: PartsPerMillion,
    /// A holding above this makes linked enterprises.
    pub linked_above: PartsPerMillion,
    /// Certain investors may hold up to this without making partners.
    pub investor_up_to: PartsPerMillion,
    /// A public holding of at least this excludes the class.
    pub public_from: PartsPerMillion,
    /// The most that business angels may have invested in one enterprise, exclusively.
    pub business_angel_below: Cents,
    /// A local authority counts as small with an annual budget below this, and
    pub local_authority_budget_below: Cents,
    /// fewer inhabitants than this.
    pub local_authority_inhabitants_below: u32,
    /// For how many months a declaration may be relied on.
    pub valid_months: u32,
    /// How many periods in a row a ceiling must be crossed for the class to change.
    pub periods_in_a_row: u32,
}

/// Who is a start-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartUpDefinition {
    /// The largest class it may have.
    pub class_max: SizeClass,
    /// The most whole years since it was registered.
    pub years_max: u32,
}

/// Who is a scale-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleUpDefinition {
    /// More growth than this in every year on average, in staff or in turnover.
    pub growth_above: PartsPerMillion,
    /// Over as many years.
    pub years: u32,
    /// It began these years with at least as many annual work units.
    pub headcount_from: u32,
}

/// The definitions of the file.
pub(super) struct Definitions {
    pub(super) sme: Vec<Entry<SmeDefinition>>,
    pub(super) start_up: Vec<Entry<StartUpDefinition>>,
    pub(super) scale_up: Vec<Entry<ScaleUpDefinition>>,
}

/// The entries of `sme.toml`.
pub(super) fn read(root: &Table<'_>) -> Option<Definitions> {
    let definitions = entries(root, "definitions", definition);
    let start_ups = entries(root, "start_ups", start_up);
    let scale_ups = entries(root, "scale_ups", scale_up);
    Some(Definitions { sme: definitions?, start_up: start_ups?, scale_up: scale_ups? })
}

fn definition(table: &Table<'_>) -> Option<SmeDefinition> {
    let class = |key| table.required(key, |value| value.table(ceilings));
    let percent = |key| table.required(key, Value::percent);
    let (micro, small, medium) = (class("micro"), class("small"), class("medium"));
    let partner_from = percent("partner_from");
    let linked_above = percent("linked_above");
    let investor_up_to = percent("investor_up_to");
    let public_from = percent("public_from");
    let business_angel_below = table.required("business_angel_below_eur", Value::euros);
    let budget_below = table.required("local_authority_budget_below_eur", Value::euros);
    let inhabitants_below = table.required("local_authority_inhabitants_below", Value::count);
    let valid_months = table.required("valid_months", Value::count);
    let periods_in_a_row = table.required("periods_in_a_row", Value::count);
    let (micro, small, medium) = (micro?, small?, medium?);
    for (key, smaller, larger) in [("small", micro, small), ("medium", small, medium)] {
        let ordered = smaller.headcount_below <= larger.headcount_below
            && smaller.turnover_max <= larger.turnover_max
            && smaller.balance_sheet_max <= larger.balance_sheet_max;
        if !ordered {
            table.fault_of::<()>(key, "its ceilings lie below those of the smaller class");
        }
    }
    Some(SmeDefinition {
        micro,
        small,
        medium,
        partner_from: partner_from?,
        linked_above: linked_above?,
        investor_up_to: investor_up_to?,
        public_from: public_from?,
        business_angel_below: business_angel_below?,
        local_authority_budget_below: budget_below?,
        local_authority_inhabitants_below: inhabitants_below?,
        valid_months: valid_months?,
        periods_in_a_row: periods_in_a_row?,
    })
}

fn ceilings(table: &Table<'_>) -> Option<Ceilings> {
    let headcount_below = table.required("headcount_below", Value::count);
    let turnover_max = table.required("turnover_max_eur", Value::euros);
    let balance_sheet_max = table.required("balance_sheet_max_eur", Value::euros);
    Some(Ceilings {
        headcount_below: headcount_below?,
        turnover_max: turnover_max?,
        balance_sheet_max: balance_sheet_max?,
    })
}

fn start_up(table: &Table<'_>) -> Option<StartUpDefinition> {
    let class_max = table.required("class_max", |value| value.choice(&SizeClass::WORDS));
    let years_max = table.required("years_max", Value::count);
    Some(StartUpDefinition { class_max: class_max?, years_max: years_max? })
}

fn scale_up(table: &Table<'_>) -> Option<ScaleUpDefinition> {
    let growth_above = table.required("growth_above", Value::percent);
    let years = table.required("years", Value::count);
    let headcount_from = table.required("headcount_from", Value::count);
    Some(ScaleUpDefinition {
        growth_above: growth_above?,
        years: years?,
        headcount_from: headcount_from?,
    })
}
