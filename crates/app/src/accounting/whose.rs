//! Whose a run is: the hub's job by its comment and owner, an allocation's by its account, or
//! nobody's here.

use std::collections::BTreeMap;

use ::jobs::request::Request;
use ::jobs::{AccountPrefix, Memory};
use site::protocol::{Run as ToldRun, login_digest};
use store::identity::people;
use store::usage::{Origin, Run};
use store::{Tx, allocations, jobs as records};
use units::{AllocationId, JobId, Slug, Timestamp};
use uuid::{Builder, Uuid};

use crate::jobs::{Job, SiteSettings};
use crate::{App, Error};

/// The longest text that is kept of a run.
const TEXT_LENGTH_MAX: usize = 200;

/// Where runs come from, and what their accounts stand for.
pub(super) struct Source<'a> {
    pub(super) cluster: &'a str,
    /// What the names of accounts begin with that are Usine's.
    pub(super) prefix: Option<AccountPrefix>,
    /// The allocations of further accounts.
    pub(super) named: &'a BTreeMap<String, AllocationId>,
}

/// What an account stands for.
#[derive(Clone, Copy)]
pub(super) enum Account {
    /// An allocation on the site's partition.
    Allocation(AllocationId),
    /// Nothing, though its name is one of Usine's.
    Unknown,
    /// Nothing of the hub's at this site.
    Foreign,
}

/// Demands that these allocations are of the partition of the site.
pub(super) async fn check_named(
    tx: &Tx,
    settings: &SiteSettings,
    named: &BTreeMap<String, AllocationId>,
) -> Result<(), Error> {
    for (account, id) in named {
        let found = allocations::by_id(tx, *id).await?;
        if found.is_none_or(|found| found.partition != settings.partition) {
            let why = format!("{account}: there is no allocation {id} on {}", settings.partition);
            return Err(Error::invalid("accounts", why));
        }
    }
    Ok(())
}

