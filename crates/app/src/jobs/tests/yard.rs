//! A project with hours, and the site that runs its jobs.

use std::time::Duration;

use access::application::State;
use site::protocol::{
    End, Event, EventBody, Events, Inventory, Order, OrderBody, StartJob, VERSION,
};
use units::{AllocationId, EventId, JobId, ProjectId, Shares, Slug, Timestamp, Work as Amount};

use super::super::{Job, Submission, Submitted, Work};
use crate::applications::tests::{begun, draft, story};
use crate::testing::TestHub;
use crate::{Actor, App, Error};

/// A start-up with an allocation on the partition that the site `here` stands in for.
pub(crate) struct Yard {
    pub(crate) hub: TestHub,
    pub(crate) ada: Actor,
    pub(crate) agent: Actor,
    pub(crate) project: ProjectId,
    pub(crate) allocation: AllocationId,
}

pub(crate) fn here() -> Slug {
    "here".parse().unwrap()
}

/// What somebody sends to run `script`.
pub(crate) fn script(text: &str) -> Submission {
    Submission {
        allocation: None,
        anywhere: None,
        may_move: None,
        work: Work::Script(format!("#!/bin/sh\n{text}\necho done\n")),
        options: Vec::new(),
        environment: Default::default(),
        inputs: Default::default(),
        outputs: Vec::new(),
        network: false,
    }
}

impl Yard {
    pub(crate) async fn each() -> Vec<Self> {
        let mut yards = Vec::new();
        for hub in TestHub::each().await {
            yards.push(Self::over(hub).await);
        }
        yards
    }

    pub(crate) async fn new() -> Self {
        Self::over(TestHub::new().await).await
    }

    async fn over(hub: TestHub) -> Self {
        let story = story(&hub, "ada").await;
        let drafted = begun(&hub, &story, draft(5_000)).await;
        let decided = hub.app.submit_application(&story.actor, drafted.id).await.unwrap();
        let State::Awarded { project, allocation, .. } = decided.state else {
            panic!("not awarded: {:?}", decided.state);
        };
        let ada = hub.again(&story.actor).await;
        let yard = Self { ada, agent: Actor::site(here()), hub, project, allocation };
        let inventory = Inventory {
            host: "test".to_owned(),
            agent: "usine 0.0.0".to_owned(),
            engine: Some("local".to_owned()),
            nodes: 1,
            cpus: 8,
            memory_mb: 32 * 1_024,
            gpus: Vec::new(),
            isolation: Vec::new(),
            logins: None,
            scheduler: None,
        };
        yard.has(inventory).await;
        yard
    }

    /// The agent says what the site has.
    pub(crate) async fn has(&self, inventory: Inventory) {
        let events = Events {
            version: VERSION,
            inventory: Some(inventory),
            snapshot: None,
            health: None,
            events: Vec::new(),
        };
        self.app().take_events(&self.agent, &here(), events).await.unwrap();
    }

    pub(crate) fn app(&self) -> &App {
        &self.hub.app
    }

    /// Another allocation of the project, of `seconds` unit-seconds.
    pub(crate) async fn small_allocation(&self, seconds: i64) -> AllocationId {
        let tx = self.app().store().write().await.unwrap();
        let first = store::allocations::by_id(&tx, self.allocation).await.unwrap().unwrap();
        let share = store::allocations::shares(&tx, first.id).await.unwrap()[0];
        let id = AllocationId::from_uuid(self.app().clock().mint());
        let amount = Amount::seconds(seconds);
        let allocation = access::allocation::Allocation { id, amount, ..first };
        let share = store::allocations::Share { amount, ..share };
        store::allocations::insert(&tx, &allocation, &[share]).await.unwrap();
        let memo = self.app().memo(&Actor::system(), "a small allocation");
        let shares = Shares::sole(share.pool);
        store::ledger::grant(&tx, memo, id, &shares, amount).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub(crate) async fn submit(&self, new: Submission) -> Result<Submitted, Error> {
        self.app().submit_job(&self.ada, self.project, new).await
    }

    /// Submits a script, and gives back its only job.
    pub(crate) async fn job(&self, text: &str) -> Job {
        self.submit(script(text)).await.unwrap().jobs.remove(0)
    }

    /// The job as it stands.
    pub(crate) async fn look(&self, id: JobId) -> Job {
        self.app().job(&self.ada, id).await.unwrap().job
    }

    /// State and end of a job, in words.
    pub(crate) async fn stands(&self, id: JobId) -> String {
        match self.look(id).await.life.state {
            ::jobs::life::State::Ended { end, .. } => end.to_string(),
            other => other.name().to_owned(),
        }
    }

    pub(crate) fn event(&self, job: JobId, body: EventBody) -> Event {
        let key = EventId::from_uuid(self.app().clock().mint());
        Event { key, job, at: self.app().now(), body }
    }

    pub(crate) async fn send(&self, events: Vec<Event>) -> site::protocol::Receipt {
        let batch =
            Events { version: VERSION, inventory: None, snapshot: None, health: None, events };
        self.app().take_events(&self.agent, &here(), batch).await.unwrap()
    }

    pub(crate) async fn report(&self, job: JobId, body: EventBody) {
        self.send(vec![self.event(job, body)]).await;
    }

    /// What a job that runs from now for `seconds` reports.
    pub(crate) fn run(&self, end: End, seconds: i64) -> [EventBody; 3] {
        let started = self.app().now();
        let ended = Timestamp::from_second(started.as_second() + seconds).unwrap();
        [
            EventBody::Accepted,
            EventBody::Started { started, nodes: vec![], cpus: vec![], gpus: vec![] },
            EventBody::Ended {
                end,
                started: Some(started),
                ended,
                peak_memory_mb: Some(100),
                cpu_milliseconds: Some(7),
            },
        ]
    }

    /// Lets a job run for `seconds`.
    pub(crate) async fn ends(&self, job: JobId, end: End, seconds: i64) {
        let events = self.run(end, seconds).map(|body| self.event(job, body));
        self.send(events.into()).await;
    }

    pub(crate) async fn orders(&self, after: i64) -> Vec<Order> {
        let orders = self.app().site_orders(&self.agent, &here(), after, Duration::ZERO).await;
        orders.unwrap().orders
    }

    /// The orders that are still to be acted on, in words.
    pub(crate) async fn ordered(&self) -> Vec<(&'static str, JobId)> {
        let words = |order: &Order| match &order.body {
            OrderBody::Start(start) => ("start", start.job),
            OrderBody::Cancel { job } => ("cancel", *job),
        };
        self.orders(0).await.iter().map(words).collect()
    }

    pub(crate) async fn start_of(&self, job: JobId) -> StartJob {
        let orders = self.orders(0).await;
        let start = orders.into_iter().find_map(|order| match order.body {
            OrderBody::Start(start) if start.job == job => Some(*start),
            _ => None,
        });
        start.unwrap()
    }

    /// Available, held and used of an allocation, in unit-seconds.
    pub(crate) async fn balance(&self, allocation: AllocationId) -> (i64, i64, i64) {
        let tx = self.app().store().read().await.unwrap();
        let standing = store::ledger::balances(&tx, allocation).await.unwrap().unwrap();
        let total = standing.total().unwrap();
        (total.available.count(), total.held.count(), total.used.count())
    }

    /// Checks the whole ledger.
    pub(crate) async fn audit(&self) {
        let tx = self.app().store().read().await.unwrap();
        store::ledger::verify(&tx, |_| {}).await.unwrap().unwrap();
    }
}
