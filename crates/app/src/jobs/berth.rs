//! What a script comes to on the hours of an allocation: where it runs, what it has there, and what
//! is set aside for it.

use ::jobs::charge::ChargeRule;
use ::jobs::request::Request;
use ::jobs::script::Script;
use ::jobs::{FileNames, FilePattern};
use access::allocation::Allocation;
use store::Tx;
use store::jobs::Program;
use store::ledger::Denied;
use store::sites::Site;
use units::{Timestamp, Work as Amount};

use super::place::{Placed, Ways};
use super::prepare::{fitted, shape};
use super::{Job, SiteSettings};
use crate::{App, Error};

/// A place for a script.
pub(super) struct Berth<'a> {
    pub(super) site: &'a SiteSettings,
    pub(super) rule: &'a ChargeRule,
    pub(super) allocation: Allocation,
    pub(super) placed: Placed,
    pub(super) request: Request,
    pub(super) held: Amount,
}

impl App {
    /// What `script`, submitted at `at`, comes to on `allocation`, of whose site this is `known`.
    ///
    /// # Errors
    /// When the site takes no work, or cannot give what the script asks.
    pub(super) async fn berth(
        &self,
        tx: &Tx,
        (allocation, known): (Allocation, Option<&Site>),
        (script, at): (&Script, Timestamp),
    ) -> Result<Berth<'_>, Error> {
        let site = self.site_of(&allocation.partition)?;
        if let Some(drained) = self.drained(tx, &site.name).await? {
            return Err(Error::refused("site.drained", format!("{}: {drained}", site.name)));
        }
        if let Some(paused) = self.paused_at(tx, &site.name, allocation.id).await? {
            return Err(Error::refused("allocation.paused", paused));
        }
        let rule = self.work().rules.find(&site.charge_rule, at);
        let rule = rule.map_err(|error| Error::refused("charge-rule", error.to_string()))?;
        let inventory = known.and_then(|site| site.inventory.as_ref());
        let shape = shape(site, inventory, rule.whole_nodes)?;
        let placed = Ways::of(known).place(script)?;
        let request = fitted(script, &shape)?;
        let held = hold_of(rule, &request)?;
        Ok(Berth { site, rule, allocation, placed, request, held })
    }
}

impl Berth<'_> {
    /// Has a job run here.
    ///
    /// # Errors
    /// When a file that it names cannot be written here.
    pub(super) fn take(&self, job: &mut Job, script: &Script) -> Result<(), Error> {
        let array = job.element.map_or(job.number, |element| element.number);
        let index = job.element.map(|element| element.index);
        let names = FileNames { job: job.number, array, index, name: &job.name, user: &job.user };
        let file = |option: &str, pattern: &Option<FilePattern>| {
            self.placed.file(option, pattern.as_ref(), |pattern| pattern.expand(&names))
        };
        let directives = script.directives();
        let stdout = file("output", &directives.output)?;
        let stderr = file("error", &directives.error)?;
        let folder = self.placed.folder.clone();
        let options = self.placed.at.options.clone();
        job.program = Program { folder, stdout, stderr, options, ..job.program.clone() };
        job.place = self.site.place();
        job.owner.allocation = self.allocation.id;
        job.request = self.request;
        job.held = self.held;
        Ok(())
    }

    /// What `jobs` have set aside together.
    pub(super) fn held_by(&self, jobs: &[Job]) -> Amount {
        let sum = jobs.iter().fold(0_i64, |sum, job| sum.saturating_add(job.held.count()));
        Amount::seconds(sum)
    }

    /// What people are told when the allocation cannot cover `jobs`, of which `held` was set aside
    /// before that showed.
    pub(super) fn cannot_cover(&self, denied: &Denied, (jobs, held): (&[Job], Amount)) -> Error {
        let Denied::Refused(::ledger::Refusal::Insufficient(short)) = denied else {
            return match denied {
                Denied::NoSuchAllocation(_) => {
                    Error::refused("allocation.hours", "the allocation was never given any hours")
                }
                other => Error::Internal(format!("the ledger does not accept a hold: {other}")),
            };
        };
        let Some(job) = jobs.first() else { return Error::refused("allocation.hours", "no job") };
        let each = job.held.count();
        let count = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
        let needed = Amount::seconds(each.saturating_mul(count));
        let available = Amount::seconds(short.available.count().saturating_add(held.count()));
        let missing = Amount::seconds(needed.count().saturating_sub(available.count()));
        let meter = self.allocation.meter;
        let fits = match jobs.len() {
            1 => self
                .rule
                .time_that_fits(&job.request, available)
                .map(|limit| format!("--time={limit}")),
            _ => Some(available.count().checked_div(each).unwrap_or_default())
                .filter(|fit| *fit > 0)
                .map(|fit| format!("{fit} of the {count} elements")),
        };
        let fits = match fits {
            Some(fits) => format!("{fits} would fit"),
            None => "no job of this shape would fit".to_owned(),
        };
        let text = format!(
            "the allocation has {} left and {} would be held: {} are missing; {fits}",
            available.display(meter),
            needed.display(meter),
            missing.display(meter),
        );
        Error::refused("allocation.hours", text)
    }
}

/// What one job of this shape has set aside.
fn hold_of(rule: &ChargeRule, request: &Request) -> Result<Amount, Error> {
    let held = rule.hold(request);
    let held = held.map_err(|error| Error::refused("charge-rule", error.to_string()))?;
    if held > Amount::ZERO {
        return Ok(held);
    }
    let text = format!("by the rule {} such a job would use nothing that is counted", rule.key);
    Err(Error::refused(format!("charge-rule.{}", rule.key), text))
}
