//! The assessment: class and relation, with the lines of the calculation.

use std::fmt;

use jiff::civil::Date;
use units::PartsPerMillion;

use super::counted::Counted;
use super::group::{About, Fault};
use super::links::Links;
use super::{AccountingPeriod, Group, Line, Relation, Size, SizeClass, lines};
use crate::policy::{Entry, RuleId, SmeDefinition};

/// What one accounting period by itself would give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodResult {
    /// The day the accounts were closed.
    pub closed_on: Date,
    /// The figures of the whole group.
    pub size: Size,
    /// The class of these figures alone.
    pub class: SizeClass,
}

/// The result, with everything it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The definition that was applied.
    pub rule: RuleId,
    /// The class.
    pub class: SizeClass,
    /// How the enterprise stands to others.
    pub relation: Relation,
    /// The figures of the whole group in the latest period.
    pub size: Size,
    /// The part held by public bodies.
    pub public_share: PartsPerMillion,
    /// Every period, oldest first.
    pub periods: Vec<PeriodResult>,
    /// The calculation.
    pub lines: Vec<Line>,
}

/// The declaration cannot be assessed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Incomplete(pub Vec<Fault>);

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.0.iter().map(|fault| fault.text.as_str()).collect();
        f.write_str(&texts.join("; "))
    }
}

/// Assesses the subject of `group` by `definition`.
///
/// The holdings of today are applied to every period: what was acquired counts at once, while a
/// ceiling that is crossed by growth counts only in two periods in a row.
///
/// # Errors
/// What is missing in the declaration.
pub fn assess(group: &Group, definition: &Entry<SmeDefinition>) -> Result<Assessment, Incomplete> {
    let says = &definition.says;
    let faults = group.faults();
    let subject = group.members.get(&group.subject).filter(|_| faults.is_empty());
    let Some(subject) = subject else {
        return Err(Incomplete(faults));
    };
    if !subject.kind.is_enterprise() {
        let about = About::Member(group.subject.clone());
        let text = format!("{} is not an enterprise", subject.name);
        return Err(Incomplete(vec![Fault { about, text }]));
    }
    let links = Links::of(group, says);
    let counted = group.counted(&links, says);
    let mut faults = links.faults();
    faults.extend(without_accounts(group, &counted));
    if !faults.is_empty() {
        return Err(Incomplete(faults));
    }
    let relation = counted.iter().map(|it| it.relation).max().unwrap_or(Relation::Autonomous);
    let mut told = lines::relations(group, &links, &counted, says);
    let mut periods = Vec::new();
    for day in closing_days(group, &counted) {
        let (size, added) = lines::combined(group, &counted, day);
        told.extend(added);
        let class = size.class(says);
        let what = format!("{day}: these figures are those of a {class} enterprise");
        told.push(Line::told(what, Some(size), "Article 2"));
        periods.push(PeriodResult { closed_on: day, size, class });
    }
    let held = over_periods(&periods, says, &mut told);
    let public_share = group.public_share(says);
    let class = if public_share >= says.public_from { SizeClass::Large } else { held };
    if public_share > PartsPerMillion::ZERO {
        told.push(lines::public(public_share, says));
    }
    let what = format!("{}: {class}, {relation}", subject.name);
    told.push(Line::told(what, None, "Articles 2 and 3"));
    let size = periods.last().map(|period| period.size).unwrap_or_default();
    let rule = definition.rule.clone();
    Ok(Assessment { rule, class, relation, size, public_share, periods, lines: told })
}

/// Those whose figures count and who have given none.
fn without_accounts(group: &Group, counted: &[Counted]) -> Vec<Fault> {
    let subject = group.consolidating(counted).is_none().then_some(&group.subject);
    let others = counted.iter().filter(|it| it.included_in.is_none()).map(|it| &it.key);
    let silent = subject.into_iter().chain(others).filter_map(|key| {
        let member = group.members.get(key)?;
        member.periods.is_empty().then(|| Fault {
            about: About::Member(key.clone()),
            text: format!("{} ({key}): no accounting period is given", member.name),
        })
    });
    silent.collect()
}

/// The days on which the accounts were closed, oldest first: the subject's own, or those of the
/// enterprise whose consolidated accounts include it.
fn closing_days(group: &Group, counted: &[Counted]) -> Vec<Date> {
    let days = |key| {
        let periods = group.members.get(key).map_or(&[][..], |member| &member.periods);
        oldest_first(periods).iter().map(|period| period.closed_on).collect::<Vec<_>>()
    };
    let own = days(&group.subject);
    match group.consolidating(counted) {
        Some(by) if own.is_empty() => days(&by),
        _ => own,
    }
}

/// The class over the periods: it starts with the oldest, and changes only when a ceiling is
/// crossed in as many periods in a row as the definition says (Article 4(2)).
fn over_periods(
    periods: &[PeriodResult],
    says: &SmeDefinition,
    lines: &mut Vec<Line>,
) -> SizeClass {
    let in_a_row = usize::try_from(says.periods_in_a_row).unwrap_or(usize::MAX);
    let mut class = periods.first().map_or(SizeClass::Large, |period| period.class);
    for window in periods.windows(in_a_row) {
        let classes = window.iter().map(|period| period.class);
        let (least, most) = (classes.clone().min(), classes.max());
        let (Some(least), Some(most), Some(last)) = (least, most, window.last()) else { continue };
        let next = class.clamp(least, most);
        if next != class {
            let what = format!(
                "{}: crossed in {in_a_row} periods in a row, so {class} becomes {next}",
                last.closed_on
            );
            lines.push(Line::told(what, None, "Article 4(2)"));
        } else if last.class != class {
            let what = format!(
                "{}: {} by this period alone, but not in {in_a_row} in a row, so still {class}",
                last.closed_on, last.class
            );
            lines.push(Line::told(what, None, "Article 4(2)"));
        }
        class = next;
    }
    class
}

/// The periods in the order in which they were closed.
pub(super) fn oldest_first(periods: &[AccountingPeriod]) -> Vec<AccountingPeriod> {
    let mut sorted = periods.to_vec();
    sorted.sort_by_key(|period| period.closed_on);
    sorted
}
