use access::application::{Draft, State};
use jiff::SignedDuration;
use site::protocol::End;
use twin::award::{APPLICANTS, HistoryNeed, Settings};
use twin::results::{Figure, Scope as Of};
use twin::scenario::Unit;

use super::load::Coming;
use super::*;
use crate::applications::tests::{Story, draft, story};
use crate::calls::NewCall;
use crate::jobs::tests::yard::Yard;
use crate::testing::TestHub;
use crate::{Role, Scope};

/// A Fast Lane call, the officer who published it, and an enterprise that applied `times`.
async fn asked(hub: &TestHub, times: usize, hours: u32) -> (Call, Actor, Story) {
    let (_, officer) = hub.person("petra", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    let story = story(hub, "ada").await;
    let new = NewCall {
        key: "fast-lane-2026".parse().unwrap(),
        title: "Fast Lane 2026".to_owned(),
        mode: "fast-lane".parse().unwrap(),
        partitions: vec!["meluxina-ai.gpu".parse().unwrap(), "lisa.gpu".parse().unwrap()],
        opens_at: hub.app.now(),
        closes_at: None,
    };
    let call = hub.app.publish_call(&officer, new).await.unwrap();
    let place = (call.id, story.organisation);
    for _ in 0..times {
        let begun = hub.app.begin_application(&story.actor, place, draft(hours)).await.unwrap();
        let state = hub.app.submit_application(&story.actor, begun.id).await.unwrap().state;
        assert!(matches!(state, State::Submitted { .. }), "{state:?}");
    }
    (call, officer, story)
}

/// What would come of it on this partition.
fn on<'a>(weighed: &'a WhatIf, key: &str) -> &'a PartitionWhatIf {
    weighed.partitions.iter().find(|it| it.partition.to_string() == key).unwrap()
}

#[tokio::test]
async fn what_is_asked_is_set_against_the_pool_it_would_come_from_and_changes_nothing() {
    for hub in TestHub::each().await {
        let (call, officer, story) = asked(&hub, 3, 50_000).await;
        let draft = Draft { hours: Some(20_000), ..draft(0) };
        let place = (call.id, story.organisation);
        hub.app.begin_application(&story.actor, place, draft).await.unwrap();
        let place = "meluxina-ai.gpu".parse().unwrap();
        let before = hub.app.partition_pools(&officer, &place, hub.app.now()).await;
        let weighed = hub.app.what_if(&officer, call.id, Simulate::All).await.unwrap();
        assert_eq!(weighed.rule, "policy/what-if.toml@2026-11-01");
        let here = on(&weighed, "meluxina-ai.gpu");
        assert_eq!(here.applications, 3, "a draft asks for nothing yet");
        for pool in &here.pools {
            let asks = if pool.payer == Payer::Union { 150_000 } else { 0 };
            assert_eq!(pool.asked, Work::hours(asks).unwrap(), "{}", pool.payer);
            let left = pool.hours.minus(pool.granted).unwrap().minus(pool.asked).unwrap();
            assert_eq!(pool.left, left);
        }
        let after = hub.app.partition_pools(&officer, &place, hub.app.now()).await;
        assert_eq!(before.unwrap().opened, after.unwrap().opened);

        let Some(Ok(Waits { load, earlier, answer })) = &here.waits else { panic!("{here:?}") };
        assert_eq!(*earlier, Earlier::default(), "nothing was granted earlier");
        assert!(matches!(load, AssumedLoad::Population { jobs: 0, weeks: 0, .. }), "{load:?}");
        let busy = |results: &twin::results::Results| {
            results.line(&Of::All, Figure::Utilisation).unwrap().estimate.mean
        };
        assert!(busy(&answer.after) > busy(&answer.before) + 0.02, "{here:?}");
        let newcomers = Of::Class(APPLICANTS.to_owned());
        assert!(answer.after.line(&newcomers, Figure::WaitSecondsMean).is_some());
    }
}

#[tokio::test]
async fn a_partition_that_nobody_asks_for_or_whose_figures_are_missing_says_so() {
    let hub = TestHub::new().await;
    let (call, officer, story) = asked(&hub, 1, 10_000).await;
    let weighed = hub.app.what_if(&officer, call.id, Simulate::All).await.unwrap();
    let nothing = on(&weighed, "lisa.gpu").waits.as_ref().unwrap().as_ref().unwrap_err();
    assert_eq!(nothing, "nothing is asked here that is not decided");
    let pools_only = hub.app.what_if(&officer, call.id, Simulate::Nothing).await.unwrap();
    assert!(pools_only.partitions.iter().all(|it| it.waits.is_none()), "{pools_only:?}");
    let other = "meluxina.gpu".parse().unwrap();
    let elsewhere = hub.app.what_if(&officer, call.id, Simulate::Only(&other)).await;
    assert!(matches!(elsewhere, Err(Error::NotFound("partition under this call"))));
    let unknown = "meluxina.gpu".parse().unwrap();
    let (.., partition) = hub.app.partition(&officer, &unknown).unwrap();
    let tx = hub.app.store().read().await.unwrap();
    let undecided = store::applications::undecided(&tx, call.id).await.unwrap();
    drop(tx);
    assert_eq!(undecided[0].organisation, story.organisation);
    let asks = undecided.iter().collect::<Vec<_>>();
    let (asks, until) = ((Payer::Union, asks.as_slice()), Instant::now() + Duration::from_secs(60));
    let waits = hub.app.waits_if_granted(partition, asks, hub.app.now(), until).await;
    let missing = waits.unwrap().unwrap_err();
    assert!(missing.starts_with("the number of nodes of meluxina.gpu is unknown"), "{missing}");
}

