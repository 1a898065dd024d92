//! Events, taken in once each however often they come.

use std::collections::BTreeMap;

use ::jobs::life::{End, Event as LifeEvent, Failure, Ignored};
use site::protocol::{
    self, Event, EventBody, Events, Inventory, MetricPoint, Receipt, StoredFile, VERSION, apart,
};
use store::jobs::{self as records, LogPiece, Metric, Outcome, Stream, TrailEntry};
use store::{Tx, sites};
use units::{EventId, JobId, Slug, Timestamp};
use vault::{Code, FileEntry, FilePath};

use crate::data::{Home, JobOutput};
use crate::jobs::{Changes, Job};
use crate::{Actor, App, Error};

/// The most bytes that are kept of each stream of a job.
const LOG_BYTES_MAX: i64 = 64 * 1_024 * 1_024;
/// The most measurements that are kept of a job.
const METRICS_MAX: i64 = 1_000_000;
/// The most characters of the name of a node.
const NODE_LENGTH_MAX: usize = 255;
/// The most characters of a reason or of the name of a measurement.
const TEXT_LENGTH_MAX: usize = 500;

impl App {
    /// Takes in what a site has to tell. All events of one job are taken in together; an event
    /// that no longer fits its job is on record and changes nothing.
    ///
    /// # Errors
    /// When the actor is not the agent of that site, or the store fails: then the agent sends the
    /// batch again, and what was taken in counts as repeated.
    pub async fn take_events(
        &self,
        actor: &Actor,
        site: &Slug,
        batch: Events,
    ) -> Result<Receipt, Error> {
        self.serves(actor, site)?;
        if let Some(why) = apart(("hub", VERSION), ("agent", batch.version)) {
            return Err(Error::Conflict(why));
        }
        self.note_call(site).await?;
        if let Some(inventory) = batch.inventory {
            self.note_inventory(site, inventory).await?;
        }
        if let Some(snapshot) = &batch.snapshot {
            self.note_snapshot(site, snapshot).await?;
        }
        if let Some(health) = batch.health {
            self.note_health(site, health).await?;
        }
        let mut by_job = BTreeMap::<JobId, Vec<Event>>::new();
        for event in batch.events {
            by_job.entry(event.job).or_default().push(event);
        }
        let mut receipt = Receipt { taken: 0, repeated: 0 };
        for (job, events) in by_job {
            let count = u64::try_from(events.len()).unwrap_or_default();
            let taken = self.take_events_of(actor, site, job, events).await?;
            receipt.taken += taken;
            receipt.repeated += count - taken;
        }
        Ok(receipt)
    }

    async fn note_inventory(&self, site: &Slug, reported: Inventory) -> Result<(), Error> {
        let logins = reported.logins;
        let inventory = sites::Inventory {
            at: self.now(),
            host: reported.host,
            agent: reported.agent,
            engine: reported.engine,
            nodes: i64::from(reported.nodes.max(1)),
            cores: i64::from(reported.cpus),
            memory_mb: i64::try_from(reported.memory_mb).unwrap_or(i64::MAX),
            gpus: reported.gpus,
            isolation: reported.isolation,
            plugins: reported.scheduler.iter().flat_map(|it| it.plugins.clone()).collect(),
            scheduler: reported.scheduler.map(|scheduler| scheduler.kind),
        };
        let tx = self.store().write().await?;
        sites::enter(&tx, site).await?;
        sites::note_inventory(&tx, site, &inventory).await?;
        sites::logins::note(&tx, site, logins.as_deref()).await?;
        Ok(tx.commit().await?)
    }

    /// The number of events that had not come before. An output that cannot be kept must leave
    /// nothing behind, so the transaction that finds out is given up and begun again without it.
    async fn take_events_of(
        &self,
        actor: &Actor,
        site: &Slug,
        id: JobId,
        events: Vec<Event>,
    ) -> Result<u64, Error> {
        let mut unkept = BTreeMap::new();
        loop {
            let (batch, begun) = ((id, events.clone()), unkept.len());
            let taken = self.try_events_of(actor, site, batch, &mut unkept).await;
            if unkept.len() == begun {
                return taken;
            }
        }
    }

    /// Takes in the events of one job, or finds an output that cannot be kept, by its event.
    async fn try_events_of(
        &self,
        actor: &Actor,
        site: &Slug,
        (id, events): (JobId, Vec<Event>),
        unkept: &mut BTreeMap<EventId, String>,
    ) -> Result<u64, Error> {
        let tx = self.store().write().await?;
        let found = records::take(&tx, id).await?;
        let Some(mut job) = found.filter(|job| job.place.site == *site) else {
            tracing::warn!(%site, job = %id, "a site reports on a job that is not its own");
            return Ok(0);
        };
        let mut changes = Changes::default();
        let mut taken = 0;
        for mut event in events {
            if let (EventBody::OutputStored { output, .. }, Some(reason)) =
                (&event.body, unkept.get(&event.key))
            {
                let (output, reason) = (output.clone(), reason.clone());
                event.body = EventBody::OutputRefused { output, reason };
            }
            let mut entry = TrailEntry {
                key: event.key,
                job: id,
                at: event.at,
                taken_at: self.now(),
                kind: kind(&event.body).to_owned(),
                outcome: Outcome::Taken,
            };
            if !records::record(&tx, &entry).await? {
                continue;
            }
            taken += 1;
            let told = (event.at, event.body);
            match self.take_event(&tx, actor, &mut job, told, &mut changes).await? {
                Ok(outcome) => entry.outcome = outcome,
                Err(reason) => {
                    unkept.insert(event.key, reason);
                    return Ok(0);
                }
            }
            if let Outcome::Ignored(reason) = &entry.outcome {
                tracing::info!(job = %id, event = %entry.kind, %reason, "ignored an event");
                records::amend(&tx, &entry).await?;
            }
        }
        self.close(tx, actor, changes).await?;
        Ok(taken)
    }

