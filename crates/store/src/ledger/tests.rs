//! The ledger on every database.

mod concurrency;
mod stories;
mod tampering;

use ::ledger::{Author, Commodity, Entry, Pool, Stamp};
use units::{AllocationId, EntryId, JobId, Meter, Payer, Period, PoolId, Shares, Timestamp, Work};
use uuid::Uuid;

use super::{Decided, Denied, Memo, Pen};
use crate::{Store, Tx};

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

fn memo_at(at: Timestamp) -> Memo {
    let id = EntryId::from_uuid(Uuid::new_v4());
    let stamp = Stamp::new(id, at, Author::Site("here".parse().unwrap()));
    Memo { stamp, reason: "because".to_owned() }
}

fn memo() -> Memo {
    memo_at(now())
}

fn hours() -> Commodity {
    Commodity { partition: "meluxina-ai.gpu".parse().unwrap(), meter: Meter::Gpu }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn allocation(number: u128) -> AllocationId {
    AllocationId::from_uuid(id(0xa000 + number))
}

fn job(number: u128) -> JobId {
    JobId::from_uuid(id(0x10b0_0000 + number))
}

fn pool(number: u128, payer: &str) -> Pool {
    let id = PoolId::from_uuid(id(0x9000 + number));
    Pool { id, payer: payer.parse::<Payer>().unwrap(), period: Period::quarter_of(now()) }
}

fn seconds(count: i64) -> Work {
    Work::seconds(count)
}

/// Opens two pools of 10 000 unit-seconds and grants `amount` of both, half and half.
async fn granted(tx: &Tx, to: AllocationId, amount: i64) -> Entry {
    let pools = [(pool(1, "union"), seconds(10_000)), (pool(2, "state:LU"), seconds(10_000))];
    let period = Period::quarter_of(now());
    super::open_pools(tx, memo(), &hours(), period, &pools).await.unwrap().unwrap();
    let shares = Shares::new(pools.map(|(pool, _)| (pool.id, 1))).unwrap();
    super::grant(tx, memo(), to, &shares, seconds(amount)).await.unwrap().unwrap()
}

async fn assert_sound(store: &Store) -> super::Verified {
    let tx = store.read().await.unwrap();
    super::verify(&tx, |_| {}).await.unwrap().unwrap()
}

/// Available, held and used of an allocation, over all payers.
async fn stands(tx: &Tx, of: AllocationId) -> (i64, i64, i64) {
    let total = super::balances(tx, of).await.unwrap().unwrap().total().unwrap();
    (total.available.count(), total.held.count(), total.used.count())
}

fn denied(decided: Decided<Entry>) -> Denied {
    decided.unwrap().unwrap_err()
}