#[tokio::test]
async fn hours_are_spread_over_the_months_they_are_asked_for() {
    let hub = TestHub::new().await;
    let (_, _, _) = asked(&hub, 1, 10_000).await;
    let tx = hub.app.store().read().await.unwrap();
    let call = store::calls::by_key(&tx, &"fast-lane-2026".parse().unwrap()).await.unwrap();
    let found = store::applications::undecided(&tx, call.unwrap().id).await.unwrap();
    let (.., partition) =
        hub.app.rules().federation.partition(found[0].draft.partition.as_ref().unwrap()).unwrap();
    let machine = Machine::of(partition).unwrap();
    let now = "2026-11-21T00:00:00Z".parse().unwrap();
    // 92 days until 21 February.
    let a_day = 10_000 * 3_600 / 92;
    assert_eq!(asked_in_a_day(&found[0], Meter::Gpu, &machine, now), a_day);
    let by_node = asked_in_a_day(&found[0], Meter::Node, &machine, now);
    assert_eq!(by_node, 10_000 * 3_600 * i64::from(machine.units_per_node) / 92);
}

#[tokio::test]
async fn only_those_who_decide_weigh_a_call() {
    let hub = TestHub::new().await;
    let (call, _, story) = asked(&hub, 0, 0).await;
    let refused = hub.app.what_if(&story.actor, call.id, Simulate::All).await;
    assert!(matches!(refused, Err(Error::Forbidden(Action::WeighCall))));
    let nobody = hub.app.what_if(&Actor::anonymous(), call.id, Simulate::All).await;
    assert!(matches!(nobody, Err(Error::NotSignedIn)));
    hub.clock.advance(SignedDuration::from_secs(1));
    let unknown = CallId::from_uuid(hub.app.clock().mint());
    let none = hub.app.what_if(&Actor::system(), unknown, Simulate::All).await;
    assert!(matches!(none, Err(Error::NotFound("call"))));
}

#[tokio::test]
async fn a_history_that_is_long_enough_is_the_load() {
    for yard in Yard::each().await {
        for _ in 0..6 {
            let job = yard.job("#SBATCH --time=10 -c 2").await;
            yard.ends(job.id, End::Completed, 300).await;
            yard.hub.clock.advance(SignedDuration::from_hours(48));
        }
        let need = HistoryNeed { weeks: 4, weeks_min: 2, jobs_min: 6 };
        let settings = Settings { history: need, ..crate::testing::what_if() };
        let parts = crate::Parts { what_if: Arc::new(settings), ..(*yard.app().parts).clone() };
        let app = App::new(parts);
        let key = "meluxina-ai.gpu".parse().unwrap();
        let (.., partition) = app.rules().federation.partition(&key).unwrap();
        let gpus = Machine::of(partition).unwrap();
        let cores = Machine { unit: Unit::Core, ..gpus.clone() };
        let tx = app.store().read().await.unwrap();
        let Coming { base, load, .. } =
            app.load_to_come(&tx, partition, &cores, app.now()).await.unwrap();
        assert_eq!(load, AssumedLoad::History { weeks: 2, jobs: 6 });
        let Base::History(trace) = base else { panic!("{base:?}") };
        let told: Vec<_> = trace.entries.iter().map(|it| (it.run_seconds, it.cores)).collect();
        assert_eq!(told, [(300, 2); 6]);
        assert!(trace.entries.iter().all(|it| trace.names.name(it.class) == "start-up"));

        let coming = app.load_to_come(&tx, partition, &gpus, app.now()).await.unwrap();
        let Coming { base, load, granted, earlier } = coming;
        assert!(matches!(base, Base::Population), "jobs without GPUs are no load of GPUs");
        assert!(matches!(load, AssumedLoad::Population { jobs: 0, weeks: 0, .. }), "{load:?}");
        assert!(granted.is_empty(), "three quarters of the machine are more than what is granted");
        assert_eq!(earlier, Earlier::default());
    }
}

#[tokio::test]
async fn hours_granted_earlier_and_not_used_yet_come_on_top_of_a_load_that_does_not_show_them() {
    for yard in Yard::each().await {
        let idle = Settings { busy: PartsPerMillion::ZERO, ..crate::testing::what_if() };
        let days = i64::from(idle.days + idle.warm_up_days);
        let parts = crate::Parts { what_if: Arc::new(idle), ..(*yard.app().parts).clone() };
        let app = App::new(parts);
        let key = "meluxina-ai.gpu".parse().unwrap();
        let (.., partition) = app.rules().federation.partition(&key).unwrap();
        let machine = Machine::of(partition).unwrap();
        let tx = app.store().read().await.unwrap();
        let now = app.now();
        let active = store::allocations::active(&tx, now).await.unwrap();
        let coming = app.load_to_come(&tx, partition, &machine, now).await.unwrap();
        let expected = active.iter().map(|it| {
            let seconds = it.period.end().as_second() - now.as_second();
            let seconds = seconds.max(days * 86_400);
            it.amount.count() * 86_400 / seconds
        });
        let granted: Vec<i64> = coming.granted.iter().map(|it| it.work_per_day).collect();
        assert_eq!(granted, expected.collect::<Vec<_>>());
        assert!(granted.iter().sum::<i64>() > 0, "{granted:?}");
        assert_eq!(coming.earlier.allocations, active.len());
        assert_eq!(coming.granted[0].class, "start-up");
    }
}
