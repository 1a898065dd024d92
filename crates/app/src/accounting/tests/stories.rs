use ::jobs::AccountPrefix;
use site::protocol::{Covered, End, Run};

use super::desk::{Desk, sums};
use crate::accounting::Cause;
use crate::jobs::tests::yard::here;
use crate::{Error, Role, Scope};

/// A run that was put back in the queue, or whatever else ended it.
fn ended(run: Run, state: &str) -> Run {
    Run { state: state.to_owned(), ..run }
}

#[tokio::test]
async fn a_job_that_was_submitted_by_hand_is_charged_to_the_allocation_of_its_account_once() {
    for desk in Desk::each().await {
        desk.pass(1_000);
        let run = desk.run(7, -500, 300);
        let receipt = desk.tell(std::slice::from_ref(&run)).await;
        assert_eq!((receipt.taken, receipt.repeated, receipt.passed_over), (1, 0, 0));
        assert_eq!(receipt.from, desk.now());
        assert_eq!(desk.used().await, 300);
        let receipt = desk.tell(&[run.clone(), run]).await;
        assert_eq!((receipt.taken, receipt.repeated), (0, 2));
        assert_eq!(desk.used().await, 300);
        desk.pass(86_400);
        desk.tell(&[]).await;
        let day = desk.day("2026-11-21").await;
        assert_eq!(sums(&day), (300, 300, vec![]));
        assert!(day.agrees(), "{day:?}");
        desk.yard.audit().await;
    }
}

#[tokio::test]
async fn what_the_accounting_says_of_a_job_of_the_hub_corrects_what_its_end_said() {
    for desk in Desk::each().await {
        let job = desk.yard.job("#SBATCH --time=60").await;
        desk.yard.ends(job.id, End::Completed, 100).await;
        let before = desk.used().await;
        assert_eq!(before, 100);
        desk.pass(1_000);
        let run = desk.of(job.id, Run { energy_joules: Some(42), ..desk.run(7, -1_000, 90) });
        desk.tell(&[run]).await;
        assert_eq!(desk.used().await, 90);
        assert_eq!(desk.yard.look(job.id).await.charged.unwrap().count(), 90);
        let day = desk.today().await;
        assert_eq!((day.accounted.count(), day.charged.count()), (90, 90));
        assert_eq!(day.energy_joules, 42);
        desk.yard.audit().await;
    }
}

#[tokio::test]
async fn every_run_of_a_job_that_was_requeued_preempted_or_lost_its_node_is_charged() {
    for desk in Desk::each().await {
        let job = desk.yard.job("#SBATCH --time=60").await;
        desk.yard.ends(job.id, End::Completed, 50).await;
        desk.pass(2_000);
        let runs = [
            ended(desk.run(7, -1_900, 100), "REQUEUED"),
            ended(desk.run(7, -1_700, 30), "PREEMPTED"),
            ended(desk.run(7, -1_500, 20), "NODE_FAIL"),
            desk.run(7, -1_400, 50),
        ];
        for run in runs {
            desk.tell(&[desk.of(job.id, run)]).await;
        }
        assert_eq!(desk.used().await, 200);
        let day = desk.today().await;
        assert_eq!((day.runs, day.ran_seconds), (4, 200));
        assert_eq!((day.accounted, day.charged), (day.accounted, day.accounted));
        desk.yard.audit().await;
    }
}

#[tokio::test]
async fn a_job_is_charged_when_its_last_run_has_ended_and_the_hub_has_heard_of_it() {
    for desk in Desk::each().await {
        let job = desk.yard.job("#SBATCH --time=60").await;
        desk.pass(1_000);
        let first = desk.of(job.id, ended(desk.run(7, -900, 100), "REQUEUED"));
        let second = desk.of(job.id, desk.run(7, -300, 200));
        let runs = Run { ended: None, ran_seconds: 0, state: "RUNNING".into(), ..second.clone() };
        desk.tell(&[first, runs]).await;
        let waits = sums(&desk.today().await);
        assert_eq!(waits, (100, 0, vec![Cause::NotReported, Cause::StillRuns]));
        desk.tell(&[second]).await;
        let waits = sums(&desk.today().await);
        assert_eq!(waits, (300, 0, vec![Cause::NotReported, Cause::EndNotHeard]));
        assert_eq!(desk.used().await, 0);
        desk.yard.ends(job.id, End::Completed, 200).await;
        desk.tell(&[]).await;
        assert_eq!(desk.used().await, 300);
        desk.pass(86_400);
        desk.tell(&[]).await;
        assert_eq!(sums(&desk.day("2026-11-21").await), (300, 300, vec![]));
    }
}

