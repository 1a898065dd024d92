use jiff::SignedDuration;
use ledger::{Commodity, Pool};
use store::Tx;
use store::ledger as books;
use units::{AllocationId, JobId, Meter, Payer, Period, PoolId, Shares, Work};

use super::{AllocationStatement, Line, summed};
use crate::projects::tests::granted;
use crate::testing::TestHub;
use crate::{Actor, Error};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A hub in which hours go by as things happen to one allocation of two payers.
struct Story {
    hub: TestHub,
    allocation: AllocationId,
    jobs: Vec<JobId>,
}

impl Story {
    fn memo(&self) -> books::Memo {
        self.hub.clock.advance(HOUR);
        self.hub.app.memo(&Actor::system(), "it happens")
    }

    fn job(&mut self) -> JobId {
        let job = JobId::from_uuid(self.hub.app.clock().mint());
        self.jobs.push(job);
        job
    }

    async fn tell(hub: TestHub) -> Self {
        let allocation = AllocationId::from_uuid(hub.app.clock().mint());
        let mut story = Self { hub, allocation, jobs: Vec::new() };
        let tx = story.hub.app.store().write().await.unwrap();
        story.happen(&tx).await;
        tx.commit().await.unwrap();
        story
    }

    /// A bit of everything, an hour apart.
    async fn happen(&mut self, tx: &Tx) {
        let hours = Commodity { partition: "lumi.lumi-g".parse().unwrap(), meter: Meter::Gpu };
        let period = Period::quarter_of(self.hub.app.now());
        let pool = |payer| {
            let id = PoolId::from_uuid(self.hub.app.clock().mint());
            (Pool { id, payer, period }, Work::seconds(10_000))
        };
        let pools = [pool(Payer::Union), pool("state:FI".parse().unwrap())];
        let shares = Shares::new(pools.map(|(pool, _)| (pool.id, 1))).unwrap();
        let (to, amount) = (self.allocation, Work::seconds(1_001));
        books::open_pools(tx, self.memo(), &hours, period, &pools).await.unwrap().unwrap();
        books::grant(tx, self.memo(), to, &shares, amount).await.unwrap().unwrap();
        let (first, second, third) = (self.job(), self.job(), self.job());
        for (job, amount) in [(first, 301), (second, 200), (third, 77)] {
            let amount = Work::seconds(amount);
            books::hold(tx, self.memo(), to, job, amount).await.unwrap().unwrap();
        }
        books::settle(tx, self.memo(), first, Work::seconds(150)).await.unwrap().unwrap();
        books::settle(tx, self.memo(), second, Work::seconds(1_000)).await.unwrap().unwrap();
        books::correct(tx, self.memo(), second, Work::seconds(500)).await.unwrap().unwrap();
        books::release(tx, self.memo(), third).await.unwrap().unwrap();
        let memos = [self.memo(), self.memo()];
        books::expire(tx, memos, to).await.unwrap().unwrap();
    }

    async fn statement(&self, from: i32, to: i32) -> AllocationStatement {
        let start = self.hub.app.now() - HOUR * 12;
        let period = Period::new(start + HOUR * from, start + HOUR * to).unwrap();
        let tx = self.hub.app.store().read().await.unwrap();
        let mut found = books::statement(&tx, &[self.allocation], period).await.unwrap();
        summed(found.pop().unwrap()).unwrap()
    }
}

fn assert_adds_up(line: &Line) {
    let n = Work::count;
    let available = n(line.granted) + n(line.transferred) + n(line.released)
        - n(line.held)
        - n(line.corrected)
        - n(line.returned)
        - n(line.expired);
    assert_eq!(n(line.closing.available) - n(line.opening.available), available, "{line:?}");
    let held = n(line.held) - n(line.used) - n(line.released);
    assert_eq!(n(line.closing.held) - n(line.opening.held), held, "{line:?}");
    let used = n(line.used) + n(line.corrected);
    assert_eq!(n(line.closing.used) - n(line.opening.used), used, "{line:?}");
}

#[tokio::test]
async fn opening_and_movements_add_up_to_closing_over_any_period() {
    for hub in TestHub::each().await {
        let story = Story::tell(hub).await;
        for from in 0..13 {
            for to in from + 1..14 {
                let statement = story.statement(from, to).await;
                assert_adds_up(&statement.total);
                statement.payers.values().for_each(assert_adds_up);
            }
        }
    }
}

#[tokio::test]
async fn a_whole_story_reads_as_it_happened() {
    for hub in TestHub::each().await {
        let story = Story::tell(hub).await;
        let statement = story.statement(0, 14).await;
        let seconds = Work::seconds;
        assert_eq!(statement.total.opening, super::Change::default());
        assert_eq!(statement.total.granted, seconds(1_001));
        assert_eq!(statement.total.held, seconds(578));
        // The second job used 1 000, of which 774 could be covered; 226 the site bore, and the
        // correction by 500 took back all of that and 274 of what was paid.
        assert_eq!(statement.total.used, seconds(924));
        assert_eq!(statement.total.corrected, seconds(-274));
        assert_eq!(statement.absorbed, Work::ZERO);
        assert_eq!(statement.total.released, seconds(301 - 150 + 200 - 774 + 77));
        assert_eq!(statement.total.returned, seconds(351));
        assert_eq!(statement.total.expired, Work::ZERO);
        let closing = statement.total.closing;
        assert_eq!(
            (closing.available, closing.held, closing.used),
            (Work::ZERO, Work::ZERO, seconds(650))
        );
        let kinds: Vec<_> = statement.movements.iter().map(|it| it.kind.name()).collect();
        let expected = [
            "grant",
            "hold",
            "hold",
            "hold",
            "settle",
            "settle",
            "correction",
            "release",
            "return",
        ];
        assert_eq!(kinds, expected);
        assert_eq!(statement.payers.len(), 2);
    }
}

#[tokio::test]
async fn a_project_reads_its_own_statement_and_others_do_not() {
    for hub in TestHub::each().await {
        let (project, _, manager) = granted(&hub).await;
        let period = Period::quarter_of(hub.app.now());
        let statement = hub.app.project_statement(&manager, project, period).await.unwrap();
        let [allocation] = statement.allocations.as_slice() else { panic!("{statement:?}") };
        let ten_hours = Work::hours(10).unwrap();
        assert_eq!(allocation.total.granted, ten_hours);
        assert_eq!(allocation.payers[&Payer::Union].closing.available, ten_hours);
        let check = hub.app.check_ledger(&Actor::system(), |_| {}).await.unwrap();
        assert_eq!(check.outcome.unwrap().head, statement.head);

        let (_, stranger) = hub.person("st", &[]).await;
        let read = hub.app.project_statement(&stranger, project, period).await;
        assert!(matches!(read, Err(Error::NotFound("project"))));
    }
}
