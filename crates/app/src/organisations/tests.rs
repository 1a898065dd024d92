use access::organisation::{OrganisationKind, Verified};
use access::sme::{Relation, SizeClass};
use units::OrganisationId;

use super::*;
use crate::Ability;
use crate::permission::Abilities;
use crate::testing::{TestHub, small_enterprise};

pub(crate) fn enterprise(name: &str) -> NewOrganisation {
    NewOrganisation {
        name: name.to_owned(),
        kind: OrganisationKind::Enterprise,
        country: "LU".parse().unwrap(),
        legal_form: Some("S.à r.l.".to_owned()),
        registration: None,
        sector: Some("space".to_owned()),
        nace: None,
        registered_on: Some("2024-05-01".parse().unwrap()),
    }
}

/// A registered organisation, and its representative with the grants of today.
async fn registered(hub: &TestHub, name: &str) -> (OrganisationId, Actor) {
    let (_, actor) = hub.person(name, &[]).await;
    let organisation = hub.app.register_organisation(&actor, enterprise(name)).await.unwrap();
    (organisation.id, hub.again(&actor).await)
}

#[tokio::test]
async fn a_declaration_is_assessed_with_reasons_and_kept() {
    for hub in TestHub::each().await {
        let (id, actor) = registered(&hub, "ada").await;
        let missing = hub.app.assessment(&actor, id).await.unwrap_err();
        assert!(matches!(missing, Error::NotFound("declaration")));
        let declaration = hub.app.declare(&actor, id, small_enterprise()).await.unwrap();
        assert_eq!(declaration.assessment.class, SizeClass::Small);
        assert_eq!(declaration.assessment.relation, Relation::Autonomous);
        assert!(declaration.start_up.holds && !declaration.assessment.lines.is_empty());
        assert_eq!(hub.app.assessment(&actor, id).await.unwrap(), declaration);
    }
}

#[tokio::test]
async fn an_incomplete_declaration_says_what_is_missing() {
    let hub = TestHub::new().await;
    let (id, actor) = registered(&hub, "ada").await;
    let mut group = small_enterprise();
    let subject = group.subject.clone();
    group.members.get_mut(&subject).unwrap().periods.clear();
    let Err(Error::Invalid(faults)) = hub.app.declare(&actor, id, group).await else {
        panic!("assessed without accounts");
    };
    assert_eq!(faults[0].text, "Aurore (self): no accounting period is given");
}

#[tokio::test]
async fn strangers_do_not_learn_that_an_organisation_exists() {
    let hub = TestHub::new().await;
    let (id, owner) = registered(&hub, "ada").await;
    let (_, stranger) = registered(&hub, "bob").await;
    assert!(matches!(hub.app.organisation(&stranger, id).await, Err(Error::NotFound(_))));
    let declared = hub.app.declare(&stranger, id, small_enterprise()).await;
    assert!(matches!(declared, Err(Error::NotFound(_))));
    assert_eq!(hub.app.organisations(&owner, &Filter::default(), 10).await.unwrap().len(), 1);
    let (_, officer) = hub.person("officer", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    assert_eq!(hub.app.organisations(&officer, &Filter::default(), 10).await.unwrap().len(), 2);
    assert!(matches!(
        hub.app.declare(&officer, id, small_enterprise()).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        hub.app.organisations(&Actor::anonymous(), &Filter::default(), 10).await,
        Err(Error::NotSignedIn)
    ));
}

#[tokio::test]
async fn a_representative_brings_in_members_by_their_address() {
    let hub = TestHub::new().await;
    let (id, actor) = registered(&hub, "ada").await;
    let (grace, _) = hub.person("grace", &[]).await;
    hub.clock.advance(jiff::SignedDuration::from_secs(1));
    let added = hub.app.add_organisation_member(
        &actor,
        id,
        ("Grace@example.org", Role::OrganisationRepresentative),
    );
    assert_eq!(added.await.unwrap().person, grace);
    let unknown = hub.app.add_organisation_member(&actor, id, ("x@example.org", Role::User)).await;
    assert!(matches!(unknown, Err(Error::Invalid(_))));
    let wrong = hub.app.add_organisation_member(&actor, id, ("grace@example.org", Role::Reviewer));
    assert!(matches!(wrong.await, Err(Error::Invalid(_))));
    let members = hub.app.organisation_members(&actor, id).await.unwrap();
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["ada", "grace"]);
}

#[tokio::test]
async fn the_same_registration_is_put_on_record_once() {
    for hub in TestHub::each().await {
        let (_, actor) = hub.person("ada", &[]).await;
        let new = || NewOrganisation {
            registration: Some("LU26375245".to_owned()),
            ..enterprise("Aurore")
        };
        hub.app.register_organisation(&actor, new()).await.unwrap();
        let again = hub.app.register_organisation(&actor, new()).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    }
}

#[tokio::test]
async fn what_is_not_valid_is_named_by_its_field() {
    let hub = TestHub::new().await;
    let (_, actor) = hub.person("ada", &[]).await;
    let new = NewOrganisation {
        name: " ".to_owned(),
        sector: Some("x".repeat(201)),
        registration: Some("LU26375246".to_owned()),
        nace: Some("J62.01".to_owned()),
        registered_on: Some("2027-01-01".parse().unwrap()),
        ..enterprise("Aurore")
    };
    let Err(Error::Invalid(faults)) = hub.app.register_organisation(&actor, new).await else {
        panic!("registered");
    };
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["name", "sector", "registration", "nace", "registered_on"]);
    assert!(faults[3].text.contains("lies in section K"), "{faults:?}");
}

