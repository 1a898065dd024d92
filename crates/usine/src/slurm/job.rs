//! Jobs of the hub as Slurm's commands show them.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::Value;

use super::text;
use crate::output::{entries, number, text as words};
use crate::remote::Remote;

/// The most jobs that one command shows.
const JOBS_MAX: usize = 20_000;
/// How many numbers one request asks about.
const NUMBERS_AT_ONCE: usize = 200;

/// A state in Slurm's words: the long one, the short one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(pub(super) &'static str, pub(super) &'static str);

/// All states that jobs of a hub can be in.
const STATES: [State; 11] = [
    State("PENDING", "PD"),
    State("RUNNING", "R"),
    State("COMPLETED", "CD"),
    State("FAILED", "F"),
    State("CANCELLED", "CA"),
    State("TIMEOUT", "TO"),
    State("OUT_OF_MEMORY", "OOM"),
    State("NODE_FAIL", "NF"),
    State("PREEMPTED", "PR"),
    State("BOOT_FAIL", "BF"),
    State("DEADLINE", "DL"),
];

impl State {
    /// Whether somebody means it by `word`, in whatever case.
    pub(super) fn is(self, word: &str) -> bool {
        self.0.eq_ignore_ascii_case(word) || self.1.eq_ignore_ascii_case(word)
    }

    /// Whether `word` is a state of Slurm's at all; some are never seen here.
    pub(super) fn is_known(word: &str) -> bool {
        let never_here = [
            "SUSPENDED",
            "S",
            "COMPLETING",
            "CG",
            "CONFIGURING",
            "CF",
            "RESIZING",
            "REQUEUED",
            "RQ",
            "REVOKED",
            "RV",
            "STOPPED",
            "ST",
            "SIGNALING",
            "SI",
            "STAGE_OUT",
            "SO",
            "SPECIAL_EXIT",
            "SE",
            "REQUEUE_FED",
            "RF",
            "REQUEUE_HOLD",
            "RH",
            "RESV_DEL_HOLD",
            "RD",
            "RS",
        ];
        STATES.iter().any(|state| state.is(word))
            || never_here.iter().any(|state| state.eq_ignore_ascii_case(word))
    }

    fn named(name: &str) -> Self {
        STATES.into_iter().find(|state| state.0 == name).unwrap_or(State("FAILED", "F"))
    }
}

/// A job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// By which the hub's API knows it.
    pub(super) id: String,
    /// Its own number.
    pub(super) number: i64,
    /// The number of its array, and its index there.
    pub(super) element: Option<(i64, u64)>,
    pub(super) name: String,
    pub(super) user: String,
    pub(super) person: String,
    pub(super) partition: String,
    pub(super) project: String,
    pub(super) state: State,
    /// Why it waits, in Slurm's words.
    pub(super) reason: &'static str,
    /// Exit code and signal.
    pub(super) exit: (i64, i64),
    pub(super) submitted: Option<Timestamp>,
    pub(super) started: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    pub(super) limit_seconds: i64,
    pub(super) nodes: i64,
    pub(super) cores: i64,
    pub(super) gpus: i64,
    pub(super) memory_mb: u64,
    pub(super) node_names: Vec<String>,
    pub(super) peak_memory_mb: Option<i64>,
    pub(super) cpu_milliseconds: Option<i64>,
}

impl Job {
    /// Reads what the hub says of one.
    fn read(value: &Value) -> Self {
        let at = |pointer: &str| words(value, pointer).parse().ok();
        let state = words(value, "/state");
        let (state, exit) = match state.as_str() {
            "running" => (State::named("RUNNING"), (0, 0)),
            "ended" => ended(&words(value, "/end")),
            _ => (State::named("PENDING"), (0, 0)),
        };
        let element = value.pointer("/array").map(|_| {
            (number(value, "/array/number"), number(value, "/array/index").unsigned_abs())
        });
        let is_held = words(value, "/state") == "held";
        let count = |pointer: &str| value.pointer(pointer).and_then(Value::as_i64);
        let names = entries(value, "/nodes").iter().filter_map(Value::as_str);
        Self {
            id: words(value, "/id"),
            number: number(value, "/number"),
            element,
            name: words(value, "/name"),
            user: words(value, "/user"),
            person: words(value, "/person"),
            partition: words(value, "/partition"),
            project: words(value, "/project"),
            state,
            reason: match (state.0, is_held, element) {
                ("PENDING", true, None) => "Dependency",
                ("PENDING", true, Some(_)) => "JobArrayTaskLimit",
                _ => "None",
            },
            exit,
            submitted: at("/submitted_at"),
            started: at("/started_at"),
            ended: at("/ended_at"),
            limit_seconds: number(value, "/request/time_limit_seconds"),
            nodes: number(value, "/request/nodes"),
            cores: number(value, "/request/cores"),
            gpus: number(value, "/request/gpus"),
            memory_mb: number(value, "/request/memory_mb").unsigned_abs(),
            node_names: names.map(str::to_owned).collect(),
            peak_memory_mb: count("/peak_memory_mb"),
            cpu_milliseconds: count("/cpu_milliseconds"),
        }
    }

    /// How people name it: `17`, or `17_3` in an array.
    pub(super) fn shown(&self) -> String {
        match self.element {
            Some((array, index)) => format!("{array}_{index}"),
            None => self.number.to_string(),
        }
    }

