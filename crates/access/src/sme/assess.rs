//! The assessment: class and relation, with the lines of the calculation.

use std::borrow::Cow;

use jiff::civil::Date;
use units::{PartsPerMillion, Slug};

use super::group::Counted;
use super::{AccountingPeriod, Enterprise, Group, Relation, Size, SizeClass};
use crate::policy::{Entry, RuleId, SmeDefinition, StartUpDefinition};

/// One line of the calculation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What is done here, and for whom.
    pub what: String,
    /// The figures that this line adds or arrives at.
    pub size: Option<Size>,
    /// The part of somebody's figures, or of a holding, that it is about.
    pub share: Option<PartsPerMillion>,
    /// The article of the Recommendation's annex.
    pub article: Cow<'static, str>,
}

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
#[error("{}", .0.join("; "))]
pub struct Incomplete(pub Vec<String>);

/// Assesses the subject of `group` by `definition`.
///
/// # Errors
/// What is missing in the declaration.
pub fn assess(group: &Group, definition: &Entry<SmeDefinition>) -> Result<Assessment, Incomplete> {
    let faults = group.faults();
    let Some(subject) = group.members.get(&group.subject) else {
        return Err(Incomplete(faults));
    };
    if !faults.is_empty() {
        return Err(Incomplete(faults));
    }
    if !subject.kind.is_enterprise() {
        return Err(Incomplete(vec![format!("{} is not an enterprise", subject.name)]));
    }
    let says = &definition.says;
    let counted = group.counted(says);
    let relation =
        counted.iter().map(|counted| counted.relation).max().unwrap_or(Relation::Autonomous);
    let mut lines = relation_lines(group, &counted, says);
    let mut periods = Vec::new();
    for period in oldest_first(&subject.periods) {
        let (size, added) = combined(group, subject, &period, &counted);
        lines.extend(added);
        let class = size.class(says);
        lines.push(line(
            format!("{}: these figures are those of a {class} enterprise", period.closed_on),
            Some(size),
            "Article 2",
        ));
        periods.push(PeriodResult { closed_on: period.closed_on, size, class });
    }
    let held = over_periods(&periods, says, &mut lines);
    let public_share = group.public_share(says);
    let class = if public_share >= says.public_from { SizeClass::Large } else { held };
    if public_share > PartsPerMillion::ZERO {
        lines.push(public_line(public_share, says));
    }
    lines.push(line(format!("{}: {class}, {relation}", subject.name), None, "Articles 2 and 3"));
    let size = periods.last().map(|period| period.size).unwrap_or_default();
    let rule = definition.rule.clone();
    Ok(Assessment { rule, class, relation, size, public_share, periods, lines })
}

/// Who counts for how much, or which holdings do not matter.
fn relation_lines(group: &Group, counted: &[Counted], says: &SmeDefinition) -> Vec<Line> {
    let mut lines = Vec::new();
    for Counted { key, share, relation } in counted {
        let (article, how) = match relation {
            Relation::Linked => ("Articles 3(3) and 6(3)", "is linked: its figures count in full"),
            _ => ("Articles 3(2) and 6(2)", "counts with a partner, in proportion to the holding"),
        };
        let what = format!("{} {how}", name_of(group, key));
        let article = article.into();
        lines.push(Line { what, size: None, share: Some(*share), article });
    }
    for holding in &group.holdings {
        if group.relation(holding, says) == Relation::Autonomous {
            let (holder, held) = (name_of(group, &holding.holder), name_of(group, &holding.held));
            let what = format!("{holder} in {held}: this holding makes no partner");
            let share = Some(holding.share());
            let article = "Article 3(1) and (2)".into();
            lines.push(Line { what, size: None, share, article });
        }
    }
    if counted.is_empty() {
        let what = "neither partners nor linked enterprises: autonomous".to_owned();
        lines.push(line(what, None, "Article 3(1)"));
    }
    lines
}

/// The figures of the whole group for `period` of the subject.
fn combined(
    group: &Group,
    subject: &Enterprise,
    period: &AccountingPeriod,
    counted: &[Counted],
) -> (Size, Vec<Line>) {
    let day = period.closed_on;
    let kind = if period.estimated { "estimate in good faith" } else { "accounts" };
    let article = if period.estimated { "Article 4(3)" } else { "Article 4(1)" };
    let what = format!("{day}: {} of {}", kind, subject.name);
    let mut lines = vec![Line {
        what,
        size: Some(period.size),
        share: Some(PartsPerMillion::ONE),
        article: article.into(),
    }];
    let mut total = period.size;
    for Counted { key, share, relation } in counted {
        let Some(other) = group.members.get(key) else { continue };
        let Some(accounts) = accounts_at(&other.periods, day) else { continue };
        let part = accounts.size.part(*share);
        total = total.plus(part);
        let article = if *relation == Relation::Linked { "Article 6(3)" } else { "Article 6(2)" };
        let what = format!("{day}: plus {}, accounts of {}", other.name, accounts.closed_on);
        lines.push(Line { what, size: Some(part), share: Some(*share), article: article.into() });
    }
    (total, lines)
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
            lines.push(line(what, None, "Article 4(2)"));
        } else if last.class != class {
            let what = format!(
                "{}: {} by this period alone, but not in {in_a_row} in a row, so still {class}",
                last.closed_on, last.class
            );
            lines.push(line(what, None, "Article 4(2)"));
        }
        class = next;
    }
    class
}

fn public_line(share: PartsPerMillion, says: &SmeDefinition) -> Line {
    let limit = says.public_from;
    let what = if share >= limit {
        format!("public bodies hold {share}, at least {limit}: no small or medium-sized enterprise")
    } else {
        format!("public bodies hold {share}, less than {limit}")
    };
    Line { what, size: None, share: Some(share), article: "Article 3(4)".into() }
}

/// The accounts that go with a period closed on `day`: the latest closed by then, or else the
/// earliest there are.
fn accounts_at(periods: &[AccountingPeriod], day: Date) -> Option<AccountingPeriod> {
    let sorted = oldest_first(periods);
    let closed = sorted.iter().rev().find(|period| period.closed_on <= day);
    closed.or_else(|| sorted.first()).copied()
}

fn oldest_first(periods: &[AccountingPeriod]) -> Vec<AccountingPeriod> {
    let mut sorted = periods.to_vec();
    sorted.sort_by_key(|period| period.closed_on);
    sorted
}

fn name_of(group: &Group, key: &Slug) -> String {
    group.members.get(key).map_or_else(|| key.to_string(), |member| member.name.clone())
}

fn line(what: String, size: Option<Size>, article: &'static str) -> Line {
    Line { what, size, share: None, article: article.into() }
}

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

/// Whole years from `from` to `to`; `None` when `to` lies before.
fn years_between(from: Date, to: Date) -> Option<u32> {
    let passed = i32::from(to.year()).checked_sub(i32::from(from.year()))?;
    let complete = (to.month(), to.day()) >= (from.month(), from.day());
    let years = if complete { passed } else { passed.checked_sub(1)? };
    u32::try_from(years).ok()
}
