//! What every engine must do, as checks that any engine can be put through.
//!
//! The scripts keep to `echo`, `sleep`, `exit` and `kill`, which the simulated engine understands
//! too.

use std::collections::BTreeMap;
use std::future::Future;

use jobs::life::{End, Failure};
use units::JobId;

use crate::{Ended, Engine, Error, Network, Observation, Place, Request, Spec, State, Stream};

/// How an engine fell short.
#[derive(Debug, thiserror::Error)]
#[error("{check}: {complaint}")]
pub struct Violation {
    /// The check that failed.
    pub check: &'static str,
    /// What was seen.
    pub complaint: String,
}

/// An engine on trial.
pub trait Trial: Sync {
    /// The engine's type.
    type Engine: Engine;

    /// The engine.
    fn engine(&self) -> &Self::Engine;

    /// A job that was never named before.
    fn new_job(&self) -> JobId;

    /// Over how many nodes a job that takes all cores is spread.
    fn nodes(&self) -> u32 {
        1
    }

    /// Whose the jobs are.
    fn place(&self) -> Place {
        Place::default()
    }

    /// Lets some time pass: much less than a second for the engine, or a little more.
    fn pause(&self) -> impl Future<Output = ()> + Send;
}

/// How often a check looks before it gives up.
const LOOKS_MAX: u32 = 2_000;

/// Puts an engine through every check, one after the other.
///
/// # Errors
/// The first check that fails.
pub async fn check<T: Trial>(trial: &T) -> Result<(), Violation> {
    let named = |check| move |complaint| Violation { check, complaint };
    ends(trial).await.map_err(named("every end is told apart"))?;
    streams(trial).await.map_err(named("what a job writes can be read from any offset"))?;
    once(trial).await.map_err(named("a job runs once however often it is submitted"))?;
    cancels_running(trial).await.map_err(named("a running job can be cancelled"))?;
    cancels_queued(trial).await.map_err(named("a waiting job can be cancelled"))?;
    snapshots(trial).await.map_err(named("the snapshot shows what runs and what waits"))?;
    refuses(trial).await.map_err(named("what can never run is refused"))
}

/// A small job; checks change what they care about.
pub fn small(script: &str) -> Spec {
    Spec {
        name: "conformance".to_owned(),
        script: format!("#!/bin/sh\n{script}\n"),
        environment: BTreeMap::new(),
        request: Request { nodes: 1, cores: 1, memory_mb: 64, gpus: 0, time_limit_seconds: 600 },
        network: Network::Denied,
        folder: None,
        stdout: None,
        stderr: None,
        outputs: Vec::new(),
        place: Place::default(),
    }
}

/// A small job of whomever the trial lets submit.
fn job<T: Trial>(trial: &T, script: &str) -> Spec {
    Spec { place: trial.place(), ..small(script) }
}

/// A job that leaves no room for another.
fn whole<T: Trial>(trial: &T) -> Spec {
    let mut whole = job(trial, "sleep 1000");
    whole.request.nodes = trial.nodes();
    whole.request.cores = trial.engine().capacity().cores;
    whole
}

async fn ends<T: Trial>(trial: &T) -> Result<(), String> {
    let mut slow = job(trial, "sleep 1000");
    slow.request.time_limit_seconds = 1;
    let cases = [
        (job(trial, "exit 0"), End::Completed),
        (job(trial, "exit 3"), End::Failed(Failure::ExitCode(3))),
        (job(trial, "kill -9 $$"), End::Failed(Failure::Signal(9))),
        (slow, End::TimedOut),
    ];
    for (spec, expected) in cases {
        let job = submit(trial, &spec).await?;
        let ended = until_ended(trial, job).await?;
        require(ended.end == expected, || format!("{:?} instead of {expected:?}", ended))?;
        let Some(started) = ended.started else { return Err("no start was told".to_owned()) };
        let seconds = ended.ended.as_millisecond().saturating_sub(started.as_millisecond());
        require(seconds >= 0, || "it ended before it began".to_owned())?;
        if expected == End::TimedOut {
            require(seconds >= 1000, || format!("it was ended after {seconds} ms"))?;
        }
    }
    Ok(())
}