    /// What comes of an event; or why an output cannot be kept.
    async fn take_event(
        &self,
        tx: &Tx,
        actor: &Actor,
        job: &mut Job,
        (at, body): (Timestamp, EventBody),
        changes: &mut Changes,
    ) -> Result<Result<Outcome, String>, Error> {
        changes.touched(job.id);
        let life = match body {
            EventBody::Accepted => LifeEvent::Accepted,
            EventBody::Started { started, nodes, .. } => {
                if !job.life.state.is_final() && !nodes.is_empty() {
                    job.nodes = nodes.iter().map(|node| node_name(node)).collect();
                }
                LifeEvent::Started(started)
            }
            EventBody::Refused { reason } => {
                note_reason(job, Some(reason));
                LifeEvent::Ended { end: End::Refused, started: None, ended: at }
            }
            EventBody::Ended { end, started, ended, peak_memory_mb, cpu_milliseconds } => {
                let (end, reason) = ended_how(end);
                if !job.life.state.is_final() {
                    note_reason(job, reason);
                    let count = |measured: u64| i64::try_from(measured).unwrap_or(i64::MAX);
                    job.measured.peak_memory_mb = peak_memory_mb.map(count);
                    job.measured.cpu_milliseconds = cpu_milliseconds.map(count);
                }
                LifeEvent::Ended { end, started, ended }
            }
            EventBody::OrderRefused { order, reason } => {
                if sites::ordered(tx, order, job.id).await? != Some(sites::OrderKind::Start) {
                    return Ok(Ok(Outcome::Ignored(shortened(reason))));
                }
                note_reason(job, Some(reason));
                LifeEvent::Ended { end: End::Refused, started: None, ended: at }
            }
            EventBody::Log { stream, offset, bytes } => {
                return Ok(Ok(take_log(tx, job, stream, offset, bytes).await?));
            }
            EventBody::Metrics { points } => {
                return Ok(Ok(take_metrics(tx, job, at, points).await?));
            }
            EventBody::OutputStored { output, files } => {
                return self.take_output(tx, actor, job, (&output, files)).await;
            }
            EventBody::OutputRefused { output, reason } => {
                return Ok(Ok(note_output(tx, job, &output, Err(shortened(reason))).await?));
            }
        };
        let moved = self.advance(tx, job, life, changes).await?;
        let outcome = |ignored: Ignored| Outcome::Ignored(ignored.to_string());
        Ok(Ok(moved.map_or_else(outcome, |()| Outcome::Taken)))
    }

    /// Makes a revision of what a job wrote; or says why it cannot be kept.
    async fn take_output(
        &self,
        tx: &Tx,
        actor: &Actor,
        job: &Job,
        (name, files): (&str, Vec<StoredFile>),
    ) -> Result<Result<Outcome, String>, Error> {
        let declared = records::outputs(tx, job.id).await?;
        let Some(declared) = declared.into_iter().find(|output| output.name.as_str() == name)
        else {
            return Ok(Ok(ignored("the job has no such output")));
        };
        if matches!(declared.result, Some(Ok(_))) {
            return Ok(Ok(ignored("this output was stored before")));
        }
        let inputs = records::inputs(tx, job.id).await?;
        let files = files.iter().map(stored_file).collect::<Result<Vec<_>, String>>();
        let files = match files {
            Ok(files) => files,
            Err(reason) => return Ok(Err(reason)),
        };
        let made = JobOutput {
            home: Home { project: job.owner.project, organisation: job.owner.organisation },
            output: declared.name.clone(),
            kind: declared.kind,
            repository: declared.target.clone(),
            licence: declared.licence.clone(),
            job: job.id,
            job_name: job.name.clone(),
            allocation: job.owner.allocation,
            code: Code { recipe: job.program.recipe.clone(), program: self.work().program.clone() },
            inputs: inputs.into_iter().map(|input| (input.mount, input.revision)).collect(),
            files,
        };
        match self.commit_output(tx, actor, made).await {
            Ok(revision) => {
                let result = Ok((revision.repository, revision.id));
                Ok(Ok(note_output(tx, job, name, result).await?))
            }
            Err(error @ (Error::Store(_) | Error::Internal(_) | Error::Conflict(_))) => Err(error),
            Err(refusal) => Ok(Err(refusal.to_string())),
        }
    }
}

