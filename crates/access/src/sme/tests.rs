#![expect(clippy::arithmetic_side_effects, reason = "small figures of tests")]

mod annex;
mod description;
mod guide;
mod properties;

use expect_test::{Expect, expect};
use units::{Cents, PartsPerMillion, Slug};

use super::*;
use crate::policy::{Entry, SmeDefinition};
use crate::testing::{day, policy};

fn definition() -> &'static Entry<SmeDefinition> {
    policy().sme(day("2026-11-21")).unwrap()
}

fn size(headcount: u32, turnover: i64, balance_sheet: i64) -> Size {
    Size {
        headcount: Awu::units(headcount).unwrap(),
        turnover: Cents::euros(turnover).unwrap(),
        balance_sheet: Cents::euros(balance_sheet).unwrap(),
    }
}

fn year(closed_on: &str, size: Size) -> AccountingPeriod {
    AccountingPeriod { closed_on: day(closed_on), size, estimated: false }
}

fn key(text: &str) -> Slug {
    text.parse().unwrap()
}

/// A group of `subject` with these accounts, and nobody else.
fn alone(periods: Vec<AccountingPeriod>) -> Group {
    let subject = Enterprise::new("Aurore", EnterpriseKind::Enterprise, periods);
    Group { subject: key("aurore"), members: [(key("aurore"), subject)].into(), holdings: vec![] }
}

/// Adds `name` of `kind` and `size`, and a holding between two keys.
fn with(mut group: Group, name: &str, kind: EnterpriseKind, size: Size) -> Group {
    let periods = if kind.is_enterprise() { vec![year("2025-12-31", size)] } else { Vec::new() };
    group.members.insert(key(name), Enterprise::new(name, kind, periods));
    group
}

fn holding(holder: &str, held: &str, percent: u16) -> Holding {
    Holding {
        holder: key(holder),
        held: key(held),
        capital: PartsPerMillion::percent(percent),
        voting: PartsPerMillion::percent(percent),
        control: None,
        invested: None,
    }
}

fn shown(group: &Group) -> String {
    match assess(group, definition()) {
        Ok(result) => format!("{} {}: {}", result.class, result.relation, result.size),
        Err(incomplete) => incomplete.to_string(),
    }
}

/// A line as one would read it aloud.
fn told(line: &Line) -> String {
    let share = line.share.map_or(String::new(), |share| format!(" [{share}]"));
    let size = line.size.map_or(String::new(), |size| format!(" = {size}"));
    format!("{}{share}{size} ({})", line.what, line.article)
}

/// Another holder with votes of its own, apart from the capital.
fn shares(holder: &str, held: &str, capital: u16, voting: u16) -> Holding {
    Holding { voting: PartsPerMillion::percent(voting), ..holding(holder, held, capital) }
}

fn relation(group: &Group) -> Relation {
    assess(group, definition()).unwrap().relation
}

#[test]
fn an_enterprise_alone_is_measured_by_its_own_accounts() {
    let class = |size| shown(&alone(vec![year("2025-12-31", size)]));
    assert!(class(size(9, 2_000_000, 9_000_000)).starts_with("micro autonomous"));
    assert!(class(size(10, 2_000_000, 2_000_000)).starts_with("small"));
    assert!(class(size(49, 10_000_001, 10_000_000)).starts_with("small"));
    assert!(class(size(49, 10_000_001, 10_000_001)).starts_with("medium"));
    assert!(class(size(249, 900_000_000, 43_000_000)).starts_with("medium"));
    assert!(class(size(250, 1, 1)).starts_with("large"));
    assert!(class(size(1, 50_000_001, 43_000_001)).starts_with("large"));
}

