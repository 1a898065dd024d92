//! Stories of Slurm's rules, on ten counted processors.
use sched::{
    Accounts, Association, Backfill, Deferral, FairShare, History, Limits, Outcome, Policy,
    PoolSpec, Preempted, PriorityPolicy, Processors, Qos, Reservation, Resource, Second, Signal,
    Submission, System, SystemSpec, Throttle, Tres, Weights, WhenPreempted,
};

/// Ann and Bob in one account, Cid in another with as many shares.
struct Who {
    ann: Association,
    bob: Association,
    cid: Association,
    first: Association,
}

fn spec() -> (SystemSpec<Processors>, Who) {
    let mut accounts = Accounts::new();
    let first = accounts.account(Association::ROOT, 1);
    let second = accounts.account(Association::ROOT, 1);
    let who = Who {
        ann: accounts.user(first, 1, 1),
        bob: accounts.user(first, 2, 1),
        cid: accounts.user(second, 3, 1),
        first,
    };
    let spec = SystemSpec {
        partitions: vec![PoolSpec {
            pool: Processors::new(10),
            policy: Policy::Easy,
            priority_factor: 1,
            billing_milli: Tres::all(0).with(Resource::Cpu, 1_000),
        }],
        accounts,
        limits: Vec::new(),
        qos: vec![Qos::default()],
        priority: PriorityPolicy::ARRIVAL,
        backfill: Backfill::UNLIMITED,
        signal: Signal::default(),
    };
    (spec, who)
}

fn job(user: Association, size: u32, seconds: Second) -> Submission<u32> {
    Submission {
        partition: 0,
        association: user,
        qos: 0,
        demand: size,
        estimate_seconds: seconds,
        priority: 0,
        nice: 0,
        throttle: None,
        deferral: None,
    }
}

fn pass(system: &mut System<Processors>, now: Second) -> Outcome {
    let mut outcome = Outcome::default();
    system.pass(now, &mut outcome);
    outcome
}

/// Why the job waits, as `squeue` says it.
fn why(system: &System<Processors>, ticket: sched::Ticket, now: Second) -> Vec<String> {
    system.why(ticket, now).iter().map(ToString::to_string).collect()
}

fn weights(weights: Weights) -> PriorityPolicy {
    PriorityPolicy { weights, ..PriorityPolicy::ARRIVAL }
}

#[test]
fn who_has_used_less_of_their_share_goes_first() {
    for fair_share in [FairShare::Tree, FairShare::Classic { dampening: 1 }] {
        let (mut spec, who) = spec();
        spec.priority = weights(Weights { fair_share: 1_000, ..Weights::default() });
        spec.priority.fair_share = fair_share;
        let mut system = System::new(spec);
        let busy = system.submit(0, job(who.ann, 10, 1_000)).unwrap();
        assert_eq!(pass(&mut system, 0).started, [busy]);
        let anns = system.submit(10, job(who.ann, 10, 10)).unwrap();
        let bobs = system.submit(20, job(who.bob, 10, 10)).unwrap();
        let cids = system.submit(30, job(who.cid, 10, 10)).unwrap();
        system.end(1_000, busy);
        assert_eq!(pass(&mut system, 1_000).started, [cids], "{fair_share:?}");
        system.end(1_010, cids);
        assert_eq!(pass(&mut system, 1_010).started, [bobs], "{fair_share:?}");
        assert!(system.priority(bobs) > system.priority(anns));
    }
}

