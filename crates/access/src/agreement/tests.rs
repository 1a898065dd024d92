#![expect(clippy::arithmetic_side_effects, reason = "small figures of tests")]

use expect_test::expect;
use proptest::prelude::*;
use units::{Payer, Period, Work};

use super::*;
use crate::document::{Evidence, Source, Standing};
use crate::federation::Partition;
use crate::testing::{caps, day, federation};

fn quarter() -> Period {
    Period::quarter_of("2026-11-21T09:00:00Z".parse().unwrap())
}

fn known<T>(value: T) -> Figure<T> {
    let source =
        Source { text: "a test".to_owned(), date: day("2026-01-01"), standing: Standing::Official };
    Figure::Known(value, Evidence { source, note: None })
}

/// An agreement over `acquisition` and `operation` euros, of which the Union pays these parts.
fn agreement(acquisition: i64, operation: i64, parts: (u32, u32)) -> Agreement {
    Agreement {
        class: known(MachineClass::AiOptimised),
        signed: Figure::Unknown("a test".to_owned()),
        acquisition: known(Cents::new(acquisition)),
        operation: known(Cents::new(operation)),
        operation_years: known(5),
        union_acquisition: known(PartsPerMillion::new(parts.0)),
        union_operation: known(PartsPerMillion::new(parts.1)),
        union_time: None,
        commercial: known(PartsPerMillion::ZERO),
        remainder: known(vec![("LU".parse().unwrap(), 1)]),
        volunteered: None,
    }
}

fn partition(devices: u32) -> Partition {
    let federation = federation();
    let (_, _, partition) = federation.partition(&"meluxina-ai.gpu".parse().unwrap()).unwrap();
    Partition { devices: known(devices), ..partition.clone() }
}

fn amount_of(pools: &Pools, payer: Payer) -> i64 {
    pools.pools.iter().find(|pool| pool.payer == payer).map_or(0, |pool| pool.amount.count())
}

