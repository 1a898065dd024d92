#![expect(clippy::arithmetic_side_effects, reason = "small figures of tests")]

use expect_test::expect;
use proptest::prelude::*;
use units::{Meter, PartsPerMillion};

use super::*;
use crate::sme::{Enterprise, EnterpriseKind, Group, Holding};
use crate::testing::{day, policy};

fn ceiling() -> &'static Entry<AidCeiling> {
    policy().aid_ceiling(day("2026-11-21")).unwrap()
}

fn somebody() -> OrganisationId {
    "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".parse().unwrap()
}

fn line(granted_on: Date, euros: i64) -> AidLine {
    AidLine {
        beneficiary: somebody(),
        state: "LU".parse().unwrap(),
        granted_on,
        amount: Cents::euros(euros).unwrap(),
        authority: "Luxinnovation".to_owned(),
        instrument: "grant".to_owned(),
        sector: None,
        allocation: None,
    }
}

fn asked(lines: &[AidLine], euros: i64, on: &str) -> Result<Granted, Exceeded> {
    grant(lines, (Cents::euros(euros).unwrap(), day(on)), ceiling())
}

#[test]
fn aid_up_to_the_ceiling_is_granted_and_a_cent_more_is_not() {
    let before = [line(day("2024-05-02"), 200_000), line(day("2025-01-15"), 50_000)];
    let granted = asked(&before, 50_000, "2026-11-21").unwrap();
    assert_eq!(
        (granted.amount(), granted.used()),
        (Cents::euros(50_000).unwrap(), Cents::euros(250_000).unwrap())
    );
    let more = Cents::euros(50_000).unwrap().plus(Cents::new(1)).unwrap();
    let exceeded = grant(&before, (more, day("2026-11-21")), ceiling()).unwrap_err();
    assert_eq!(exceeded.left(), Cents::euros(50_000).unwrap());
    expect!["the hours are worth EUR 50 000.01 of de minimis aid, on top of EUR 250 000.00 granted from 2023-11-22 to 2026-11-21: EUR 200 000.00 on 2024-05-02 by Luxinnovation; EUR 50 000.00 on 2025-01-15 by Luxinnovation"]
    .assert_eq(&exceeded.to_string());
}

#[test]
fn three_years_roll_by_the_day() {
    let before = [line(day("2024-01-10"), 300_000)];
    assert!(asked(&before, 1, "2027-01-09").is_err());
    assert!(asked(&before, 300_000, "2027-01-10").is_ok());
    let leap = [line(day("2024-02-29"), 300_000)];
    assert!(asked(&leap, 1, "2027-02-28").is_err());
    assert!(asked(&leap, 1, "2027-03-01").is_ok());
}

#[test]
fn what_stands_entered_for_later_days_counts_too() {
    let later = [line(day("2027-06-01"), 300_000)];
    assert!(asked(&later, 1, "2026-11-21").is_err());
    assert!(asked(&later, 300_000, "2024-05-31").is_ok());
}

#[test]
fn hours_are_worth_their_price_rounded_up() {
    let key = "meluxina-ai.gpu".parse().unwrap();
    let price = policy().hour_price(&key, Meter::Gpu, day("2026-11-21")).unwrap();
    assert_eq!(worth(Work::hours(5_000).unwrap(), &price.says), Cents::new(512_500));
    assert_eq!(worth(Work::seconds(1), &price.says), Cents::new(1));
    assert_eq!(worth(Work::ZERO, &price.says), Cents::ZERO);
}

#[test]
fn hours_of_a_state_are_aid_and_those_of_the_union_are_not_by_default() {
    let counts = |payer: &str| policy().is_aid(payer.parse().unwrap(), day("2026-11-21"));
    let of = |payer| counts(payer).unwrap().says.counts;
    assert!(of("state:LU") && of("volunteered:LU"));
    assert!(!of("union") && !of("commercial"));
}