impl App {
    /// What is to be kept of a run; `None` when it is none of the hub's business. `accounts` are
    /// those that were looked up before.
    pub(super) async fn record(
        &self,
        tx: &Tx,
        (settings, source): (&SiteSettings, &Source<'_>),
        told: &ToldRun,
        accounts: &mut BTreeMap<String, Account>,
    ) -> Result<Option<Run>, Error> {
        if let Some(job) = self.job_of(tx, settings, told).await? {
            let rule = (&job.place.charge_rule, job.submitted_at);
            let whose = (Origin::Hub, job.id, Some(job.owner.allocation));
            return Ok(Some(self.kept(settings, source, told, (whose, rule))));
        }
        let account = match accounts.get(&told.account) {
            Some(known) => *known,
            None => {
                let found = account(tx, settings, source, &told.account).await?;
                accounts.insert(told.account.clone(), found);
                found
            }
        };
        let id = ledger_job(&settings.name, source.cluster, told);
        let whose = match account {
            Account::Allocation(allocation) => (Origin::Outside, id, Some(allocation)),
            Account::Unknown => (Origin::Unknown, id, None),
            Account::Foreign => return Ok(None),
        };
        let rule = (&settings.charge_rule, told.submitted);
        Ok(Some(self.kept(settings, source, told, (whose, rule))))
    }

    /// The hub's job that a run is one of. A comment alone proves nothing, for anybody may write
    /// one; together with the login of the job's owner it does.
    async fn job_of(
        &self,
        tx: &Tx,
        settings: &SiteSettings,
        told: &ToldRun,
    ) -> Result<Option<Job>, Error> {
        let Some(id) = told.job else { return Ok(None) };
        let found = records::by_id(tx, id).await?;
        let Some(job) = found.filter(|job| job.place.site == settings.name) else {
            return Ok(None);
        };
        let owner = people::by_id(tx, job.owner.person).await?;
        let digest = owner.map(|owner| login_digest(&owner.email)).unwrap_or_default();
        Ok(told.persons.contains(&digest).then_some(job))
    }

    fn kept(
        &self,
        settings: &SiteSettings,
        source: &Source<'_>,
        told: &ToldRun,
        ((origin, job, allocation), (rule, at)): (
            (Origin, JobId, Option<AllocationId>),
            (&Slug, Timestamp),
        ),
    ) -> Run {
        let had = had(told);
        let cost =
            || self.work().rules.find(rule, at).ok()?.charge_run(&had, told.ran_seconds).ok();
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Run {
            site: settings.name.clone(),
            cluster: shortened(source.cluster),
            number: number(told.number),
            submitted: told.submitted,
            job,
            allocation,
            origin,
            label: shortened(&told.label),
            account: shortened(&told.account),
            login: shortened(&told.login),
            partition: shortened(&told.partition),
            state: shortened(&told.state),
            started: told.started,
            ended: told.ended,
            ran_seconds: i64::from(told.ran_seconds),
            suspended_seconds: i64::from(told.suspended_seconds),
            limit_seconds: told.limit_seconds.map(i64::from),
            nodes: i64::from(told.nodes),
            cores: i64::from(told.cpus),
            memory_mb: whole(told.memory_mb),
            gpus: i64::from(told.gpus),
            tres: shortened(&told.tres),
            energy_joules: told.energy_joules.map(whole),
            charge: told.ended.and_then(|_| cost()),
            posted: false,
        }
    }
}

/// A number as it is kept.
pub(super) fn number(told: u64) -> i64 {
    i64::try_from(told).unwrap_or(i64::MAX)
}

async fn account(
    tx: &Tx,
    settings: &SiteSettings,
    source: &Source<'_>,
    name: &str,
) -> Result<Account, Error> {
    let by_name = |prefix: &AccountPrefix| prefix.allocation(name);
    let allocation = source.named.get(name).copied();
    let allocation = allocation.or_else(|| source.prefix.as_ref().and_then(by_name));
    let Some(id) = allocation else {
        let ours = source.prefix.as_ref().is_some_and(|prefix| prefix.claims(name));
        return Ok(if ours { Account::Unknown } else { Account::Foreign });
    };
    Ok(match allocations::by_id(tx, id).await? {
        Some(found) if found.partition == settings.partition => Account::Allocation(id),
        // Another site of the same cluster answers for it.
        Some(_) => Account::Foreign,
        None => Account::Unknown,
    })
}

/// What the run had, as charge rules count it.
fn had(told: &ToldRun) -> Request {
    let some = |count: u32| std::num::NonZeroU32::new(count).unwrap_or(std::num::NonZeroU32::MIN);
    Request {
        nodes: some(told.nodes),
        tasks: some(told.nodes),
        cores: some(told.cpus),
        memory: Memory::mebibytes(told.memory_mb),
        gpus: told.gpus,
        time_limit_seconds: told.limit_seconds.map_or(std::num::NonZeroU32::MAX, some),
    }
}

/// The job that the ledger charges for a run that was not the hub's: the same however often it is
/// told. As ids of the hub's own jobs, it begins with its time.
fn ledger_job(site: &Slug, cluster: &str, told: &ToldRun) -> JobId {
    let name = format!("usine run\0{site}\0{cluster}\0{}\0{}", told.number, told.submitted);
    let hash = blake3::hash(name.as_bytes());
    let mut bytes = [0; 16];
    let at = told.submitted.as_millisecond().to_be_bytes();
    let made = at.iter().skip(2).chain(hash.as_bytes());
    bytes.iter_mut().zip(made).for_each(|(byte, made)| *byte = *made);
    let id: Uuid = Builder::from_custom_bytes(bytes).into_uuid();
    JobId::from_uuid(id)
}

fn shortened(text: &str) -> String {
    text.chars().filter(|mark| !mark.is_control()).take(TEXT_LENGTH_MAX).collect()
}