#[test]
fn the_pools_of_meluxina_ai_follow_from_what_was_published() {
    let federation = federation();
    let (_, system, partition) = federation.partition(&"meluxina-ai.gpu".parse().unwrap()).unwrap();
    let pools = system.pools(partition, quarter(), &caps()).unwrap();
    let shown: Vec<String> = pools
        .pools
        .iter()
        .map(|pool| format!("{}: {}", pool.payer, pool.amount.display(partition.meter)))
        .chain(pools.lines)
        .collect();
    expect![[r#"
        union: 1 112 832.00 GPU-h
        state:LU: 1 112 832.00 GPU-h
        capacity: 1008 GPUs held through the whole period, without any deduction for maintenance
        acquisition: EUR 80 000 000.00 (EuroHPC JU: contract for Meluxina-AI, as quoted by secondary reports (2026-07-22)), of which the Union pays 50 % (European Commission, Representation in Luxembourg: selection of the first seven AI factories (2024-12-10); half is announced for the programme as a whole; the agreement of this factory is not public)
        operation: EUR 32 000 000.00 (Chamber of Deputies of Luxembourg: report on Meluxina-AI, as quoted by secondary reports (2026-10-10); over five years; more than half of it is electricity and cooling), of which the Union pays 50 % (European Commission, Representation in Luxembourg: selection of the first seven AI factories (2024-12-10); half is announced for the programme as a whole; the agreement of this factory is not public)
        the Union's time is proportional to its part of the total cost of ownership, at most 50 %: 50 % (Article 17(1))
        commercial use: nothing set aside, for the part is unknown (no part set aside for commercial use was found); at most 20 % of the Union's time may be sold (Article 18)
        the remaining time belongs to the states (Article 17(4))"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn what_is_not_known_is_a_reason_and_not_a_guess() {
    let federation = federation();
    let (_, system, partition) = federation.partition(&"lumi-ai.gpu".parse().unwrap()).unwrap();
    let refused = system.pools(partition, quarter(), &caps()).unwrap_err();
    expect![[r#"
        the cost of operation is unknown: no public figure was found
        the number of devices is unknown: the vendor has not published the number
        how the states share the remaining time is unknown: the states share the remaining time by an agreement of their own, which is not public"#]]
    .assert_eq(&refused.reasons.join("\n"));
}

#[test]
fn each_article_refuses_what_it_forbids() {
    let over = |change: fn(&mut Agreement)| {
        let mut agreement = agreement(1_000, 500, (400_000, 400_000));
        change(&mut agreement);
        let violations = check(&agreement, &caps());
        violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(over(|_| ()), "");
    expect![[r#"is 50.0001 %; at most 50 % is allowed (Article 12a; policy/caps.toml#union-acquisition@2024-07-09)"#]]
        .assert_eq(&over(|it| it.union_acquisition = known(PartsPerMillion::new(500_001))));
    expect![[r#"is 60 %; at most 50 % is allowed (Article 12a; policy/caps.toml#union-operation@2024-07-09)"#]]
        .assert_eq(&over(|it| it.union_operation = known(PartsPerMillion::percent(60))));
    expect![[
        r#"is 20.1 %; at most 20 % is allowed (Article 18; policy/caps.toml#commercial@2024-07-09)"#
    ]]
    .assert_eq(&over(|it| it.commercial = known(PartsPerMillion::new(201_000))));
    expect![[r#"is 45 %; the Union's part of the total cost of ownership gives exactly 40 % (Article 17(1); policy/caps.toml#union-time@2024-07-09)"#]]
        .assert_eq(&over(|it| it.union_time = Some(known(PartsPerMillion::percent(45)))));
    expect![[r#"is 40 %; at most 35 % is allowed (Article 17(1); policy/caps.toml#union-time-mid-range@2024-07-09)
is 40 %; the Union's part of the total cost of ownership gives exactly 35 % (Article 17(1); policy/caps.toml#union-time-mid-range@2024-07-09)"#]]
        .assert_eq(&over(|it| {
            it.class = known(MachineClass::MidRange);
            it.union_time = Some(known(PartsPerMillion::percent(40)));
        }));
    expect![[r#"names no state; the remaining time belongs to the hosting state or is shared as the states agreed (Article 17(4); policy/caps.toml#remainder@2024-07-09)"#]]
        .assert_eq(&over(|it| it.remainder = known(Vec::new())));
    expect![[r#"FI volunteers time but has none of the remainder (Article 17(4); policy/caps.toml#remainder@2024-07-09)"#]]
        .assert_eq(&over(|it| {
            it.volunteered = Some(known(vec![("FI".parse().unwrap(), PartsPerMillion::ONE)]));
        }));
}

#[test]
fn a_mid_range_machine_gives_the_union_at_most_35_percent() {
    let mut agreement = agreement(1_000_000, 0, (500_000, 0));
    agreement.class = known(MachineClass::MidRange);
    let pools = pools(&agreement, &partition(100), quarter(), &caps()).unwrap();
    assert_eq!(amount_of(&pools, Payer::Union), pools.capacity.count() / 100 * 35);
}

#[test]
fn commercial_and_volunteered_time_come_out_of_their_owners() {
    let mut agreement = agreement(1_000_000, 0, (400_000, 0));
    agreement.commercial = known(PartsPerMillion::percent(20));
    agreement.remainder = known(vec![("FI".parse().unwrap(), 2), ("EE".parse().unwrap(), 1)]);
    agreement.volunteered =
        Some(known(vec![("EE".parse().unwrap(), PartsPerMillion::percent(10))]));
    let period = quarter();
    let pools = pools(&agreement, &partition(1), period, &caps()).unwrap();
    let hours: Vec<String> =
        pools.pools.iter().map(|pool| format!("{} {}", pool.payer, pool.amount.count())).collect();
    expect![[r#"
        union 2543616
        commercial 635904
        state:EE 1430784
        state:FI 3179520
        volunteered:EE 158976"#]]
    .assert_eq(&hours.join("\n"));
}

proptest! {
    #[test]
    fn pools_add_up_to_the_capacity_and_keep_every_cap(
        acquisition in 1i64..100_000_000_000,
        operation in 0i64..100_000_000_000,
        for_acquisition in 0u32..=500_000,
        for_operation in 0u32..=500_000,
        commercial in 0u32..=200_000,
        weights in proptest::collection::vec(1u32..100, 1..5),
        devices in 1u32..20_000,
        mid_range in any::<bool>(),
    ) {
        let mut agreement = agreement(acquisition, operation, (for_acquisition, for_operation));
        agreement.commercial = known(PartsPerMillion::new(commercial));
        let states = ["FI", "CZ", "DK", "EE", "NO"].map(|state| state.parse().unwrap());
        agreement.remainder = known(states.into_iter().zip(weights).collect());
        let limit = if mid_range { 35 } else { 50 };
        if mid_range {
            agreement.class = known(MachineClass::MidRange);
        }
        prop_assert!(check(&agreement, &caps()).is_empty());
        let pools = pools(&agreement, &partition(devices), quarter(), &caps()).unwrap();
        let sum: i64 = pools.pools.iter().map(|pool| pool.amount.count()).sum();
        prop_assert_eq!(Work::seconds(sum), pools.capacity);
        let sold = amount_of(&pools, Payer::Commercial);
        let union = amount_of(&pools, Payer::Union) + sold;
        prop_assert!(i128::from(union) * 100 <= i128::from(pools.capacity.count()) * limit);
        prop_assert!(i128::from(sold) * 5 <= i128::from(union));
        let paid = funding(&agreement).unwrap();
        let (from_union, from_states) = (paid.union().unwrap(), paid.states().unwrap());
        prop_assert_eq!(from_union.plus(from_states).unwrap().count(), acquisition + operation);
        let exact = i128::from(pools.capacity.count()) * i128::from(from_union.count())
            / i128::from(acquisition + operation);
        prop_assert!(i128::from(union) <= exact + 1, "more than in proportion");
    }
}
