//! What holds for every history, however it goes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use units::{AllocationId, Payer, Work};

use super::world::{World, allocation, job, moves};
use crate::*;

#[derive(Clone, Debug)]
enum Step {
    Open(bool, Vec<i64>),
    Grant(usize, bool, i64, Vec<u64>),
    Hold(usize, u8, i64),
    Settle(u8, i64),
    Charge(usize, u8, i64),
    Release(u8),
    Correct(u8, i64),
    Transfer(usize, usize, i64),
    Lapse(usize),
    Cut(usize, i64),
}

const PAYERS: [&str; 4] = ["union", "commercial", "state:LU", "volunteered:FI"];
const PARTITIONS: [&str; 2] = ["lumi.gpu", "meluxina-ai.gpu"];
const ALLOCATIONS: [&str; 3] = ["a", "b", "c"];

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![1i64..6, 1i64..500, 1i64..1 << 40]
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0usize..ALLOCATIONS.len();
    let job = || 0u8..12;
    prop_oneof![
        1 => (any::<bool>(), prop::collection::vec(amount(), 4)).prop_map(|(p, n)| Step::Open(p, n)),
        2 => (who.clone(), any::<bool>(), amount(), prop::collection::vec(0u64..5, 4))
            .prop_map(|(a, p, n, w)| Step::Grant(a, p, n, w)),
        6 => (who.clone(), job(), amount()).prop_map(|(a, j, n)| Step::Hold(a, j, n)),
        6 => (job(), amount()).prop_map(|(j, n)| Step::Settle(j, n)),
        2 => (who.clone(), job(), amount()).prop_map(|(a, j, n)| Step::Charge(a, j, n)),
        1 => job().prop_map(Step::Release),
        1 => (job(), amount()).prop_map(|(j, n)| Step::Correct(j, n)),
        1 => (who.clone(), who.clone(), amount()).prop_map(|(a, b, n)| Step::Transfer(a, b, n)),
        1 => who.clone().prop_map(Step::Lapse),
        1 => (who, amount()).prop_map(|(a, n)| Step::Cut(a, n)),
    ]
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let start =
        (prop::collection::vec(100i64..1 << 41, 4), prop::collection::vec(1u64..5, 4), amount());
    let start = start.prop_map(|(pools, weights, granted)| {
        vec![Step::Open(true, pools), Step::Grant(0, true, granted.min(300), weights)]
    });
    (start, prop::collection::vec(step(), 0..60)).prop_map(|(start, rest)| [start, rest].concat())
}

fn named(index: usize) -> AllocationId {
    allocation(ALLOCATIONS[index])
}

fn payers<T: Copy>(values: &[T]) -> Vec<(Payer, T)> {
    PAYERS.iter().map(|payer| payer.parse().unwrap()).zip(values.iter().copied()).collect()
}

/// Plays one step; a refusal changes nothing.
fn play(world: &mut World, step: &Step) {
    let before = world.books.clone();
    let number = |j: &u8| job(u128::from(*j));
    let entered = match step {
        Step::Open(p, pools) => world.open(PARTITIONS[usize::from(!p)], &payers(pools)).map(drop),
        Step::Grant(a, p, n, w) => {
            world.grant(named(*a), PARTITIONS[usize::from(!p)], *n, &payers(w)).map(drop)
        }
        Step::Hold(a, j, n) if world.open_hold(number(j)).is_err() => {
            world.hold(named(*a), number(j), *n).map(drop)
        }
        Step::Hold(..) => Ok(()),
        Step::Settle(j, n) => world.settle(number(j), *n).map(drop),
        Step::Charge(a, j, n) => world.charge(named(*a), number(j), *n).map(drop),
        Step::Release(j) => world.release(number(j)).map(drop),
        Step::Correct(j, n) => world.correct(number(j), *n).map(drop),
        Step::Transfer(a, b, n) => world.transfer(named(*a), named(*b), *n).map(drop),
        Step::Lapse(a) => world.lapse(named(*a)).map(drop),
        Step::Cut(a, n) => world.take_back(named(*a), Some(*n)).map(drop),
    };
    if entered.is_err() {
        assert_eq!(world.books, before, "a refusal changed the books");
    }
}

fn sum(books: &Books, commodity: &Commodity) -> i128 {
    let mine = books.all_hours().filter(|(account, _)| account.commodity() == commodity);
    mine.map(|(_, balance)| i128::from(balance.count())).sum()
}

fn assert_sound(world: &World) {
    for (account, balance) in world.books.all_hours() {
        assert_eq!(sum(&world.books, account.commodity()), 0, "the books do not sum to zero");
        let floor = account.floor();
        assert!(floor.is_none_or(|floor| balance >= floor), "{account} is at {balance:?}");
    }
}

/// The net change of every account, straight from the transfers.
fn folded(entries: &[Entry]) -> BTreeMap<Account<Work>, i128> {
    let mut balances = BTreeMap::<_, i128>::new();
    for entry in entries {
        let Movements::Hours(transfers) = entry.movements() else { continue };
        for transfer in transfers {
            let amount = i128::from(transfer.amount().count());
            *balances.entry(transfer.from().clone()).or_default() -= amount;
            *balances.entry(transfer.to().clone()).or_default() += amount;
        }
    }
    balances
}