#[test]
fn an_undertaking_is_linked_by_enterprises_and_not_by_persons_or_partners() {
    let slug = |text: &str| -> units::Slug { text.parse().unwrap() };
    let id = |last: u8| -> OrganisationId {
        format!("018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a{last:02}").parse().unwrap()
    };
    let member = |name: &str, kind, last| Enterprise {
        organisation: Some(id(last)),
        markets: ["models".to_owned()].into(),
        ..Enterprise::new(name, kind, Vec::new())
    };
    let hold = |holder: &str, held: &str, percent| Holding {
        holder: slug(holder),
        held: slug(held),
        capital: PartsPerMillion::percent(percent),
        voting: PartsPerMillion::percent(percent),
        control: None,
        invested: None,
    };
    let group = Group {
        subject: slug("a"),
        members: [
            (slug("a"), member("A", EnterpriseKind::Enterprise, 10)),
            (slug("mother"), member("M", EnterpriseKind::Enterprise, 11)),
            (slug("sister"), member("S", EnterpriseKind::Enterprise, 12)),
            (slug("partner"), member("P", EnterpriseKind::Enterprise, 13)),
            (slug("other"), member("O", EnterpriseKind::Enterprise, 14)),
            (slug("ada"), member("Ada", EnterpriseKind::Person, 15)),
        ]
        .into(),
        holdings: vec![
            hold("mother", "a", 60),
            hold("mother", "sister", 51),
            hold("partner", "a", 30),
            hold("ada", "mother", 100),
            hold("ada", "other", 100),
        ],
    };
    let definition = &policy().sme(day("2026-11-21")).unwrap().says;
    assert_eq!(single_undertaking(&group, definition), [id(11), id(12)].into());
}

proptest! {
    #[test]
    fn no_sequence_of_awards_crosses_the_ceiling_in_any_three_years(
        asked in prop::collection::vec((0i32..4_000, 1i64..150_000), 1..60),
    ) {
        let start = day("2024-01-01");
        let mut register: Vec<AidLine> = Vec::new();
        for (days, euros) in asked {
            let on = start.saturating_add(days.days());
            let amount = Cents::euros(euros).unwrap();
            if let Ok(granted) = grant(&register, (amount, on), ceiling()) {
                register.push(AidLine { amount: granted.amount(), ..line(on, 0) });
            }
        }
        for end in register.iter().map(|line| line.granted_on) {
            let from = end.saturating_sub(3.years());
            let sum: i64 = register
                .iter()
                .filter(|line| from < line.granted_on && line.granted_on <= end)
                .map(|line| line.amount.count())
                .sum();
            prop_assert!(sum <= 30_000_000, "{sum} cents until {end}");
        }
    }

    #[test]
    fn the_order_of_the_register_does_not_matter(
        entered in prop::collection::vec((0i32..2_000, 1i64..150_000), 0..12),
        turn in 0usize..12, euros in 1i64..300_000, days in 0i32..2_000,
    ) {
        let start = day("2024-01-01");
        let lines: Vec<AidLine> = entered
            .iter()
            .map(|(days, euros)| line(start.saturating_add((*days).days()), *euros))
            .collect();
        let proposed = (Cents::euros(euros).unwrap(), start.saturating_add(days.days()));
        let mut turned = lines.clone();
        turned.rotate_left(turn % lines.len().max(1));
        turned.reverse();
        prop_assert_eq!(grant(&turned, proposed, ceiling()), grant(&lines, proposed, ceiling()));
    }

    #[test]
    fn more_aid_before_never_leaves_room_for_more(
        entered in prop::collection::vec((0i32..2_000, 1i64..150_000), 0..12),
        more in (0i32..2_000, 1i64..150_000), euros in 1i64..300_000, days in 0i32..2_000,
    ) {
        let start = day("2024-01-01");
        let at = |(days, euros): (i32, i64)| line(start.saturating_add(days.days()), euros);
        let mut lines: Vec<AidLine> = entered.into_iter().map(at).collect();
        let proposed = (Cents::euros(euros).unwrap(), start.saturating_add(days.days()));
        let before = grant(&lines, proposed, ceiling()).is_ok();
        lines.push(at(more));
        let after = grant(&lines, proposed, ceiling()).is_ok();
        prop_assert!(before || !after);
    }
}