#[test]
fn use_is_forgotten_by_half_in_a_half_life() {
    let (mut spec, who) = spec();
    spec.priority = weights(Weights { fair_share: 1 << 20, ..Weights::default() });
    spec.priority.fair_share = FairShare::Classic { dampening: 1 };
    spec.priority.half_life_seconds = Some(3_000);
    let mut system = System::new(spec);
    // Ann uses everything for a while, then Cid does for as long.
    for (user, at) in [(who.ann, 0), (who.cid, 3_000)] {
        let busy = system.submit(at, job(user, 10, 3_000)).unwrap();
        assert_eq!(pass(&mut system, at).started, [busy]);
        system.end(at + 3_000, busy);
        pass(&mut system, at + 3_000);
    }
    let hold = system.submit(6_000, job(who.bob, 10, 9_000)).unwrap();
    assert_eq!(pass(&mut system, 6_000).started, [hold]);
    let anns = system.submit(6_000, job(who.ann, 10, 10)).unwrap();
    let cids = system.submit(6_000, job(who.cid, 10, 10)).unwrap();
    pass(&mut system, 6_000);
    // Ann's account has a third of the usage and she half of its shares, so a quarter of all; Cid
    // has two thirds and a half.
    for (user, ticket) in [("ann", anns), ("cid", cids)] {
        let points = u32::try_from(system.priority(ticket).unwrap()).unwrap();
        let factor = f64::from(points) / f64::from(1 << 20);
        assert!((factor - 2_f64.powf(-4.0 / 3.0)).abs() < 0.001, "{user}: {factor}");
    }
}

#[test]
fn waiting_makes_older_and_big_jobs_count_for_their_size() {
    let (mut spec, who) = spec();
    let tres = Tres::all(0).with(Resource::Cpu, 100);
    spec.priority = weights(Weights { age: 7 * 86_400, size: 1_000, tres, ..Weights::default() });
    let mut system = System::new(spec);
    let busy = system.submit(0, job(who.ann, 10, 1_000)).unwrap();
    pass(&mut system, 0);
    let small = system.submit(100, job(who.ann, 1, 10)).unwrap();
    let big = system.submit(100, Submission { nice: 50, ..job(who.ann, 5, 10) }).unwrap();
    pass(&mut system, 600);
    // One point of age for each second up to the last period, which ended at 600.
    assert_eq!(system.priority(small), Some(100 + 10 + 500));
    assert_eq!(system.priority(big), Some(500 + 50 + 500 - 50));
    system.end(1_000, busy);
    assert_eq!(pass(&mut system, 1_000).started, [big, small]);
}

#[test]
fn limits_keep_jobs_back_by_the_names_that_squeue_gives_them() {
    let (mut spec, who) = spec();
    let cpus = |most| Tres::all(None).with(Resource::Cpu, Some(most));
    let group = Limits {
        group_tres: cpus(6),
        group_tres_minutes: cpus(100),
        submitted_per_user: Some(4),
        wall_seconds: Some(3_600),
        ..Limits::default()
    };
    let class = Limits { jobs_per_user: Some(1), tres_per_job: cpus(8), ..Limits::default() };
    spec.limits = vec![(who.first, group)];
    spec.qos = vec![Qos::default(), Qos { limits: class, ..Qos::default() }];
    let mut system = System::new(spec);
    let refused = |refused: sched::Refused| refused.to_string();
    let first = system.submit(0, job(who.ann, 5, 600)).unwrap();
    let large = system.submit(0, job(who.bob, 2, 600)).unwrap();
    let metered = system.submit(0, job(who.bob, 1, 3_600)).unwrap();
    let one = system.submit(0, Submission { qos: 1, ..job(who.cid, 2, 600) }).unwrap();
    let other = system.submit(0, Submission { qos: 1, ..job(who.cid, 2, 600) }).unwrap();
    assert_eq!(pass(&mut system, 0).started, [first, one]);
    assert_eq!(why(&system, large, 0), ["AssocGrpCpuLimit"]);
    assert_eq!(why(&system, metered, 0), ["AssocGrpCPUMinutesLimit"]);
    assert_eq!(why(&system, other, 0), ["QOSMaxJobsPerUserLimit"]);
    let submit = |system: &mut System<Processors>, job| system.submit(0, job).map_err(refused);
    let too_long = submit(&mut system, job(who.ann, 1, 3_601));
    assert_eq!(too_long, Err("AssocMaxWallDurationPerJobLimit".to_owned()));
    let too_big = submit(&mut system, Submission { qos: 1, ..job(who.cid, 9, 1) });
    assert_eq!(too_big, Err("QOSMaxCpuPerJobLimit".to_owned()));
    for _ in 0..2 {
        submit(&mut system, job(who.bob, 9, 1)).unwrap();
    }
    let too_many = submit(&mut system, job(who.bob, 1, 1));
    assert_eq!(too_many, Err("AssocMaxSubmitJobLimit".to_owned()));
    // What the first has used, 5 processors for 2 minutes, leaves 90 processor minutes.
    system.end(120, first);
    assert_eq!(pass(&mut system, 120).started, [large, metered]);
}

