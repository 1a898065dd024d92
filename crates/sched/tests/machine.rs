//! Stories of a small machine, told as text: events on the left, effects on the right.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a story that cannot be read should fail loudly"
)]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use sched::{
    After, Amount, Condition, Effect, Event, Job, Machine, NodePlacement, NodeSpec, PartitionSpec,
    Placement, Policy, Request, Sharing,
};
use units::JobId;

fn id(number: u32) -> JobId {
    let text = format!("00000000-0000-0000-0000-{number:012}");
    text.parse().unwrap()
}

fn number(id: JobId) -> u32 {
    id.to_string()[24..].parse().unwrap()
}

fn machine(sharing: Sharing, policy: Policy) -> Machine {
    let node = |name: &str, gpus, features: &[&str]| NodeSpec {
        name: name.to_owned(),
        whole: Amount { cores: 4, memory_mb: 1_000, gpus },
        features: features.iter().map(|&feature| feature.to_owned()).collect(),
    };
    Machine::new([PartitionSpec {
        name: "p".to_owned(),
        nodes: vec![node("a", 0, &["local"]), node("b", 2, &["gpu"]), node("c", 0, &[])],
        sharing,
        policy,
        time_limit_seconds_max: Some(1_000),
    }])
    .unwrap()
}

/// `NODESxCORES[+GPUSg] LIMIT [pPRIORITY] [after:JOB:ends|succeeds|fails] [held] [FEATURE…]`
fn job(number: u32, words: &[&str]) -> Job {
    let (size, gpus) = words[0].split_once('+').unwrap_or((words[0], "0g"));
    let (nodes, cores) = size.split_once('x').unwrap();
    let mut job = Job {
        id: id(number),
        partition: "p".to_owned(),
        request: Request {
            nodes: nodes.parse().unwrap(),
            each: Amount {
                cores: cores.parse().unwrap(),
                memory_mb: 100,
                gpus: gpus.trim_end_matches('g').parse().unwrap(),
            },
            features: vec![],
        },
        time_limit_seconds: words[1].parse().unwrap(),
        priority: 0,
        after: vec![],
        held: false,
    };
    for word in &words[2..] {
        if let Some(rest) = word.strip_prefix("after:") {
            let (other, condition) = rest.split_once(':').unwrap();
            let condition = match condition {
                "ends" => Condition::Ends,
                "succeeds" => Condition::Succeeds,
                _ => Condition::Fails,
            };
            job.after.push(After { job: id(other.parse().unwrap()), condition });
        } else if *word == "held" {
            job.held = true;
        } else if let Some(priority) = word.strip_prefix('p') {
            job.priority = priority.parse().unwrap();
        } else {
            job.request.features.push((*word).to_owned());
        }
    }
    job
}

fn placement(text: &str) -> Placement {
    let nodes = text.split('+').map(|part| {
        let mut parts = part.split('/');
        let numbers = |list: Option<&str>| -> Vec<u32> {
            list.unwrap_or("").split(',').filter_map(|number| number.parse().ok()).collect()
        };
        let node = parts.next().unwrap().to_owned();
        let (cores, gpus) = (numbers(parts.next()), numbers(parts.next()));
        NodePlacement { node, cores, gpus, memory_mb: 100 }
    });
    Placement { nodes: nodes.collect() }
}

