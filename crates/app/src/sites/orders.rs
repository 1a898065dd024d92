//! Orders, given to the agent that asks for them.

use std::time::Duration;

use ::jobs::request::Request;
use site::protocol::{
    InputMount, Network, Order, OrderBody, Orders, Output, Owner, StartJob, StoredFile, VERSION,
};
use store::identity::people;
use store::sites::{self as records, OrderKind, given};
use store::{Tx, jobs, repositories};
use units::Slug;

use crate::jobs::Job;
use crate::{Actor, App, Error, Topic};

/// The most orders in one reply.
const ORDERS_MAX: u32 = 50;
/// How often an agent's call is noted at most.
const SEEN_SECONDS: i64 = 5;

impl App {
    /// Orders of a site beyond the number `after`; waits up to `wait` until there is one.
    ///
    /// # Errors
    /// When the actor is not the agent of that site.
    pub async fn site_orders(
        &self,
        actor: &Actor,
        site: &Slug,
        after: i64,
        wait: Duration,
    ) -> Result<Orders, Error> {
        self.serves(actor, site)?;
        self.note_call(site).await?;
        let deadline = tokio::time::Instant::now() + wait;
        let mut listener = self.announcements().listen();
        loop {
            let orders = self.orders_beyond(site, after).await?;
            let orders = self.given_out(site, orders).await?;
            let news = listener.heard(|topic| *topic == Topic::Orders(site.clone()));
            if !orders.is_empty() || tokio::time::timeout_at(deadline, news).await.is_err() {
                return Ok(Orders { version: VERSION, orders });
            }
        }
    }

    /// Notes that the agent of a site called, unless that was noted a moment ago.
    pub(crate) async fn note_call(&self, site: &Slug) -> Result<(), Error> {
        let now = self.now();
        let tx = self.store().read().await?;
        let known = records::by_name(&tx, site).await?;
        drop(tx);
        let seen = known.and_then(|known| known.seen_at);
        if seen.is_some_and(|seen| now.as_second() - seen.as_second() < SEEN_SECONDS) {
            return Ok(());
        }
        let tx = self.store().write().await?;
        records::enter(&tx, site).await?;
        records::seen(&tx, site, now).await?;
        Ok(tx.commit().await?)
    }

    /// Notes that the agent of a site is given these orders, before it is. What was taken back
    /// meanwhile, for the job is to run elsewhere, is left out.
    async fn given_out(&self, site: &Slug, orders: Vec<Order>) -> Result<Vec<Order>, Error> {
        let (Some(first), Some(last)) = (orders.first(), orders.last()) else { return Ok(orders) };
        let (before, last) = (first.seq.saturating_sub(1), last.seq);
        let tx = self.store().read().await?;
        let known = records::by_name(&tx, site).await?;
        drop(tx);
        if known.is_some_and(|site| last <= site.given) {
            return Ok(orders);
        }
        let tx = self.store().write().await?;
        given::keep(&tx, site).await?;
        let there = records::orders(&tx, site, before, ORDERS_MAX).await?;
        given::note(&tx, site, last).await?;
        tx.commit().await?;
        Ok(orders.into_iter().filter(|it| there.iter().any(|one| one.key == it.key)).collect())
    }

    /// The next orders that still mean something: a job that has ended is neither started nor
    /// ended again.
    async fn orders_beyond(&self, site: &Slug, after: i64) -> Result<Vec<Order>, Error> {
        let tx = self.store().read().await?;
        self.still_admitted(&tx, site).await?;
        let mut cursor = after;
        loop {
            let batch = records::orders(&tx, site, cursor, ORDERS_MAX).await?;
            let Some(last) = batch.last() else { return Ok(Vec::new()) };
            cursor = last.seq;
            let mut orders = Vec::new();
            for order in batch {
                let Some(job) = jobs::by_id(&tx, order.job).await? else { continue };
                if job.life.state.is_final() {
                    continue;
                }
                let body = match order.kind {
                    OrderKind::Start => OrderBody::Start(Box::new(start(&tx, job).await?)),
                    OrderKind::Cancel => OrderBody::Cancel { job: order.job },
                };
                orders.push(Order { seq: order.seq, key: order.key, at: order.at, body });
            }
            if !orders.is_empty() {
                return Ok(orders);
            }
        }
    }
}

/// A job as its site needs to know it.
async fn start(tx: &Tx, job: Job) -> Result<StartJob, Error> {
    let mut inputs = Vec::new();
    for input in jobs::inputs(tx, job.id).await? {
        let tree = repositories::files(tx, input.revision).await?;
        let files = tree.files().map(|(path, entry)| StoredFile {
            path: path.to_string(),
            size_bytes: entry.size_bytes,
            sha256: entry.sha256.to_string(),
        });
        inputs.push(InputMount {
            mount: input.mount.to_string(),
            repository: input.repository,
            revision: input.revision,
            files: files.collect(),
        });
    }
    let person = people::by_id(tx, job.owner.person).await?;
    let owner = person.map(|person| Owner {
        person: person.id,
        email: person.email,
        project: job.owner.project,
        allocation: Some(job.owner.allocation),
    });
    let outputs = jobs::outputs(tx, job.id).await?.into_iter();
    let outputs =
        outputs.map(|output| Output { output: output.name.to_string(), path: output.path });
    Ok(StartJob {
        job: job.id,
        name: job.name,
        owner,
        partition: job.place.partition,
        script: jobs::script(tx, job.program.script).await?,
        environment: job.program.environment,
        request: limits(&job.request),
        network: if job.program.network { Network::Allowed } else { Network::Denied },
        folder: job.program.folder,
        stdout: job.program.stdout,
        stderr: job.program.stderr,
        inputs,
        outputs: outputs.collect(),
        options: job.program.options,
    })
}

fn limits(request: &Request) -> site::protocol::Request {
    site::protocol::Request {
        nodes: request.nodes.get(),
        cpus: request.cores.get(),
        memory_mb: request.memory.count_mb(),
        gpus: request.gpus,
        time_limit_seconds: u64::from(request.time_limit_seconds.get()),
    }
}
