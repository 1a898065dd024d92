use site::protocol::{
    Events, Policy, Running, Share, Snapshot, SnapshotJob, SnapshotNode, VERSION,
};
use units::{JobId, Timestamp};

use super::yard::{Yard, here, script};
use crate::Error;
use crate::jobs::{Cause, Limits, Sooner, Submission};

/// A node of 8 cores on which a stranger runs since now, for up to an hour, on all of them.
fn busy(yard: &Yard) -> Snapshot {
    let job = SnapshotJob {
        job: None,
        nodes: 1,
        cpus_per_node: 8,
        memory_mb_per_node: 1_000,
        gpus_per_node: 0,
        features: Vec::new(),
        time_limit_seconds: 3_600,
    };
    let share = Share { node: "n1".to_owned(), cpus: 8, memory_mb: 1_000, gpus: 0 };
    let node = SnapshotNode {
        name: "n1".to_owned(),
        up: true,
        cpus: 8,
        memory_mb: 32 * 1_024,
        gpus: 0,
        features: Vec::new(),
    };
    let now = yard.app().now();
    Snapshot {
        at: now,
        policy: Policy::Easy,
        shared: true,
        nodes: vec![node],
        running: vec![Running { job, started: now, shares: vec![share] }],
        waiting: Vec::new(),
    }
}

async fn shows(yard: &Yard, snapshot: Snapshot) -> Result<(), Error> {
    let events = Vec::new();
    let batch = Events {
        version: VERSION,
        inventory: None,
        snapshot: Some(snapshot),
        health: None,
        events,
    };
    yard.app().take_events(&yard.agent, &here(), batch).await.map(|_| ())
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_second(at.as_second() + seconds).unwrap()
}

#[tokio::test]
async fn a_job_behind_a_stranger_is_told_when_the_stranger_must_have_ended() {
    for yard in Yard::each().await {
        let now = yard.app().now();
        let first = yard.job("#SBATCH --time=10 --cpus-per-task=4").await.id;
        let second = yard.job("#SBATCH --time=10 --cpus-per-task=8").await.id;
        let unseen = yard.app().job_outlook(&yard.ada, first).await.unwrap();
        assert!(matches!(unseen.causes[..], [Cause::OnItsWay { .. }, Cause::NotShown]));
        assert_eq!(unseen.expected, None);
        shows(&yard, busy(&yard)).await.unwrap();
        let outlook = yard.app().job_outlook(&yard.ada, first).await.unwrap();
        let [Cause::OnItsWay { .. }, Cause::NotFree { nodes_free: 0, nodes_asked: 1, free }] =
            outlook.causes[..]
        else {
            panic!("{outlook:?}");
        };
        assert_eq!(free.cores, 0);
        assert_eq!(outlook.as_of, Some(now));
        assert_eq!(outlook.expected.unwrap().latest, later(now, 3_600));
        let behind = yard.app().job_outlook(&yard.ada, second).await.unwrap();
        assert_eq!(behind.causes.last(), Some(&Cause::Behind { jobs: 1 }));
        assert_eq!(behind.expected.unwrap().latest, later(now, 4_200));
    }
}

#[tokio::test]
async fn what_has_ended_since_the_site_showed_itself_does_not_count() {
    let yard = Yard::new().await;
    let whole = "#SBATCH --time=60 --cpus-per-task=8";
    let (first, second) = (yard.job(whole).await.id, yard.job(whole).await.id);
    let mut snapshot = busy(&yard);
    snapshot.running[0].job.job = Some(first);
    snapshot.waiting = vec![SnapshotJob { job: Some(second), ..snapshot.running[0].job.clone() }];
    shows(&yard, snapshot).await.unwrap();
    let waits = yard.app().job_outlook(&yard.ada, second).await.unwrap();
    assert!(waits.causes.iter().any(|cause| matches!(cause, Cause::NotFree { .. })), "{waits:?}");
    yard.ends(first, site::protocol::End::Completed, 5).await;
    let free = yard.app().job_outlook(&yard.ada, second).await.unwrap();
    assert!(free.causes.contains(&Cause::AboutToStart), "{free:?}");
    assert_eq!(free.expected.unwrap().latest, yard.app().now());
}

#[tokio::test]
async fn a_shorter_time_limit_lets_a_job_pass_the_first() {
    let yard = Yard::new().await;
    let mut snapshot = busy(&yard);
    snapshot.running[0].job.cpus_per_node = 4;
    snapshot.running[0].shares[0].cpus = 4;
    shows(&yard, snapshot).await.unwrap();
    yard.job("#SBATCH --time=10 --cpus-per-task=8").await;
    let long = yard.job("#SBATCH --time=120 --cpus-per-task=2").await.id;
    let outlook = yard.app().job_outlook(&yard.ada, long).await.unwrap();
    assert!(
        outlook.causes.iter().any(|cause| matches!(cause, Cause::WouldDelay { .. })),
        "{outlook:?}"
    );
    assert_eq!(outlook.sooner, [Sooner::TimeLimit { seconds_max: 3_600 }]);
}

