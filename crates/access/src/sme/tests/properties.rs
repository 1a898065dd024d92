//! What holds whatever the ownership graph looks like: cycles, investors, persons, consolidation.

use proptest::prelude::*;

use super::*;

const MEMBERS: usize = 9;

fn name(at: usize) -> String {
    if at == 0 { "aurore".to_owned() } else { format!("e{at}") }
}

/// Adds a holding unless one stands there already, or it is of nobody's, or more than is left.
fn add(group: &mut Group, (holder, held): (usize, usize), (capital, voting): (u16, u16)) -> bool {
    let (holder, held) = (name(holder), name(held));
    let stated = |it: &Holding| it.holder == key(&holder) && it.held == key(&held);
    let is_enterprise = |name: &str| group.members[&key(name)].kind.is_enterprise();
    if holder == held || !is_enterprise(&held) || group.holdings.iter().any(stated) {
        return false;
    }
    group.holdings.push(shares(&holder, &held, capital, voting));
    let sound = group.faults().is_empty();
    if !sound {
        group.holdings.pop();
    }
    sound
}

/// A random group over one year.
fn groups() -> impl Strategy<Value = Group> {
    let member = (0u32..200, 0i64..40_000_000, 0i64..40_000_000, 0usize..8, 0usize..3);
    let edge = ((0usize..MEMBERS, 0usize..MEMBERS), (0u16..=70, 0u16..=70), 0u8..20);
    (prop::collection::vec(member, MEMBERS), prop::collection::vec(edge, 0..14)).prop_map(
        |(members, edges)| {
            let mut group = alone(Vec::new());
            for (at, (headcount, turnover, balance_sheet, kind, market)) in
                members.into_iter().enumerate()
            {
                let kind = match kind {
                    _ if at == 0 => EnterpriseKind::Enterprise,
                    0 => EnterpriseKind::VentureCapital,
                    1 => EnterpriseKind::University,
                    2 => EnterpriseKind::Person,
                    3 => EnterpriseKind::BusinessAngel,
                    4 => EnterpriseKind::PublicBody,
                    _ => EnterpriseKind::Enterprise,
                };
                let periods = vec![year("2025-12-31", size(headcount, turnover, balance_sheet))];
                let mut member = Enterprise::new(name(at), kind, periods);
                member.markets.insert(format!("market {market}"));
                group.members.insert(key(&name(at)), member);
            }
            for (ends, shares, control) in edges {
                if add(&mut group, ends, shares) && control == 0 {
                    group.holdings.last_mut().unwrap().control = Some(Control::Board);
                }
            }
            group
        },
    )
}

fn at_least(larger: Size, smaller: Size) -> bool {
    larger.headcount >= smaller.headcount
        && larger.turnover >= smaller.turnover
        && larger.balance_sheet >= smaller.balance_sheet
}

proptest! {
    #[test]
    fn one_more_holding_never_makes_an_enterprise_smaller(
        group in groups(), ends in (0..MEMBERS, 0..MEMBERS), shares in (0u16..=100, 0u16..=100),
    ) {
        let before = assess(&group, definition()).unwrap();
        let mut more = group;
        // What cannot be added changes nothing, which is no smaller either.
        add(&mut more, ends, shares);
        let after = assess(&more, definition()).unwrap();
        prop_assert!(after.class >= before.class);
        prop_assert!(at_least(after.size, before.size));
        prop_assert!(after.relation >= before.relation);
    }

    #[test]
    fn a_newly_linked_enterprise_never_makes_another_smaller_and_counts_in_full(
        group in groups(), headcount in 0u32..300, upstream: bool,
    ) {
        let before = assess(&group, definition()).unwrap();
        let mut more = with(group, "new", EnterpriseKind::Enterprise, size(headcount, 5, 7));
        more.members.get_mut(&key("new")).unwrap().markets.insert("a market of its own".to_owned());
        let control = Some(Control::Contract);
        let (holder, held) = if upstream { ("new", "aurore") } else { ("aurore", "new") };
        more.holdings.push(Holding { control, ..holding(holder, held, 0) });
        let after = assess(&more, definition()).unwrap();
        prop_assert!(after.class >= before.class);
        prop_assert_eq!(after.relation, Relation::Linked);
        prop_assert_eq!(after.size, before.size.plus(size(headcount, 5, 7)));
    }

    #[test]
    fn the_order_of_the_declaration_does_not_matter(group in groups(), turn in 0usize..12) {
        let before = assess(&group, definition()).unwrap();
        let mut turned = group;
        let by = turn % turned.holdings.len().max(1);
        turned.holdings.rotate_left(by);
        turned.holdings.reverse();
        prop_assert_eq!(assess(&turned, definition()).unwrap(), before);
    }

    #[test]
    fn the_names_of_the_others_do_not_matter(group in groups()) {
        let before = assess(&group, definition()).unwrap();
        let other = |old: &Slug| if *old == key("aurore") { old.clone() } else {
            key(&format!("z{}", 9 - old.as_str()[1..].parse::<usize>().unwrap()))
        };
        let renamed = Group {
            subject: group.subject.clone(),
            members: group.members.iter().map(|(old, it)| (other(old), it.clone())).collect(),
            holdings: group.holdings.iter().map(|it| Holding {
                holder: other(&it.holder), held: other(&it.held), ..it.clone()
            }).collect(),
        };
        let after = assess(&renamed, definition()).unwrap();
        prop_assert_eq!((after.class, after.relation, after.size), (before.class, before.relation, before.size));
    }

    #[test]
    fn the_addends_of_a_period_make_its_figures(group in groups()) {
        let assessed = assess(&group, definition()).unwrap();
        let added = assessed.lines.iter().filter(|line| line.addend.is_some());
        let sum = added.filter_map(|line| line.size).fold(Size::default(), Size::plus);
        prop_assert_eq!(sum, assessed.size);
    }

    #[test]
    fn more_staff_never_makes_an_enterprise_smaller(
        counts in prop::collection::vec(0u32..400, 1..6), at in 0usize..6, more in 0u32..300,
    ) {
        let class = |counts: &[u32]| {
            let periods = counts.iter().enumerate();
            let periods = periods.map(|(at, count)| year(&format!("{}-12-31", 2010 + at), size(*count, 1, 1)));
            assess(&alone(periods.collect()), definition()).unwrap().class
        };
        let mut grown = counts.clone();
        let at = at % grown.len();
        grown[at] += more;
        prop_assert!(class(&grown) >= class(&counts));
    }

    #[test]
    fn a_ring_of_a_hundred_enterprises_is_one_group(
        percent in 51u16..=100, start in 0usize..100,
    ) {
        let mut group = alone(vec![year("2025-12-31", size(1, 1, 1))]);
        let ring = |at: usize| name(at % 100);
        for at in 1..100 {
            group = with(group, &ring(at), EnterpriseKind::Enterprise, size(1, 1, 1));
        }
        group.holdings = (start..start + 100).map(|at| holding(&ring(at), &ring(at + 1), percent)).collect();
        prop_assert_eq!(assess(&group, definition()).unwrap().size, size(100, 100, 100));
    }
}
