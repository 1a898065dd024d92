use super::*;
use crate::Memory;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn rules() -> ChargeRules {
    ChargeRules::parse(include_str!("../../../../policy/charge-rules.toml")).unwrap()
}

fn rule(key: &str) -> ChargeRule {
    let at = "2026-11-21T00:00:00Z".parse().unwrap();
    rules().find(&key.parse().unwrap(), at).unwrap().clone()
}

fn some(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// Nodes, cores, GB and GPUs of a job of one hour.
fn request(nodes: u32, cores: u32, memory_gb: u64, gpus: u32) -> Request {
    Request {
        nodes: some(nodes),
        tasks: some(nodes),
        cores: some(cores),
        memory: Memory::gibibytes(memory_gb),
        gpus,
        time_limit_seconds: some(3_600),
    }
}

fn after(seconds: i64, micros: i64) -> Timestamp {
    Timestamp::from_microsecond(1_800_000_000_000_000 + seconds * 1_000_000 + micros).unwrap()
}

fn charged(key: &str, request: &Request, seconds: i64, micros: i64) -> i64 {
    rule(key).charge(request, after(0, 0), after(seconds, micros)).unwrap().count()
}

#[test]
fn a_full_node_of_lumi_g_costs_four_gpu_hours_an_hour() {
    let two_nodes = request(2, 112, 960, 16);
    assert_eq!(rule("lumi-g").hold(&two_nodes), Work::hours(8));
    assert_eq!(charged("lumi-g", &two_nodes, 1_800, 0), 4 * 3_600);
}

#[test]
fn the_small_partitions_of_lumi_follow_the_largest_claim() {
    let table = [
        // cores, GB, GCDs, half GPUs
        (1, 1, 1, 1),
        (8, 64, 1, 1),
        (9, 64, 1, 2),
        (8, 65, 1, 2),
        (8, 128, 1, 2),
        (1, 1, 3, 3),
        (56, 480, 8, 8),
        (17, 1, 0, 3),
    ];
    for (cores, memory_gb, gcds, halves) in table {
        let held = rule("lumi-g-small").hold(&request(1, cores, memory_gb, gcds)).unwrap();
        assert_eq!(held.count(), halves * 1_800, "{cores} cores, {memory_gb} GB, {gcds} GCDs");
    }
    assert_eq!(charged("lumi-g-small", &request(1, 8, 64, 1), 3, 0), 2, "1.5 is rounded up, once");
}

#[test]
fn meluxina_counts_node_minutes() {
    let three_nodes = request(3, 384, 1_500, 12);
    for (seconds, minutes) in [(0, 0), (1, 1), (60, 1), (61, 2), (3_600, 60)] {
        let node_seconds = minutes * 60 * 3;
        assert_eq!(charged("meluxina", &three_nodes, seconds, 0), node_seconds, "{seconds} s");
    }
}

#[test]
fn cineca_charges_the_part_of_the_node_that_is_reserved() {
    let table = [
        // cores, GB, GPUs, core-seconds an hour
        (24, 0, 1, 24 * 3_600),
        (6, 0, 1, 8 * 3_600),
        (24, 0, 4, 32 * 3_600),
        (1, 256, 0, 16 * 3_600),
        (1, 24, 0, 5_400),
        (2, 24, 0, 2 * 3_600),
    ];
    for (cores, memory_gb, gpus, expected) in table {
        let held = rule("cineca-leonardo-booster").hold(&request(1, cores, memory_gb, gpus));
        assert_eq!(held.unwrap().count(), expected, "{cores} cores, {memory_gb} GB, {gpus} GPUs");
    }
}

#[test]
fn the_embedded_factory_charges_gpu_equivalents_up_to_the_limit() {
    assert_eq!(rule("embedded").hold(&request(1, 2, 4, 0)), Work::hours(1));
    assert_eq!(rule("embedded").hold(&request(1, 17, 4, 1)), Work::hours(3));
    assert_eq!(charged("embedded", &request(1, 2, 4, 0), 10, 1), 11, "continuous, rounded up once");
    assert_eq!(charged("embedded", &request(1, 2, 4, 0), 3_605, 0), 3_600);
    assert_eq!(charged("lumi-g", &request(1, 2, 4, 0), 3_605, 0), 4 * 3_605);
}

#[test]
fn a_job_that_ends_before_it_starts_is_refused() {
    let outcome = rule("embedded").charge(&request(1, 1, 1, 0), after(1, 0), after(0, 0));
    assert_eq!(outcome, Err(ChargeError::EndsBeforeStart));
}

#[test]
fn amounts_beyond_64_bits_are_refused() {
    let mut huge = request(u32::MAX, u32::MAX, 1, u32::MAX);
    huge.time_limit_seconds = NonZeroU32::MAX;
    assert_eq!(rule("lumi-g").hold(&huge), Err(Overflow));
    huge.memory = Memory::mebibytes(u64::MAX);
    assert_eq!(rule("embedded").hold(&huge), Err(Overflow));
}

#[test]
fn a_rate_explains_itself() {
    let shown = |key: &str| rule(key).rate(&request(2, 10, 100, 1)).unwrap().to_string();
    expect!["1/2 × largest of (10 cores by 8 = 2, 102400 MB by 65536 MB = 2, 1 GPUs = 1) = 1 gpu"]
        .assert_eq(&shown("lumi-g-small"));
    expect!["(2 nodes × 4 = 8) = 8 gpu"].assert_eq(&shown("lumi-g"));
    expect!["largest of (10 cores = 10, 102400 MB by 16384 MB = 25/4, 1 GPUs × 8 = 8) = 10 core"]
        .assert_eq(&shown("cineca-leonardo-booster"));
}

#[test]
fn the_fullest_node_can_stand_for_all() {
    let mut per_node = rule("embedded");
    (per_node.over, per_node.combine) = (Over::Node, Combine::Sum);
    let rate = per_node.rate(&request(2, 17, 4, 2)).unwrap();
    expect!["2 nodes × sum of (1 GPUs = 1, 9 cores by 8 = 2, 2048 MB by 65536 MB = 1) = 8 gpu"]
        .assert_eq(&rate.to_string());
}

fn check_refused(change: impl Fn(&str) -> String, expected: Expect) {
    let one = "[[rule]]\nkey = \"a\"\nmeter = \"gpu\"\nfrom = 2026-01-01\nuntil = 2026-07-01\n\
        source = \"s\"\ntime_past_limit = false\nrounding = \"up\"\n\
        [[rule.count]]\nresource = \"gpus\"\neach = 1\nworth = 1\nwhole_steps = true\n";
    assert!(ChargeRules::parse(one).is_ok());
    expected.assert_eq(&ChargeRules::parse(&change(one)).unwrap_err().to_string());
}

#[test]
fn a_rule_that_cannot_hold_is_refused_with_its_name() {
    check_refused(
        |one| one.replace("2026-07-01", "2026-01-01"),
        expect!["charge rule `a`: `until` does not lie after `from`"],
    );
    check_refused(
        |one| {
            format!(
                "{one}{}",
                one.replace("2026-01-01", "2026-06-30").replace("2026-07-01", "2027-01-01")
            )
        },
        expect!["charge rule `a`: two entries hold at the same time"],
    );
    check_refused(
        |one| one.replace("\"gpu\"", "\"hour\""),
        expect!["charge rule `a`: `hour` is not a meter: use gpu, node, core or qpu"],
    );
    check_refused(
        |one| one.replace("each = 1", "each = 0"),
        expect![[r#"
        the charge rules cannot be read: TOML parse error at line 11, column 8
           |
        11 | each = 0
           |        ^
        invalid value: integer `0`, expected a nonzero u32
    "#]],
    );
}

#[test]
fn a_rule_is_found_by_name_and_date() {
    let at = |text: &str| text.parse().unwrap();
    let key: Slug = "lumi-g".parse().unwrap();
    assert!(rules().find(&key, at("2022-06-01T00:00:00Z")).is_ok());
    assert!(matches!(
        rules().find(&key, at("2022-05-31T23:59:59Z")),
        Err(RulesError::NotInForce { .. })
    ));
    assert!(rules().find(&"none".parse().unwrap(), at("2026-01-01T00:00:00Z")).is_err());
}

fn any_rule() -> impl Strategy<Value = ChargeRule> {
    let count = (0usize..4, 1u32..100_000, 0u32..50, any::<bool>()).prop_map(
        |(which, each, worth, whole_steps)| Count {
            resource: [Resource::Nodes, Resource::Cores, Resource::Memory, Resource::Gpus][which],
            each: some(each),
            worth,
            whole_steps,
        },
    );
    let shape = (any::<bool>(), any::<bool>(), 0usize..3, proptest::option::of(1u32..4_000));
    (proptest::collection::vec(count, 1..5), shape, 1u32..20, 1u32..20).prop_map(
        |(counts, (largest, job, rounding, step), numerator, denominator)| ChargeRule {
            counts,
            combine: if largest { Combine::Largest } else { Combine::Sum },
            over: if job { Over::Job } else { Over::Node },
            rounding: [Rounding::Up, Rounding::Down, Rounding::Nearest][rounding],
            factor: (some(numerator), some(denominator)),
            timing: Timing { step_seconds: step.map(some), past_limit: largest },
            ..rule("embedded")
        },
    )
}

fn any_request() -> impl Strategy<Value = Request> {
    (1u32..5_000, 1u32..500_000, 0u64..10_000, 0u32..20_000, 1u32..5_000_000).prop_map(
        |(nodes, cores, memory_gb, gpus, limit)| Request {
            time_limit_seconds: some(limit),
            ..request(nodes, cores, memory_gb, gpus)
        },
    )
}

proptest! {
    #[test]
    fn a_charge_never_exceeds_the_hold_within_the_time_limit(
        rule in any_rule(), request in any_request(), used in 0.0f64..=1.0,
    ) {
        #[expect(clippy::as_conversions, clippy::float_arithmetic, reason = "picks a fraction of the limit")]
        let micros = (f64::from(request.time_limit_seconds.get()) * 1e6 * used) as i64;
        let charged = rule.charge(&request, after(0, 0), after(0, micros)).unwrap();
        prop_assert!(charged <= rule.hold(&request).unwrap());
        prop_assert!(charged >= Work::ZERO);
    }

    #[test]
    fn the_time_that_fits_is_the_longest_that_is_covered(
        rule in any_rule(), request in any_request(), available in 0i64..1_000_000_000_000,
    ) {
        let available = Work::seconds(available);
        let held = |limit| rule.hold(&Request { time_limit_seconds: limit, ..request });
        match rule.time_that_fits(&request, available) {
            Some(TimeLimit::Seconds(limit)) => {
                prop_assert!(held(limit).unwrap() <= available);
                if let Some(longer) = limit.checked_add(1) {
                    prop_assert!(held(longer).is_err() || held(longer).unwrap() > available);
                }
            }
            Some(TimeLimit::Unlimited) => prop_assert!(false, "a limit is a number"),
            None => prop_assert!(held(some(1)).is_err() || held(some(1)).unwrap() > available),
        }
    }

    #[test]
    fn more_time_never_costs_less(
        rule in any_rule(), request in any_request(), a in 0i64..100_000_000_000, b in 0i64..100_000_000_000,
    ) {
        let cost = |micros| rule.charge(&request, after(0, 0), after(0, micros)).unwrap();
        prop_assert!(cost(a.min(b)) <= cost(a.max(b)));
    }

    #[test]
    fn more_resources_never_cost_less(
        rule in any_rule(), request in any_request(), cores in 0u32..1_000, mb in 0u64..100_000, gpus in 0u32..100,
    ) {
        let mut more = request;
        more.cores = some(request.cores.get() + cores);
        more.memory = Memory::mebibytes(request.memory.count_mb() + mb);
        more.gpus += gpus;
        prop_assert!(rule.hold(&request).unwrap() <= rule.hold(&more).unwrap());
    }

    #[test]
    fn a_charge_is_within_one_unit_second_of_the_exact_product(
        rule in any_rule(), request in any_request(), micros in 0i64..1_000_000_000,
    ) {
        let mut rule = rule;
        (rule.timing.step_seconds, rule.timing.past_limit) = (None, true);
        let rate = rule.rate(&request).unwrap();
        let charged = rule.charge(&request, after(0, 0), after(0, micros)).unwrap();
        let unit = rate.units.denominator * 1_000_000;
        let exact = rate.units.numerator * i128::from(micros);
        let error = i128::from(charged.count()) * unit - exact;
        prop_assert!(error.abs() < unit);
    }
}