fn event(words: &[&str]) -> Event {
    let other = |index: usize| id(words[index].parse().unwrap());
    let node = || (words[1].to_owned(), "p".to_owned());
    match words[0] {
        "submit" => Event::Submit(job(words[1].parse().unwrap(), &words[2..])),
        "adopt" => Event::Adopt {
            job: job(words[1].parse().unwrap(), &words[4..]),
            placement: placement(words[2]),
            started: words[3].parse().unwrap(),
        },
        "end" => Event::End { job: other(1), succeeded: true },
        "fail" => Event::End { job: other(1), succeeded: false },
        "maintain" => Event::Maintain {
            partition: "p".to_owned(),
            nodes: words[1].split('+').map(str::to_owned).collect(),
            from: words[2].parse().unwrap(),
            until: words[3].parse().unwrap(),
        },
        "cancel" => Event::Cancel(other(1)),
        "hold" => Event::Hold(other(1)),
        "release" => Event::Release(other(1)),
        "forget" => Event::Forget(other(1)),
        "down" => Event::NodeDown { node: node().0, partition: node().1 },
        "up" => Event::NodeUp { node: node().0, partition: node().1 },
        word => panic!("no such event: {word}"),
    }
}

fn shown(effect: &Effect) -> String {
    match effect {
        Effect::Start { job, placement } => {
            let parts = placement.nodes.iter().map(|part| {
                let list =
                    |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
                format!("{}/{}/{}", part.node, list(&part.cores), list(&part.gpus))
            });
            format!("start {} on {}", number(*job), parts.collect::<Vec<_>>().join("+"))
        }
        Effect::Refuse { job, refusal } => format!("refuse {}: {refusal:?}", number(*job)),
        Effect::Abandon { job, after } => {
            format!("abandon {} after {}", number(*job), number(*after))
        }
    }
}

/// Runs `script`, one line an instant: `TIME EVENT; EVENT …`, or `TIME why|forecast JOB`.
fn check(mut machine: Machine, script: &str, expected: Expect) {
    let mut told = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (time, rest) = line.split_once(' ').unwrap();
        let now = time.parse().unwrap();
        if let Some(job) = rest.strip_prefix("why ") {
            let why = machine.why(id(job.parse().unwrap()), now);
            let text = why.map_or("nothing".to_owned(), |why| {
                format!("because {:?}; sooner with {:?}", why.causes, why.sooner)
            });
            writeln!(told, "{line} -> {}", text.replace("00000000-0000-0000-0000-0000000", ""))
                .unwrap();
            continue;
        }
        if let Some(job) = rest.strip_prefix("forecast ") {
            let forecast = machine.forecast(id(job.parse().unwrap()), now);
            let range = forecast.map(|range| (range.earliest, range.likely, range.latest));
            writeln!(told, "{line} -> {range:?}").unwrap();
            continue;
        }
        let events: Vec<Event> = rest
            .split(';')
            .map(|part| event(&part.split_whitespace().collect::<Vec<_>>()))
            .collect();
        let effects: Vec<String> = machine.step(now, &events).iter().map(shown).collect();
        let effects = if effects.is_empty() { "nothing".to_owned() } else { effects.join("; ") };
        writeln!(told, "{line} -> {effects}").unwrap();
    }
    expected.assert_eq(&told);
}