#[tokio::test]
async fn how_long_jobs_really_ran_makes_the_range() {
    let yard = Yard::new().await;
    for _ in 0..10 {
        let job = yard.job("#SBATCH --time=60 --cpus-per-task=8").await.id;
        yard.ends(job, site::protocol::End::Completed, 1_800).await;
    }
    shows(&yard, busy(&yard)).await.unwrap();
    let waiting = yard.job("#SBATCH --time=10 --cpus-per-task=8").await.id;
    let outlook = yard.app().job_outlook(&yard.ada, waiting).await.unwrap();
    let (now, expected) = (yard.app().now(), outlook.expected.unwrap());
    let half = later(now, 3_600 * 51 / 100);
    assert_eq!(expected.likely, half, "jobs use half of what they ask, counted in whole percents");
    assert_eq!(expected.latest, later(now, 3_600));
}

#[tokio::test]
async fn jobs_that_do_not_wait_have_no_outlook_and_strangers_see_none() {
    let yard = Yard::new().await;
    let job = yard.job("true").await.id;
    let (_, stranger) = yard.hub.person("stranger", &[]).await;
    let seen = yard.app().job_outlook(&stranger, job).await;
    assert!(matches!(seen, Err(Error::Forbidden(_) | Error::NotFound(_))), "{seen:?}");
    yard.ends(job, site::protocol::End::Completed, 1).await;
    let outlook = yard.app().job_outlook(&yard.ada, job).await.unwrap();
    assert!(outlook.causes.is_empty() && outlook.expected.is_none());
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_is_refused_with_the_reason() {
    let yard = Yard::new().await;
    let refused = async |change: fn(&mut Snapshot), expected: &str| {
        let mut snapshot = busy(&yard);
        change(&mut snapshot);
        let error = shows(&yard, snapshot).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(|p| p.nodes.clear(), "there is no node n1").await;
    refused(|p| p.nodes.push(p.nodes[0].clone()), "shown twice").await;
    refused(|p| p.nodes[0].cpus = u32::MAX, "no node has so many").await;
    refused(|p| p.running[0].shares[0].cpus = 9, "holds more of node n1").await;
    refused(|p| p.waiting = vec![p.running[0].job.clone(); 20_001], "20001 are more").await;
}

fn anywhere(limits: Limits) -> Submission {
    Submission { anywhere: Some(limits), ..script("#SBATCH --time=10 --cpus-per-task=8") }
}

#[tokio::test]
async fn the_best_place_is_chosen_and_the_reason_is_on_record() {
    for yard in Yard::each().await {
        shows(&yard, busy(&yard)).await.unwrap();
        let small = yard.small_allocation(1_000).await;
        let (new, limits) = (anywhere(Limits::default()), Limits::default());
        let offers = yard.app().job_offers(&yard.ada, yard.project, &new, &limits).await.unwrap();
        // Both are at the same site; the larger allocation loses less of what it has.
        let first = offers.offers[0].terms.as_ref().unwrap();
        assert_eq!(offers.offers[0].allocation.id, yard.allocation);
        assert_eq!(offers.offers[1].allocation.id, small);
        assert_eq!(first.expected.unwrap().latest, later(yard.app().now(), 3_600));
        assert_eq!(offers.because.unwrap().0.to_string(), "hours");
        let submitted = yard.submit(anywhere(Limits::default())).await.unwrap();
        assert_eq!(submitted.jobs[0].owner.allocation, yard.allocation);
        assert_eq!(submitted.placed.unwrap().offers.len(), 2);
        let (_, auditor) = yard
            .hub
            .person("auditor", &[(crate::Role::Administrator, crate::Scope::Federation)])
            .await;
        let trail = yard.app().audit_trail(&auditor, None, None, 50).await.unwrap();
        let entry = trail.iter().find(|entry| entry.action == "job.submit").unwrap();
        assert!(entry.detail.contains("meluxina-ai.gpu chosen of 2 (hours"), "{}", entry.detail);
    }
}

#[tokio::test]
async fn hard_limits_exclude_places_by_name_and_reason() {
    let yard = Yard::new().await;
    let cases = [
        (Limits { countries: vec!["FI".parse().unwrap()], ..Limits::default() }, "stands in LU"),
        (Limits { gpu: Some("h100".to_owned()), ..Limits::default() }, "it has none"),
        (Limits { memory_mb_per_node: Some(65_536), ..Limits::default() }, "less than 65536 MB"),
    ];
    for (limits, expected) in cases {
        let error = yard.submit(anywhere(limits)).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)));
        let text = error.to_string();
        assert!(text.contains("meluxina-ai.gpu") && text.contains(expected), "{text}");
    }
    let here = Limits { countries: vec!["LU".parse().unwrap()], ..Limits::default() };
    yard.submit(anywhere(here)).await.unwrap();
    let both = Submission { allocation: Some(yard.allocation), ..anywhere(Limits::default()) };
    let error = yard.submit(both).await.unwrap_err().to_string();
    assert!(error.contains("not both"), "{error}");
}

#[tokio::test]
async fn a_job_that_no_allocation_covers_is_refused_with_what_each_has_left() {
    let yard = Yard::new().await;
    yard.small_allocation(10).await;
    let huge = Submission {
        options: vec!["--time=1440".into(), "--array=1-1000".into()],
        ..anywhere(Limits::default())
    };
    let error = yard.submit(huge).await.unwrap_err().to_string();
    assert!(error.matches("would be held").count() == 2, "{error}");
    let none: Option<JobId> =
        yard.app().jobs(&yard.ada, Default::default(), 10).await.unwrap().first().map(|job| job.id);
    assert_eq!(none, None);
}
