use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// One word an event: `release`, `cancel@5`, `accept`, `start@3`, `end@9`, `end@9 from 3` …
fn event(line: &str) -> Event {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (verb, when) = words[0].split_once('@').unwrap_or((words[0], "0"));
    let when = at(when.parse().unwrap());
    match verb {
        "release" => Event::Released,
        "cancel" => Event::CancelAsked(when),
        "accept" => Event::Accepted,
        "start" => Event::Started(when),
        end => {
            let started = words.get(2).map(|second| at(second.parse().unwrap()));
            Event::Ended { end: end.replace('_', " ").parse().unwrap(), started, ended: when }
        }
    }
}

/// Plays a story line by line and shows what came of each.
fn check(waits: Waits, story: &str, expected: Expect) {
    let first = Life::submitted(waits);
    let mut life = first.life;
    let mut shown = format!("submit -> {}\n", show(&first));
    for line in story.lines() {
        let outcome = match step(life, event(line.trim())) {
            Ok(next) => {
                life = next.life;
                show(&next)
            }
            Err(reason) => format!("ignored: {reason}"),
        };
        shown.push_str(&format!("{} -> {outcome}\n", line.trim()));
    }
    expected.assert_eq(&shown);
}

fn show(step: &Step) -> String {
    let state = match step.life.state {
        State::Ended { end, .. } => end.to_string(),
        other => other.name().to_owned(),
    };
    let effect = match step.effect {
        None => String::new(),
        Some(Effect::Settle { started, ended }) => {
            format!(", settle {}..{}", started.as_second(), ended.as_second())
        }
        Some(other) => format!(", {other:?}"),
    };
    format!("{state}{effect}")
}

