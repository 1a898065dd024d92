//! The facts that a decision rests on, apart from policy: with a policy they give it again.
//!
//! Not here: where they come from, and where they are kept.

use std::collections::BTreeMap;

use jiff::civil::Date;
use units::{CountryCode, Meter, OrganisationId, Payer, PoolId, Slug, Timestamp, Work};

use super::{Admitted, Award, Decision, Draft, Finding, Offer, Reason, ShareLeft, Situation};
use super::{admit, award_by_people, check, decide};
use crate::aid::{AidLine, AidStanding};
use crate::allocation::Promised;
use crate::call::Call;
use crate::organisation::{Applicant, OrganisationKind};
use crate::policy::{AccessMode, AidCeiling, Entry, HourPrice, Line, Policy};
use crate::sme::{self, Group};

/// Everything that bears on an application at one instant, as it was, before any rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The call.
    pub call: Call,
    /// What is asked.
    pub draft: Draft,
    /// How many hours people have decided to grant, when they have.
    pub granted: Option<u32>,
    /// Who asks.
    pub asker: Asker,
    /// How many awards of this mode it holds that have not ended.
    pub open_awards: u32,
    /// The partition that is asked for, when there is one.
    pub ground: Option<Ground>,
    /// All State aid on record of the asker and of those that are one undertaking with it.
    pub aid: Vec<AidLine>,
    /// The instant.
    pub now: Timestamp,
}

/// The organisation that asks, as it is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Which.
    pub organisation: OrganisationId,
    /// What it is.
    pub kind: OrganisationKind,
    /// The state it is established in.
    pub country: CountryCode,
    /// The day it was registered.
    pub registered_on: Option<Date>,
    /// Its newest declaration, with the day of it.
    pub declared: Option<(Group, Date)>,
}

/// A partition and its pools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The state that hosts it.
    pub host: CountryCode,
    /// How many units of its meter it has, when that is known.
    pub units: Option<u64>,
    /// What is counted.
    pub meter: Meter,
    /// The pools of the current period.
    pub pools: Vec<PoolLeft>,
}

/// A pool and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolLeft {
    /// Which.
    pub id: PoolId,
    /// Whose.
    pub payer: Payer,
    /// What it was opened with.
    pub opened: Work,
    /// What is left.
    pub left: Work,
    /// What each access mode was granted of it.
    pub granted: BTreeMap<Slug, Work>,
    /// What its payer has promised until the award that is asked for would end, when it is said for
    /// how long; no record from before November 2026 has it.
    pub promised: Option<Promised>,
}

/// Why a policy has no answer to an application.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// The version of the mode that the call was opened under is not there.
    #[error("the policy no longer has {0}")]
    NoMode(String),
    /// The hours are State aid, and nothing says how much of it may be granted.
    #[error("policy/aid.toml has no ceiling that holds on {0}")]
    NoCeiling(Date),
}

/// Facts under a policy: what the rules see.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    facts: &'a Facts,
    policy: &'a Policy,
    mode: &'a Entry<AccessMode>,
    applicant: Applicant,
    pool: Option<&'a PoolLeft>,
    shares: Vec<ShareLeft>,
    aid: Option<AidCase<'a>>,
}

/// The aid that the hours would be.
#[derive(Clone, Debug)]
struct AidCase<'a> {
    state: CountryCode,
    ceiling: &'a Entry<AidCeiling>,
    price: Option<&'a Entry<HourPrice>>,
    lines: Vec<AidLine>,
}

/// What a policy answers to an application that is submitted or that people have decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is not let in, and stays a draft.
    NotAdmitted(Vec<Reason>),
    /// It is decided, or left to people.
    Decided(Decision),
}

impl Facts {
    /// What the rules of `policy` see in these facts.
    ///
    /// # Errors
    /// When the policy lacks what the rules need.
    pub fn under<'a>(&'a self, policy: &'a Policy) -> Result<Case<'a>, Unanswerable> {
        let rule = &self.call.rule;
        let mode =
            policy.mode_version(rule).ok_or_else(|| Unanswerable::NoMode(rule.to_string()))?;
        let pools = self.ground.iter().flat_map(|ground| &ground.pools);
        Ok(Case {
            facts: self,
            policy,
            mode,
            applicant: self.asker.applicant(policy, self.today()),
            pool: pools.clone().find(|pool| pool.payer == mode.says.draws_on),
            shares: self.shares_left(policy, mode),
            aid: self.aid_case(policy, mode)?,
        })
    }

