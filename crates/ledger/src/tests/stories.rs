//! Stories: a script of one command a line, and what the books answer.

use std::fmt::Write;

use expect_test::{Expect, expect};
use units::{Cents, Payer};

use super::world::{Told, World, allocation, hours, id, job, moves, period};
use crate::*;

/// Plays `script` and compares what each line moved, then how each allocation stands.
fn check(script: &str, expected: Expect) {
    let mut world = World::new();
    let mut text = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match play(&mut world, &words) {
            Ok(entries) if entries.is_empty() => writeln!(text, "{line}").unwrap(),
            Ok(entries) => {
                for entry in entries {
                    writeln!(text, "{line} -> {} {}", entry.kind().name(), shown(&entry)).unwrap();
                }
            }
            Err(why) => writeln!(text, "{line} -> refused: {why}").unwrap(),
        }
    }
    for name in ["a", "b"] {
        let Some(standing) = world.books.standing(allocation(name)) else { continue };
        for (payer, part) in standing.parts() {
            let (available, held, used) =
                (part.available.count(), part.held.count(), part.used.count());
            writeln!(text, "{name} {payer}: available {available}, held {held}, used {used}")
                .unwrap();
        }
    }
    expected.assert_eq(&text);
    assert_eq!(verify(world.entries), Ok(world.books));
}

fn play(world: &mut World, words: &[&str]) -> Told<Vec<Entry>> {
    let payers = |words: &[&str]| -> Vec<(Payer, i64)> {
        let pair = |word: &&str| {
            word.split_once('=').map(|(p, n)| (p.parse().unwrap(), n.parse().unwrap()))
        };
        words.iter().filter_map(pair).collect()
    };
    let one = |entry: Told<Entry>| entry.map(|entry| vec![entry]);
    let number = |text: &str| text.parse::<i64>().unwrap();
    let nth = |text: &str| job(text.parse().unwrap());
    match *words {
        ["open", partition, ref rest @ ..] => one(world.open(partition, &payers(rest))),
        ["grant", to, partition, amount, ref rest @ ..] => {
            let shares: Vec<_> = payers(rest).into_iter().map(|(p, n)| (p, n as u64)).collect();
            one(world.grant(allocation(to), partition, number(amount), &shares))
        }
        ["hold", of, job, amount] => one(world.hold(allocation(of), nth(job), number(amount))),
        ["settle", job, used] => one(world.settle(nth(job), number(used))),
        ["charge", of, job, used] => one(world.charge(allocation(of), nth(job), number(used))),
        ["release", job] => one(world.release(nth(job))),
        ["correct", job, used] => one(world.correct(nth(job), number(used))),
        ["transfer", from, to, amount] => {
            one(world.transfer(allocation(from), allocation(to), number(amount)))
        }
        ["lapse", of] => world.lapse(allocation(of)),
        ["cut", of, amount] => world.take_back(allocation(of), Some(number(amount))),
        ["next-quarter"] => {
            world.now = period().end();
            Ok(Vec::new())
        }
        _ => panic!("{words:?} is not a command"),
    }
}

