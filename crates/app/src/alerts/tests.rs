use expect_test::expect;
use jiff::SignedDuration;
use site::protocol::End;

use super::*;
use crate::Role;
use crate::Scope;
use crate::jobs::Submission;
use crate::jobs::tests::yard::{Yard, script};

/// The alerts of the yard's project, oldest first, as people read them.
async fn told(yard: &Yard) -> Vec<String> {
    let alerts = yard.app().project_alerts(&yard.ada, yard.project).await.unwrap();
    let line = |(allocation, record): &(Allocation, AlertRecord)| {
        format!("{}: {}", record.alert.rule.entry, record.alert.crossing.told(allocation))
    };
    alerts.iter().rev().map(line).collect()
}

/// Lets a job of `allocation` run for `seconds`.
async fn uses(yard: &Yard, allocation: AllocationId, seconds: i64) {
    let minutes = (seconds + 59) / 60;
    let asks = script(&format!("#SBATCH --time={minutes}"));
    let asks = Submission { allocation: Some(allocation), ..asks };
    let job = yard.submit(asks).await.unwrap().jobs.remove(0);
    yard.ends(job.id, End::Completed, seconds).await;
}

#[tokio::test]
async fn a_charge_that_crosses_thresholds_enters_each_of_them_once_with_its_rule() {
    for yard in Yard::each().await {
        let small = yard.small_allocation(4_000).await;
        uses(&yard, small, 1_999).await;
        assert_eq!(told(&yard).await, [""; 0]);
        uses(&yard, small, 1).await;
        let half = "half-used: 50 % are used: 0.56 GPU-h of 1.11 GPU-h";
        assert_eq!(told(&yard).await, [half]);
        uses(&yard, small, 10).await;
        assert_eq!(told(&yard).await, [half], "what was told is not told again");
        yard.hub.clock.advance(SignedDuration::from_secs(1));
        uses(&yard, small, 390).await;
        yard.hub.clock.advance(SignedDuration::from_secs(1));
        uses(&yard, small, 1_500).await;
        expect![[r#"
            half-used: 50 % are used: 0.56 GPU-h of 1.11 GPU-h
            three-quarters-used: 75 % are used: 1.08 GPU-h of 1.11 GPU-h
            nine-tenths-used: 90 % are used: 1.08 GPU-h of 1.11 GPU-h"#]]
        .assert_eq(&told(&yard).await.join("\n"));

        let (_, officer) =
            yard.hub.person("petra", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
        let object = format!("allocation:{small}");
        let trail = yard.app().audit_trail(&officer, Some(&object), None, 10).await.unwrap();
        assert_eq!(trail.len(), 3);
        assert!(trail.iter().all(|line| line.action == "allocation.alert"));
        assert_eq!(trail[2].rule, "policy/alerts.toml#half-used@2026-11-01");
        assert_eq!(trail[2].actor, "system");
    }
}

#[tokio::test]
async fn a_charge_that_is_not_committed_leaves_no_alert() {
    for yard in Yard::each().await {
        let small = yard.small_allocation(100).await;
        let tx = yard.app().store().write().await.unwrap();
        let memo = |reason: &str| yard.app().memo(&Actor::system(), reason);
        let job = units::JobId::from_uuid(yard.app().clock().mint());
        let used = Work::seconds(80);
        store::ledger::hold(&tx, memo("hold"), small, job, used).await.unwrap().unwrap();
        store::ledger::settle(&tx, memo("settle"), job, used).await.unwrap().unwrap();
        yard.app().alert_of_use(&tx, &BTreeSet::from([small])).await.unwrap();
        assert_eq!(store::alerts::crossed(&tx, small).await.unwrap().len(), 2);
        drop(tx);
        assert_eq!(told(&yard).await, [""; 0]);
    }
}

#[tokio::test]
async fn housekeeping_tells_once_of_hours_that_will_not_last_and_of_hours_left_over() {
    for yard in Yard::each().await {
        let small = yard.small_allocation(36_000).await;
        for _ in 0..10 {
            yard.hub.clock.advance(SignedDuration::from_hours(24));
            uses(&yard, small, 1_500).await;
        }
        let kept = yard.app().keep_house().await.unwrap();
        assert_eq!(kept.alerts_entered, 1);
        assert_eq!(yard.app().keep_house().await.unwrap().alerts_entered, 0);
        let early = told(&yard).await;
        assert!(early[0].starts_with("runs-out-early: nothing is likely to be left"), "{early:?}");

        yard.hub.clock.advance(SignedDuration::from_hours(24 * 40));
        let kept = yard.app().keep_house().await.unwrap();
        assert_eq!(kept.alerts_entered, 2, "both allocations would be left over: {kept:?}");
        let said = told(&yard).await;
        let untouched = "unused-at-end: more than 25 % are likely to be left at the end: \
                         5 000.00 GPU-h of 5 000.00 GPU-h";
        assert!(said.iter().any(|line| line == untouched), "{said:?}");
        assert_eq!(yard.app().keep_house().await.unwrap().alerts_entered, 0);
    }
}

#[tokio::test]
async fn alerts_are_for_those_who_may_see_the_project() {
    let yard = Yard::new().await;
    let (_, stranger) = yard.hub.person("eve", &[]).await;
    let refused = yard.app().project_alerts(&stranger, yard.project).await;
    assert!(matches!(refused, Err(Error::NotFound("project"))));
}