#[test]
fn jobs_share_nodes_and_spare_the_gpus() {
    check(
        machine(Sharing::Shared, Policy::Easy),
        "0 submit 1 1x2 100; submit 2 1x2 100; submit 3 1x1+1g 100
         1 submit 4 3x1 50
         2 end 1
         3 submit 5 1x2 10",
        expect![[r#"
            0 submit 1 1x2 100; submit 2 1x2 100; submit 3 1x1+1g 100 -> start 1 on a/0,1/; start 2 on a/2,3/; start 3 on b/0/0
            1 submit 4 3x1 50 -> nothing
            2 end 1 -> start 4 on a/0/+b/1/+c/0/
            3 submit 5 1x2 10 -> start 5 on c/1,2/
        "#]],
    );
}

#[test]
fn whole_nodes_are_not_shared() {
    check(
        machine(Sharing::Whole, Policy::Easy),
        "0 submit 1 2x1 100; submit 2 1x1 100 gpu; submit 3 1x1 10
         5 end 1",
        expect![[r#"
            0 submit 1 2x1 100; submit 2 1x1 100 gpu; submit 3 1x1 10 -> start 1 on a/0,1,2,3/+c/0,1,2,3/; start 2 on b/0,1,2,3/0,1
            5 end 1 -> start 3 on a/0,1,2,3/
        "#]],
    );
}

#[test]
fn a_short_job_passes_the_first_but_a_long_one_does_not() {
    check(
        machine(Sharing::Whole, Policy::Easy),
        "0 submit 1 2x1 100
         1 submit 2 3x1 100
         2 submit 3 1x1 99
         3 why 3
         3 why 2
         3 submit 4 1x1 97
         4 forecast 2
         90 end 1
         97 end 4",
        expect![[r#"
            0 submit 1 2x1 100 -> start 1 on a/0,1,2,3/+c/0,1,2,3/
            1 submit 2 3x1 100 -> nothing
            2 submit 3 1x1 99 -> nothing
            3 why 3 -> because [WouldDelay { job: JobId(00002), promised: 100 }, Behind { jobs: 1 }]; sooner with [TimeLimit { seconds_max: 97 }]
            3 why 2 -> because [NotFree { nodes_free: 1, nodes_asked: 3 }]; sooner with [Nodes { nodes_max: 1 }]
            3 submit 4 1x1 97 -> start 4 on b/0,1,2,3/0,1
            4 forecast 2 -> Some((100, 100, 100))
            90 end 1 -> nothing
            97 end 4 -> start 2 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
        "#]],
    );
}

#[test]
fn nothing_passes_under_first_come_first_served() {
    check(
        machine(Sharing::Whole, Policy::Fcfs),
        "0 submit 1 2x1 100; submit 2 3x1 100; submit 3 1x1 1
         1 why 3
         50 end 1
         60 end 2",
        expect![[r#"
            0 submit 1 2x1 100; submit 2 3x1 100; submit 3 1x1 1 -> start 1 on a/0,1,2,3/+c/0,1,2,3/
            1 why 3 -> because [Behind { jobs: 1 }]; sooner with []
            50 end 1 -> start 2 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
            60 end 2 -> start 3 on a/0,1,2,3/
        "#]],
    );
}

#[test]
fn conservative_promises_hold_for_every_job() {
    check(
        machine(Sharing::Whole, Policy::Conservative),
        "0 submit 1 2x1 100
         1 submit 2 3x1 50; submit 3 2x1 50
         2 submit 4 1x1 150
         3 submit 5 1x1 90
         100 end 1; end 5
         120 end 2",
        expect![[r#"
            0 submit 1 2x1 100 -> start 1 on a/0,1,2,3/+c/0,1,2,3/
            1 submit 2 3x1 50; submit 3 2x1 50 -> nothing
            2 submit 4 1x1 150 -> nothing
            3 submit 5 1x1 90 -> start 5 on b/0,1,2,3/0,1
            100 end 1; end 5 -> start 2 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
            120 end 2 -> start 3 on a/0,1,2,3/+c/0,1,2,3/; start 4 on b/0,1,2,3/0,1
        "#]],
    );
}

#[test]
fn the_highest_priority_goes_first() {
    check(
        machine(Sharing::Whole, Policy::Easy),
        "0 submit 1 3x1 10
         1 submit 2 3x1 10 p1; submit 3 3x1 10 p5; submit 4 3x1 10 p5
         10 end 1
         20 end 3
         30 end 4",
        expect![[r#"
            0 submit 1 3x1 10 -> start 1 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
            1 submit 2 3x1 10 p1; submit 3 3x1 10 p5; submit 4 3x1 10 p5 -> nothing
            10 end 1 -> start 3 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
            20 end 3 -> start 4 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
            30 end 4 -> start 2 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
        "#]],
    );
}

#[test]
fn dependencies_are_awaited_and_broken_ones_abandoned() {
    check(
        machine(Sharing::Shared, Policy::Easy),
        "0 submit 1 1x1 10
         1 submit 2 1x1 10 after:1:succeeds; submit 3 1x1 10 after:1:fails; submit 4 1x1 9 after:3:ends
         2 why 2
         3 submit 5 1x1 10 after:99:ends
         5 end 1
         6 submit 6 1x1 10 after:1:ends",
        expect![[r#"
            0 submit 1 1x1 10 -> start 1 on a/0/
            1 submit 2 1x1 10 after:1:succeeds; submit 3 1x1 10 after:1:fails; submit 4 1x1 9 after:3:ends -> nothing
            2 why 2 -> because [Dependency { job: JobId(00001), condition: Succeeds }]; sooner with []
            3 submit 5 1x1 10 after:99:ends -> refuse 5: UnknownDependency(JobId(00000000-0000-0000-0000-000000000099))
            5 end 1 -> abandon 3 after 1; start 2 on a/0/; start 4 on a/1/
            6 submit 6 1x1 10 after:1:ends -> start 6 on a/2/
        "#]],
    );
}

#[test]
fn held_jobs_wait_for_release_and_cancelled_ones_are_gone() {
    check(
        machine(Sharing::Whole, Policy::Easy),
        "0 submit 1 1x1 10 held; submit 2 3x1 10
         1 why 1
         2 submit 3 3x1 10
         3 hold 3
         4 cancel 3
         10 end 2
         11 release 1",
        expect![[r#"
            0 submit 1 1x1 10 held; submit 2 3x1 10 -> start 2 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
            1 why 1 -> because [Held]; sooner with []
            2 submit 3 3x1 10 -> nothing
            3 hold 3 -> nothing
            4 cancel 3 -> nothing
            10 end 2 -> nothing
            11 release 1 -> start 1 on a/0,1,2,3/
        "#]],
    );
}

#[test]
fn jobs_wait_for_nodes_that_are_down() {
    check(
        machine(Sharing::Whole, Policy::Easy),
        "0 down a
         1 submit 1 3x1 10; submit 2 2x1 10
         2 why 1
         3 up a
         10 end 2",
        expect![[r#"
            0 down a -> nothing
            1 submit 1 3x1 10; submit 2 2x1 10 -> start 2 on b/0,1,2,3/0,1+c/0,1,2,3/
            2 why 1 -> because [NodesDown]; sooner with []
            3 up a -> nothing
            10 end 2 -> start 1 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
        "#]],
    );
}

#[test]
fn what_runs_already_is_adopted() {
    check(
        machine(Sharing::Shared, Policy::Easy),
        "0 adopt 1 b/1,2/1 0 1x2+1g 100; adopt 2 b/2/ 0 1x1 100
         1 submit 3 1x2+1g 100; submit 4 1x1+1g 100
         2 why 4
         50 end 1",
        expect![[r#"
            0 adopt 1 b/1,2/1 0 1x2+1g 100; adopt 2 b/2/ 0 1x1 100 -> refuse 2: PlacementTaken
            1 submit 3 1x2+1g 100; submit 4 1x1+1g 100 -> start 3 on b/0,3/0
            2 why 4 -> because [NotFree { nodes_free: 0, nodes_asked: 1 }]; sooner with []
            50 end 1 -> start 4 on b/1/1
        "#]],
    );
}

#[test]
fn impossible_jobs_are_refused_with_the_reason() {
    check(
        machine(Sharing::Shared, Policy::Easy),
        "0 submit 1 4x1 10; submit 2 1x5 10; submit 3 1x1 1001; submit 4 0x1 10; submit 5 1x1 10 cloud
         1 submit 6 1x1 10 gpu; submit 6 1x1 10; submit 7 2x1 10 gpu",
        expect![[r#"
            0 submit 1 4x1 10; submit 2 1x5 10; submit 3 1x1 1001; submit 4 0x1 10; submit 5 1x1 10 cloud -> refuse 1: NeverFits; refuse 2: NeverFits; refuse 3: TooLong { seconds_max: 1000 }; refuse 4: AsksNothing; refuse 5: UnknownFeature("cloud")
            1 submit 6 1x1 10 gpu; submit 6 1x1 10; submit 7 2x1 10 gpu -> refuse 6: KnownAlready; refuse 7: NeverFits; start 6 on b/0/
        "#]],
    );
}

#[test]
fn nobody_runs_into_maintenance_and_why_says_so() {
    check(
        machine(Sharing::Whole, Policy::Easy),
        "0 maintain a+b 100 200
         1 submit 1 1x1 150; submit 2 2x1 100; submit 3 1x1 50
         1 why 2
         100 end 3
         150 submit 4 1x1 10; submit 5 3x1 10
         150 why 4
         151 end 1
         200 cancel 9
         300 end 2; end 4",
        expect![[r#"
            0 maintain a+b 100 200 -> nothing
            1 submit 1 1x1 150; submit 2 2x1 100; submit 3 1x1 50 -> start 1 on c/0,1,2,3/; start 3 on a/0,1,2,3/
            1 why 2 -> because [NotFree { nodes_free: 1, nodes_asked: 2 }]; sooner with []
            100 end 3 -> nothing
            150 submit 4 1x1 10; submit 5 3x1 10 -> nothing
            150 why 4 -> because [Maintenance { turns: 200 }, Behind { jobs: 1 }]; sooner with []
            151 end 1 -> start 4 on c/0,1,2,3/
            200 cancel 9 -> start 2 on a/0,1,2,3/+b/0,1,2,3/0,1
            300 end 2; end 4 -> start 5 on a/0,1,2,3/+b/0,1,2,3/0,1+c/0,1,2,3/
        "#]],
    );
}

#[test]
fn a_snapshot_goes_on_as_the_machine_does() {
    let mut machine = machine(Sharing::Shared, Policy::Easy);
    let words = [
        &["1x4+2g", "500"][..],
        &["1x4", "300"],
        &["3x1", "400"],
        &["1x2", "100"],
        &["1x1", "900"],
        &["2x4", "50", "gpu"],
    ];
    for (number, words) in (1..).zip(words) {
        machine.step(i64::from(number), &[Event::Submit(job(number, words))]);
    }
    let down = Event::NodeDown { partition: "p".to_owned(), node: "c".to_owned() };
    machine.step(50, &[down]);
    let snapshot = machine.snapshot("p").unwrap();
    let mut again = snapshot.machine(50).unwrap();
    assert_eq!(again.snapshot("p").unwrap(), snapshot);
    assert_eq!(machine.snapshot("q"), None);
    for number in 1..=6 {
        assert_eq!(again.why(id(number), 50), machine.why(id(number), 50), "job {number}");
        assert_eq!(again.forecast(id(number), 50), machine.forecast(id(number), 50));
    }
    let end = [Event::End { job: id(2), succeeded: true }];
    assert_eq!(again.step(60, &end), machine.step(60, &end));
    assert_eq!(again.free("p"), machine.free("p"));
}

#[test]
fn remembered_jobs_make_forecasts_shorter() {
    let mut machine = machine(Sharing::Whole, Policy::Easy);
    machine.step(0, &[Event::Submit(job(1, &["3x1", "1000"]))]);
    assert!(machine.enqueue(&job(2, &["1x1", "10"]), 0));
    assert!(!machine.enqueue(&job(3, &["4x1", "10"]), 0), "there are three nodes");
    assert_eq!(machine.forecast(id(2), 0).unwrap().likely, 1_000);
    (0..10).for_each(|_| machine.remember("p", 250, 1_000));
    let forecast = machine.forecast(id(2), 0).unwrap();
    // A quarter of the limit, counted in whole percents that have begun.
    assert_eq!((forecast.earliest, forecast.likely, forecast.latest), (260, 260, 1_000));
}