async fn streams<T: Trial>(trial: &T) -> Result<(), String> {
    let mut spec = job(trial, "echo one\necho two >&2\necho three\necho four >> metrics.jsonl");
    let joined = submit(trial, &spec).await?;
    spec.stderr = Some("errors.txt".to_owned());
    let apart = submit(trial, &spec).await?;
    until_ended(trial, joined).await?;
    until_ended(trial, apart).await?;
    let cases = [
        (joined, Stream::Stdout, 0, "one\ntwo\nthree\n"),
        (joined, Stream::Stderr, 0, ""),
        (joined, Stream::Metrics, 0, "four\n"),
        (apart, Stream::Stdout, 0, "one\nthree\n"),
        (apart, Stream::Stdout, 4, "three\n"),
        (apart, Stream::Stdout, 10, ""),
        (apart, Stream::Stderr, 0, "two\n"),
    ];
    for (job, stream, offset, expected) in cases {
        let read = trial.engine().read(job, stream, offset, 100).await;
        let bytes = read.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        require(text == expected, || format!("{stream:?} at {offset}: {text:?}"))?;
    }
    let start = trial.engine().read(joined, Stream::Stdout, 0, 5).await;
    require(start.is_ok_and(|bytes| bytes == b"one\nt"), || "the length is not kept to".to_owned())
}

async fn once<T: Trial>(trial: &T) -> Result<(), String> {
    let spec = job(trial, "echo ran\nsleep 1");
    let stranger = trial.engine().knows(trial.new_job()).await;
    require(matches!(stranger, Ok(false)), || format!("it knows a stranger: {stranger:?}"))?;
    let job = submit(trial, &spec).await?;
    let again = || async { trial.engine().submit(job, &spec).await.map_err(|e| e.to_string()) };
    again().await?;
    until(trial, job, |state| matches!(state, State::Running { .. })).await?;
    again().await?;
    until_ended(trial, job).await?;
    again().await?;
    for _ in 0..5 {
        trial.pause().await;
        let state = state(trial, job).await?;
        require(matches!(state, Some(State::Ended(_))), || format!("it is {state:?} again"))?;
    }
    let written = trial.engine().read(job, Stream::Stdout, 0, 100).await;
    require(written.is_ok_and(|bytes| bytes == b"ran\n"), || "it ran more than once".to_owned())?;
    for _ in 0..2 {
        trial.engine().clear(job).await.map_err(|error| error.to_string())?;
    }
    again().await?;
    let known = trial.engine().knows(job).await;
    require(matches!(known, Ok(true)), || format!("it does not know the job again: {known:?}"))?;
    let state = state(trial, job).await?;
    require(state.is_none(), || format!("it is {state:?} after it was cleared"))
}

async fn cancels_running<T: Trial>(trial: &T) -> Result<(), String> {
    let job = submit(trial, &job(trial, "sleep 1000")).await?;
    until(trial, job, |state| matches!(state, State::Running { .. })).await?;
    for _ in 0..2 {
        trial.engine().cancel(job).await.map_err(|error| error.to_string())?;
    }
    let ended = until_ended(trial, job).await?;
    require(ended.end == End::Cancelled && ended.started.is_some(), || format!("{ended:?}"))?;
    trial.engine().cancel(job).await.map_err(|error| error.to_string())?;
    let unknown = trial.engine().cancel(trial.new_job()).await;
    require(matches!(unknown, Err(Error::Unknown(_))), || format!("unknown job: {unknown:?}"))
}

async fn cancels_queued<T: Trial>(trial: &T) -> Result<(), String> {
    let whole = whole(trial);
    let first = submit(trial, &whole).await?;
    until(trial, first, |state| matches!(state, State::Running { .. })).await?;
    let second = submit(trial, &whole).await?;
    for _ in 0..3 {
        trial.pause().await;
        let state = state(trial, second).await?;
        require(state == Some(State::Queued), || format!("there is no room, yet {state:?}"))?;
    }
    trial.engine().cancel(second).await.map_err(|error| error.to_string())?;
    let ended = until_ended(trial, second).await?;
    require(ended.end == End::Cancelled && ended.started.is_none(), || format!("{ended:?}"))?;
    let third = submit(trial, &job(trial, "exit 0")).await?;
    trial.engine().cancel(first).await.map_err(|error| error.to_string())?;
    let ended = until_ended(trial, third).await?;
    require(ended.end == End::Completed, || format!("room was not given back: {ended:?}"))
}

