//! Jobs: submitted against an allocation, held in the ledger, ordered from a site, charged once.
//!
//! Whatever changes a job happens in one transaction: its state, the orders, the ledger and the
//! audit trail. Locks are taken in one order (jobs by id, the site's orders, the ledger's pen), so
//! that two such transactions never wait for each other in a circle.

mod berth;
mod cancel;
mod moving;
mod offers;
mod others;
mod outlook;
mod place;
mod prepare;
mod progress;
mod see;
mod submit;
mod watch;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use ::jobs::charge::ChargeRules;
use ::jobs::placement::Weights;
use ::jobs::template::{Holds, RepositoryRef, Template};
use jiff::SignedDuration;
use store::jobs::Place;
use units::{AllocationId, JobId, PartitionKey, Slug};
use vault::{Kind, Licence, Program};

use crate::{App, Error, Scope};

pub use ::jobs::placement::Limits;
pub use moving::Moved;
pub use offers::{Offer, Offers, Terms};
pub use outlook::{Cause, Expected, Outlook, Sooner};
pub(crate) use progress::Changes;
pub use see::{JobDetail, JobFilter};
pub use store::jobs::{Job, LogPiece, Metric, OPEN, Outcome, Stream, TrailEntry};
pub use submit::Submitted;
pub use watch::{Cursor, LogSlice, News};

/// Where jobs run and what is offered for them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The sites of this federation.
    pub sites: Vec<SiteSettings>,
    /// The catalogue of services.
    pub services: Vec<Template>,
    /// The charge rules of policy.
    pub rules: ChargeRules,
    /// What speaks for and against a place, by policy.
    pub placement: Weights,
    /// The build of this program, which services run.
    pub program: Program,
    /// What holds for the agents of remote sites.
    pub agents: AgentRules,
}

/// What holds for the agents of remote sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentRules {
    /// How long a one-time code waits to be used.
    pub code: SignedDuration,
    /// How long a token works that an agent's key has opened.
    pub session: SignedDuration,
    /// How far the clocks of a site and of the hub may be apart, and so how long a proof is good.
    pub clock: SignedDuration,
    /// How long an agent may be silent before it counts as away.
    pub away: SignedDuration,
}

/// Who runs the agent of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentKind {
    /// The hub, in its own process.
    Embedded,
    /// Somebody at the site; it proves to be the site's by a key.
    Remote,
}

/// A site and the partition that its jobs are charged to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSettings {
    /// Its name.
    pub name: Slug,
    /// The factory it belongs to.
    pub factory: Slug,
    /// The partition whose hours its jobs use.
    pub partition: PartitionKey,
    /// The rule by which they are charged.
    pub charge_rule: Slug,
    /// Who runs its agent.
    pub agent: AgentKind,
    /// Whether it only stands in for the partition: its machine is another one.
    pub stands_in: bool,
    /// The time limit of a job that names none.
    pub time_limit_default_seconds: NonZeroU32,
    /// The longest time limit.
    pub time_limit_max_seconds: NonZeroU32,
    /// The hosts to which people may log in by SSH; none when they may not.
    pub ssh_hosts: site::ssh::Hosts,
    /// What its operator says of link, power and carbon.
    pub figures: Figures,
}

impl SiteSettings {
    /// Where a job runs that this site carries out.
    fn place(&self) -> Place {
        Place {
            factory: self.factory.clone(),
            site: self.name.clone(),
            partition: self.partition.clone(),
            charge_rule: self.charge_rule.clone(),
        }
    }
}

/// What is known of a site beside its machine; unknown where its operator says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How fast data comes from the hub.
    pub link_megabits_per_second: Option<NonZeroU32>,
    /// Electric power for each unit that is charged (a GPU, a node), cooling included.
    pub watts_per_unit: Option<u32>,
    /// Carbon dioxide of its electricity.
    pub carbon_grams_per_kwh: Option<u32>,
}

/// What somebody wants to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Whose hours; the project's only usable allocation when nothing is said.
    pub allocation: Option<AllocationId>,
    /// Whether the best place is to be chosen, and among which.
    pub anywhere: Option<Limits>,
    /// Whether it may leave a site that does not fetch it, and for where.
    pub may_move: Option<Limits>,
    /// What to run.
    pub work: Work,
    /// Options as `sbatch` takes them; they win over the script's directives.
    pub options: Vec<String>,
    /// Variables that the submitter sends along.
    pub environment: BTreeMap<String, String>,
    /// Revisions to read, by mount.
    pub inputs: BTreeMap<Slug, RepositoryRef>,
    /// Folders to keep.
    pub outputs: Vec<NewOutput>,
    /// Whether it needs the network.
    pub network: bool,
}

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A batch script.
    Script(String),
    /// A service of the catalogue, filled in.
    Service {
        /// Its name.
        name: Slug,
        /// The values of its parameters.
        values: BTreeMap<String, String>,
    },
}

/// A folder to keep. For a service, `name` is one of its outputs, and the path is the service's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutput {
    /// Its name.
    pub name: Slug,
    /// Where the script writes it, relative to the job's directory.
    pub path: Option<String>,
    /// What it holds.
    pub kind: Option<Kind>,
    /// The repository it becomes a revision of, made if it is not there.
    pub repository: Option<Slug>,
    /// The licence of a repository that is made.
    pub licence: Option<Licence>,
}

/// Where grants over a job can hold.
pub(crate) fn scopes(job: &Job) -> [Scope; 3] {
    [
        Scope::Project(job.owner.project),
        Scope::Organisation(job.owner.organisation),
        Scope::Factory(job.place.factory.clone()),
    ]
}

pub(crate) const fn kind(holds: Holds) -> Kind {
    match holds {
        Holds::Dataset => Kind::Dataset,
        Holds::Model => Kind::Model,
    }
}

impl App {
    pub(crate) fn work(&self) -> &Settings {
        &self.parts.jobs
    }

    /// The site whose jobs use the hours of `partition`.
    pub(crate) fn site_of(&self, partition: &PartitionKey) -> Result<&SiteSettings, Error> {
        let found = self.work().sites.iter().find(|site| site.partition == *partition);
        found.ok_or_else(|| {
            let text = format!("no site carries out jobs for {partition} yet");
            Error::refused("site.serves", text)
        })
    }

    pub(crate) fn mint_job(&self) -> JobId {
        JobId::from_uuid(self.clock().mint())
    }
}

#[cfg(test)]
pub(crate) mod tests;
