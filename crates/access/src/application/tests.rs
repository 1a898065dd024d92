use expect_test::{Expect, expect};
use units::{CallId, Meter, Payer, Timestamp, Work};

use super::*;
use crate::aid;
use crate::organisation::OrganisationKind;
use crate::policy::RuleId;
use crate::sme::{Assessment, Relation, Size, SizeClass, StartUp};
use crate::testing::{day, policy};

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

fn mode(key: &str) -> &'static Entry<AccessMode> {
    policy().mode(&key.parse().unwrap(), day("2026-11-21")).unwrap()
}

fn call(mode_key: &str) -> Call {
    Call {
        id: "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".parse().unwrap(),
        key: mode_key.parse().unwrap(),
        title: mode_key.to_owned(),
        mode: mode_key.parse().unwrap(),
        rule: mode(mode_key).rule.clone(),
        partitions: vec!["meluxina-ai.gpu".parse().unwrap()],
        opens_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        closes_at: None,
    }
}

fn enterprise(class: SizeClass) -> Applicant {
    let rule = RuleId { file: "f".to_owned(), entry: "e".to_owned(), from: day("2005-01-01") };
    let assessment = Assessment {
        rule: rule.clone(),
        class,
        relation: Relation::Autonomous,
        size: Size::default(),
        public_share: units::PartsPerMillion::ZERO,
        periods: Vec::new(),
        lines: Vec::new(),
    };
    let start_up = StartUp { rule, holds: class == SizeClass::Micro, reasons: Vec::new() };
    Applicant {
        kind: OrganisationKind::Enterprise,
        country: "LU".parse().unwrap(),
        assessment: Some(assessment),
        start_up: Some(start_up),
    }
}

fn draft() -> Draft {
    Draft {
        title: "A small model".to_owned(),
        purpose: "Train it on our manuals".to_owned(),
        partition: Some("meluxina-ai.gpu".parse().unwrap()),
        hours: Some(5_000),
        months: Some(3),
        duties_accepted: true,
        ..Draft::default()
    }
}

fn situation<'a>(call: &'a Call, applicant: &'a Applicant, hours_left: i64) -> Situation<'a> {
    Situation {
        call,
        mode: mode(call.mode.as_str()),
        policy: policy(),
        applicant,
        open_awards: 0,
        offer: Some(Offer { meter: Meter::Gpu, remaining: Work::hours(hours_left).unwrap() }),
        aid: None,
        shares: &[],
        commitment: None,
        now: now(),
    }
}