    /// The day in Brussels, on which policy turns.
    fn today(&self) -> Date {
        crate::day_in_brussels(self.now)
    }

    /// What is left of the shares of the Union's time that `mode` is part of: its hours and those
    /// set aside for commercial use, in this period.
    fn shares_left(&self, policy: &Policy, mode: &Entry<AccessMode>) -> Vec<ShareLeft> {
        let Some(ground) = &self.ground else { return Vec::new() };
        let drawn_on = ground.pools.iter().find(|pool| pool.payer == mode.says.draws_on);
        let Some(pool) = drawn_on else { return Vec::new() };
        let of_union = |payer| matches!(payer, Payer::Union | Payer::Commercial);
        let union = ground.pools.iter().filter(|pool| of_union(pool.payer));
        let union = union.map(|pool| pool.opened.count()).fold(0, i64::saturating_add);
        let holds = policy.mode_shares(self.today());
        let of_mode = holds
            .filter(|share| share.says.modes.iter().any(|key| key.as_str() == mode.rule.entry));
        let left = |share: &Entry<crate::policy::ModeShare>| {
            let granted = share.says.modes.iter().filter_map(|key| pool.granted.get(key));
            let granted = granted.map(|work| work.count()).fold(0, i64::saturating_add);
            let most = share.says.limit.of(union);
            let remaining = Work::seconds(most.saturating_sub(granted).max(0));
            ShareLeft { rule: share.rule.clone(), limit: share.says.limit, remaining }
        };
        of_mode.map(left).collect()
    }

    /// Where the asker stands with aid, when hours of `mode` are any.
    fn aid_case<'p>(
        &self,
        policy: &'p Policy,
        mode: &Entry<AccessMode>,
    ) -> Result<Option<AidCase<'p>>, Unanswerable> {
        let (today, payer) = (self.today(), mode.says.draws_on);
        let counts = policy.is_aid(payer, today).is_none_or(|treatment| treatment.says.counts);
        let (Some(ground), Some(key)) = (&self.ground, &self.draft.partition) else {
            return Ok(None);
        };
        if !counts || self.asker.kind != OrganisationKind::Enterprise {
            return Ok(None);
        }
        let state = match payer {
            Payer::State(state) | Payer::Volunteered(state) => state,
            Payer::Union | Payer::Commercial => ground.host,
        };
        Ok(Some(AidCase {
            state,
            ceiling: policy.aid_ceiling(today).ok_or(Unanswerable::NoCeiling(today))?,
            price: policy.hour_price(key, mode.says.meter, today),
            lines: self.aid.iter().filter(|line| line.state == state).cloned().collect(),
        }))
    }
}

impl Asker {
    /// What the rules know of it on `today`: a declaration that is too old, or does not say what
    /// these rules ask, says nothing.
    pub fn applicant(&self, policy: &Policy, today: Date) -> Applicant {
        let assessed = || {
            let (group, on) = self.declared.as_ref()?;
            let (definition, young) = (policy.sme(today)?, policy.start_up(today)?);
            if sme::valid_until(*on, &definition.says) < today {
                return None;
            }
            let assessment = sme::assess(group, definition).ok()?;
            let start_up = sme::start_up(assessment.class, self.registered_on, today, young);
            Some((assessment, start_up))
        };
        let (assessment, start_up) = assessed().unzip();
        Applicant { kind: self.kind, country: self.country, assessment, start_up }
    }
}

