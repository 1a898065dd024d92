//! Where a job could run on the project's hours, compared by policy: a dry run that lists all
//! places, and the choice of the best for a submission that leaves it open.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use ::jobs::placement::{Limits, Prospect, Score, Start, Term, score};
use ::jobs::request::Request;
use ::jobs::script::Script;
use access::allocation::Allocation;
use store::{Tx, sites};
use units::{
    CountryCode, JobId, Meter, Payer, PersonId, ProjectId, Slug, Timestamp, Work as Amount,
};

use super::outlook::{Expected, blocking};
use super::place::Ways;
use super::prepare::{fitted, shape};
use super::{SiteSettings, Submission};
use crate::sites::SiteMachine;
use crate::{Action, Actor, App, Error, Reason};

/// What running there would mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What the hours are counted in.
    pub meter: Meter,
    /// What the job would have there.
    pub request: Request,
    /// The most hours that it would use, all elements of an array together.
    pub held: Amount,
    /// What the allocation has left before that.
    pub available: Amount,
    /// Who pays for the allocation.
    pub payers: Vec<Payer>,
    /// When it would start, where the site shows what runs there.
    pub expected: Option<Expected>,
    /// What must be moved there.
    pub transfer_bytes: u64,
    /// How long that takes, where the link is known.
    pub transfer_seconds: Option<u64>,
    /// The most energy, where the power of a unit is known.
    pub watt_hours: Option<u64>,
    /// The most carbon dioxide, where its intensity is known too.
    pub carbon_grams: Option<u64>,
    /// What speaks against the place, in seconds of waiting.
    pub score: Score,
}

/// A place where the project has hours that can be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The hours.
    pub allocation: Allocation,
    /// The factory and its country, where a site serves the partition.
    pub place: Option<(Slug, CountryCode)>,
    /// What running there would mean; or why it cannot be.
    pub terms: Result<Terms, String>,
}

/// All places, best first, then those where the job cannot run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offers {
    /// The places.
    pub offers: Vec<Offer>,
    /// What speaks most for the first over the second, and by how many seconds of waiting.
    pub because: Option<(Term, u64)>,
    /// Whose weights decided.
    pub policy: String,
}

/// What is to run, for whoever looks for a place.
pub(super) struct Asked<'a> {
    pub(super) person: PersonId,
    pub(super) script: &'a Script,
    /// How many jobs of this shape.
    pub(super) jobs: usize,
    /// What they read.
    pub(super) input_bytes: u64,
    pub(super) limits: &'a Limits,
}

/// A place that passes what can be told without simulating.
struct Candidate {
    request: Request,
    prospect: Prospect,
    transfer_bytes: u64,
    site: Slug,
}

impl App {
    /// Every place where the project has hours, with what running there would mean. Nothing is
    /// submitted.
    ///
    /// # Errors
    /// When the actor may not submit in the project, or what was sent could run nowhere.
    pub async fn job_offers(
        &self,
        actor: &Actor,
        project: ProjectId,
        new: &Submission,
        limits: &Limits,
    ) -> Result<Offers, Error> {
        let tx = self.store().read().await?;
        let project = self.project_for(&tx, actor, (Action::SubmitJob, project)).await?;
        let prepared = self.prepare(&tx, actor, new).await?;
        let array = prepared.script.directives().array.as_ref();
        let asked = Asked {
            person: actor.person_id()?,
            script: &prepared.script,
            jobs: array.map_or(1, |spec| spec.indices().len()),
            input_bytes: prepared.input_bytes,
            limits,
        };
        let mut allocations = store::allocations::of_project(&tx, project.id).await?;
        allocations.retain(|allocation| allocation.usable(self.now()).is_ok());
        self.compared(tx, allocations, &asked).await
    }