    /// The number of its array, or its own.
    pub(super) fn array_number(&self) -> i64 {
        self.element.map_or(self.number, |(array, _)| array)
    }

    /// For how long it has run, or did.
    pub(super) fn elapsed_seconds(&self, now: Timestamp) -> i64 {
        let until = self.ended.unwrap_or(now);
        self.started.map_or(0, |started| (until.as_second() - started.as_second()).max(0))
    }

    /// The nodes, as a list of hosts.
    pub(super) fn host_list(&self) -> String {
        text::host_list(&self.node_names)
    }

    /// Memory on each node.
    pub(super) fn memory_per_node(&self) -> u64 {
        self.memory_mb / self.nodes.max(1).unsigned_abs()
    }
}

/// The state of a job that ended so, with exit code and signal.
fn ended(how: &str) -> (State, (i64, i64)) {
    let of = |name| State::named(name);
    if let Some(code) = how.strip_prefix("failed exit ") {
        return (of("FAILED"), (code.parse().unwrap_or(1), 0));
    }
    if let Some(signal) = how.strip_prefix("failed signal ") {
        return (of("FAILED"), (0, signal.parse().unwrap_or(9)));
    }
    match how {
        "completed" => (of("COMPLETED"), (0, 0)),
        "cancelled" => (of("CANCELLED"), (0, 0)),
        "timed-out" => (of("TIMEOUT"), (0, 0)),
        "out-of-memory" => (of("OUT_OF_MEMORY"), (0, 125)),
        "node-failed" => (of("NODE_FAIL"), (1, 0)),
        "preempted" => (of("PREEMPTED"), (0, 0)),
        "boot-failed" => (of("BOOT_FAIL"), (1, 0)),
        "deadline-missed" => (of("DEADLINE"), (0, 0)),
        // Refused by its site, where it never ran.
        _ => (of("FAILED"), (1, 0)),
    }
}

/// What a command asks the hub about jobs.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// Numbers, when only certain jobs are meant.
    pub(super) numbers: Option<Vec<String>>,
    /// Whether jobs that have ended are left out.
    pub(super) open: bool,
    /// Only jobs that had not ended before.
    pub(super) since: Option<Timestamp>,
}

/// The jobs that the hub shows, those submitted first at the beginning.
pub(super) async fn ask(remote: &Remote, asked: &Asked) -> Result<Vec<Job>> {
    let mut query = "/jobs?limit=200".to_owned();
    if asked.open {
        query.push_str("&state=open");
    }
    if let Some(since) = asked.since {
        query.push_str(&format!("&since={since}"));
    }
    let mut found = Vec::new();
    match &asked.numbers {
        None => found = remote.list(&query, JOBS_MAX).await?,
        Some(numbers) => {
            for some in numbers.chunks(NUMBERS_AT_ONCE) {
                let query = format!("{query}&number={}", some.join(","));
                found.extend(remote.list(&query, JOBS_MAX).await?);
            }
        }
    }
    let mut jobs: Vec<Job> = found.iter().map(Job::read).collect();
    jobs.sort_by_key(|job| (job.array_number(), job.element.map(|(_, index)| index), job.number));
    jobs.dedup_by_key(|job| job.number);
    Ok(jobs)
}

/// Who asks: the person's id at the hub, and how they are called.
pub(super) async fn me(remote: &Remote) -> Result<String> {
    Ok(words(&remote.get("/me").await?, "/id"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A job of the hub that changes say more about.
    pub(in crate::slurm) fn job(changes: Value) -> Job {
        let mut value = json!({
            "id": "0189abcd-0000-7000-8000-000000000001", "number": 17, "name": "train",
            "user": "ada", "person": "p", "project": "q", "partition": "lux.gpu", "state": "queued",
            "submitted_at": "2026-11-21T10:00:00Z",
            "request": { "nodes": 1, "cores": 4, "gpus": 0, "memory_mb": 4_096,
                "time_limit_seconds": 3_600 },
        });
        if let (Some(value), Value::Object(changes)) = (value.as_object_mut(), changes) {
            value.extend(changes);
        }
        Job::read(&value)
    }

    #[test]
    fn every_end_has_its_state_and_exit_code() {
        let end = |how: &str| {
            let job = job(json!({ "state": "ended", "end": how }));
            format!("{} {}:{}", job.state.0, job.exit.0, job.exit.1)
        };
        assert_eq!(end("completed"), "COMPLETED 0:0");
        assert_eq!(end("failed exit 3"), "FAILED 3:0");
        assert_eq!(end("failed signal 9"), "FAILED 0:9");
        assert_eq!(end("timed-out"), "TIMEOUT 0:0");
        assert_eq!(end("out-of-memory"), "OUT_OF_MEMORY 0:125");
        assert_eq!(end("refused"), "FAILED 1:0");
    }

    #[test]
    fn a_job_that_waits_says_for_what() {
        assert_eq!(job(json!({ "state": "held" })).reason, "Dependency");
        let element = json!({ "id": "a", "number": 16, "index": 3 });
        let element = job(json!({ "state": "held", "array": element }));
        assert_eq!((element.reason, element.shown().as_str()), ("JobArrayTaskLimit", "16_3"));
        assert_eq!(job(json!({})).state, State("PENDING", "PD"));
    }
}