fn shown(entry: &Entry) -> String {
    let short = |place: Place| match place {
        Place::Capacity(_) => "capacity".to_owned(),
        Place::Pool(pool) => format!("pool {}", pool.payer),
        Place::Available(_, payer) => format!("available {payer}"),
        Place::Held(_, payer) => format!("held {payer}"),
        Place::Used(_, payer) => format!("used {payer}"),
        Place::Absorbed(_) => "absorbed".to_owned(),
        Place::Expired(payer) => format!("expired {payer}"),
    };
    let moves = moves(entry).into_iter();
    let moves = moves.map(|(from, to, n)| format!("{} > {} {}", short(from), short(to), n.count()));
    moves.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_job_is_held_charged_and_the_rest_released() {
    check(
        "open lumi.gpu union=100
         grant a lumi.gpu 60 union=1
         hold a 1 40
         settle 1 25
         hold a 2 10
         release 2",
        expect![[r#"
            open lumi.gpu union=100 -> open capacity > pool union 100
            grant a lumi.gpu 60 union=1 -> grant pool union > available union 60
            hold a 1 40 -> hold available union > held union 40
            settle 1 25 -> settle held union > used union 25, held union > available union 15
            hold a 2 10 -> hold available union > held union 10
            release 2 -> release held union > available union 10
            a union: available 35, held 0, used 25
        "#]],
    );
}

#[test]
fn three_payers_share_each_charge_to_the_second() {
    check(
        "open lumi.gpu union=100 state:FI=100 state:LU=100
         grant a lumi.gpu 10 union=5 state:FI=3 state:LU=2
         hold a 1 1
         settle 1 1
         hold a 2 1
         settle 2 1
         hold a 3 1
         settle 3 1
         hold a 4 7
         settle 4 7",
        expect![[r#"
            open lumi.gpu union=100 state:FI=100 state:LU=100 -> open capacity > pool union 100, capacity > pool state:FI 100, capacity > pool state:LU 100
            grant a lumi.gpu 10 union=5 state:FI=3 state:LU=2 -> grant pool union > available union 5, pool state:FI > available state:FI 3, pool state:LU > available state:LU 2
            hold a 1 1 -> hold available union > held union 1
            settle 1 1 -> settle held union > used union 1
            hold a 2 1 -> hold available state:FI > held state:FI 1
            settle 2 1 -> settle held state:FI > used state:FI 1
            hold a 3 1 -> hold available union > held union 1
            settle 3 1 -> settle held union > used union 1
            hold a 4 7 -> hold available union > held union 3, available state:FI > held state:FI 2, available state:LU > held state:LU 2
            settle 4 7 -> settle held union > used union 3, held state:FI > used state:FI 2, held state:LU > used state:LU 2
            a union: available 0, held 0, used 5
            a state:FI: available 0, held 0, used 3
            a state:LU: available 0, held 0, used 2
        "#]],
    );
}

#[test]
fn what_is_missing_is_said() {
    check(
        "open lumi.gpu union=100
         grant a lumi.gpu 60 union=1
         grant b lumi.gpu 41 union=1
         hold a 1 50
         hold a 2 11
         hold a 2 0
         hold b 3 1",
        expect![[r#"
            open lumi.gpu union=100 -> open capacity > pool union 100
            grant a lumi.gpu 60 union=1 -> grant pool union > available union 60
            grant b lumi.gpu 41 union=1 -> refused: 1 of the pools have too little
            hold a 1 50 -> hold available union > held union 50
            hold a 2 11 -> refused: 1 unit-seconds more would be needed; 10 are available
            hold a 2 0 -> refused: a transfer moves a positive amount, not 0
            hold b 3 1 -> refused: no such allocation
            a union: available 10, held 50, used 0
        "#]],
    );
}

#[test]
fn an_overrun_is_drawn_from_the_rest_and_then_borne_by_the_site() {
    check(
        "open lumi.gpu union=100 state:FI=100
         grant a lumi.gpu 60 union=1 state:FI=1
         hold a 1 20
         hold a 2 30
         settle 1 45
         settle 2 30
         correct 1 40
         correct 1 10
         correct 1 70",
        expect![[r#"
            open lumi.gpu union=100 state:FI=100 -> open capacity > pool union 100, capacity > pool state:FI 100
            grant a lumi.gpu 60 union=1 state:FI=1 -> grant pool union > available union 30, pool state:FI > available state:FI 30
            hold a 1 20 -> hold available union > held union 10, available state:FI > held state:FI 10
            hold a 2 30 -> hold available union > held union 15, available state:FI > held state:FI 15
            settle 1 45 -> settle held union > used union 10, available union > used union 5, held state:FI > used state:FI 10, available state:FI > used state:FI 5, capacity > absorbed 15
            settle 2 30 -> settle held union > used union 15, held state:FI > used state:FI 15
            correct 1 40 -> correction absorbed > capacity 5
            correct 1 10 -> correction used union > available union 10, used state:FI > available state:FI 10, absorbed > capacity 10
            correct 1 70 -> correction available union > used union 10, available state:FI > used state:FI 10, capacity > absorbed 40
            a union: available 0, held 0, used 30
            a state:FI: available 0, held 0, used 30
        "#]],
    );
}

#[test]
fn a_job_that_nothing_was_held_for_is_charged_around_what_is_held() {
    check(
        "open lumi.gpu union=100 state:FI=100
         grant a lumi.gpu 60 union=1 state:FI=1
         hold a 1 20
         charge a 2 25
         charge a 3 30
         correct 3 10
         charge a 4 0
         settle 1 20",
        expect![[r#"
            open lumi.gpu union=100 state:FI=100 -> open capacity > pool union 100, capacity > pool state:FI 100
            grant a lumi.gpu 60 union=1 state:FI=1 -> grant pool union > available union 30, pool state:FI > available state:FI 30
            hold a 1 20 -> hold available union > held union 10, available state:FI > held state:FI 10
            charge a 2 25 -> charge available union > used union 13, available state:FI > used state:FI 12
            charge a 3 30 -> charge available union > used union 7, available state:FI > used state:FI 8, capacity > absorbed 15
            correct 3 10 -> correction used union > available union 3, used state:FI > available state:FI 2, absorbed > capacity 15
            charge a 4 0 -> refused: an entry needs at least one transfer
            settle 1 20 -> settle held union > used union 10, held state:FI > used state:FI 10
            a union: available 3, held 0, used 27
            a state:FI: available 2, held 0, used 28
        "#]],
    );
}

#[test]
fn a_hold_is_settled_once() {
    check(
        "open lumi.gpu union=100
         grant a lumi.gpu 60 union=1
         hold a 1 20
         settle 1 0
         settle 1 20
         release 1
         correct 1 0",
        expect![[r#"
            open lumi.gpu union=100 -> open capacity > pool union 100
            grant a lumi.gpu 60 union=1 -> grant pool union > available union 60
            hold a 1 20 -> hold available union > held union 20
            settle 1 0 -> settle held union > available union 20
            settle 1 20 -> refused: the hold is closed
            release 1 -> refused: the hold is closed
            correct 1 0 -> refused: an entry needs at least one transfer
            a union: available 60, held 0, used 0
        "#]],
    );
}

#[test]
fn hours_left_go_back_while_the_quarter_lasts_and_expire_after_it() {
    check(
        "open lumi.gpu union=100 state:FI=50
         grant a lumi.gpu 60 union=2 state:FI=1
         hold a 1 20
         lapse a
         settle 1 5
         next-quarter
         lapse a
         lapse a",
        expect![[r#"
            open lumi.gpu union=100 state:FI=50 -> open capacity > pool union 100, capacity > pool state:FI 50
            grant a lumi.gpu 60 union=2 state:FI=1 -> grant pool union > available union 40, pool state:FI > available state:FI 20
            hold a 1 20 -> hold available union > held union 14, available state:FI > held state:FI 6
            lapse a -> return available union > pool union 26, available state:FI > pool state:FI 14
            settle 1 5 -> settle held union > used union 4, held union > available union 10, held state:FI > used state:FI 1, held state:FI > available state:FI 5
            next-quarter
            lapse a -> expiry available union > expired union 10, available state:FI > expired state:FI 5
            lapse a
            a union: available 0, held 0, used 4
            a state:FI: available 0, held 0, used 1
        "#]],
    );
}

#[test]
fn a_cut_takes_from_each_payer_by_what_it_has_left_and_goes_back_while_the_pool_lasts() {
    check(
        "open lumi.gpu union=100 state:FI=50
         grant a lumi.gpu 60 union=2 state:FI=1
         hold a 1 30
         cut a 31
         cut a 12
         next-quarter
         cut a 6",
        expect![[r#"
            open lumi.gpu union=100 state:FI=50 -> open capacity > pool union 100, capacity > pool state:FI 50
            grant a lumi.gpu 60 union=2 state:FI=1 -> grant pool union > available union 40, pool state:FI > available state:FI 20
            hold a 1 30 -> hold available union > held union 20, available state:FI > held state:FI 10
            cut a 31 -> refused: 1 unit-seconds more would be needed; 30 are available
            cut a 12 -> return available union > pool union 8, available state:FI > pool state:FI 4
            next-quarter
            cut a 6 -> expiry available union > expired union 4, available state:FI > expired state:FI 2
            a union: available 8, held 20, used 0
            a state:FI: available 4, held 10, used 0
        "#]],
    );
}

#[test]
fn hours_keep_their_payer_when_they_change_hands() {
    check(
        "open lumi.gpu union=100 state:FI=50
         open leonardo.gpu union=100
         grant a lumi.gpu 60 union=2 state:FI=1
         grant b leonardo.gpu 10 union=1
         transfer a b 10
         lapse b
         grant b lumi.gpu 9 union=1",
        expect![[r#"
            open lumi.gpu union=100 state:FI=50 -> open capacity > pool union 100, capacity > pool state:FI 50
            open leonardo.gpu union=100 -> open capacity > pool union 100
            grant a lumi.gpu 60 union=2 state:FI=1 -> grant pool union > available union 40, pool state:FI > available state:FI 20
            grant b leonardo.gpu 10 union=1 -> grant pool union > available union 10
            transfer a b 10 -> refused: lumi.gpu:gpu hours cannot become leonardo.gpu:gpu hours
            lapse b -> return available union > pool union 10
            grant b lumi.gpu 9 union=1 -> refused: allocation 00000000-0000-0000-0000-0000a1100062 has leonardo.gpu:gpu hours, not lumi.gpu:gpu
            a union: available 40, held 0, used 0
            a state:FI: available 20, held 0, used 0
            b union: available 0, held 0, used 0
        "#]],
    );
    check(
        "open lumi.gpu union=100 state:FI=50
         grant a lumi.gpu 60 union=2 state:FI=1
         grant b lumi.gpu 10 union=1
         hold a 1 30
         transfer a b 10
         transfer a b 21
         hold b 2 20
         settle 2 20
         settle 1 30",
        expect![[r#"
            open lumi.gpu union=100 state:FI=50 -> open capacity > pool union 100, capacity > pool state:FI 50
            grant a lumi.gpu 60 union=2 state:FI=1 -> grant pool union > available union 40, pool state:FI > available state:FI 20
            grant b lumi.gpu 10 union=1 -> grant pool union > available union 10
            hold a 1 30 -> hold available union > held union 20, available state:FI > held state:FI 10
            transfer a b 10 -> transfer available union > available union 7, available state:FI > available state:FI 3
            transfer a b 21 -> refused: 1 unit-seconds more would be needed; 20 are available
            hold b 2 20 -> hold available union > held union 17, available state:FI > held state:FI 3
            settle 2 20 -> settle held union > used union 17, held state:FI > used state:FI 3
            settle 1 30 -> settle held union > used union 20, held state:FI > used state:FI 10
            a union: available 13, held 0, used 20
            a state:FI: available 7, held 0, used 10
            b union: available 0, held 0, used 17
            b state:FI: available 0, held 0, used 3
        "#]],
    );
}

#[test]
fn contributions_are_euros_by_payer_and_purpose() {
    let agreement = id(7).parse().unwrap();
    let lu: Payer = "state:LU".parse().unwrap();
    let paid = [
        (Payer::Union, Purpose::Acquisition, Cents::euros(30_000_000).unwrap()),
        (lu, Purpose::Acquisition, Cents::euros(30_000_000).unwrap()),
        (lu, Purpose::Operation, Cents::euros(12_000_000).unwrap()),
    ];
    let mut world = World::new();
    world.enter(contribute(agreement, &paid, "hosting agreement").unwrap()).unwrap();
    let text: String =
        world.books.all_euros().map(|(account, cents)| format!("{account}: {cents}\n")).collect();
    expect![[r#"
        eur/budget/union: EUR -30 000 000.00
        eur/budget/state:LU: EUR -42 000 000.00
        eur/acquisition/00000000-0000-0000-0000-000000000007/union: EUR 30 000 000.00
        eur/acquisition/00000000-0000-0000-0000-000000000007/state:LU: EUR 30 000 000.00
        eur/operation/00000000-0000-0000-0000-000000000007/state:LU: EUR 12 000 000.00
    "#]]
    .assert_eq(&text);
    assert_eq!(verify(world.entries), Ok(world.books));
}

#[test]
fn a_draft_moves_only_what_its_kind_moves() {
    let account = |place| Account::new(hours("lumi.gpu"), place);
    let (a, union) = (allocation("a"), Payer::Union);
    let to_used = Transfer::new(
        account(Place::Available(a, union)),
        account(Place::Used(a, union)),
        units::Work::seconds(5),
    );
    let moves = || Movements::Hours(vec![to_used.clone().unwrap()]);
    let told = |kind| Draft::new(kind, "why", moves()).unwrap_err().to_string();
    let hold = Kind::Hold { allocation: a, job: job(1), amount: units::Work::seconds(5) };
    expect!["hold does not move anything from lumi.gpu:gpu/available/00000000-0000-0000-0000-0000a1100061/union to lumi.gpu:gpu/used/00000000-0000-0000-0000-0000a1100061/union"]
        .assert_eq(&told(hold));
    let settle = |used| Kind::Settle {
        allocation: a,
        job: job(1),
        hold: Seq::FIRST,
        used: units::Work::seconds(used),
    };
    expect!["settle names 4 but moves 5"].assert_eq(&told(settle(4)));
    assert_eq!(Draft::new(settle(5), " ", moves()), Err(Malformed::Reason));
    assert_eq!(Draft::new(settle(5), "two\nlines", moves()), Err(Malformed::Reason));
    assert_eq!(Draft::new(settle(5), "why", Movements::Hours(Vec::new())), Err(Malformed::Empty));
    // Well formed, but there is no such hold in empty books.
    let draft = Draft::new(settle(5), "why", moves()).unwrap();
    assert!(World::new().enter(draft).is_err());
}

#[test]
fn hours_of_two_partitions_do_not_mix() {
    let at = |partition| Account::new(hours(partition), Place::Expired(Payer::Union));
    let told = Transfer::new(at("lumi.gpu"), at("leonardo.gpu"), units::Work::seconds(1));
    expect!["lumi.gpu:gpu/expired/union and leonardo.gpu:gpu/expired/union are not amounts of the same thing"]
        .assert_eq(&told.unwrap_err().to_string());
}