/// The event in one word.
const fn kind(body: &EventBody) -> &'static str {
    match body {
        EventBody::Accepted => "accepted",
        EventBody::Refused { .. } => "refused",
        EventBody::Started { .. } => "started",
        EventBody::Log { .. } => "log",
        EventBody::Metrics { .. } => "metrics",
        EventBody::OutputStored { .. } => "output-stored",
        EventBody::OutputRefused { .. } => "output-refused",
        EventBody::OrderRefused { .. } => "order-refused",
        EventBody::Ended { .. } => "ended",
    }
}

/// A node's name as it may stand in a list of them.
fn node_name(name: &str) -> String {
    name.chars().filter(|mark| !mark.is_control() && *mark != ',').take(NODE_LENGTH_MAX).collect()
}

fn ended_how(end: protocol::End) -> (End, Option<String>) {
    let end = match end {
        protocol::End::Completed => End::Completed,
        protocol::End::Failed { exit_code } => {
            End::Failed(Failure::ExitCode(u8::try_from(exit_code).unwrap_or(u8::MAX)))
        }
        protocol::End::Killed { signal } => {
            End::Failed(Failure::Signal(u8::try_from(signal).unwrap_or(u8::MAX)))
        }
        protocol::End::Cancelled => End::Cancelled,
        protocol::End::TimedOut => End::TimedOut,
        protocol::End::OutOfMemory => End::OutOfMemory,
        protocol::End::NodeFailed { reason } => return (End::NodeFailed, Some(reason)),
        protocol::End::Preempted => End::Preempted,
        protocol::End::BootFailed => End::BootFailed,
        protocol::End::DeadlineMissed => End::DeadlineMissed,
    };
    (end, None)
}

fn note_reason(job: &mut Job, reason: Option<String>) {
    if !job.life.state.is_final() {
        job.reason = reason.map(shortened);
    }
}

pub(super) fn shortened(text: String) -> String {
    text.chars().filter(|character| *character != '\0').take(TEXT_LENGTH_MAX).collect()
}

fn ignored(reason: &str) -> Outcome {
    Outcome::Ignored(reason.to_owned())
}

/// Adds the part of `bytes` that is new.
async fn take_log(
    tx: &Tx,
    job: &mut Job,
    stream: protocol::Stream,
    offset: u64,
    bytes: Vec<u8>,
) -> Result<Outcome, Error> {
    let (stream, end) = match stream {
        protocol::Stream::Stdout => (Stream::Stdout, &mut job.measured.stdout_bytes),
        protocol::Stream::Stderr => (Stream::Stderr, &mut job.measured.stderr_bytes),
    };
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let known = usize::try_from(end.saturating_sub(offset)).unwrap_or_default();
    let new = bytes.get(known..).unwrap_or_default();
    let start = offset.max(*end);
    let after = start.saturating_add(i64::try_from(new.len()).unwrap_or(i64::MAX));
    if new.is_empty() {
        return Ok(ignored("these bytes came before"));
    }
    if after > LOG_BYTES_MAX {
        return Ok(ignored("more text than is kept of one job"));
    }
    *end = after;
    let piece = LogPiece { start, bytes: new.to_vec() };
    records::append_log(tx, job.id, stream, &piece, after).await?;
    Ok(Outcome::Taken)
}

async fn take_metrics(
    tx: &Tx,
    job: &mut Job,
    at: Timestamp,
    points: Vec<MetricPoint>,
) -> Result<Outcome, Error> {
    let before = job.measured.metrics;
    let sound = points.into_iter().filter(|point| point.value.is_finite());
    let metrics: Vec<Metric> = (before + 1..=METRICS_MAX)
        .zip(sound)
        .map(|(seq, point)| Metric {
            seq,
            at,
            step: i64::try_from(point.step).unwrap_or(i64::MAX),
            name: shortened(point.name),
            value: point.value,
        })
        .collect();
    let Some(last) = metrics.last() else {
        return Ok(ignored("nothing that could be kept was measured"));
    };
    job.measured.metrics = last.seq;
    records::append_metrics(tx, job.id, &metrics, last.seq).await?;
    Ok(Outcome::Taken)
}

async fn note_output(
    tx: &Tx,
    job: &Job,
    name: &str,
    result: Result<(units::RepositoryId, units::RevisionId), String>,
) -> Result<Outcome, Error> {
    let Ok(name) = name.parse::<Slug>() else {
        return Ok(ignored("the job has no such output"));
    };
    records::note_output(tx, job.id, &name, &result).await?;
    Ok(match result {
        Ok(_) => Outcome::Taken,
        Err(reason) => Outcome::Ignored(reason),
    })
}

/// A reported file in the vault's terms.
fn stored_file(file: &StoredFile) -> Result<(FilePath, FileEntry), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.path);
    let path = file.path.parse().map_err(|error| wrong(&error))?;
    let sha256 = file.sha256.parse().map_err(|error| wrong(&error))?;
    Ok((path, FileEntry { sha256, size_bytes: file.size_bytes }))
}