impl Case<'_> {
    /// The access mode.
    pub const fn mode(&self) -> &Entry<AccessMode> {
        self.mode
    }

    /// What the rules know of who asks.
    pub const fn applicant(&self) -> &Applicant {
        &self.applicant
    }

    /// The pool that the hours would come from.
    pub fn pool(&self) -> Option<PoolId> {
        self.pool.map(|pool| pool.id)
    }

    /// The state whose aid the hours would be, when they would be any.
    pub fn aid_state(&self) -> Option<CountryCode> {
        self.aid.as_ref().map(|aid| aid.state)
    }

    /// The same for the rules.
    pub fn situation(&self) -> Situation<'_> {
        let meter = self.facts.ground.as_ref().map(|ground| ground.meter);
        let offer = self.pool.zip(meter);
        let partition = self.facts.draft.partition.as_ref();
        let commitment = partition.and_then(|key| self.policy.commitment(key, self.facts.today()));
        let promised = self.pool.and_then(|pool| pool.promised);
        Situation {
            call: &self.facts.call,
            mode: self.mode,
            policy: self.policy,
            applicant: &self.applicant,
            open_awards: self.facts.open_awards,
            offer: offer.map(|(pool, meter)| Offer { meter, remaining: pool.left }),
            aid: self.aid.as_ref().map(|aid| AidStanding {
                state: aid.state,
                ceiling: aid.ceiling,
                price: aid.price,
                lines: &aid.lines,
            }),
            shares: &self.shares,
            commitment: commitment.zip(promised),
            now: self.facts.now,
        }
    }

    /// Every check of the draft.
    pub fn findings(&self) -> Vec<Finding> {
        check(&self.facts.draft, &self.situation())
    }

    /// Lets the draft in.
    ///
    /// # Errors
    /// Every reason against it.
    pub fn admit(&self) -> Result<Admitted, Vec<Reason>> {
        admit(&self.facts.draft, &self.situation())
    }

    /// Decides on what was let in.
    pub fn decide(&self, admitted: &Admitted) -> Decision {
        let units = self.facts.ground.as_ref().and_then(|ground| ground.units);
        decide(admitted, &self.situation(), units)
    }

    /// The award of `hours`, which people have decided to grant.
    ///
    /// # Errors
    /// Every reason against it.
    pub fn award(&self, hours: u32) -> Result<Award, Vec<Reason>> {
        let units = self.facts.ground.as_ref().and_then(|ground| ground.units);
        award_by_people(&self.facts.draft, hours, &self.situation(), units)
    }

    /// What comes of it if it is submitted, or once people have decided.
    pub fn answer(&self) -> Answer {
        if let Some(hours) = self.facts.granted {
            let decision = self.award(hours).map_or_else(Decision::Refused, Decision::Awarded);
            return Answer::Decided(decision);
        }
        match self.admit() {
            Ok(admitted) => Answer::Decided(self.decide(&admitted)),
            Err(reasons) => Answer::NotAdmitted(reasons),
        }
    }
}

impl Answer {
    /// What it says, one thing a line, for people and for comparison.
    pub fn told(&self) -> Vec<(String, String)> {
        match self {
            Self::NotAdmitted(reasons) => told("not admitted", reasons),
            Self::Decided(decision) => decision.told(),
        }
    }
}

impl Decision {
    /// What it says, one thing a line, for people and for comparison.
    pub fn told(&self) -> Vec<(String, String)> {
        let award = match self {
            Self::Awarded(award) => award,
            Self::Refused(reasons) => return told("refused", reasons),
            Self::Referred => return told("referred to people", &[]),
        };
        let amount = award.amount();
        let line = |what: &str, text: String| (what.to_owned(), text);
        let mut lines = told("awarded", &[]);
        lines.extend([
            line("partition", award.partition().to_string()),
            line("amount", format!("{} unit-seconds", amount.count())),
            line("payer", award.payer().to_string()),
            line("from", award.period().start().to_string()),
            line("to", award.period().end().to_string()),
            line("rule", award.rule().to_string()),
        ]);
        if let Some(aid) = award.aid() {
            let text = format!("{} on top of {} ({})", aid.amount(), aid.used(), aid.rule());
            lines.push(line("state aid", text));
        }
        lines
    }
}

fn told(outcome: &str, reasons: &[Reason]) -> Vec<(String, String)> {
    let first = ("outcome".to_owned(), outcome.to_owned());
    let reasons = reasons
        .iter()
        .map(|it| (format!("because of {}", it.check), format!("{it} ({})", it.rule)));
    std::iter::once(first).chain(reasons).collect()
}

/// Where two answers differ, line by line.
pub fn compared(before: &[(String, String)], after: &[(String, String)]) -> Vec<Line> {
    let text = |of: &[(String, String)], what: &String| {
        let found: Vec<&str> =
            of.iter().filter(|(name, _)| name == what).map(|(_, text)| text.as_str()).collect();
        (!found.is_empty()).then(|| found.join("; "))
    };
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in before.iter().chain(after) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let line = |what: &String| Line {
        what: what.clone(),
        before: text(before, what),
        after: text(after, what),
    };
    names.into_iter().map(line).filter(|line| line.before != line.after).collect()
}

#[cfg(test)]
mod tests;
