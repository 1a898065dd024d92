#![expect(clippy::arithmetic_side_effects, reason = "small figures of tests")]

use jiff::SignedDuration;
use proptest::prelude::*;
use units::{Payer, Period};

use super::*;
use crate::sme::{AccountingPeriod, Awu, Enterprise, EnterpriseKind, Size};
use crate::testing::{day, policy};

fn id(last: u8) -> String {
    format!("018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a{last:02}")
}

fn enterprise(last: u8, staff: u32) -> Asker {
    let subject: Slug = "self".parse().unwrap();
    let size = Size {
        headcount: Awu::hundredths(staff * 100),
        turnover: units::Cents::new(90_000_000),
        balance_sheet: units::Cents::new(60_000_000),
    };
    let accounts = AccountingPeriod { closed_on: day("2025-12-31"), size, estimated: false };
    let member = Enterprise::new("Aurore", EnterpriseKind::Enterprise, vec![accounts]);
    let group =
        Group { subject: subject.clone(), members: [(subject, member)].into(), holdings: vec![] };
    Asker {
        organisation: id(last).parse().unwrap(),
        kind: OrganisationKind::Enterprise,
        country: "LU".parse().unwrap(),
        registered_on: Some(day("2020-01-01")),
        declared: Some((group, day("2026-10-01"))),
    }
}

/// What happened so far: pools drawn on, awards that last.
struct World {
    union: PoolLeft,
    awards: Vec<(OrganisationId, Period)>,
    now: Timestamp,
}

impl World {
    fn new(opened: i64) -> Self {
        let opened = Work::hours(opened).unwrap();
        let union = PoolLeft {
            id: id(50).parse().unwrap(),
            payer: Payer::Union,
            opened,
            left: opened,
            granted: BTreeMap::new(),
            promised: None,
        };
        Self { union, awards: Vec::new(), now: "2026-10-01T09:00:00Z".parse().unwrap() }
    }

    fn facts(&self, asker: &Asker, hours: u32, months: u32) -> Facts {
        let mode = policy().mode(&"playground".parse().unwrap(), day("2026-11-21")).unwrap();
        let lasting = |(of, period): &&(OrganisationId, Period)| {
            *of == asker.organisation && self.now < period.end()
        };
        Facts {
            call: Call {
                id: id(60).parse().unwrap(),
                key: "playground".parse().unwrap(),
                title: "Playground".to_owned(),
                mode: "playground".parse().unwrap(),
                rule: mode.rule.clone(),
                partitions: vec!["meluxina-ai.gpu".parse().unwrap()],
                opens_at: "2026-01-01T00:00:00Z".parse().unwrap(),
                closes_at: None,
            },
            draft: Draft {
                title: "A small model".to_owned(),
                purpose: "Train it".to_owned(),
                partition: Some("meluxina-ai.gpu".parse().unwrap()),
                hours: Some(hours),
                months: Some(months),
                duties_accepted: true,
                ..Draft::default()
            },
            asker: asker.clone(),
            granted: None,
            open_awards: u32::try_from(self.awards.iter().filter(lasting).count()).unwrap(),
            ground: Some(Ground {
                host: "LU".parse().unwrap(),
                units: Some(1_008),
                meter: Meter::Gpu,
                pools: vec![self.union.clone()],
            }),
            aid: Vec::new(),
            now: self.now,
        }
    }

    fn award(&mut self, asker: &Asker, award: &super::super::Award) {
        let left = self.union.left.minus(award.amount()).unwrap();
        self.union.left = left;
        let granted = self.union.granted.entry("playground".parse().unwrap()).or_default();
        *granted = granted.plus(award.amount()).unwrap();
        self.awards.push((asker.organisation, award.period()));
    }
}

proptest! {
    #[test]
    fn no_history_overdraws_a_pool_or_crosses_a_cap_and_each_decision_follows_from_its_facts(
        opened in 1i64..60_000,
        history in prop::collection::vec((0u8..6, 1u32..5_200, 1u32..5, 0i64..600), 1..40),
    ) {
        let askers: Vec<Asker> =
            (0..6).map(|last| enterprise(last, if last == 5 { 400 } else { 20 })).collect();
        let mut world = World::new(opened);
        for (who, hours, months, pause) in history {
            let asker = &askers[usize::from(who)];
            let facts = world.facts(asker, hours, months);
            let kept = facts.clone();
            let verdict = facts.under(policy()).unwrap().answer();
            if let Answer::Decided(Decision::Awarded(award)) = &verdict {
                prop_assert!(who != 5, "a large enterprise pays");
                prop_assert_eq!(facts.open_awards, 0);
                world.award(asker, award);
            }
            prop_assert!(world.union.left >= Work::ZERO);
            let granted: i64 = world.union.granted.values().map(|work| work.count()).sum();
            prop_assert!(granted <= world.union.opened.count() / 10, "the share of a tenth");
            let again = kept.under(policy()).unwrap().answer();
            prop_assert_eq!(compared(&verdict.told(), &again.told()), Vec::new());
            prop_assert_eq!(again, verdict);
            world.now = world.now.checked_add(SignedDuration::from_hours(pause)).unwrap();
        }
    }
}

#[test]
fn a_policy_without_the_version_of_the_call_has_no_answer() {
    let world = World::new(100_000);
    let mut facts = world.facts(&enterprise(1, 20), 100, 3);
    facts.call.rule.from = day("2020-01-01");
    let why = facts.under(policy()).unwrap_err().to_string();
    assert_eq!(why, "the policy no longer has policy/access-modes.toml#playground@2020-01-01");
}
