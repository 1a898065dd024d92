use access::application::{Draft, State};
use access::organisation::Organisation;
use access::sme::{Enterprise, EnterpriseKind, Holding};
use expect_test::expect;
use units::PartsPerMillion;

use super::*;
use crate::applications::tests::{Story, begun, draft, story};
use crate::testing::{TestHub, rules_where, small_enterprise};
use crate::{Parts, Role, Scope};

/// A hub where the Playground draws on the time of Luxembourg.
async fn hub_of_a_state() -> Vec<TestHub> {
    let mut hubs = TestHub::each().await;
    for hub in &mut hubs {
        let rules = rules_where(|document| {
            if document.name.ends_with("/access-modes.toml") {
                let state = "draws_on = \"state:LU\"";
                document.text = document.text.replacen("draws_on = \"union\"", state, 1);
            }
        });
        hub.app = App::new(Parts { rules, ..(*hub.app.parts).clone() });
    }
    hubs
}

fn other_aid(euros: i64, granted_on: &str) -> OtherAid {
    OtherAid {
        state: "LU".parse().unwrap(),
        granted_on: granted_on.parse().unwrap(),
        amount: Cents::euros(euros).unwrap(),
        authority: "Luxinnovation".to_owned(),
        instrument: "grant".to_owned(),
    }
}

fn hours(hours: u32) -> Draft {
    Draft { hours: Some(hours), ..draft(1) }
}

async fn refused(hub: &TestHub, story: &Story, asked: u32) -> String {
    let application = begun(hub, story, hours(asked)).await;
    match hub.app.submit_application(&story.actor, application.id).await {
        Err(Error::Refused(reasons)) => {
            reasons.iter().map(|reason| reason.text.clone()).collect::<Vec<_>>().join("\n")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_award_beyond_the_ceiling_is_refused_with_the_lines_and_one_within_is_entered() {
    for hub in hub_of_a_state().await {
        let story = story(&hub, "ada").await;
        let aid = other_aid(295_900, "2025-03-01");
        hub.app.declare_aid(&story.actor, story.organisation, aid).await.unwrap();
        expect!["the hours are worth EUR 5 125.00 of de minimis aid, on top of EUR 295 900.00 granted from 2023-11-22 to 2026-11-21: EUR 295 900.00 on 2025-03-01 by Luxinnovation; LU may grant one undertaking EUR 300 000.00 in three years; EUR 4 100.00 are left; 4000 GPU-h would fit"]
        .assert_eq(&refused(&hub, &story, 5_000).await);

        let application = begun(&hub, &story, hours(4_000)).await;
        let decided = hub.app.submit_application(&story.actor, application.id).await.unwrap();
        let State::Awarded { allocation, .. } = decided.state else { panic!("{decided:?}") };
        let lines = hub.app.aid_of(&story.actor, story.organisation).await.unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].line.allocation, Some(allocation));
        assert_eq!(lines[1].line.amount, Cents::euros(4_100).unwrap());
        assert_eq!(lines[1].rule, "policy/aid.toml#de-minimis@2024-01-01");
    }
}

/// Has `story` declare that `mother` holds all of its organisation.
async fn held_by(hub: &TestHub, story: &Story, mother: &Organisation) {
    let mut group = small_enterprise();
    let (key, subject) = ("mother".parse::<units::Slug>().unwrap(), group.subject.clone());
    let periods = group.members[&subject].periods.clone();
    let member = Enterprise {
        organisation: Some(mother.id),
        ..Enterprise::new(mother.name.clone(), EnterpriseKind::Enterprise, periods)
    };
    group.members.insert(key.clone(), member);
    group.holdings.push(Holding {
        holder: key,
        held: subject,
        capital: PartsPerMillion::ONE,
        voting: PartsPerMillion::ONE,
        control: None,
        invested: None,
    });
    hub.app.declare(&story.actor, story.organisation, group).await.unwrap();
}

#[tokio::test]
async fn enterprises_that_are_one_undertaking_have_one_ceiling() {
    for hub in hub_of_a_state().await {
        let (mother, daughter) = (story(&hub, "mother").await, story(&hub, "daughter").await);
        let aid = other_aid(300_000, "2026-01-15");
        hub.app.declare_aid(&mother.actor, mother.organisation, aid).await.unwrap();
        let organisation = hub.app.organisation(&mother.actor, mother.organisation).await.unwrap();
        held_by(&hub, &daughter, &organisation).await;
        assert!(refused(&hub, &daughter, 1).await.contains("EUR 0.00 are left"));
        let seen = hub.app.aid_of(&mother.actor, mother.organisation).await.unwrap();
        let too = hub.app.aid_of(&daughter.actor, daughter.organisation).await.unwrap();
        assert_eq!(seen, too);
    }
}

#[tokio::test]
async fn hours_of_the_union_are_no_aid_by_default() {
    let hub = TestHub::new().await;
    let story = story(&hub, "ada").await;
    let aid = other_aid(300_000, "2026-01-15");
    hub.app.declare_aid(&story.actor, story.organisation, aid).await.unwrap();
    let application = begun(&hub, &story, hours(5_000)).await;
    let decided = hub.app.submit_application(&story.actor, application.id).await.unwrap();
    assert!(matches!(decided.state, State::Awarded { .. }));
    assert_eq!(hub.app.aid_of(&story.actor, story.organisation).await.unwrap().len(), 1);
}

#[tokio::test]
async fn officers_read_and_export_the_register_by_state_and_day() {
    for hub in TestHub::each().await {
        let story = story(&hub, "ada").await;
        let (actor, id) = (&story.actor, story.organisation);
        hub.app.declare_aid(actor, id, other_aid(1_000, "2025-03-01")).await.unwrap();
        let swedish = OtherAid {
            state: "SE".parse().unwrap(),
            authority: "=Vinnova, \"north\"".to_owned(),
            ..other_aid(2_000, "2026-03-01")
        };
        hub.app.declare_aid(actor, id, swedish).await.unwrap();
        let all = AidFilter::default();
        assert!(matches!(hub.app.aid_register(actor, &all, 10).await, Err(Error::Forbidden(_))));
        let (_, officer) = hub.person("o", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
        let of_state = AidFilter { state: Some("LU".parse().unwrap()), ..AidFilter::default() };
        let found = hub.app.aid_register(&officer, &of_state, 10).await.unwrap();
        assert_eq!(found.len(), 1);
        let of_days = AidFilter {
            from: Some("2026-01-01".parse().unwrap()),
            to: Some("2026-12-31".parse().unwrap()),
            ..AidFilter::default()
        };
        let text = hub.app.export_aid(&officer, &of_days).await.unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(HEADING));
        let row = lines.next().unwrap();
        let expected = "ada,,LU,2000.00,2026-03-01,SE,\"'=Vinnova, \"\"north\"\"\",grant,space,\
                        Regulation (EU) 2023/2831,";
        assert!(row.starts_with(expected), "{row}");
        assert_eq!(lines.next(), None);
    }
}

#[tokio::test]
async fn aid_that_cannot_be_is_refused_by_its_field() {
    let hub = TestHub::new().await;
    let story = story(&hub, "ada").await;
    let wrong = OtherAid { authority: " ".to_owned(), ..other_aid(0, "2026-11-22") };
    let declared = hub.app.declare_aid(&story.actor, story.organisation, wrong).await;
    let Err(Error::Invalid(faults)) = declared else { panic!("{declared:?}") };
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["authority", "amount_cents", "granted_on"]);
}