    /// These places, with what running there would mean.
    pub(super) async fn compared(
        &self,
        tx: Tx,
        allocations: Vec<Allocation>,
        asked: &Asked<'_>,
    ) -> Result<Offers, Error> {
        let now = self.now();
        let mut places = Vec::with_capacity(allocations.len());
        let mut sites = BTreeMap::new();
        for allocation in allocations {
            let candidate = self.candidate(&tx, &allocation, asked).await?;
            if let Ok(Candidate { site, .. }) = &candidate
                && !sites.contains_key(site)
            {
                sites.insert(site.clone(), self.site_records(&tx, site).await?);
            }
            places.push((allocation, candidate));
        }
        drop(tx);
        let weights = self.work().placement.clone();
        let id = self.mint_job();
        let simulated = blocking(move || {
            let built = sites
                .into_iter()
                .filter_map(|(site, records)| Some((site, records?.machine(now)?)));
            let machines: BTreeMap<Slug, SiteMachine> = built.collect();
            let simulated = |(allocation, candidate): (Allocation, Result<Candidate, String>)| {
                let terms = candidate.map(|candidate| {
                    let machine = machines.get(&candidate.site).cloned();
                    let scored = |prospect: &Prospect| score(prospect, &weights);
                    candidate.terms((id, allocation.meter), (machine, now), scored)
                });
                (allocation, terms)
            };
            places.into_iter().map(simulated).collect::<Vec<_>>()
        });
        let offers = simulated.await?.into_iter().map(|(allocation, terms)| {
            let found = self.rules().federation.partition(&allocation.partition);
            let place = found.map(|(factory, _, _)| (factory.key.clone(), factory.country));
            Offer { allocation, place, terms }
        });
        let mut offers: Vec<Offer> = offers.collect();
        offers.sort_by(ranked);
        let because = advantage(&offers);
        Ok(Offers { offers, because, policy: self.work().placement.source.clone() })
    }