#[tokio::test]
async fn suspended_time_is_told_and_not_charged() {
    for desk in Desk::each().await {
        desk.pass(1_000);
        let run = desk.run(7, -900, 100);
        desk.tell(&[Run { suspended_seconds: 60, ran_seconds: 40, ..run }]).await;
        let day = desk.today().await;
        assert_eq!((day.ran_seconds, day.suspended_seconds, day.charged.count()), (40, 60, 40));
        assert_eq!(desk.used().await, 40);
    }
}

#[tokio::test]
async fn an_account_that_nobody_granted_is_listed_and_all_others_are_not_even_kept() {
    for desk in Desk::each().await {
        desk.pass(1_000);
        let of = |number, account: &str| Run {
            account: account.to_owned(),
            ..desk.run(number, -900, 100)
        };
        let receipt = desk.tell(&[of(1, "usine_by_hand"), of(2, "physics")]).await;
        assert_eq!((receipt.taken, receipt.passed_over), (1, 1));
        let day = desk.today().await;
        let unknown = day.differences.iter().find(|it| it.cause == Cause::UnknownAccount).unwrap();
        assert_eq!((unknown.label.as_str(), unknown.amount.count()), ("usine_by_hand", 100));
        assert_eq!((day.runs, desk.used().await), (0, 0));
    }
}

#[tokio::test]
async fn the_comment_of_another_persons_job_charges_nobody_elses_hours() {
    for desk in Desk::each().await {
        let job = desk.yard.job("#SBATCH --time=60").await;
        desk.yard.ends(job.id, End::Completed, 100).await;
        desk.pass(1_000);
        let eve = vec![site::protocol::login_digest("eve@example.org")];
        let forged = |account: &str| Run {
            persons: eve.clone(),
            account: account.to_owned(),
            ..desk.of(job.id, desk.run(9, -900, 500))
        };
        let receipt = desk.tell(&[forged("physics")]).await;
        assert_eq!(receipt.passed_over, 1);
        assert_eq!(desk.used().await, 100);
    }
}

#[tokio::test]
async fn what_an_allocation_cannot_pay_any_more_the_site_bears() {
    for desk in Desk::each().await {
        let small = desk.yard.small_allocation(50).await;
        let account = ::jobs::AccountPrefix::default().of_allocation(small);
        desk.pass(1_000);
        desk.tell(&[Run { account, ..desk.run(7, -900, 80) }]).await;
        assert_eq!(desk.yard.balance(small).await, (0, 0, 50));
        let day = desk.today().await;
        assert_eq!((day.accounted, day.charged.count()), (day.charged, 80));
        let borne = day.differences.iter().find(|it| it.cause == Cause::SiteBears).unwrap();
        assert_eq!(borne.amount.count(), 30);
        desk.yard.audit().await;
    }
}

#[tokio::test]
async fn a_charge_of_which_the_accounting_knows_nothing_is_listed() {
    for desk in Desk::each().await {
        let job = desk.yard.job("#SBATCH --time=60").await;
        desk.yard.ends(job.id, End::Completed, 100).await;
        desk.pass(86_400);
        desk.tell(&[]).await;
        let day = desk.day("2026-11-21").await;
        assert_eq!(sums(&day), (0, 100, vec![Cause::MissingInAccounting]));
        assert_eq!(day.differences[0].amount.count(), -100);
        assert!(!day.agrees());
    }
}

#[tokio::test]
async fn a_job_that_was_never_said_to_run_and_did_is_charged_all_the_same() {
    for desk in Desk::each().await {
        let job = desk.yard.job("#SBATCH --time=60").await;
        desk.yard.report(job.id, site::protocol::EventBody::Refused { reason: "no".into() }).await;
        desk.pass(1_000);
        desk.tell(&[desk.of(job.id, desk.run(7, -900, 30))]).await;
        assert_eq!(desk.used().await, 30);
        assert_eq!(desk.yard.look(job.id).await.charged.unwrap().count(), 30);
        desk.yard.audit().await;
    }
}