#[test]
fn every_step_is_a_line_with_its_article() {
    let mut group = alone(vec![year("2024-12-31", size(8, 1_000_000, 900_000))]);
    group.members.get_mut(&key("aurore")).unwrap().periods.push(AccountingPeriod {
        estimated: true,
        ..year("2025-12-31", size(20, 3_000_000, 2_500_000))
    });
    let mut group = with(group, "borealis", EnterpriseKind::Enterprise, size(100, 8_000_000, 1));
    group.holdings.push(holding("borealis", "aurore", 30));
    let result = assess(&group, definition()).unwrap();
    let lines: Vec<String> = result.lines.iter().map(told).collect();
    expect![[r#"
        borealis: counts with a partner, in proportion to the holding; borealis holds 30 % of Aurore [30 %] (Article 3(2))
        2024-12-31: accounts of Aurore [100 %] = 8 AWU, turnover EUR 1 000 000.00, balance sheet EUR 900 000.00 (Article 4(1))
        2024-12-31: plus borealis, accounts of 2025-12-31 [30 %] = 30 AWU, turnover EUR 2 400 000.00, balance sheet EUR 0.30 (Article 6(2), second subparagraph)
        2024-12-31: these figures are those of a small enterprise = 38 AWU, turnover EUR 3 400 000.00, balance sheet EUR 900 000.30 (Article 2)
        2025-12-31: estimate in good faith of Aurore [100 %] = 20 AWU, turnover EUR 3 000 000.00, balance sheet EUR 2 500 000.00 (Article 4(3))
        2025-12-31: plus borealis, accounts of 2025-12-31 [30 %] = 30 AWU, turnover EUR 2 400 000.00, balance sheet EUR 0.30 (Article 6(2), second subparagraph)
        2025-12-31: these figures are those of a medium enterprise = 50 AWU, turnover EUR 5 400 000.00, balance sheet EUR 2 500 000.30 (Article 2)
        2025-12-31: medium by this period alone, but not in 2 in a row, so still small (Article 4(2))
        Aurore: small, partner (Articles 2 and 3)"#]]
    .assert_eq(&lines.join("\n"));
}

/// Classes by year, as head counts, and what they give.
fn check_years(headcounts: &[u32], expected: Expect) {
    let years = headcounts.iter().enumerate();
    let periods =
        years.map(|(at, count)| year(&format!("{}-12-31", 2015 + at), size(*count, 1, 1)));
    let result = assess(&alone(periods.collect()), definition()).unwrap();
    expected.assert_eq(&result.class.to_string());
}

#[test]
fn the_class_changes_only_after_two_periods_in_a_row() {
    check_years(&[40, 60], expect!["small"]);
    check_years(&[40, 60, 40], expect!["small"]);
    check_years(&[40, 60, 70], expect!["medium"]);
    check_years(&[40, 60, 300], expect!["medium"]);
    check_years(&[40, 300, 300, 9], expect!["large"]);
    check_years(&[40, 300, 300, 9, 40], expect!["small"]);
    check_years(&[5, 300, 5, 300], expect!["micro"]);
}

#[test]
fn linked_enterprises_count_in_full_through_any_chain() {
    let large = size(200, 30_000_000, 30_000_000);
    let mut group = alone(vec![year("2025-12-31", size(10, 1, 1))]);
    for name in ["holding", "sister", "cousin"] {
        group = with(group, name, EnterpriseKind::Enterprise, large);
    }
    group.holdings = vec![
        holding("holding", "aurore", 51),
        holding("holding", "sister", 60),
        holding("sister", "cousin", 20),
        holding("aurore", "holding", 10),
    ];
    assert!(shown(&group).starts_with("large linked: 410 AWU"), "{}", shown(&group));
    group.holdings[2].control = Some(Control::Board);
    assert!(shown(&group).starts_with("large linked: 610 AWU"), "{}", shown(&group));
}

#[test]
fn partners_of_partners_do_not_count_but_what_is_linked_to_partners_does() {
    let mut group = alone(vec![year("2025-12-31", size(10, 1, 1))]);
    for name in ["partner", "daughter", "distant"] {
        group = with(group, name, EnterpriseKind::Enterprise, size(100, 1, 1));
    }
    group.holdings = vec![
        holding("partner", "aurore", 40),
        holding("partner", "daughter", 80),
        holding("distant", "partner", 40),
    ];
    assert!(shown(&group).starts_with("medium partner: 90 AWU"), "{}", shown(&group));
}

#[test]
fn half_is_a_partner_and_a_quarter_too_but_less_is_not() {
    let held = |percent| {
        let group = alone(vec![year("2025-12-31", size(10, 1, 1))]);
        let mut group = with(group, "other", EnterpriseKind::Enterprise, size(100, 1, 1));
        group.holdings.push(holding("other", "aurore", percent));
        assess(&group, definition()).unwrap().relation
    };
    assert_eq!(held(24), Relation::Autonomous);
    assert_eq!(held(25), Relation::Partner);
    assert_eq!(held(50), Relation::Partner);
    assert_eq!(held(51), Relation::Linked);
}

#[test]
fn some_investors_may_hold_up_to_half() {
    let relation = |kind, percent, invested: Option<i64>| {
        let group = alone(vec![year("2025-12-31", size(10, 1, 1))]);
        let mut group = with(group, "investor", kind, size(400, 1, 1));
        let invested = invested.map(|euros| Cents::euros(euros).unwrap());
        group.holdings.push(Holding { invested, ..holding("investor", "aurore", percent) });
        assess(&group, definition()).unwrap().relation
    };
    assert_eq!(relation(EnterpriseKind::VentureCapital, 50, None), Relation::Autonomous);
    assert_eq!(relation(EnterpriseKind::University, 30, None), Relation::Autonomous);
    assert_eq!(relation(EnterpriseKind::VentureCapital, 51, None), Relation::Linked);
    let angel = EnterpriseKind::BusinessAngel;
    assert_eq!(relation(angel, 30, Some(1_249_999)), Relation::Autonomous);
    assert_eq!(relation(angel, 30, Some(1_250_000)), Relation::Partner);
    assert_eq!(relation(angel, 30, None), Relation::Partner);
}

#[test]
fn a_quarter_in_public_hands_excludes_the_class() {
    let public = |direct, through| {
        let group = alone(vec![year("2025-12-31", size(10, 1, 1))]);
        let group = with(group, "ministry", EnterpriseKind::PublicBody, Size::default());
        let mut group = with(group, "agency", EnterpriseKind::Enterprise, size(1, 1, 1));
        group.holdings = vec![
            holding("ministry", "aurore", direct),
            holding("ministry", "agency", 100),
            holding("agency", "aurore", through),
        ];
        assess(&group, definition()).unwrap()
    };
    assert_eq!(public(24, 0).class, SizeClass::Small);
    assert_eq!(public(25, 0).class, SizeClass::Large);
    assert_eq!(public(10, 15).class, SizeClass::Large);
    assert_eq!(public(10, 15).public_share, PartsPerMillion::percent(25));
}

#[test]
fn a_declaration_that_cannot_be_assessed_says_what_is_missing() {
    let mut group = alone(Vec::new());
    group.holdings.push(holding("nobody", "aurore", 30));
    group.holdings.push(holding("aurore", "aurore", 30));
    expect!["a holding names `nobody`, which is not described; `aurore` is said to hold itself"]
        .assert_eq(&shown(&group));
}

#[test]
fn a_start_up_is_small_and_young() {
    let definition = policy().start_up(day("2026-11-21")).unwrap();
    let holds = |class, registered: Option<&str>| {
        start_up(class, registered.map(day), day("2026-11-21"), definition).holds
    };
    assert!(holds(SizeClass::Small, Some("2021-11-22")));
    assert!(!holds(SizeClass::Small, Some("2021-11-21")));
    assert!(!holds(SizeClass::Medium, Some("2025-01-01")));
    assert!(!holds(SizeClass::Micro, None));
    assert!(!holds(SizeClass::Micro, Some("2026-11-22")));
}
