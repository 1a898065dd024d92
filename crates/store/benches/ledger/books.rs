//! The load: jobs of many allocations are held and settled.

use std::collections::VecDeque;

use ledger::{Author, Commodity, Entry, Movements, Pool, Stamp};
use store::ledger::{Memo, Pen};
use store::{Store, Tx};
use units::{AllocationId, EntryId, JobId, Meter, Payer, Period, PoolId, Shares, Timestamp, Work};
use uuid::Uuid;

use crate::Failure;

/// Allocations that jobs are submitted to; every other one has two payers.
const ALLOCATIONS: usize = 64;

/// Jobs that are held at any time, per allocation.
const HELD: usize = 4;

/// The books, and what is going on in them.
pub(crate) struct Load {
    store: Store,
    now: Timestamp,
    allocations: Vec<AllocationId>,
    running: VecDeque<JobId>,
    turn: usize,
    bytes: usize,
}

impl Load {
    /// Opens pools, grants allocations, and fills them with jobs.
    pub(crate) async fn begin(store: &Store) -> Result<Self, Failure> {
        let now: Timestamp = "2026-11-21T09:00:00Z".parse()?;
        let mut load = Self {
            store: store.clone(),
            now,
            allocations: (0..ALLOCATIONS).map(|_| AllocationId::from_uuid(id())).collect(),
            running: VecDeque::new(),
            turn: 0,
            bytes: 0,
        };
        let tx = store.write().await?;
        load.fund(&tx).await?;
        tx.commit().await?;
        while load.running.len() < HELD * ALLOCATIONS {
            load.hold().await?;
        }
        load.bytes = load.measure().await?;
        Ok(load)
    }

    async fn fund(&self, tx: &Tx) -> Result<(), Failure> {
        let hours = Commodity { partition: "meluxina-ai.gpu".parse()?, meter: Meter::Gpu };
        let period = Period::quarter_of(self.now);
        let pool = |payer: Payer| Pool { id: PoolId::from_uuid(id()), payer, period };
        let (union, state) = (pool(Payer::Union), pool("state:LU".parse()?));
        let pools = [union, state].map(|pool| (pool, Work::seconds(1 << 50)));
        store::ledger::open_pools(tx, self.memo(), &hours, period, &pools).await??;
        for (index, allocation) in self.allocations.iter().enumerate() {
            let shares = match index % 2 {
                0 => Shares::sole(union.id),
                _ => Shares::new([(union.id, 2), (state.id, 1)])?,
            };
            let amount = Work::seconds(1 << 40);
            store::ledger::grant(tx, self.memo(), *allocation, &shares, amount).await??;
        }
        Ok(())
    }

    fn memo(&self) -> Memo {
        let id = EntryId::from_uuid(id());
        let author = Author::Site("here".parse().unwrap_or_else(|_| unreachable!()));
        Memo { stamp: Stamp::new(id, self.now, author), reason: "job of 64 GPU-seconds".to_owned() }
    }

    /// The bytes of an entry and its transfers as they are stored, on average.
    pub(crate) const fn bytes_an_entry(&self) -> usize {
        self.bytes
    }

    async fn measure(&self) -> Result<usize, Failure> {
        let tx = self.store.read().await?;
        let entries = store::ledger::entries(&tx, None, 1_000).await?;
        let bytes: usize = entries.iter().map(stored_bytes).sum();
        Ok(bytes / entries.len())
    }

    /// One transaction with this many entries, half of them holds and half settlements.
    pub(crate) async fn commit(&mut self, entries: usize) -> Result<(), Failure> {
        if entries == 1 {
            self.turn += 1;
            return if self.turn.is_multiple_of(2) {
                self.hold().await
            } else {
                self.settle().await
            };
        }
        let tx = self.store.write().await?;
        let ending: Vec<JobId> = self.running.iter().take(entries / 2).copied().collect();
        let mut pen = Pen::take_to_close(&tx, &ending).await?;
        let beginning = entries.div_ceil(2).min(ALLOCATIONS);
        let beginning: Vec<_> = (1..=beginning)
            .filter_map(|turn| self.allocations.get(turn % ALLOCATIONS).copied())
            .collect();
        pen.foresee(&beginning).await?;
        for entry in 0..entries {
            if entry % 2 == 0 {
                let (allocation, job) = self.next();
                pen.hold(self.memo(), allocation, job, Work::seconds(64)).await??;
                self.running.push_back(job);
            } else if let Some(job) = self.running.pop_front() {
                pen.settle(self.memo(), job, Work::seconds(41)).await??;
            }
        }
        pen.write(Ok(())).await??;
        Ok(tx.commit().await?)
    }

    async fn hold(&mut self) -> Result<(), Failure> {
        let (allocation, job) = self.next();
        let tx = self.store.write().await?;
        store::ledger::hold(&tx, self.memo(), allocation, job, Work::seconds(64)).await??;
        self.running.push_back(job);
        Ok(tx.commit().await?)
    }

    async fn settle(&mut self) -> Result<(), Failure> {
        let Some(job) = self.running.pop_front() else { return Err("no job runs".into()) };
        let tx = self.store.write().await?;
        store::ledger::settle(&tx, self.memo(), job, Work::seconds(41)).await??;
        Ok(tx.commit().await?)
    }

    fn next(&mut self) -> (AllocationId, JobId) {
        self.allocations.rotate_left(1);
        let allocation = self.allocations.first().copied();
        let job = JobId::from_uuid(id());
        (allocation.unwrap_or_else(|| unreachable!()), job)
    }

    /// Figures of books that are wrong are worth nothing.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        let tx = self.store.read().await?;
        let verified = store::ledger::verify(&tx, |_| {}).await??;
        println!("{} entries verified", verified.entries);
        Ok(())
    }
}

/// Fixed columns, and texts: 16 bytes an id, 8 a number, 32 a hash; 40 bytes a transfer.
fn stored_bytes(entry: &Entry) -> usize {
    let parts = entry.kind().parts();
    let ids = 1
        + usize::from(parts.allocation.is_some())
        + usize::from(parts.recipient.is_some())
        + usize::from(parts.job.is_some());
    let numbers = 2 + usize::from(parts.refers.is_some()) + usize::from(parts.amount.is_some());
    let texts =
        entry.stamp().author().to_string().len() + entry.kind().name().len() + entry.reason().len();
    let transfers = match entry.movements() {
        Movements::Hours(transfers) => transfers.len(),
        Movements::Euros(transfers) => transfers.len(),
    };
    16 * ids + 8 * numbers + 32 + texts + 40 * transfers
}

/// An id in order of time, as the hub mints them.
#[expect(clippy::disallowed_methods, reason = "a benchmark has no clock of the hub")]
fn id() -> Uuid {
    Uuid::now_v7()
}