/// How far each payer may be from its share, from first principles: none as much as one unit.
fn assert_shared(standing: &Standing) {
    let since = |part: &Part| part.used.minus(part.base).unwrap().count();
    let stands = |part: &Part| since(part) + part.held.count() + part.available.count();
    let whole: i128 = standing.parts().values().map(|part| i128::from(stands(part))).sum();
    for reach in
        [since, |part: &Part| part.used.minus(part.base).unwrap().count() + part.held.count()]
    {
        let total: i128 = standing.parts().values().map(|part| i128::from(reach(part))).sum();
        for part in standing.parts().values() {
            let away = i128::from(reach(part)) * whole - total * i128::from(stands(part));
            assert!(away == 0 || away.abs() < whole, "{standing:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn books_sum_to_zero_and_respect_floors_after_every_entry(steps in history()) {
        let mut world = World::new();
        for step in &steps {
            play(&mut world, step);
            assert_sound(&world);
        }
    }

    #[test]
    fn charges_follow_the_shares_at_every_moment(steps in history()) {
        let mut world = World::new();
        for step in &steps {
            let before = world.entries.len();
            play(&mut world, step);
            for entry in &world.entries[before..] {
                if let Kind::Hold { allocation, .. } | Kind::Settle { allocation, .. } | Kind::Release { allocation, .. } = entry.kind() {
                    assert_shared(&world.books.standing(*allocation).unwrap());
                }
            }
        }
    }

    #[test]
    fn a_settlement_charges_what_was_used_and_gives_up_its_whole_hold(steps in history()) {
        let mut world = World::new();
        for step in &steps {
            let Step::Settle(j, used) = step else { play(&mut world, step); continue };
            let Ok(hold) = world.open_hold(job(u128::from(*j))) else { continue };
            let before = world.books.standing(hold.allocation).unwrap().total().unwrap();
            let entry = world.settle(hold.job, *used).unwrap();
            let after = world.books.standing(hold.allocation).unwrap().total().unwrap();
            let absorbed: i64 = moves(&entry).iter()
                .filter(|(_, to, _)| matches!(to, Place::Absorbed(_))).map(|(.., n)| n.count()).sum();
            prop_assert_eq!(after.used.count() - before.used.count() + absorbed, *used);
            prop_assert_eq!(before.held.count() - after.held.count(), hold.amount.count());
            prop_assert!(absorbed == 0 || after.available == Work::ZERO, "the site bore what was there");
        }
    }

    #[test]
    fn when_all_is_used_every_payer_has_paid_all_it_granted(
        weights in prop::collection::vec(0u64..9, 4),
        granted in 1i64..300,
        uses in prop::collection::vec(1i64..40, 300),
    ) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let mut world = World::new();
        world.open(PARTITIONS[0], &payers(&[1 << 40; 4])).unwrap();
        world.grant(named(0), PARTITIONS[0], granted, &payers(&weights)).unwrap();
        let start = world.books.standing(named(0)).unwrap();
        for (index, used) in uses.iter().enumerate() {
            let left = world.books.standing(named(0)).unwrap().total().unwrap().available;
            if left == Work::ZERO { break; }
            world.hold(named(0), job(index as u128), (*used).min(left.count())).unwrap();
            world.settle(job(index as u128), (*used).min(left.count())).unwrap();
        }
        for (payer, part) in world.books.standing(named(0)).unwrap().parts() {
            prop_assert_eq!(part.used, start.parts()[payer].available);
        }
    }

    #[test]
    fn replaying_the_entries_gives_the_same_books(steps in history()) {
        let mut world = World::new();
        for step in &steps {
            play(&mut world, step);
        }
        let balances = folded(&world.entries);
        for (account, balance) in world.books.all_hours() {
            prop_assert_eq!(balances.get(account).copied().unwrap_or_default(), i128::from(balance.count()));
        }
        prop_assert_eq!(verify(world.entries), Ok(world.books));
    }

    #[test]
    fn books_resumed_from_balances_go_on_in_the_same_way(steps in history(), cut in 0usize..60) {
        let mut world = World::new();
        let cut = cut.min(steps.len());
        for step in &steps[..cut] {
            play(&mut world, step);
        }
        let mut resumed = Books::resume(world.books.head());
        for (account, balance) in world.books.all_hours() {
            resumed.recall(account.clone(), balance);
        }
        for name in ALLOCATIONS {
            if let Some(standing) = world.books.standing(allocation(name)) {
                resumed.recall_standing(&standing).unwrap();
            }
        }
        for j in 0..12 {
            if let Ok(hold) = world.open_hold(job(j)) {
                resumed.recall_hold(hold);
            }
        }
        world.books = resumed;
        for step in &steps[cut..] {
            play(&mut world, step);
        }
        let replayed = verify(world.entries).unwrap();
        prop_assert_eq!(replayed.head(), world.books.head());
        for (account, balance) in world.books.all_hours() {
            prop_assert_eq!(replayed.hours(account), balance);
        }
        for name in ALLOCATIONS.map(allocation) {
            prop_assert_eq!(replayed.standing(name), world.books.standing(name));
        }
    }
}
