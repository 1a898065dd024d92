//! The annex of the Recommendation, article by article, where it is finer than it looks.

use super::*;

fn enterprises(names: &[&str]) -> Group {
    let aurore = alone(vec![year("2025-12-31", size(10, 1, 1))]);
    names
        .iter()
        .fold(aurore, |group, name| with(group, name, EnterpriseKind::Enterprise, size(100, 1, 1)))
}

fn investor(name: &str, kind: EnterpriseKind) -> Group {
    with(enterprises(&[]), name, kind, size(400, 1, 1))
}

#[test]
fn a_majority_of_votes_links_and_a_majority_of_capital_alone_does_not() {
    let held = |capital, voting| {
        let mut group = enterprises(&["other"]);
        group.holdings = vec![shares("other", "aurore", capital, voting)];
        relation(&group)
    };
    assert_eq!(held(10, 51), Relation::Linked);
    assert_eq!(held(60, 50), Relation::Partner);
    assert_eq!(held(60, 0), Relation::Partner);
}

#[test]
fn control_links_without_any_share_and_names_its_article() {
    for (control, article) in [
        (Control::Board, "Article 3(3)(b)"),
        (Control::Contract, "Article 3(3)(c)"),
        (Control::Agreement, "Article 3(3)(d)"),
    ] {
        let mut group = enterprises(&["other"]);
        group.holdings = vec![Holding { control: Some(control), ..holding("other", "aurore", 0) }];
        let assessed = assess(&group, definition()).unwrap();
        assert_eq!(assessed.relation, Relation::Linked);
        assert!(assessed.lines.iter().any(|line| line.article == article), "{article}");
    }
}

#[test]
fn a_majority_through_enterprises_that_one_controls_links() {
    let mut group = enterprises(&["mother", "sister"]);
    group.holdings = vec![
        holding("mother", "sister", 60),
        holding("mother", "aurore", 30),
        holding("sister", "aurore", 30),
    ];
    assert_eq!(relation(&group), Relation::Linked);
    group.holdings.remove(0);
    assert_eq!(relation(&group), Relation::Partner);
}

#[test]
fn the_investments_of_all_business_angels_in_one_enterprise_are_added_up() {
    let angel = EnterpriseKind::BusinessAngel;
    let relation = |first: i64, second: Option<i64>| {
        let group = investor("first", angel);
        let mut group = with(group, "second", angel, size(400, 1, 1));
        let euros = |euros| Cents::euros(euros).unwrap();
        group.holdings = vec![
            Holding { invested: Some(euros(first)), ..holding("first", "aurore", 30) },
            Holding { invested: second.map(euros), ..holding("second", "aurore", 10) },
        ];
        super::relation(&group)
    };
    assert_eq!(relation(1_000_000, Some(249_999)), Relation::Autonomous);
    assert_eq!(relation(1_000_000, Some(250_000)), Relation::Partner);
    assert_eq!(relation(1_000_000, None), Relation::Partner);
}

#[test]
fn an_investor_that_is_jointly_with_an_ordinary_enterprise_is_no_exception() {
    let mut group = with(
        investor("fund", EnterpriseKind::VentureCapital),
        "arm",
        EnterpriseKind::Enterprise,
        size(1, 1, 1),
    );
    group.holdings = vec![holding("fund", "arm", 100), holding("fund", "aurore", 30)];
    assert_eq!(relation(&group), Relation::Autonomous);
    group.holdings.push(holding("arm", "aurore", 1));
    assert_eq!(relation(&group), Relation::Partner);
}

#[test]
fn an_investor_that_takes_part_in_the_management_is_linked() {
    let mut group = investor("fund", EnterpriseKind::VentureCapital);
    group.holdings =
        vec![Holding { control: Some(Control::Contract), ..holding("fund", "aurore", 30) }];
    assert_eq!(relation(&group), Relation::Linked);
}

#[test]
fn two_investors_that_are_not_linked_may_hold_half_each() {
    let group = investor("fund", EnterpriseKind::VentureCapital);
    let mut group = with(group, "college", EnterpriseKind::University, size(400, 1, 1));
    group.holdings = vec![holding("fund", "aurore", 50), holding("college", "aurore", 50)];
    assert_eq!(relation(&group), Relation::Autonomous);
}

