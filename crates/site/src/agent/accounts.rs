//! Tells the hub what the site's accounting has: every run of a job that is the hub's, or is booked
//! on an account that is Usine's by its name.
//!
//! The hub says from when on. Each time is looked at again for a while, for an accounting hears of
//! ends late; what was told before and has not changed is not sent again. Of other jobs nothing
//! leaves the site.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use engine::{Accounted, Accounts, Engine};
use jiff::SignedDuration;
use jobs::AccountPrefix;
use tokio::time::{Instant, sleep};
use units::Timestamp;

use super::orders::error_chain;
use super::persons::Persons;
use super::{Error, Shared, pause_after};
use crate::client::{Key, segment};
use crate::protocol::{Accounting, AccountingReceipt, Covered, RUNS_MAX, Run, VERSION};

/// How an agent tells what the accounting has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    /// How often.
    pub interval: Duration,
    /// The time zone of the site, by its name in the IANA database.
    pub zone: String,
}

/// How far back each look reaches before what is known.
const OVERLAP: SignedDuration = SignedDuration::from_hours(2);
/// How far back a look reaches now and then, for what the site itself put right.
const LATE: SignedDuration = SignedDuration::from_hours(7 * 24);
const LATE_LOOKS: Duration = Duration::from_secs(24 * 3_600);
/// The longest time that one look asks for.
const SLICE: SignedDuration = SignedDuration::from_hours(6);

/// What the hub was told, by the name of each run.
type Told = HashMap<(u64, Timestamp), u64>;

/// Tells for ever; at a place without books, nothing.
pub(super) async fn tell<E: Engine>(shared: &Shared<E>) {
    let Some(books) = &shared.settings.books else { return };
    let (mut told, mut late, mut failures) = (Told::new(), Instant::now(), 0);
    loop {
        let reach = if Instant::now() >= late { LATE } else { OVERLAP };
        match look(shared, books, reach, &mut told).await {
            Ok(()) => {
                if reach == LATE {
                    late = Instant::now() + LATE_LOOKS;
                }
                failures = 0;
                sleep(books.interval).await;
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the accounting is not told");
                sleep(pause_after(failures).max(books.interval)).await;
                failures += 1;
            }
        }
    }
}

/// Tells everything from where the hub wants it until now.
async fn look<E: Engine>(
    shared: &Shared<E>,
    books: &Books,
    reach: SignedDuration,
    told: &mut Told,
) -> Result<(), Error> {
    let nothing = Accounts { cluster: String::new(), runs: Vec::new() };
    let asked = message(shared, books, &nothing.cluster, Vec::new(), None);
    let mut wanted = post(shared, &asked).await?.from;
    let mut from = wanted.saturating_sub(reach).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut seen = Told::new();
    loop {
        let until = shared.now();
        let to = from.saturating_add(SLICE).unwrap_or(until).min(until);
        let Some(accounts) = shared.engine.accounts((from, to)).await? else { return Ok(()) };
        let mut fresh = Vec::new();
        for accounted in accounts.runs {
            let Some(run) = ours(&shared.directory.persons(), accounted) else { continue };
            let (name, print) = ((run.number, run.submitted), print(&run));
            if told.get(&name) != Some(&print) && seen.get(&name) != Some(&print) {
                fresh.push(run);
            }
            seen.insert(name, print);
        }
        let covered = Covered { from: from.min(wanted), to };
        let mut portions = fresh.chunks(RUNS_MAX).map(<[Run]>::to_vec).peekable();
        loop {
            let runs = portions.next().unwrap_or_default();
            let covered = portions.peek().is_none().then_some(covered);
            let asked = message(shared, books, &accounts.cluster, runs, covered);
            wanted = post(shared, &asked).await?.from;
            if covered.is_some() {
                break;
            }
        }
        if to >= until {
            *told = seen;
            return Ok(());
        }
        from = to;
    }
}

/// A run as the hub is told, if it is its business.
fn ours(persons: &Persons, Accounted { run, job }: Accounted) -> Option<Run> {
    if job.is_none() && !persons.prefix().is_some_and(|prefix| prefix.claims(&run.account)) {
        return None;
    }
    let over = run.ended.is_some();
    let at = |second: i64| Timestamp::from_second(second).ok();
    // While it runs it is told once, not with every second.
    let counted = |seconds: i64| if over { u32::try_from(seconds).ok() } else { Some(0) };
    Some(Run {
        number: run.number,
        label: run.label,
        submitted: at(run.submitted)?,
        started: run.started.and_then(at),
        ended: run.ended.and_then(at),
        state: run.state,
        account: run.account,
        persons: persons.with_login(&run.user),
        login: run.user,
        partition: run.partition,
        ran_seconds: counted(run.ran_seconds)?,
        suspended_seconds: counted(run.suspended_seconds)?,
        limit_seconds: run.limit_seconds.and_then(|limit| u32::try_from(limit).ok()),
        nodes: run.nodes,
        cpus: run.cores,
        memory_mb: run.memory_mb,
        gpus: run.gpus,
        tres: run.tres,
        energy_joules: run.energy_joules.filter(|_| over),
        job,
    })
}

fn print(run: &Run) -> u64 {
    let mut hasher = DefaultHasher::new();
    run.hash(&mut hasher);
    hasher.finish()
}

fn message<E>(
    shared: &Shared<E>,
    books: &Books,
    cluster: &str,
    runs: Vec<Run>,
    covered: Option<Covered>,
) -> Accounting {
    let prefix = shared.settings.persons.prefix().map(AccountPrefix::to_string);
    let (zone, cluster) = (books.zone.clone(), cluster.to_owned());
    Accounting { version: VERSION, cluster, zone, prefix, runs, covered }
}

async fn post<E>(
    shared: &Shared<E>,
    message: &Accounting,
) -> Result<AccountingReceipt, crate::client::Error> {
    let path = format!("/sites/{}/accounting", segment(shared.settings.site.as_str()));
    shared.client.post(&path, message, Key::fresh()).await
}
