//! What turns with time: who is a start-up and who a scale-up, and how long a declaration holds.

use jiff::ToSpan;
use jiff::civil::Date;
use units::PartsPerMillion;

use super::assess::oldest_first;
use super::{AccountingPeriod, Awu, SizeClass};
use crate::policy::{Entry, RuleId, ScaleUpDefinition, SmeDefinition, StartUpDefinition};

/// Whether an enterprise is a start-up, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartUp {
    /// The definition that was applied.
    pub rule: RuleId,
    /// The answer.
    pub holds: bool,
    /// Each condition and how it was met or not.
    pub reasons: Vec<String>,
}

/// Applies `definition` to an enterprise of `class`, registered on `registered`, on `today`.
pub fn start_up(
    class: SizeClass,
    registered: Option<Date>,
    today: Date,
    definition: &Entry<StartUpDefinition>,
) -> StartUp {
    let says = &definition.says;
    let small = class <= says.class_max;
    let years = registered.and_then(|day| years_between(day, today));
    let young = years.is_some_and(|years| years < says.years_max);
    let age = match years {
        Some(years) => format!("registered {years} whole years ago"),
        None => "the day of registration is not declared, or lies in the future".to_owned(),
    };
    StartUp {
        rule: definition.rule.clone(),
        holds: small && young,
        reasons: vec![
            format!("{class}; at most {} is a start-up", says.class_max),
            format!("{age}; fewer than {} is a start-up", says.years_max),
        ],
    }
}

/// The last day on which what was declared on `declared` may be relied on.
pub fn valid_until(declared: Date, definition: &SmeDefinition) -> Date {
    let months = i64::from(definition.valid_months).min(1_200);
    declared.saturating_add(months.months()).saturating_sub(1.day())
}

/// Whether an enterprise is a scale-up, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaleUp {
    /// The definition that was applied.
    pub rule: RuleId,
    /// The answer.
    pub holds: bool,
    /// Each condition and how it was met or not.
    pub reasons: Vec<String>,
}

/// Applies `definition` to the enterprise's own accounts: the latest beside those closed the
/// stated number of years before, in staff or in turnover.
pub fn scale_up(periods: &[AccountingPeriod], definition: &Entry<ScaleUpDefinition>) -> ScaleUp {
    let says = &definition.says;
    let sorted = oldest_first(periods);
    let answer = |holds, reasons| ScaleUp { rule: definition.rule.clone(), holds, reasons };
    let Some(last) = sorted.last() else {
        return answer(false, vec!["no accounts are given".to_owned()]);
    };
    let long_before = |period: &&AccountingPeriod| {
        years_between(period.closed_on, last.closed_on).is_some_and(|it| it >= says.years)
    };
    let Some(first) = sorted.iter().rev().find(long_before) else {
        let text = format!("no accounts are given that were closed {} years before", says.years);
        return answer(false, vec![text]);
    };
    let enough = Awu::units(says.headcount_from).is_ok_and(|from| first.size.headcount >= from);
    let growth = says.growth_above;
    let faster = |what: &str, from: i64, to: i64| {
        let holds = grown_faster(from, to, growth, says.years);
        let not = if holds { "" } else { "not " };
        let text = format!(
            "{what} grew {not}by more than {growth} a year from {} to {}",
            first.closed_on, last.closed_on
        );
        (holds, text)
    };
    let staff = |size: super::Size| i64::from(size.headcount.count());
    let (more_staff, by_staff) = faster("staff", staff(first.size), staff(last.size));
    let (more_turnover, by_turnover) =
        faster("turnover", first.size.turnover.count(), last.size.turnover.count());
    let began = format!(
        "it began with {}; at least {} AWU are needed",
        first.size.headcount, says.headcount_from
    );
    answer(enough && (more_staff || more_turnover), vec![began, by_staff, by_turnover])
}

/// Whether `from` became more than it would at `growth` a year, compounded, over `years`.
fn grown_faster(from: i64, to: i64, growth: PartsPerMillion, years: u32) -> bool {
    let whole = u128::from(PartsPerMillion::ONE.parts());
    let factor = whole.saturating_add(u128::from(growth.parts()));
    let (Ok(mut from), Ok(mut to)) = (u128::try_from(from), u128::try_from(to)) else {
        return false;
    };
    for _ in 0..years {
        let (Some(more), Some(scaled)) = (from.checked_mul(factor), to.checked_mul(whole)) else {
            return false;
        };
        (from, to) = (more, scaled);
    }
    to > from
}

/// Whole years from `from` to `to`; `None` when `to` lies before.
fn years_between(from: Date, to: Date) -> Option<u32> {
    let passed = i32::from(to.year()).checked_sub(i32::from(from.year()))?;
    let complete = (to.month(), to.day()) >= (from.month(), from.day());
    let years = if complete { passed } else { passed.checked_sub(1)? };
    u32::try_from(years).ok()
}