#[test]
fn a_local_authority_is_small_by_its_budget_and_its_inhabitants() {
    let class = |budget: i64, inhabitants: u32, percent: u16| {
        let mut group = investor("town", EnterpriseKind::LocalAuthority);
        let annual_budget = Cents::euros(budget).unwrap();
        group.members.get_mut(&key("town")).unwrap().authority =
            Some(LocalAuthority { annual_budget, inhabitants });
        group.holdings = vec![holding("town", "aurore", percent)];
        assess(&group, definition()).unwrap().class
    };
    assert_eq!(class(9_999_999, 4_999, 50), SizeClass::Small);
    assert_eq!(class(10_000_000, 4_999, 25), SizeClass::Large);
    assert_eq!(class(9_999_999, 5_000, 25), SizeClass::Large);
    assert_eq!(class(9_999_999, 4_999, 51), SizeClass::Large);
    assert_eq!(class(90_000_000, 90_000, 24), SizeClass::Small);
}

#[test]
fn public_bodies_count_jointly_but_capital_and_votes_apart() {
    let public = |first: (u16, u16), second: (u16, u16)| {
        let group = investor("state", EnterpriseKind::PublicBody);
        let mut group = with(group, "region", EnterpriseKind::PublicBody, Size::default());
        group.holdings = vec![
            shares("state", "aurore", first.0, first.1),
            shares("region", "aurore", second.0, second.1),
        ];
        assess(&group, definition()).unwrap()
    };
    assert_eq!(public((13, 13), (12, 12)).class, SizeClass::Large);
    assert_eq!(public((20, 0), (0, 20)).class, SizeClass::Small);
    assert_eq!(public((20, 0), (0, 20)).public_share, PartsPerMillion::percent(20));
}

#[test]
fn public_bodies_control_an_intermediate_enterprise_jointly() {
    let group = investor("state", EnterpriseKind::PublicBody);
    let group = with(group, "region", EnterpriseKind::PublicBody, Size::default());
    let mut group = with(group, "agency", EnterpriseKind::Enterprise, size(1, 1, 1));
    group.holdings = vec![
        holding("state", "agency", 30),
        holding("region", "agency", 30),
        holding("agency", "aurore", 25),
    ];
    assert_eq!(assess(&group, definition()).unwrap().class, SizeClass::Large);
}

#[test]
fn a_university_that_a_ministry_owns_is_still_an_exception() {
    let group = investor("college", EnterpriseKind::University);
    let mut group = with(group, "ministry", EnterpriseKind::PublicBody, Size::default());
    group.holdings = vec![holding("ministry", "college", 100), holding("college", "aurore", 40)];
    assert_eq!(assess(&group, definition()).unwrap().class, SizeClass::Small);
    group.holdings[1] = holding("college", "aurore", 51);
    assert_eq!(assess(&group, definition()).unwrap().class, SizeClass::Large);
}

/// Ada and perhaps Bob, and enterprises in the markets that are named.
fn persons(markets: &[(&str, &str)]) -> Group {
    let names: Vec<&str> = markets.iter().map(|(name, _)| *name).collect();
    let mut group = enterprises(&names);
    for person in ["ada", "bob"] {
        group = with(group, person, EnterpriseKind::Person, Size::default());
    }
    for (name, market) in markets.iter().chain(&[("aurore", "models")]) {
        group.members.get_mut(&key(name)).unwrap().markets.insert((*market).to_owned());
    }
    group
}

#[test]
fn enterprises_of_one_person_are_linked_in_the_same_or_adjacent_markets() {
    let mut group = persons(&[("same", "models"), ("upstream", "chips"), ("bakery", "bread")]);
    group.members.get_mut(&key("aurore")).unwrap().adjacent_markets.insert("chips".to_owned());
    for held in ["aurore", "same", "upstream", "bakery"] {
        group.holdings.push(holding("ada", held, 60));
    }
    let assessed = assess(&group, definition()).unwrap();
    assert_eq!(assessed.relation, Relation::Linked);
    assert_eq!(assessed.size.headcount, Awu::units(210).unwrap());
}

#[test]
fn persons_acting_jointly_count_as_one() {
    let mut group = persons(&[("same", "models")]);
    group.holdings = vec![
        holding("ada", "aurore", 30),
        holding("bob", "aurore", 30),
        holding("ada", "same", 30),
        holding("bob", "same", 30),
    ];
    assert_eq!(relation(&group), Relation::Autonomous);
    group.members.get_mut(&key("bob")).unwrap().acts_with.insert(key("ada"));
    assert_eq!(relation(&group), Relation::Linked);
}