#[test]
fn a_job_that_goes_well_is_settled_once() {
    check(
        Waits::ForNothing,
        "accept\nstart@10\ncompleted@25 from 10\ncompleted@25 from 10\nstart@10\naccept",
        expect![[r#"
            submit -> ordered, OrderStart
            accept -> queued
            start@10 -> running
            completed@25 from 10 -> completed, settle 10..25
            completed@25 from 10 -> ignored: this was already known
            start@10 -> ignored: the job is already past this point
            accept -> ignored: the job is already past this point
        "#]],
    );
}

#[test]
fn the_report_of_the_end_may_overtake_all_others_and_corrects_the_start() {
    check(
        Waits::ForNothing,
        "failed_exit_3@25 from 10\nstart@11",
        expect![[r#"
            submit -> ordered, OrderStart
            failed_exit_3@25 from 10 -> failed exit 3, settle 10..25
            start@11 -> ignored: the job is already past this point
        "#]],
    );
    check(
        Waits::ForNothing,
        "start@11\ntimed-out@25 from 10",
        expect![[r#"
            submit -> ordered, OrderStart
            start@11 -> running
            timed-out@25 from 10 -> timed-out, settle 10..25
        "#]],
    );
}

#[test]
fn a_held_job_is_ordered_when_released_and_costs_nothing_when_cancelled() {
    check(
        Waits::ForDependencies,
        "accept\nstart@1\ncompleted@2 from 1\nrelease\nrelease",
        expect![[r#"
            submit -> held
            accept -> ignored: no site was told of this job yet
            start@1 -> ignored: no site was told of this job yet
            completed@2 from 1 -> ignored: no site was told of this job yet
            release -> ordered, OrderStart
            release -> ignored: this was already known
        "#]],
    );
    check(
        Waits::ForDependencies,
        "cancel@7\nrelease\ncancel@8",
        expect![[r#"
            submit -> held
            cancel@7 -> cancelled, Release
            release -> ignored: the job is already past this point
            cancel@8 -> ignored: the job is already past this point
        "#]],
    );
}

#[test]
fn a_cancellation_waits_for_the_site_and_the_site_has_the_last_word() {
    check(
        Waits::ForNothing,
        "start@3\ncancel@5\ncancel@6\ncompleted@7 from 3",
        expect![[r#"
            submit -> ordered, OrderStart
            start@3 -> running
            cancel@5 -> running, OrderCancel
            cancel@6 -> ignored: this was already known
            completed@7 from 3 -> completed, settle 3..7
        "#]],
    );
    check(
        Waits::ForNothing,
        "cancel@5\ncancelled@6",
        expect![[r#"
            submit -> ordered, OrderStart
            cancel@5 -> ordered, OrderCancel
            cancelled@6 -> cancelled, Release
        "#]],
    );
}

#[test]
fn an_end_before_the_start_is_not_believed() {
    check(
        Waits::ForNothing,
        "completed@5 from 9\nstart@9\nnode-failed@8 from 9\nnode-failed@9 from 9",
        expect![[r#"
            submit -> ordered, OrderStart
            completed@5 from 9 -> ignored: the end lies before the start
            start@9 -> running
            node-failed@8 from 9 -> ignored: the end lies before the start
            node-failed@9 from 9 -> node-failed, settle 9..9
        "#]],
    );
}

#[test]
fn a_run_that_the_site_has_lost_costs_nothing_however_late_the_loss_is_noticed() {
    check(
        Waits::ForNothing,
        "start@9\nnode-failed@1800",
        expect![[r#"
            submit -> ordered, OrderStart
            start@9 -> running
            node-failed@1800 -> node-failed, Release
        "#]],
    );
}

#[test]
fn every_end_survives_printing_and_parsing() {
    for text in [
        "completed",
        "failed exit 1",
        "failed signal 9",
        "cancelled",
        "timed-out",
        "out-of-memory",
        "node-failed",
        "preempted",
        "boot-failed",
        "deadline-missed",
        "refused",
    ] {
        assert_eq!(text.parse::<End>().unwrap().to_string(), text);
    }
    for text in ["", "failed", "failed exit", "failed exit 300", "failed exit -1", "done"] {
        assert_eq!(text.parse::<End>(), Err(NotAnEnd(text.to_owned())));
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let end = prop_oneof![
        Just(End::Completed),
        Just(End::Cancelled),
        Just(End::TimedOut),
        Just(End::Preempted),
        any::<u8>().prop_map(|code| End::Failed(Failure::ExitCode(code))),
    ];
    let instant = (0i64..100).prop_map(at);
    prop_oneof![
        Just(Event::Released),
        Just(Event::Accepted),
        instant.clone().prop_map(Event::CancelAsked),
        instant.clone().prop_map(Event::Started),
        (end, proptest::option::of(instant.clone()), instant)
            .prop_map(|(end, started, ended)| Event::Ended { end, started, ended }),
    ]
}

proptest! {
    #[test]
    fn whatever_arrives_the_hold_is_given_back_exactly_once_and_a_start_ordered_at_most_once(
        held in any::<bool>(),
        events in proptest::collection::vec(any_event(), 0..40),
    ) {
        let waits = if held { Waits::ForDependencies } else { Waits::ForNothing };
        let first = Life::submitted(waits);
        let (mut life, mut effects) = (first.life, Vec::from_iter(first.effect));
        for event in events {
            let before = life;
            match step(life, event) {
                Ok(next) => {
                    prop_assert!(!before.state.is_final(), "an ended job moved");
                    prop_assert_ne!(next.life, before, "a step that changes nothing");
                    life = next.life;
                    effects.extend(next.effect);
                }
                Err(_) => prop_assert_eq!(life, before),
            }
            prop_assert!(step(life, event).is_err(), "the same event counted twice");
        }
        let settled = effects.iter()
            .filter(|e| matches!(e, Effect::Settle { .. } | Effect::Release)).count();
        prop_assert_eq!(settled, usize::from(life.state.is_final()));
        for once in [Effect::OrderStart, Effect::OrderCancel] {
            prop_assert!(effects.iter().filter(|e| **e == once).count() <= 1);
        }
        for effect in effects {
            if let Effect::Settle { started, ended } = effect {
                prop_assert!(started <= ended);
            }
        }
    }
}