#[tokio::test]
async fn what_a_site_puts_right_later_is_corrected_in_the_ledger() {
    for desk in Desk::each().await {
        desk.pass(5_000);
        let run = desk.run(7, -4_000, 3_000);
        desk.tell(std::slice::from_ref(&run)).await;
        let right = Run { ended: desk.run(7, -4_000, 10).ended, ran_seconds: 10, ..run };
        desk.tell(&[right]).await;
        assert_eq!(desk.used().await, 10);
        let day = desk.today().await;
        assert_eq!((day.accounted.count(), day.charged.count()), (10, 10));
        desk.yard.audit().await;
    }
}

#[tokio::test]
async fn the_hub_says_from_when_on_it_wants_to_be_told_and_a_gap_is_not_passed_over() {
    for desk in Desk::each().await {
        let app = desk.yard.app();
        let never = app.account_again(&desk.operator, &here(), desk.now()).await;
        assert!(matches!(never, Err(Error::Conflict(_))), "{never:?}");
        let first = desk.tell(&[]).await.from;
        desk.pass(1_000);
        let late = units::Timestamp::from_second(first.as_second() + 10).unwrap();
        let gap = Covered { from: late, to: desk.now() };
        assert_eq!(desk.say(vec![], Some(gap)).await.from, first);
        let ahead = units::Timestamp::from_second(desk.now().as_second() + 900).unwrap();
        let beyond = Covered { from: first, to: ahead };
        assert_eq!(desk.say(vec![], Some(beyond)).await.from, desk.now());
        app.account_again(&desk.operator, &here(), late).await.unwrap();
        assert_eq!(desk.say(vec![], None).await.from, late);
    }
}

#[tokio::test]
async fn only_staff_of_the_factory_see_and_move_the_accounting_of_a_site() {
    let desk = Desk::each().await.remove(0);
    let app = desk.yard.app();
    let other = Scope::Factory("lumi-aif".parse().unwrap());
    let (_, other) = desk.yard.hub.person("p", &[(Role::SiteOperator, other)]).await;
    for actor in [&other, &desk.yard.ada] {
        let seen = app.reconcile(actor, &here(), (None, None)).await;
        assert!(matches!(seen, Err(Error::NotFound(_) | Error::Forbidden(_))), "{seen:?}");
        let moved = app.account_again(actor, &here(), desk.now()).await;
        assert!(matches!(moved, Err(Error::NotFound(_) | Error::Forbidden(_))), "{moved:?}");
    }
}

#[tokio::test]
async fn the_past_of_a_site_is_imported_once_by_the_accounts_that_are_named() {
    for desk in Desk::each().await {
        desk.pass(100_000);
        let app = desk.yard.app();
        let of = |number, account: &str| Run {
            account: account.to_owned(),
            ..desk.run(number, -90_000, 100)
        };
        let runs = [of(1, "p200"), of(2, "p201"), desk.run(3, -90_000, 7)];
        let named = [("p200".to_owned(), desk.yard.allocation)].into();
        for taken in [2, 0] {
            let done = app.import_runs(&desk.operator, &here(), "c1", &named, &runs).await.unwrap();
            let (done, prefix) = done;
            assert_eq!(prefix.to_string(), "usine_", "no agent has told another");
            assert_eq!((done.taken, done.repeated, done.passed_over), (taken, 2 - taken, 1));
            assert_eq!(desk.used().await, 107);
        }
        let elsewhere = units::AllocationId::from_uuid(uuid::Uuid::nil());
        let wrong = [("p200".to_owned(), elsewhere)].into();
        let refused = app.import_runs(&desk.operator, &here(), "c1", &wrong, &runs).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        desk.yard.audit().await;
    }
}

#[tokio::test]
async fn the_past_of_a_site_is_imported_by_the_names_that_its_agent_gives_accounts() {
    for desk in Desk::each().await {
        desk.pass(100_000);
        let app = desk.yard.app();
        desk.say_as("past_", Vec::new()).await;
        let prefix: AccountPrefix = "past_".parse().unwrap();
        let account = prefix.of_allocation(desk.yard.allocation);
        let runs = [Run { account, ..desk.run(1, -90_000, 100) }, desk.run(2, -90_000, 7)];
        let none = std::collections::BTreeMap::new();
        let imported = app.import_runs(&desk.operator, &here(), "c1", &none, &runs).await.unwrap();
        assert_eq!(imported.1, prefix);
        assert_eq!((imported.0.taken, imported.0.passed_over), (1, 1));
        assert_eq!(desk.used().await, 100);
        desk.yard.audit().await;
    }
}
