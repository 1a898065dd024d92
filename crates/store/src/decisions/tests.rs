use access::aid::AidLine;
use access::allocation::Promised;
use access::application::{Asker, Draft, Ground, PoolLeft};
use access::call::Call;
use access::organisation::OrganisationKind;
use access::sme::{AccountingPeriod, Awu, Enterprise, EnterpriseKind, Group, Size};
use units::{Cents, Meter, Payer, PoolId, Work};

use super::*;

fn group() -> Group {
    let subject: units::Slug = "self".parse().unwrap();
    let size = Size {
        headcount: Awu::hundredths(1_150),
        turnover: Cents::new(90_000_000),
        balance_sheet: Cents::new(60_000_000),
    };
    let closed_on = "2025-12-31".parse().unwrap();
    let period = AccountingPeriod { closed_on, size, estimated: true };
    let enterprise = Enterprise::new("Aurore", EnterpriseKind::Enterprise, vec![period]);
    Group {
        subject: subject.clone(),
        members: [(subject, enterprise)].into(),
        holdings: Vec::new(),
    }
}

fn aid(uuid: &str) -> AidLine {
    AidLine {
        beneficiary: uuid.parse().unwrap(),
        state: "LU".parse().unwrap(),
        granted_on: "2025-03-01".parse().unwrap(),
        amount: Cents::new(4_100),
        authority: "Luxinnovation".to_owned(),
        instrument: "grant".to_owned(),
        sector: Some("J62".to_owned()),
        allocation: Some(uuid.parse().unwrap()),
    }
}

fn facts() -> Facts {
    let uuid = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10";
    Facts {
        call: Call {
            id: uuid.parse().unwrap(),
            key: "playground".parse().unwrap(),
            title: "Playground".to_owned(),
            mode: "playground".parse().unwrap(),
            rule: crate::calls::rule("policy/access-modes.toml#playground@2025-12-01").unwrap(),
            partitions: vec!["meluxina-ai.gpu".parse().unwrap()],
            opens_at: "2026-11-21T09:00:00Z".parse().unwrap(),
            closes_at: Some("2026-12-01T09:00:00Z".parse().unwrap()),
        },
        draft: Draft {
            project: Some(uuid.parse().unwrap()),
            title: "A \"small\" model".to_owned(),
            purpose: "Déjà vu".to_owned(),
            partition: Some("meluxina-ai.gpu".parse().unwrap()),
            hours: Some(5_000),
            months: None,
            duties_accepted: true,
            fields: vec!["pe6".parse().unwrap()],
            team: Vec::new(),
        },
        granted: Some(4_000),
        asker: Asker {
            organisation: uuid.parse().unwrap(),
            kind: OrganisationKind::Enterprise,
            country: "LU".parse().unwrap(),
            registered_on: Some("2023-02-01".parse().unwrap()),
            declared: Some((group(), "2026-11-20".parse().unwrap())),
        },
        open_awards: 2,
        ground: Some(Ground {
            host: "LU".parse().unwrap(),
            units: Some(1_008),
            meter: Meter::Gpu,
            pools: vec![PoolLeft {
                id: uuid.parse::<PoolId>().unwrap(),
                payer: "state:LU".parse::<Payer>().unwrap(),
                opened: Work::seconds(9),
                left: Work::seconds(4),
                granted: [("playground".parse().unwrap(), Work::seconds(5))].into(),
                promised: Some(Promised { likely: Work::seconds(2), delivered: Work::seconds(8) }),
            }],
        }),
        aid: vec![aid(uuid)],
        // Not even a nanosecond is lost.
        now: "2026-11-21T09:00:00.123456789Z".parse().unwrap(),
    }
}

#[test]
fn facts_are_read_back_as_they_were() {
    let text = written(&facts()).unwrap();
    let row: FactsRow = serde_json::from_str(&text).unwrap();
    assert_eq!(row.read().unwrap(), facts());
    let bare = Facts { ground: None, aid: Vec::new(), draft: Draft::default(), ..facts() };
    let row: FactsRow = serde_json::from_str(&written(&bare).unwrap()).unwrap();
    assert_eq!(row.read().unwrap(), bare);
    let damaged: FactsRow = serde_json::from_str(&text.replace("state:LU", "nobody")).unwrap();
    assert!(damaged.read().is_err());
}