#[test]
fn nobody_runs_into_what_is_set_aside_and_members_run_there() {
    for policy in [Policy::Fcfs, Policy::Easy, Policy::Conservative] {
        let (mut spec, who) = spec();
        for partition in &mut spec.partitions {
            partition.policy = policy;
        }
        let mut system = System::new(spec);
        let aside = Reservation { partition: 0, grant: 6, from: 100, until: 200 };
        let aside = system.reserve(aside).unwrap();
        let member = system.submit(0, Submission { partition: aside, ..job(who.cid, 6, 100) });
        let member = member.unwrap();
        let long = system.submit(0, job(who.ann, 4, 150)).unwrap();
        let into = system.submit(0, job(who.ann, 5, 101)).unwrap();
        assert_eq!(pass(&mut system, 0).started, [long], "{policy:?}");
        assert_eq!(why(&system, into, 0).first().map(String::as_str), Some("ReqNodeNotAvail"));
        assert_eq!(why(&system, member, 0).first().map(String::as_str), Some("ReqNodeNotAvail"));
        let before = system.submit(1, job(who.bob, 5, 99)).unwrap();
        let passes = policy != Policy::Fcfs;
        assert_eq!(pass(&mut system, 1).started.contains(&before), passes, "{policy:?}");
        if passes {
            system.end(100, before);
        }
        assert_eq!(pass(&mut system, 100).started, [member], "{policy:?}");
        system.end(150, long);
        pass(&mut system, 150);
        system.end(200, member);
        assert_eq!(pass(&mut system, 200).started.first(), Some(&into), "{policy:?}");
    }
}

#[test]
fn the_latest_of_the_lower_class_makes_room_and_waits_again() {
    let (mut spec, who) = spec();
    spec.qos = vec![Qos::default(), Qos { preempts: vec![0], ..Qos::default() }];
    let mut system = System::new(spec);
    let early = system.submit(0, job(who.ann, 5, 100)).unwrap();
    pass(&mut system, 0);
    let late = system.submit(10, job(who.ann, 5, 100)).unwrap();
    pass(&mut system, 10);
    let urgent = system.submit(20, Submission { qos: 1, ..job(who.cid, 4, 50) }).unwrap();
    let outcome = pass(&mut system, 20);
    assert_eq!(outcome.started, [urgent]);
    assert_eq!(outcome.preempted, [Preempted { ticket: late, then: WhenPreempted::Requeue }]);
    assert_eq!(why(&system, late, 20), ["Resources"]);
    system.end(30, early);
    assert_eq!(pass(&mut system, 30).started, [late]);
}

#[test]
fn an_array_runs_no_more_of_its_tasks_at_once_than_it_says() {
    let (spec, who) = spec();
    let mut system = System::new(spec);
    let throttle = Some(Throttle { array: 1, running_max: 2 });
    let task = Submission { throttle, ..job(who.ann, 1, 60) };
    let tasks = [0; 4].map(|_| system.submit(0, task).unwrap());
    assert_eq!(pass(&mut system, 0).started, tasks[..2]);
    assert_eq!(why(&system, tasks[2], 0), ["JobArrayTaskLimit"]);
    system.end(5, tasks[0]);
    assert_eq!(pass(&mut system, 5).started, [tasks[2]]);
}