/// What stands against a draft under Playground, one line a finding.
fn against(draft: &Draft, situation: &Situation<'_>) -> String {
    let lines = check(draft, situation).into_iter().filter_map(|finding| match finding.outcome {
        Outcome::Passed(_) => None,
        Outcome::Open(text) => Some(format!("{} open: {text}", finding.check)),
        Outcome::Failed(reason) => Some(format!("{} failed: {reason}", finding.check)),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn check_draft(change: fn(&mut Draft), expected: Expect) {
    let (call, applicant) = (call("playground"), enterprise(SizeClass::Small));
    let mut draft = draft();
    change(&mut draft);
    expected.assert_eq(&against(&draft, &situation(&call, &applicant, 1_000_000)));
}

#[test]
fn an_empty_draft_says_what_is_still_to_be_written() {
    check_draft(
        |draft| *draft = Draft::default(),
        expect![[r#"
            title open: write the title
            purpose open: write the purpose
            partition open: choose a partition: meluxina-ai.gpu
            hours open: say how many hours: 1 to 5000 GPU-h
            months open: say for how long: 1, 2, 3 months are possible
            duties open: accept the duties: acknowledge the Joint Undertaking and the factory, disseminate what may be published, use it for civilian purposes, comply with the AI Act, report at the end, within three months
            pool open: choose partition and hours to see what is left
            commitment open: say how many hours and for how long
            mode-share open: say how many hours to see what is left of the mode's share"#]],
    );
}

#[test]
fn a_refusal_says_what_would_fit() {
    check_draft(
        |draft| draft.hours = Some(5_001),
        expect![[r#"hours failed: 5001 GPU-h are asked; 1 to 5000 GPU-h; 5000 GPU-h would fit"#]],
    );
    check_draft(
        |draft| draft.months = Some(12),
        expect![[
            r#"months failed: 12 months are asked; 1, 2, 3 months are possible; 3 would fit"#
        ]],
    );
    check_draft(
        |draft| draft.partition = Some("lumi.lumi-g".parse().unwrap()),
        expect![[
            r#"partition failed: lumi.lumi-g is not offered in this call; it offers meluxina-ai.gpu"#
        ]],
    );
    check_draft(|_| (), expect![[r#""#]]);
}

#[test]
fn who_may_not_ask_is_told_why() {
    let call = call("playground");
    let refused = |applicant: &Applicant, open_awards| {
        let situation = Situation { open_awards, ..situation(&call, applicant, 1_000_000) };
        against(&draft(), &situation)
    };
    let undeclared = Applicant { assessment: None, start_up: None, ..enterprise(SizeClass::Micro) };
    expect![[r#"free open: declare the enterprise's data: the hours are free of charge for small and medium-sized enterprises and start-ups"#]]
        .assert_eq(&refused(&undeclared, 0));
    expect![[r#"free failed: the hours would have to be paid for: the organisation is industry; they are free of charge for sme, start-up, and no price is set"#]]
        .assert_eq(&refused(&enterprise(SizeClass::Large), 0));
    let university = Applicant { kind: OrganisationKind::Research, ..undeclared.clone() };
    expect![[r#"
        audience failed: the organisation is science; Playground is for sme, start-up, industry
        free failed: the hours would have to be paid for: the organisation is science; they are free of charge for sme, start-up, and no price is set"#]]
        .assert_eq(&refused(&university, 0));
    let elsewhere = Applicant { country: "US".parse().unwrap(), ..enterprise(SizeClass::Small) };
    expect![[r#"country failed: the organisation is established in US; it must be established in a member state or a state that takes part"#]]
        .assert_eq(&refused(&elsewhere, 0));
    expect![[r#"open-awards failed: the organisation holds 1 awards of this mode that have not ended; at most 1 at a time"#]]
        .assert_eq(&refused(&enterprise(SizeClass::Small), 1));
}

#[test]
fn a_call_takes_nothing_before_it_opens_or_from_its_last_instant_on() {
    let applicant = enterprise(SizeClass::Small);
    let refused = |opens: &str, closes: Option<&str>| {
        let call = Call {
            opens_at: opens.parse().unwrap(),
            closes_at: closes.map(|at| at.parse().unwrap()),
            ..call("playground")
        };
        against(&draft(), &situation(&call, &applicant, 1_000_000))
    };
    expect![[r#"call-open failed: the call opens on 2026-11-21T09:00:01Z; it must be open"#]]
        .assert_eq(&refused("2026-11-21T09:00:01Z", None));
    expect![[r#"call-open failed: the call closed on 2026-11-21T09:00:00Z; it must be open"#]]
        .assert_eq(&refused("2026-01-01T00:00:00Z", Some("2026-11-21T09:00:00Z")));
    assert_eq!(refused("2026-01-01T00:00:00Z", Some("2026-11-21T09:00:01Z")), "");
}

#[test]
fn a_complete_draft_is_awarded_from_the_unions_pool() {
    let (call, applicant) = (call("playground"), enterprise(SizeClass::Micro));
    let situation = situation(&call, &applicant, 5_000);
    let admitted = admit(&draft(), &situation).unwrap();
    let Decision::Awarded(award) = decide(&admitted, &situation, Some(1_008)) else {
        panic!("not awarded");
    };
    assert_eq!(award.amount(), Work::hours(5_000).unwrap());
    assert_eq!(award.payer(), Payer::Union);
    assert_eq!(award.period().to_string(), "2026-11-21 to 2027-02-21");
    assert_eq!(award.rule().to_string(), "policy/access-modes.toml#playground@2025-12-01");
}

#[test]
fn what_is_asked_must_still_be_in_the_pool_when_it_is_decided() {
    let (call, applicant) = (call("playground"), enterprise(SizeClass::Micro));
    let admitted = admit(&draft(), &situation(&call, &applicant, 5_000)).unwrap();
    let later = situation(&call, &applicant, 4_999);
    let Decision::Refused(reasons) = decide(&admitted, &later, Some(1_008)) else {
        panic!("awarded from an empty pool");
    };
    expect![[r#"5 000.00 GPU-h are asked; 4 999.00 GPU-h are left in this period"#]]
        .assert_eq(&reasons.first().unwrap().to_string());
    expect![[r#"pool failed: 5 000.00 GPU-h are asked; 4 999.00 GPU-h are left in this period; 4999 GPU-h would fit"#]]
        .assert_eq(&against(&draft(), &later));
}

#[test]
fn modes_together_keep_within_their_share_of_the_unions_time() {
    let (call, applicant) = (call("playground"), enterprise(SizeClass::Micro));
    let share = policy().mode_shares(day("2026-11-21")).nth(1).unwrap();
    let shares = [ShareLeft {
        rule: share.rule.clone(),
        limit: share.says.limit,
        remaining: Work::hours(4_000).unwrap(),
    }];
    let within = Situation { shares: &shares, ..situation(&call, &applicant, 9_000) };
    expect![[
        r#"mode-share failed: 5 000.00 GPU-h are asked; 4 000.00 GPU-h are left of 10 % of the Union's time; 4000 GPU-h would fit"#
    ]]
    .assert_eq(&against(&draft(), &within));
    let admitted = admit(&draft(), &situation(&call, &applicant, 9_000)).unwrap();
    let Decision::Refused(reasons) = decide(&admitted, &within, Some(1_008)) else {
        panic!("awarded beyond the share");
    };
    assert_eq!(
        reasons.first().unwrap().rule,
        "policy/access-modes.toml#industrial-entry@2025-12-01"
    );
    let small = Draft { hours: Some(4_000), ..draft() };
    assert!(admit(&small, &within).is_ok());
}

#[test]
fn no_more_is_promised_than_a_part_delivers_with_what_others_are_likely_to_use() {
    let (call, applicant) = (call("playground"), enterprise(SizeClass::Micro));
    let rule = policy().commitment(&"meluxina-ai.gpu".parse().unwrap(), day("2026-11-21")).unwrap();
    let hours = |count| Work::hours(count).unwrap();
    let promised = Promised { likely: hours(8_000), delivered: hours(10_000) };
    let plain = situation(&call, &applicant, 9_000);
    let within = Situation { commitment: Some((rule, promised)), ..plain };
    expect![[
        r#"commitment failed: 5 000.00 GPU-h are asked; 4 000.00 GPU-h can be promised: 120 % of the 10 000.00 GPU-h that its part delivers in that time, less the 8 000.00 GPU-h that open awards are likely to use; 4000 GPU-h would fit"#
    ]]
    .assert_eq(&against(&draft(), &within));
    let admitted = admit(&draft(), &plain).unwrap();
    let Decision::Refused(reasons) = decide(&admitted, &within, Some(1_008)) else {
        panic!("awarded beyond what can be promised");
    };
    assert_eq!(reasons.first().unwrap().rule, "policy/awards.toml#house@2025-12-01");
    let small = Draft { hours: Some(4_000), ..draft() };
    assert!(admit(&small, &within).is_ok());
}

#[test]
fn a_partition_cannot_deliver_more_than_all_of_it() {
    let (call, applicant) = (call("playground"), enterprise(SizeClass::Micro));
    let situation = situation(&call, &applicant, 5_000);
    let admitted = admit(&draft(), &situation).unwrap();
    let Decision::Refused(reasons) = decide(&admitted, &situation, Some(2)) else {
        panic!("awarded more than the machine has");
    };
    expect![[r#"5 000.00 GPU-h are asked for 3 months; the whole partition delivers 4 416.00 GPU-h in that time"#]]
        .assert_eq(&reasons.first().unwrap().to_string());
}

#[test]
fn people_decide_where_policy_says_so() {
    let (call, applicant) = (call("fast-lane"), enterprise(SizeClass::Medium));
    let draft = Draft { hours: Some(20_000), ..draft() };
    let situation = situation(&call, &applicant, 50_000);
    let admitted = admit(&draft, &situation).unwrap();
    assert_eq!(decide(&admitted, &situation, Some(1_008)), Decision::Referred);
}

#[test]
fn an_admission_is_good_for_its_own_call_only() {
    let (own, applicant) = (call("playground"), enterprise(SizeClass::Micro));
    let admitted = admit(&draft(), &situation(&own, &applicant, 5_000)).unwrap();
    let id: CallId = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a11".parse().unwrap();
    let other = Call { id, ..call("playground") };
    let decision = decide(&admitted, &situation(&other, &applicant, 5_000), Some(1_008));
    assert!(matches!(decision, Decision::Refused(_)));
}

proptest::proptest! {
    #[test]
    fn nothing_is_awarded_beyond_the_pool_or_the_mode(
        hours in 0u32..8_000, months in 0u32..6, left in 0i64..8_000, awards in 0u32..3,
    ) {
        let (call, applicant) = (call("playground"), enterprise(SizeClass::Small));
        let draft = Draft { hours: Some(hours), months: Some(months), ..draft() };
        let situation = Situation { open_awards: awards, ..situation(&call, &applicant, left) };
        let fits = (1..=5_000).contains(&hours) && (1..=3).contains(&months)
            && i64::from(hours) <= left && awards == 0;
        match admit(&draft, &situation).map(|admitted| decide(&admitted, &situation, Some(1_008))) {
            Ok(Decision::Awarded(award)) => {
                proptest::prop_assert!(fits);
                proptest::prop_assert!(award.amount() <= Work::hours(left).unwrap());
            }
            Ok(_) => proptest::prop_assert!(false, "admitted but not awarded"),
            Err(reasons) => proptest::prop_assert!(!fits && !reasons.is_empty()),
        }
    }
}

#[test]
fn an_award_beyond_the_ceiling_of_state_aid_is_refused_with_the_lines_of_the_register() {
    let (call, applicant) = (call("playground"), enterprise(SizeClass::Small));
    let (policy, today) = (policy(), day("2026-11-21"));
    let lines = [aid::AidLine {
        beneficiary: "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".parse().unwrap(),
        state: "LU".parse().unwrap(),
        granted_on: day("2025-03-01"),
        amount: units::Cents::euros(295_900).unwrap(),
        authority: "Luxinnovation".to_owned(),
        instrument: "grant".to_owned(),
        sector: None,
        allocation: None,
    }];
    let partition = "meluxina-ai.gpu".parse().unwrap();
    let standing = aid::AidStanding {
        state: "LU".parse().unwrap(),
        ceiling: policy.aid_ceiling(today).unwrap(),
        price: policy.hour_price(&partition, Meter::Gpu, today),
        lines: &lines,
    };
    let within = Situation { aid: Some(standing), ..situation(&call, &applicant, 9_000) };
    let fitting = Draft { hours: Some(4_000), ..draft() };
    let admitted = admit(&fitting, &within).unwrap();
    let Decision::Awarded(award) = decide(&admitted, &within, Some(800)) else {
        panic!("refused");
    };
    assert_eq!(award.aid().unwrap().amount(), units::Cents::euros(4_100).unwrap());
    expect!["state-aid failed: the hours are worth EUR 5 125.00 of de minimis aid, on top of EUR 295 900.00 granted from 2023-11-22 to 2026-11-21: EUR 295 900.00 on 2025-03-01 by Luxinnovation; LU may grant one undertaking EUR 300 000.00 in three years; EUR 4 100.00 are left; 4000 GPU-h would fit"].assert_eq(&against(&draft(), &within));
    let unpriced = Situation { aid: Some(aid::AidStanding { price: None, ..standing }), ..within };
    assert!(matches!(decide(&admitted, &unpriced, Some(800)), Decision::Refused(_)));
}

#[test]
fn what_people_grant_is_held_to_the_rules_as_they_stand_then() {
    let (call, industry) = (call("fast-lane"), enterprise(SizeClass::Small));
    let closed = Call { closes_at: Some("2026-10-01T00:00:00Z".parse().unwrap()), ..call };
    let asked = Draft { hours: Some(20_000), ..draft() };
    let grant = |hours, left| {
        award_by_people(&asked, hours, &situation(&closed, &industry, left), Some(100_000))
    };
    let award = grant(15_000, 50_000).unwrap();
    assert_eq!(award.amount(), Work::hours(15_000).unwrap());
    let told = |reasons: Vec<Reason>| reasons[0].to_string();
    assert_eq!(
        told(grant(20_001, 50_000).unwrap_err()),
        "20 001.00 GPU-h would be granted; 20000 GPU-h were asked, and no more is granted; \
         20000 GPU-h would fit"
    );
    let gone = told(grant(15_000, 14_000).unwrap_err());
    assert!(gone.contains("14 000.00 GPU-h are left"), "{gone}");
    let small = told(grant(9_000, 50_000).unwrap_err());
    assert!(small.contains("9000 GPU-h are asked; 10000 to 50000 GPU-h"), "{small}");
    let grown = enterprise(SizeClass::Large);
    let refused = award_by_people(&asked, 15_000, &situation(&closed, &grown, 50_000), None);
    assert!(told(refused.unwrap_err()).contains("would have to be paid for"));
}
