//! Situations of the Commission's "User guide to the SME definition", each with the answer that
//! the guide gives. The figures are ours where the guide draws boxes without any.

use super::*;

/// Aurore with 20 people, and others with 100 each.
fn among(others: &[&str]) -> Group {
    let aurore = alone(vec![year("2025-12-31", size(20, 1_000_000, 1_000_000))]);
    others.iter().fold(aurore, |group, name| {
        with(group, name, EnterpriseKind::Enterprise, size(100, 1_000_000, 1_000_000))
    })
}

#[track_caller]
fn headcount(group: &Group, expected: u32) {
    assert_eq!(assess(group, definition()).unwrap().size.headcount, Awu::units(expected).unwrap());
}

#[test]
fn an_enterprise_with_holdings_below_a_quarter_is_autonomous() {
    let mut group = among(&["holder", "held"]);
    group.holdings = vec![holding("holder", "aurore", 24), holding("aurore", "held", 24)];
    assert_eq!(relation(&group), Relation::Autonomous);
    headcount(&group, 20);
}

#[test]
fn several_investors_below_a_quarter_each_that_are_not_linked_leave_it_autonomous() {
    let mut group = among(&["one", "two", "three", "four"]);
    let held = ["one", "two", "three", "four"].map(|name| holding(name, "aurore", 20));
    group.holdings = held.to_vec();
    assert_eq!(relation(&group), Relation::Autonomous);
}

#[test]
fn investors_below_a_quarter_each_that_are_linked_hold_jointly() {
    let mut group = among(&["one", "two"]);
    group.holdings =
        vec![holding("one", "aurore", 15), holding("two", "aurore", 15), holding("one", "two", 60)];
    assert_eq!(relation(&group), Relation::Partner);
    headcount(&group, 20 + 30 + 30);
}

#[test]
fn a_partner_counts_in_proportion_in_either_direction() {
    let mut group = among(&["upstream", "downstream"]);
    group.holdings = vec![holding("upstream", "aurore", 33), holding("aurore", "downstream", 49)];
    assert_eq!(relation(&group), Relation::Partner);
    headcount(&group, 20 + 33 + 49);
}

#[test]
fn capital_and_votes_apart_count_by_the_greater_of_the_two() {
    let mut group = among(&["other"]);
    group.holdings = vec![shares("other", "aurore", 30, 40)];
    headcount(&group, 20 + 40);
    group.holdings = vec![shares("other", "aurore", 40, 10)];
    headcount(&group, 20 + 40);
}

#[test]
fn of_cross_holdings_the_greater_counts() {
    let mut group = among(&["other"]);
    group.holdings = vec![holding("aurore", "other", 30), holding("other", "aurore", 45)];
    headcount(&group, 20 + 45);
}

#[test]
fn linked_enterprises_upstream_and_downstream_count_in_full() {
    let mut group = among(&["mother", "daughter"]);
    group.holdings = vec![holding("mother", "aurore", 60), holding("aurore", "daughter", 100)];
    assert_eq!(relation(&group), Relation::Linked);
    headcount(&group, 220);
}

#[test]
fn partners_of_partners_are_left_out() {
    let mut group = among(&["partner", "beyond"]);
    group.holdings = vec![holding("partner", "aurore", 30), holding("beyond", "partner", 38)];
    headcount(&group, 20 + 30);
}

#[test]
fn what_is_linked_to_a_partner_is_added_to_it_before_the_proportion() {
    let mut group = among(&["partner", "its-mother", "its-sister"]);
    group.holdings = vec![
        holding("partner", "aurore", 38),
        holding("its-mother", "partner", 60),
        holding("its-mother", "its-sister", 51),
    ];
    assert_eq!(relation(&group), Relation::Partner);
    headcount(&group, 20 + 3 * 38);
}

#[test]
fn partners_of_a_linked_enterprise_count_in_proportion() {
    let mut group = among(&["mother", "its-partner"]);
    group.holdings = vec![holding("mother", "aurore", 70), holding("its-partner", "mother", 25)];
    assert_eq!(relation(&group), Relation::Linked);
    headcount(&group, 20 + 100 + 25);
}

/// The guide's table of the reference year and the two before, by whether each alone is within
/// the ceilings of a small or medium-sized enterprise.
#[test]
fn the_status_changes_only_when_two_years_in_a_row_say_so() {
    let status = |years: [bool; 3]| {
        let periods = years.into_iter().enumerate().map(|(at, within)| {
            year(&format!("{}-12-31", 2023 + at), size(if within { 100 } else { 300 }, 1, 1))
        });
        assess(&alone(periods.collect()), definition()).unwrap().class.is_sme()
    };
    let (sme, not) = (true, false);
    // Oldest first; the last is the reference year.
    assert!(status([sme, not, sme]));
    assert!(status([not, sme, sme]));
    assert!(!status([not, not, sme]));
    assert!(status([sme, sme, not]));
    assert!(!status([sme, not, not]));
    assert!(!status([not, sme, not]));
}

#[test]
fn an_acquisition_changes_the_status_at_once_unlike_growth() {
    let periods = vec![year("2024-12-31", size(100, 1, 1)), year("2025-12-31", size(110, 1, 1))];
    let mut group = with(alone(periods), "buyer", EnterpriseKind::Enterprise, size(400, 1, 1));
    assert!(assess(&group, definition()).unwrap().class.is_sme());
    group.holdings.push(holding("buyer", "aurore", 100));
    assert!(!assess(&group, definition()).unwrap().class.is_sme());
}