#[test]
fn a_person_controls_through_a_holding_company() {
    let mut group = persons(&[("holding", "holdings"), ("same", "models")]);
    group.holdings = vec![
        holding("ada", "holding", 100),
        holding("holding", "same", 100),
        holding("ada", "aurore", 100),
    ];
    let assessed = assess(&group, definition()).unwrap();
    assert_eq!(assessed.size.headcount, Awu::units(210).unwrap());
}

#[test]
fn a_market_that_decides_must_be_declared() {
    let mut group = persons(&[("other", "bread")]);
    group.holdings = vec![holding("ada", "aurore", 60), holding("ada", "other", 60)];
    assert_eq!(relation(&group), Relation::Autonomous);
    group.members.get_mut(&key("other")).unwrap().markets.clear();
    let Incomplete(faults) = assess(&group, definition()).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].about, About::Member(key("other")));
    assert!(faults[0].text.contains("say in which `markets` it works"), "{}", faults[0]);
}

#[test]
fn what_is_consolidated_already_is_not_added_again() {
    let mut group = enterprises(&["mother", "sister", "partner", "its-daughter"]);
    group.holdings = vec![
        holding("mother", "aurore", 60),
        holding("mother", "sister", 60),
        holding("partner", "aurore", 30),
        holding("partner", "its-daughter", 60),
    ];
    let headcount = |group: &Group| assess(group, definition()).unwrap().size.headcount.count();
    assert_eq!(headcount(&group), (10 + 100 + 100 + 30 + 30) * 100);
    let mut consolidates = |who: &str, whom: &[&str]| {
        let member = group.members.get_mut(&key(who)).unwrap();
        member.consolidates = whom.iter().map(|it| key(it)).collect();
    };
    consolidates("partner", &["its-daughter"]);
    consolidates("mother", &["aurore", "sister"]);
    assert_eq!(headcount(&group), (100 + 30) * 100);
    group.members.get_mut(&key("aurore")).unwrap().periods.clear();
    assert_eq!(headcount(&group), (100 + 30) * 100);
    let lines = assess(&group, definition()).unwrap().lines;
    let included = "2025-12-31: Aurore is included in the consolidated accounts of mother";
    assert!(lines.iter().any(|line| line.what == included));
}

#[test]
fn accounts_are_asked_only_of_those_who_count() {
    let mut group = investor("fund", EnterpriseKind::VentureCapital);
    group.members.get_mut(&key("fund")).unwrap().periods.clear();
    group.holdings = vec![holding("fund", "aurore", 40)];
    assert_eq!(relation(&group), Relation::Autonomous);
    group.holdings = vec![holding("fund", "aurore", 51)];
    assert_eq!(shown(&group), "fund (fund): no accounting period is given");
}

#[test]
fn what_contradicts_itself_is_refused() {
    let mut group = enterprises(&["one", "two"]);
    group.holdings = vec![
        holding("one", "aurore", 60),
        holding("two", "aurore", 50),
        holding("two", "aurore", 1),
    ];
    group.members.get_mut(&key("one")).unwrap().consolidates.insert(key("two"));
    group.members.get_mut(&key("two")).unwrap().consolidates.insert(key("one"));
    expect![[r#"
        Aurore (aurore): its holders have 111 % of its capital together, more than the whole
        Aurore (aurore): its holders have 111 % of its votes together, more than the whole
        one (one): its accounts are said to be included in themselves
        two (two): its accounts are said to be included in themselves
        what `two` holds of `aurore` is stated twice"#]]
    .assert_eq(&shown(&group).replace("; ", "\n"));
}

#[test]
fn a_scale_up_grew_by_more_than_a_fifth_a_year_over_three_years() {
    let definition = policy().scale_up(day("2026-11-21")).unwrap();
    let holds = |from: u32, to: u32, turnover: i64| {
        let periods = [
            year("2022-12-31", size(from, 1_000_000, 1)),
            year("2025-12-31", size(to, turnover, 1)),
        ];
        scale_up(&periods, definition).holds
    };
    assert!(!holds(1000, 1728, 1), "exactly 20 % a year");
    assert!(holds(1000, 1729, 1));
    assert!(holds(10, 10, 1_728_001));
    assert!(!holds(9, 90, 9_000_000), "too few to begin with");
    let short = [year("2023-12-31", size(10, 1, 1)), year("2025-12-31", size(100, 1, 1))];
    assert!(!scale_up(&short, definition).holds);
}
