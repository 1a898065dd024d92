mod hours;

use access::allocation::Stage;
use access::application::{Check, Draft, Finding, State};
use access::document::Document;
use jiff::SignedDuration;
use store::ledger::Memo;
use units::{EntryId, JobId, ProjectId};

use super::*;
use crate::Role;
use crate::applications::tests::{Story, begun, draft, story};
use crate::testing::{TestHub, rules_where};
use crate::{Parts, federation::Rules};

/// An award of 4 000 hours, and an officer.
async fn awarded(hub: &TestHub) -> (Story, Actor, AllocationId, ProjectId) {
    let story = story(hub, "ada").await;
    let application = begun(hub, &story, draft(4_000)).await;
    let decided = hub.app.submit_application(&story.actor, application.id).await.unwrap();
    let State::Awarded { allocation, project, .. } = decided.state else {
        panic!("{:?}", decided.state)
    };
    let (_, officer) = hub.person("officer", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    (story, officer, allocation, project)
}

async fn sound_books(hub: &TestHub, officer: &Actor) {
    assert!(hub.app.check_ledger(officer, |_| {}).await.unwrap().outcome.is_ok());
}

async fn left(hub: &TestHub, actor: &Actor, id: AllocationId) -> Work {
    let view = hub.app.allocation(actor, id).await.unwrap();
    Work::seconds(view.balance.values().map(|part| part.available.count()).sum())
}

fn edited(edits: &'static [(&'static str, &'static str)]) -> Rules {
    rules_where(|document: &mut Document| {
        for (from, to) in edits {
            document.text = document.text.replacen(from, to, 1);
        }
    })
}

#[tokio::test]
async fn what_is_suspended_takes_nothing_until_it_is_resumed_and_its_project_reads_why() {
    for hub in TestHub::each().await {
        let (story, officer, id, _) = awarded(&hub).await;
        let why = "the report is overdue";
        let held = hub.app.change_allocation(&officer, id, (Change::Suspend, why)).await.unwrap();
        assert!(matches!(held.stage(hub.app.now()), Stage::Suspended { .. }));
        assert!(held.usable(hub.app.now()).unwrap_err().ends_with(why));
        let twice = hub.app.change_allocation(&officer, id, (Change::Suspend, why)).await;
        assert!(matches!(twice, Err(Error::Refused(_))), "{twice:?}");
        let ada = hub.again(&story.actor).await;
        let own = hub.app.change_allocation(&ada, id, (Change::Resume, "please")).await;
        assert!(matches!(own, Err(Error::Forbidden(Action::SuspendAllocation))), "{own:?}");

        let (_, staff) = operator(&hub, "meluxina-ai").await;
        hub.clock.advance(SignedDuration::from_secs(60));
        let held =
            hub.app.change_allocation(&staff, id, (Change::Resume, "it came")).await.unwrap();
        assert!(held.usable(hub.app.now()).is_ok());
        let ended = hub.app.change_allocation(&staff, id, (Change::Terminate, "no")).await;
        assert!(matches!(ended, Err(Error::Forbidden(Action::ChangeAllocation))), "{ended:?}");
        let (_, other) = operator(&hub, "lumi-aif").await;
        let unknown = hub.app.change_allocation(&other, id, (Change::Suspend, "no")).await;
        assert!(matches!(unknown, Err(Error::NotFound("allocation"))), "{unknown:?}");

        let changes = hub.app.allocation_changes(&ada, id).await.unwrap();
        let told: Vec<_> = changes.iter().map(|it| (it.kind.name(), it.reason.as_str())).collect();
        assert_eq!(told, [("suspended", why), ("resumed", "it came")]);
        let object = format!("allocation:{id}");
        let trail = hub.app.audit_trail(&officer, Some(&object), None, 10).await.unwrap();
        assert_eq!(trail.len(), 2);
        let empty = hub.app.change_allocation(&officer, id, (Change::Suspend, " ")).await;
        assert!(matches!(empty, Err(Error::Invalid(_))), "{empty:?}");
    }
}

async fn operator(hub: &TestHub, factory: &str) -> (units::PersonId, Actor) {
    let scope = Scope::Factory(factory.parse().unwrap());
    hub.person(factory, &[(Role::SiteOperator, scope)]).await
}

#[tokio::test]
async fn what_is_terminated_gives_its_hours_back_at_once_but_for_those_that_jobs_hold() {
    for hub in TestHub::each().await {
        let (_, officer, id, _) = awarded(&hub).await;
        let job = JobId::from_uuid(hub.app.clock().mint());
        let tx = hub.app.store().write().await.unwrap();
        let memo = || hub.app.memo(&Actor::system(), "a job".to_owned());
        let hour = Work::hours(1).unwrap();
        store::ledger::hold(&tx, memo(), id, job, hour).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        hub.clock.advance(SignedDuration::from_secs(60));
        let why = "the project was given up";
        let ended = hub.app.change_allocation(&officer, id, (Change::Terminate, why)).await;
        assert_eq!(ended.unwrap().stage(hub.app.now()).name(), "closed");
        assert_eq!(left(&hub, &officer, id).await, Work::ZERO);
        let key = "meluxina-ai.gpu".parse().unwrap();
        let pools = hub.app.partition_pools(&officer, &key, hub.app.now()).await.unwrap();
        let union = pools.opened.iter().find(|(pool, _)| pool.payer == Payer::Union).unwrap();
        assert_eq!(union.0.amount.minus(union.1), Ok(hour));

        let tx = hub.app.store().write().await.unwrap();
        store::ledger::release(&tx, memo(), job).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(hub.app.keep_house().await.unwrap().allocations_lapsed, 1);
        let pools = hub.app.partition_pools(&officer, &key, hub.app.now()).await.unwrap();
        let union = pools.opened.iter().find(|(pool, _)| pool.payer == Payer::Union).unwrap();
        assert_eq!(union.0.amount, union.1);
        let late =
            hub.app.change_allocation(&officer, id, (Change::Extend { months: 1 }, why)).await;
        assert!(matches!(late, Err(Error::Refused(_))), "{late:?}");
        sound_books(&hub, &officer).await;
    }
}

#[tokio::test]
async fn an_award_is_extended_and_supplemented_as_far_as_policy_allows() {
    for hub in TestHub::each().await {
        let (_, officer, id, project) = awarded(&hub).await;
        let more = Change::Extend { months: 1 };
        let refused = hub.app.change_allocation(&officer, id, (more, "why not")).await.unwrap_err();
        assert!(refused.to_string().contains("it may last 3 months"), "{refused}");

        let supplement = Change::Supplement { hours: 700 };
        let why = (supplement, "the first model was good");
        let held = hub.app.change_allocation(&officer, id, why).await.unwrap();
        assert_eq!(held.amount, Work::hours(4_700).unwrap());
        assert_eq!(left(&hub, &officer, id).await, held.amount);
        let shares = hub.app.allocation(&officer, id).await.unwrap().shares;
        assert_eq!(shares.iter().map(|share| share.amount).collect::<Vec<_>>(), [held.amount]);
        let too_much = Change::Supplement { hours: 4_000_000 };
        let refused =
            hub.app.change_allocation(&officer, id, (too_much, "more")).await.unwrap_err();
        let Error::Refused(reasons) = refused else { panic!("{refused:?}") };
        assert!(reasons.iter().any(|reason| reason.rule == "pool"), "{reasons:?}");
        assert!(reasons.iter().any(|reason| reason.rule.contains("#industrial@")), "{reasons:?}");
        sound_books(&hub, &officer).await;

        let rules = edited(&[(
            "months_total_max = { value = 3, source = \"programme\" }",
            "months_total_max = { value = 6, source = \"programme\" }",
        )]);
        let longer = App::new(Parts { rules, ..(*hub.app.parts).clone() });
        let held = longer.change_allocation(&officer, id, (more, "a month down")).await.unwrap();
        assert_eq!(held.period.to_string(), "2026-11-21 to 2027-03-21");
        let seen = longer.project_allocations(&officer, project).await.unwrap();
        assert_eq!(seen[0].allocation.period, held.period);
        let changes = longer.allocation_changes(&officer, id).await.unwrap();
        let before = store::allocations::before(&changes);
        assert_eq!((before.months, before.hours), (1, Work::hours(700).unwrap()));
    }
}

#[tokio::test]
async fn jobs_hold_no_more_than_what_is_released_this_month() {
    for mut hub in TestHub::each().await {
        let monthly = edited(&[("systems = [\"meluxina\"]", "systems = [\"meluxina-ai\"]")]);
        hub.app = App::new(Parts { rules: monthly, ..(*hub.app.parts).clone() });
        let (_, officer, id, _) = awarded(&hub).await;
        let view = hub.app.allocation(&officer, id).await.unwrap();
        let released = view.released.unwrap();
        // From the 21st of November at nine until December, of 92 days.
        assert_eq!(released.period.end().to_string(), "2026-12-01T00:00:00Z");
        assert_eq!(released.quota.count(), 4_000 * 3_600 * (231 * 3_600) / (92 * 86_400));
        let tx = hub.app.store().write().await.unwrap();
        let asked = |work| hub.app.within_release(&tx, &view.allocation, work);
        assert!(asked(released.quota).await.is_ok());
        let beyond = Work::seconds(released.quota.count() + 1);
        let refused = asked(beyond).await.unwrap_err().to_string();
        assert!(
            refused.contains("left of what is released until 2026-12-01T00:00:00Z"),
            "{refused}"
        );

        let memo = |text: &str| {
            let Memo { stamp, .. } = hub.app.memo(&Actor::system(), text.to_owned());
            let stamp = ledger::Stamp::new(
                EntryId::from_uuid(hub.app.clock().mint()),
                stamp.at(),
                ledger::Author::Hub,
            );
            Memo { stamp, reason: text.to_owned() }
        };
        let job = JobId::from_uuid(hub.app.clock().mint());
        let some = Work::hours(100).unwrap();
        store::ledger::hold(&tx, memo("held"), id, job, some).await.unwrap().unwrap();
        assert!(asked(released.quota).await.is_err());
        store::ledger::settle(&tx, memo("used"), job, some).await.unwrap().unwrap();
        assert!(asked(Work::seconds(released.quota.count() - some.count())).await.is_ok());
        assert!(asked(released.quota).await.is_err());
        tx.commit().await.unwrap();

        hub.clock.advance(SignedDuration::from_hours(24 * 11));
        let officer = hub.again(&officer).await;
        let december = hub.app.allocation(&officer, id).await.unwrap().released.unwrap();
        assert_eq!((december.used, december.carried), (Work::ZERO, Work::ZERO));
        let days = december.quota.count() * 92 / (4_000 * 3_600);
        assert!((30..=31).contains(&days), "{days}");
    }
}

#[tokio::test]
async fn a_final_report_is_due_after_the_end_missed_when_it_is_late_and_taken_in_when_it_comes() {
    for hub in TestHub::each().await {
        let (story, officer, id, _) = awarded(&hub).await;
        let stage =
            async |actor: &Actor| hub.app.allocation(actor, id).await.unwrap().report.name();
        assert_eq!(stage(&officer).await, "later");
        assert_eq!(hub.app.missing_reports(&officer).await.unwrap().len(), 0);
        hub.clock.advance(SignedDuration::from_hours(24 * 93));
        let officer = hub.again(&officer).await;
        assert_eq!(stage(&officer).await, "due");
        hub.clock.advance(SignedDuration::from_hours(24 * 90));
        let (ada, officer) = (hub.again(&story.actor).await, hub.again(&officer).await);
        let missing = hub.app.missing_reports(&officer).await.unwrap();
        assert_eq!(missing.iter().map(|(_, it)| it.name()).collect::<Vec<_>>(), ["overdue"]);
        assert!(matches!(hub.app.missing_reports(&ada).await, Err(Error::Forbidden(_))));

        let foreign = hub.app.hand_in_report(&officer, id, "not mine").await;
        assert!(matches!(foreign, Err(Error::Forbidden(Action::HandInReport))), "{foreign:?}");
        assert!(matches!(hub.app.hand_in_report(&ada, id, " ").await, Err(Error::Invalid(_))));
        hub.app.hand_in_report(&ada, id, "It worked.").await.unwrap();
        hub.app.hand_in_report(&ada, id, "It worked, we think.\n").await.unwrap();
        assert_eq!(stage(&ada).await, "handed-in");
        let report = hub.app.report(&officer, id).await.unwrap().unwrap();
        assert_eq!(report.content, "It worked, we think.");
        assert_eq!(hub.app.missing_reports(&officer).await.unwrap().len(), 0);
    }
}