async fn snapshots<T: Trial>(trial: &T) -> Result<(), String> {
    let whole = whole(trial);
    let first = submit(trial, &whole).await?;
    until(trial, first, |state| matches!(state, State::Running { .. })).await?;
    let second = submit(trial, &whole).await?;
    until(trial, second, |state| *state == State::Queued).await?;
    let snapshot = trial.engine().snapshot().await.map_err(|error| error.to_string())?;
    let Some((running, placement, started)) =
        snapshot.running.iter().find(|(job, _, _)| job.id == first)
    else {
        return Err(format!("what runs is not in {snapshot:?}"));
    };
    let cores: usize = placement.nodes.iter().map(|part| part.cores.len()).sum();
    let asked = usize::try_from(whole.request.cores).unwrap_or(usize::MAX);
    require(cores == asked, || format!("{cores} cores are held instead of {asked}"))?;
    require(running.time_limit_seconds == 600, || format!("the limit is wrong: {running:?}"))?;
    let queued = snapshot.waiting.iter().any(|job| job.id == second);
    require(queued, || format!("what waits is not in {snapshot:?}"))?;
    let machine = snapshot.machine(*started).map_err(|error| error.to_string())?;
    let forecast = machine.forecast(second, *started);
    let latest = forecast.map(|forecast| forecast.latest);
    let expected = Some(started.saturating_add(600));
    require(latest == expected, || format!("{latest:?} is forecast instead of {expected:?}"))?;
    for job in [second, first] {
        trial.engine().cancel(job).await.map_err(|error| error.to_string())?;
        until_ended(trial, job).await?;
    }
    let snapshot = trial.engine().snapshot().await.map_err(|error| error.to_string())?;
    require(snapshot.running.is_empty() && snapshot.waiting.is_empty(), || format!("{snapshot:?}"))
}

async fn refuses<T: Trial>(trial: &T) -> Result<(), String> {
    let mut large = job(trial, "exit 0");
    large.request.cores = trial.engine().capacity().cores.saturating_add(1);
    let escape = || Some("../escape".to_owned());
    let writes = Spec { stdout: escape(), ..job(trial, "exit 0") };
    let begins = Spec { folder: escape(), ..job(trial, "exit 0") };
    for spec in [large, writes, begins] {
        let job = trial.new_job();
        let answer = trial.engine().submit(job, &spec).await;
        require(matches!(answer, Err(Error::Refused(_))), || format!("{answer:?}"))?;
        let state = state(trial, job).await?;
        require(state.is_none(), || format!("a refused job is {state:?}"))?;
    }
    Ok(())
}

async fn submit<T: Trial>(trial: &T, spec: &Spec) -> Result<JobId, String> {
    let job = trial.new_job();
    trial.engine().submit(job, spec).await.map_err(|error| error.to_string())?;
    Ok(job)
}

async fn state<T: Trial>(trial: &T, job: JobId) -> Result<Option<State>, String> {
    let all: Vec<Observation> =
        trial.engine().observe().await.map_err(|error| error.to_string())?;
    Ok(all.into_iter().find(|one| one.job == job).map(|one| one.state))
}

async fn until<T, F>(trial: &T, job: JobId, is_there: F) -> Result<State, String>
where
    T: Trial,
    F: Fn(&State) -> bool,
{
    let mut last = None;
    for _ in 0..LOOKS_MAX {
        last = state(trial, job).await?;
        match last {
            Some(state) if is_there(&state) => return Ok(state),
            _ => trial.pause().await,
        }
    }
    Err(format!("waited in vain; the job is {last:?}"))
}

async fn until_ended<T: Trial>(trial: &T, job: JobId) -> Result<Ended, String> {
    match until(trial, job, |state| matches!(state, State::Ended(_))).await? {
        State::Ended(ended) => Ok(ended),
        other => Err(format!("{other:?}")),
    }
}

fn require(holds: bool, complaint: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(complaint()) }
}