#[tokio::test]
async fn a_token_that_only_reads_does_not_register() {
    let hub = TestHub::new().await;
    let (_, actor) = hub.person("ada", &[]).await;
    let abilities = Abilities::of([Ability::Read]);
    let reading = Actor::person(actor.person_id().unwrap(), Vec::new(), abilities);
    let refused = hub.app.register_organisation(&reading, enterprise("Aurore")).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn a_declaration_is_relied_on_for_a_year_and_assessed_again_whenever_it_is() {
    let hub = TestHub::new().await;
    let (id, actor) = registered(&hub, "ada").await;
    let declaration = hub.app.declare(&actor, id, small_enterprise()).await.unwrap();
    let until = hub.app.declaration_valid_until(&declaration).unwrap();
    assert_eq!(until.to_string(), "2027-11-20");
    let organisation = hub.app.organisation(&actor, id).await.unwrap();
    let known = async |hub: &TestHub| {
        let tx = hub.app.store().read().await.unwrap();
        hub.app.applicant(&tx, &organisation).await.unwrap()
    };
    hub.clock.advance(jiff::SignedDuration::from_hours(24 * 364));
    let applicant = known(&hub).await;
    assert_eq!(applicant.assessment.unwrap().class, SizeClass::Small);
    let young = applicant.start_up.unwrap();
    assert!(young.reasons[1].starts_with("registered 3 whole years ago"), "{young:?}");
    hub.clock.advance(jiff::SignedDuration::from_hours(24));
    let applicant = known(&hub).await;
    assert_eq!((applicant.assessment, applicant.start_up), (None, None));
}

#[tokio::test]
async fn a_verification_names_its_evidence_and_is_not_made_by_ones_own() {
    for hub in TestHub::each().await {
        let (id, own) = registered(&hub, "ada").await;
        let (_, officer) = hub.person("o", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
        let seen = "extract of the register of 2026-11-02";
        let refused = hub.app.verify_organisation(&own, id, (Verified::Identity, seen)).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
        let nothing = hub.app.verify_organisation(&officer, id, (Verified::Size, seen)).await;
        assert!(matches!(nothing, Err(Error::Invalid(_))));
        let blank = hub.app.verify_organisation(&officer, id, (Verified::Identity, " ")).await;
        assert!(matches!(blank, Err(Error::Invalid(_))));
        let identity = (Verified::Identity, seen);
        hub.app.verify_organisation(&officer, id, identity).await.unwrap();
        let declaration = hub.app.declare(&own, id, small_enterprise()).await.unwrap();
        hub.clock.advance(jiff::SignedDuration::from_secs(1));
        let accounts = (Verified::Size, "accounts of 2025, audited");
        let size = hub.app.verify_organisation(&officer, id, accounts).await.unwrap();
        assert_eq!(size.declaration, Some(declaration.id));
        let found = hub.app.verifications(&own, id).await.unwrap();
        assert_eq!(found[0], size);
        assert_eq!((found.len(), found[0].name.as_str()), (2, "o"));
    }
}

#[tokio::test]
async fn an_officer_does_not_verify_an_organisation_of_their_own() {
    let hub = TestHub::new().await;
    let (id, _) = registered(&hub, "ada").await;
    let roles =
        [(Role::ProgrammeOfficer, Scope::Federation), (Role::User, Scope::Organisation(id))];
    let (_, officer) = hub.person("o", &roles).await;
    let refused = hub.app.verify_organisation(&officer, id, (Verified::Identity, "it")).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn representatives_are_told_sixty_and_fourteen_days_before_a_declaration_ends_and_then() {
    for hub in TestHub::each().await {
        let (id, actor) = registered(&hub, "ada").await;
        hub.app.declare(&actor, id, small_enterprise()).await.unwrap();
        let told = async |hub: &TestHub| {
            hub.app.keep_house().await.unwrap();
            let actor = hub.again(&actor).await;
            let inbox = hub.app.inbox(&actor, (false, None), 50).await.unwrap();
            let kinds = inbox.iter().rev().map(|it| it.notice.kind.clone());
            kinds.filter(|kind| kind.starts_with("declaration.")).collect::<Vec<_>>()
        };
        let (soon, end) = ("declaration.ends", "declaration.ended");
        let steps: [(i64, &[&str]); 6] = [
            (300, &[]),
            (5, &[soon]),
            (40, &[soon]),
            (6, &[soon, soon]),
            (14, &[soon, soon, end]),
            (30, &[soon, soon, end]),
        ];
        for (days, expected) in steps {
            hub.clock.advance(jiff::SignedDuration::from_hours(24 * days));
            assert_eq!(told(&hub).await, expected, "after another {days} days");
        }
        let actor = hub.again(&actor).await;
        hub.app.declare(&actor, id, small_enterprise()).await.unwrap();
        assert_eq!(told(&hub).await.len(), 3, "the new one ends in a year");
    }
}