    /// What can be told of a place without simulating; or why the job cannot run there.
    async fn candidate(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        asked: &Asked<'_>,
    ) -> Result<Result<Candidate, String>, Error> {
        let site = match self.site_of(&allocation.partition) {
            Ok(site) => site,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let rule = match self.work().rules.find(&site.charge_rule, self.now()) {
            Ok(rule) => rule,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let known = sites::by_name(tx, &site.name).await?;
        if let Some(why) = self.shut(tx, site, (known.as_ref(), asked.person)).await? {
            return Ok(Err(why));
        }
        let ways = Ways::of(known.as_ref());
        let inventory = known.and_then(|site| site.inventory);
        let fitted = shape(site, inventory.as_ref(), rule.whole_nodes)
            .and_then(|shape| fitted(asked.script, &shape))
            .and_then(|request| ways.place(asked.script).map(|_| request));
        let request = match fitted {
            Ok(request) => request,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if let Some(why) = self.beyond(asked.limits, allocation, inventory.as_ref()) {
            return Ok(Err(why));
        }
        let count = i64::try_from(asked.jobs).unwrap_or(i64::MAX);
        let held = match rule.hold(&request) {
            Ok(each) => Amount::seconds(each.count().saturating_mul(count)),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let standing = store::ledger::balances(tx, allocation.id).await?;
        let available = standing.map_or(Amount::ZERO, |standing| {
            standing.total().map_or(Amount::ZERO, |total| total.available)
        });
        if held > available {
            let [held, available] = [held, available].map(|it| it.display(allocation.meter));
            return Ok(Err(format!("{held} would be held and {available} are left")));
        }
        let shares = store::allocations::shares(tx, allocation.id).await?;
        let figures = Footprint::of(site, held, asked.input_bytes);
        Ok(Ok(Candidate {
            request,
            prospect: Prospect {
                start: None,
                transfer: figures.transfer_seconds,
                held,
                available,
                days_left: days_between(self.now(), allocation.period.end()),
                payers: shares.iter().map(|share| share.payer).collect(),
                watt_hours: figures.watt_hours,
                carbon_grams: figures.carbon_grams,
            },
            transfer_bytes: asked.input_bytes,
            site: site.name.clone(),
        }))
    }

    /// Why a site cannot take a job of this person now, whatever the job is.
    async fn shut(
        &self,
        tx: &Tx,
        site: &SiteSettings,
        (known, person): (Option<&sites::Site>, PersonId),
    ) -> Result<Option<String>, Error> {
        if let Some(missing) = self.missing_login(tx, known, person).await? {
            return Ok(Some(missing));
        }
        let readiness = self.readiness(tx, site).await?;
        Ok(readiness.blocked().map(|obstacle| format!("it takes no work now: {obstacle}")))
    }

    /// Why a place is outside of what the user allows.
    fn beyond(
        &self,
        limits: &Limits,
        allocation: &Allocation,
        inventory: Option<&sites::Inventory>,
    ) -> Option<String> {
        let found = self.rules().federation.partition(&allocation.partition);
        let country = found.map(|(factory, _, _)| factory.country);
        if !limits.countries.is_empty() && !country.is_some_and(|it| limits.countries.contains(&it))
        {
            let stands = country.map_or_else(|| "nobody knows where".to_owned(), |c| c.to_string());
            return Some(format!("it stands in {stands}, outside of the countries allowed"));
        }
        let gpus = inventory.map(|inventory| inventory.gpus.as_slice()).unwrap_or_default();
        if let Some(wanted) = &limits.gpu {
            let wanted = wanted.to_lowercase();
            if !gpus.iter().any(|model| model.to_lowercase().contains(&wanted)) {
                let has = if gpus.is_empty() { "none".to_owned() } else { gpus.join(", ") };
                return Some(format!("its GPUs are not of the kind asked for: it has {has}"));
            }
        }
        let memory = inventory.map_or(0, sites::Inventory::memory_mb_per_node);
        let wanted = limits.memory_mb_per_node?;
        (memory < wanted)
            .then(|| format!("its nodes have {memory} MB of memory, less than {wanted} MB"))
    }
}

impl Offers {
    /// The best place.
    ///
    /// # Errors
    /// With the reason of each place when the job can run nowhere.
    pub(super) fn best(&self) -> Result<(&Offer, &Terms), Error> {
        let first = self.offers.iter().find_map(|offer| Some((offer, offer.terms.as_ref().ok()?)));
        first.ok_or_else(|| {
            let why = |offer: &Offer| {
                let why = offer.terms.as_ref().err().map_or("", String::as_str);
                Reason::new("placement", format!("{}: {why}", offer.allocation.partition))
            };
            let mut reasons: Vec<Reason> = self.offers.iter().map(why).collect();
            if reasons.is_empty() {
                let text = "the project has no allocation that can be used now";
                reasons.push(Reason::new("allocation.period", text));
            }
            Error::Refused(reasons)
        })
    }
}

impl Candidate {
    /// Finds out when the job would start.
    fn terms(
        self,
        (id, meter): (JobId, Meter),
        (machine, now): (Option<SiteMachine>, Timestamp),
        scored: impl Fn(&Prospect) -> Score,
    ) -> Terms {
        let Self { request, mut prospect, transfer_bytes, site: _ } = self;
        let forecast = machine.and_then(|mut machine| {
            machine.enqueue(id, &request);
            machine.forecast(id)
        });
        let from_now = |second: i64| u64::try_from(second - now.as_second()).unwrap_or_default();
        prospect.start = forecast.map(|forecast| Start {
            earliest: from_now(forecast.earliest),
            likely: from_now(forecast.likely),
            latest: from_now(forecast.latest),
        });
        Terms {
            meter,
            request,
            held: prospect.held,
            available: prospect.available,
            expected: forecast.and_then(Expected::of),
            transfer_bytes,
            transfer_seconds: prospect.transfer,
            watt_hours: prospect.watt_hours,
            carbon_grams: prospect.carbon_grams,
            score: scored(&prospect),
            payers: prospect.payers,
        }
    }
}

/// What a site's own figures make of a job; unknown where the operator gave none.
struct Footprint {
    transfer_seconds: Option<u64>,
    watt_hours: Option<u64>,
    carbon_grams: Option<u64>,
}

impl Footprint {
    fn of(site: &SiteSettings, held: Amount, bytes: u64) -> Self {
        let figures = &site.figures;
        let seconds = |link: NonZeroU32| {
            u128::from(bytes).saturating_mul(8).div_ceil(u128::from(link.get()) * 1_000_000)
        };
        let unit_seconds = u128::try_from(held.count()).unwrap_or_default();
        let watt_hours = figures
            .watts_per_unit
            .map(|watts| unit_seconds.saturating_mul(u128::from(watts)).div_ceil(3_600));
        let grams = watt_hours.zip(figures.carbon_grams_per_kwh).map(|(watt_hours, grams)| {
            watt_hours.saturating_mul(u128::from(grams)).div_ceil(1_000)
        });
        let count = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            transfer_seconds: match bytes {
                0 => Some(0),
                _ => figures.link_megabits_per_second.map(|link| count(seconds(link))),
            },
            watt_hours: watt_hours.map(count),
            carbon_grams: grams.map(count),
        }
    }
}

/// Best first; places where the job cannot run last, by name.
fn ranked(one: &Offer, other: &Offer) -> std::cmp::Ordering {
    let name = |offer: &Offer| (offer.allocation.partition.clone(), offer.allocation.id);
    match (&one.terms, &other.terms) {
        (Ok(a), Ok(b)) => a.score.cmp(&b.score).then_with(|| name(one).cmp(&name(other))),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => name(one).cmp(&name(other)),
    }
}

/// What speaks most for the first place over the second.
fn advantage(offers: &[Offer]) -> Option<(Term, u64)> {
    let mut scores = offers.iter().filter_map(|offer| Some(&offer.terms.as_ref().ok()?.score));
    scores.next()?.advantage(scores.next()?)
}

fn days_between(from: Timestamp, to: Timestamp) -> u32 {
    let seconds = to.as_second().saturating_sub(from.as_second());
    u32::try_from(seconds.div_euclid(86_400)).unwrap_or_default()
}
