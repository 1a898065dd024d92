//! The ownership graph around an enterprise, as declared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use units::{Cents, PartsPerMillion, Slug};

use super::{Enterprise, EnterpriseKind, Holding};
use crate::policy::SmeDefinition;

/// An enterprise with everybody it owns or is owned by, as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The enterprise that is assessed.
    pub subject: Slug,
    /// Everybody, by key, the subject included.
    pub members: BTreeMap<Slug, Enterprise>,
    /// Who holds whom.
    pub holdings: Vec<Holding>,
}

/// What a fault of a declaration is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The declaration as a whole.
    Group,
    /// One member of it.
    Member(Slug),
    /// The holding with this index.
    Holding(usize),
}

/// Something that makes a declaration unusable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub about: About,
    /// What is wrong, and what to do about it.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Group {
    /// What contradicts itself in the declaration, or names strangers.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !self.members.contains_key(&self.subject) {
            let text = format!("the enterprise `{}` itself is not described", self.subject);
            faults.push(Fault { about: About::Group, text });
        }
        for (key, member) in &self.members {
            let own = self.member_faults(key, member).into_iter();
            faults.extend(own.map(|text| Fault { about: About::Member(key.clone()), text }));
        }
        let mut stated = BTreeSet::new();
        for (index, holding) in self.holdings.iter().enumerate() {
            let mut texts = self.holding_faults(holding);
            if !stated.insert((&holding.holder, &holding.held)) {
                let (holder, held) = (&holding.holder, &holding.held);
                texts.push(format!("what `{holder}` holds of `{held}` is stated twice"));
            }
            let about = About::Holding(index);
            faults.extend(texts.into_iter().map(|text| Fault { about: about.clone(), text }));
        }
        faults
    }

    fn member_faults(&self, key: &Slug, member: &Enterprise) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |text: String| faults.push(format!("{} ({key}): {text}", member.name));
        let days: BTreeSet<_> = member.periods.iter().map(|period| period.closed_on).collect();
        if days.len() < member.periods.len() {
            fault("two periods close on one day".to_owned());
        }
        for other in &member.consolidates {
            if !self.members.contains_key(other) {
                fault(format!("consolidates `{other}`, which is not described"));
            }
        }
        if self.consolidated_by(key).contains(key) {
            fault("its accounts are said to be included in themselves".to_owned());
        }
        for other in &member.acts_with {
            match self.members.get(other).map(|it| it.kind) {
                None => fault(format!("acts with `{other}`, which is not described")),
                Some(EnterpriseKind::Person) if member.kind == EnterpriseKind::Person => {}
                Some(_) => fault(format!("only persons act jointly, with persons; not `{other}`")),
            }
        }
        if member.kind == EnterpriseKind::LocalAuthority && member.authority.is_none() {
            fault("its annual budget and its inhabitants are not given".to_owned());
        }
        let whole = self
            .holdings
            .iter()
            .filter(|holding| holding.held == *key)
            .map(|holding| (holding.capital.parts(), holding.voting.parts()))
            .fold((0u32, 0u32), |sum, it| (sum.0.saturating_add(it.0), sum.1.saturating_add(it.1)));
        for (what, parts) in [("capital", whole.0), ("votes", whole.1)] {
            if parts > PartsPerMillion::ONE.parts() {
                let sum = PartsPerMillion::new(parts);
                fault(format!(
                    "its holders have {sum} of its {what} together, more than the whole"
                ));
            }
        }
        faults
    }

    fn holding_faults(&self, holding: &Holding) -> Vec<String> {
        let mut faults = Vec::new();
        for key in [&holding.holder, &holding.held] {
            if !self.members.contains_key(key) {
                faults.push(format!("a holding names `{key}`, which is not described"));
            }
        }
        if holding.holder == holding.held {
            faults.push(format!("`{}` is said to hold itself", holding.holder));
        }
        let held = self.members.get(&holding.held);
        if let Some(held) = held.filter(|held| !held.kind.is_enterprise()) {
            faults.push(format!("`{}` is a {}, which nobody holds", holding.held, held.kind));
        }
        faults
    }

    /// Everybody whose accounts are included in those of `key`, through any chain.
    pub(super) fn consolidated_by(&self, key: &Slug) -> BTreeSet<Slug> {
        let mut included = BTreeSet::new();
        let mut open = vec![key.clone()];
        while let Some(member) = open.pop().and_then(|key| self.members.get(&key)) {
            for other in &member.consolidates {
                if included.insert(other.clone()) {
                    open.push(other.clone());
                }
            }
        }
        included
    }

    /// Whether `holder` is an investor of Article 3(2) with regard to `held`.
    pub(super) fn is_privileged(
        &self,
        holder: &Slug,
        held: &Slug,
        definition: &SmeDefinition,
    ) -> bool {
        let invested = self.angels_invested(held);
        self.members.get(holder).is_some_and(|it| it.is_privileged(invested, definition))
    }

    /// What all business angels together have invested in `held`; `None` when one has not said.
    fn angels_invested(&self, held: &Slug) -> Option<Cents> {
        let is_angel = |holding: &&Holding| {
            let holder = self.members.get(&holding.holder);
            holding.held == *held
                && holder.is_some_and(|it| it.kind == EnterpriseKind::BusinessAngel)
        };
        let mut invested = self.holdings.iter().filter(is_angel).map(|holding| holding.invested);
        invested.try_fold(Cents::ZERO, |sum, one| sum.plus(one?).ok())
    }

    /// The name of a member, or else its key.
    pub(super) fn name_of(&self, key: &Slug) -> String {
        self.members.get(key).map_or_else(|| key.to_string(), |member| member.name.clone())
    }
}
