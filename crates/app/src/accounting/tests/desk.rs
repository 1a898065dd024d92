//! The agent of a site with a cluster's accounting beside it.

use ::jobs::AccountPrefix;
use site::protocol::{Accounting, AccountingReceipt, Covered, Run, VERSION, login_digest};
use units::{JobId, Timestamp};

use crate::accounting::{Cause, Day};
use crate::jobs::tests::yard::{Yard, here};
use crate::{Actor, Role, Scope};

/// A site that tells its accounting.
pub(super) struct Desk {
    pub(super) yard: Yard,
    pub(super) operator: Actor,
    pub(super) zone: &'static str,
}

impl Desk {
    pub(super) async fn each() -> Vec<Self> {
        let mut desks = Vec::new();
        for yard in Yard::each().await {
            let own = Scope::Factory("meluxina-ai".parse().unwrap());
            let (_, operator) = yard.hub.person("olga", &[(Role::SiteOperator, own)]).await;
            desks.push(Self { yard, operator, zone: "UTC" });
        }
        desks
    }

    /// The account of the yard's allocation.
    pub(super) fn account(&self) -> String {
        AccountPrefix::default().of_allocation(self.yard.allocation)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.yard.app().now()
    }

    /// A run that began `began` seconds from now and held one GPU for `seconds`.
    pub(super) fn run(&self, number: u64, began: i64, seconds: u32) -> Run {
        let at = |second: i64| Timestamp::from_second(self.now().as_second() + second).unwrap();
        Run {
            number,
            label: number.to_string(),
            submitted: at(began - 1),
            started: Some(at(began)),
            ended: Some(at(began + i64::from(seconds))),
            state: "COMPLETED".to_owned(),
            account: self.account(),
            login: "u1".to_owned(),
            persons: vec![login_digest("ada@example.org")],
            partition: "gpu".to_owned(),
            ran_seconds: seconds,
            suspended_seconds: 0,
            limit_seconds: Some(3_600),
            nodes: 1,
            cpus: 1,
            memory_mb: 1_024,
            gpus: 1,
            tres: "cpu=1,gres/gpu=1,mem=1G,node=1".to_owned(),
            energy_joules: None,
            job: None,
        }
    }

    pub(super) fn of(&self, job: JobId, run: Run) -> Run {
        Run { job: Some(job), ..run }
    }

    /// Tells these runs, and that they are all until now.
    pub(super) async fn tell(&self, runs: &[Run]) -> AccountingReceipt {
        let wanted = self.say(Vec::new(), None).await.from;
        let covered = Covered { from: wanted, to: self.now() };
        self.say(runs.to_vec(), Some(covered)).await
    }

    pub(super) async fn say(&self, runs: Vec<Run>, covered: Option<Covered>) -> AccountingReceipt {
        self.send(Accounting { covered, ..self.message("usine_", runs) }).await
    }

    /// The same by an agent at whose site the names of accounts begin with `prefix`.
    pub(super) async fn say_as(&self, prefix: &str, runs: Vec<Run>) -> AccountingReceipt {
        self.send(self.message(prefix, runs)).await
    }

    fn message(&self, prefix: &str, runs: Vec<Run>) -> Accounting {
        Accounting {
            version: VERSION,
            cluster: "c1".to_owned(),
            zone: self.zone.to_owned(),
            prefix: Some(prefix.to_owned()),
            runs,
            covered: None,
        }
    }

    async fn send(&self, told: Accounting) -> AccountingReceipt {
        self.yard.app().take_accounting(&self.yard.agent, &here(), told).await.unwrap()
    }

    /// What the allocation was charged, in GPU-seconds.
    pub(super) async fn used(&self) -> i64 {
        self.yard.balance(self.yard.allocation).await.2
    }

    /// The day of now.
    pub(super) async fn today(&self) -> Day {
        let zone = jiff::tz::TimeZone::get(self.zone).unwrap();
        self.day(&self.now().to_zoned(zone).date().to_string()).await
    }

    pub(super) async fn day(&self, date: &str) -> Day {
        let date = Some(date.parse().unwrap());
        let found = self.yard.app().reconcile(&self.operator, &here(), (date, date)).await.unwrap();
        let [day] = &found.days[..] else { panic!("{found:?}") };
        day.clone()
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.yard.hub.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }
}

/// Accounted and charged seconds of a day, and the causes of what differs.
pub(super) fn sums(day: &Day) -> (i64, i64, Vec<Cause>) {
    let causes = day.differences.iter().map(|it| it.cause).collect();
    (day.accounted.count(), day.charged.count(), causes)
}