#[test]
fn deferrable_jobs_start_when_energy_is_cheap_or_when_they_must() {
    let (mut spec, who) = spec();
    spec.signal = Signal::new([(0, 90), (100, 30), (200, 90), (900, 10)]);
    let mut system = System::new(spec);
    let can_wait = |latest_start| Some(Deferral { value_max: 40, latest_start });
    let cheap = system.submit(0, Submission { deferral: can_wait(800), ..job(who.ann, 1, 10) });
    let must = system.submit(0, Submission { deferral: can_wait(50), ..job(who.ann, 1, 10) });
    assert!(pass(&mut system, 0).started.is_empty());
    assert_eq!(why(&system, cheap.unwrap(), 0), ["BeginTime"]);
    assert_eq!(system.next(0), Some(50));
    assert_eq!(pass(&mut system, 50).started, [must.unwrap()]);
    assert_eq!(system.next(50), Some(100));
    assert_eq!(pass(&mut system, 100).started, [cheap.unwrap()]);
    // The chance is gone for one that found no room while the signal was low.
    let busy = system.submit(150, job(who.bob, 8, 100)).unwrap();
    pass(&mut system, 150);
    let missed = system.submit(160, Submission { deferral: can_wait(1_000), ..job(who.ann, 8, 9) });
    pass(&mut system, 160);
    system.end(210, busy);
    assert!(pass(&mut system, 210).started.is_empty());
    assert_eq!(pass(&mut system, 900).started, [missed.unwrap()]);
}

#[test]
fn a_forecast_spreads_as_the_users_own_jobs_have() {
    let (spec, who) = spec();
    let mut system = System::new(spec);
    let mut history = History::default();
    for percent in [10, 10, 20, 30, 50, 50, 60, 70, 80, 90] {
        history.record(who.ann, percent, 100);
        history.record(who.bob, 100, 100);
    }
    let anns = system.submit(0, job(who.ann, 10, 1_000)).unwrap();
    assert_eq!(pass(&mut system, 0).started, [anns]);
    let next = system.submit(0, job(who.bob, 10, 100)).unwrap();
    let last = system.submit(0, job(who.bob, 10, 100)).unwrap();
    pass(&mut system, 0);
    let forecast = system.forecast(0, &history);
    let range = |ticket| {
        let range = forecast.get(&ticket).copied().flatten().unwrap();
        (range.earliest, range.likely, range.latest)
    };
    assert_eq!(range(next), (110, 510, 1_000));
    assert_eq!(range(last), (210, 610, 1_100));
}

#[test]
fn a_capped_account_holds_up_nobody_and_its_wide_jobs_do_not_starve() {
    for policy in [Policy::Fcfs, Policy::Easy, Policy::Conservative] {
        let (mut spec, who) = spec();
        spec.partitions[0].policy = policy;
        spec.backfill.depth = 1;
        let mut system = System::new(spec);
        system.cap(0, 0, &[who.first], 4);
        let runs = system.submit(0, job(who.ann, 2, 100)).unwrap();
        let wide = system.submit(0, job(who.ann, 4, 100)).unwrap();
        let small = system.submit(0, job(who.bob, 2, 300)).unwrap();
        let other = system.submit(0, job(who.cid, 6, 300)).unwrap();
        // The depth of one does not count those that the cap keeps back.
        assert_eq!(pass(&mut system, 0).started, [runs, other], "{policy:?}");
        if policy == Policy::Easy {
            assert_eq!(why(&system, wide, 0), ["QOSGrpBilling", "Resources"]);
        }
        system.end(100, runs);
        assert_eq!(pass(&mut system, 100).started, [wide], "{policy:?}");
        system.end(200, wide);
        assert_eq!(pass(&mut system, 200).started, [small], "{policy:?}");
    }
}
