//! The ownership graph around an enterprise, and who in it counts for how much.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use units::{Cents, PartsPerMillion, Slug};

use super::AccountingPeriod;
use crate::document::word;
use crate::policy::SmeDefinition;

/// What an owner or holding is; the Recommendation treats some investors apart (Article 3(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnterpriseKind {
    /// An enterprise like any other.
    Enterprise,
    /// A venture capital or public investment company.
    VentureCapital,
    /// A business angel.
    BusinessAngel,
    /// A university or non-profit research centre.
    University,
    /// An institutional investor, regional development funds included.
    InstitutionalInvestor,
    /// A local authority with a budget and a population below the Recommendation's limits.
    SmallLocalAuthority,
    /// Any other public body.
    PublicBody,
    /// A natural person.
    Person,
}

impl EnterpriseKind {
    /// The kinds, by the words that files use.
    pub const WORDS: [(&str, Self); 8] = [
        ("enterprise", Self::Enterprise),
        ("venture-capital", Self::VentureCapital),
        ("business-angel", Self::BusinessAngel),
        ("university", Self::University),
        ("institutional-investor", Self::InstitutionalInvestor),
        ("small-local-authority", Self::SmallLocalAuthority),
        ("public-body", Self::PublicBody),
        ("person", Self::Person),
    ];

    /// Whether its own figures can count: people and public bodies have none.
    pub(super) const fn is_enterprise(self) -> bool {
        !matches!(self, Self::PublicBody | Self::Person)
    }

    /// Whether it may hold up to half without becoming a partner.
    const fn is_privileged(self) -> bool {
        matches!(
            self,
            Self::VentureCapital
                | Self::BusinessAngel
                | Self::University
                | Self::InstitutionalInvestor
                | Self::SmallLocalAuthority
        )
    }
}

impl fmt::Display for EnterpriseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// One member of an ownership graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enterprise {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EnterpriseKind,
    /// Its accounts, in any order.
    pub periods: Vec<AccountingPeriod>,
}

/// One member holds part of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who holds.
    pub holder: Slug,
    /// Whose capital or votes.
    pub held: Slug,
    /// The part of the capital.
    pub capital: PartsPerMillion,
    /// The part of the voting rights.
    pub voting: PartsPerMillion,
    /// Whether the holder controls it otherwise: majority of the board, contract, agreement.
    pub control: bool,
    /// What a business angel has invested in it.
    pub invested: Option<Cents>,
}

impl Holding {
    /// The greater of capital and votes, which is what counts (Article 6(2)).
    pub fn share(&self) -> PartsPerMillion {
        self.capital.max(self.voting)
    }
}

/// How an enterprise stands to others (Article 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It has neither partners nor linked enterprises.
    Autonomous,
    /// It has partners.
    Partner,
    /// It has linked enterprises.
    Linked,
}

impl Relation {
    /// The relations, by the words that files use.
    pub const WORDS: [(&str, Self); 3] =
        [("autonomous", Self::Autonomous), ("partner", Self::Partner), ("linked", Self::Linked)];
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

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

impl Group {
    /// What makes the declaration unusable: missing accounts, holdings of strangers.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.members.contains_key(&self.subject) {
            faults.push(format!("the enterprise `{}` itself is not described", self.subject));
        }
        for (key, member) in &self.members {
            if member.kind.is_enterprise() && member.periods.is_empty() {
                faults.push(format!("{} ({key}): no accounting period is given", member.name));
            }
            let days: BTreeSet<_> = member.periods.iter().map(|period| period.closed_on).collect();
            if days.len() < member.periods.len() {
                faults.push(format!("{} ({key}): two periods close on one day", member.name));
            }
        }
        for holding in &self.holdings {
            for key in [&holding.holder, &holding.held] {
                if !self.members.contains_key(key) {
                    faults.push(format!("a holding names `{key}`, which is not described"));
                }
            }
            if holding.holder == holding.held {
                faults.push(format!("`{}` is said to hold itself", holding.holder));
            }
            if holding.share() > PartsPerMillion::ONE {
                let (holder, held) = (&holding.holder, &holding.held);
                faults.push(format!("`{holder}` holds more than the whole of `{held}`"));
            }
        }
        faults
    }

    /// Who counts, and for how much: the subject and its linked enterprises in full, their
    /// partners by the greatest holding between them, each partner together with the
    /// enterprises linked to it (Article 6(2) and (3)). Partners of partners do not count.
    ///
    /// Linked enterprises are found through any chain of links, so cycles and the order of the
    /// declaration do not matter.
    pub(super) fn counted(&self, definition: &SmeDefinition) -> Vec<Counted> {
        let own = self.linked_to(&self.subject, definition);
        let mut shares: BTreeMap<Slug, PartsPerMillion> = BTreeMap::new();
        for holding in &self.holdings {
            let partner = match (own.contains(&holding.holder), own.contains(&holding.held)) {
                (true, false) => &holding.held,
                (false, true) => &holding.holder,
                _ => continue,
            };
            if self.relation(holding, definition) != Relation::Partner {
                continue;
            }
            for key in self.linked_to(partner, definition) {
                let share = shares.entry(key).or_insert(PartsPerMillion::ZERO);
                *share = (*share).max(holding.share());
            }
        }
        let linked = |key| Counted { key, share: PartsPerMillion::ONE, relation: Relation::Linked };
        let partner = |(key, share)| Counted { key, share, relation: Relation::Partner };
        let others = own.into_iter().filter(|key| *key != self.subject).map(linked);
        others.chain(shares.into_iter().map(partner)).collect()
    }

    /// The part of the subject's capital or votes that public bodies hold, directly or through
    /// enterprises that they control (Article 3(4)).
    pub(super) fn public_share(&self, definition: &SmeDefinition) -> PartsPerMillion {
        let mut controlled: BTreeSet<&Slug> = self
            .members
            .iter()
            .filter(|(_, it)| it.kind == EnterpriseKind::PublicBody)
            .map(|(key, _)| key)
            .collect();
        loop {
            let more = self.holdings.iter().find(|holding| {
                controlled.contains(&holding.holder)
                    && !controlled.contains(&holding.held)
                    && holding.held != self.subject
                    && (holding.control || holding.share() > definition.linked_above)
            });
            match more {
                Some(holding) => controlled.insert(&holding.held),
                None => break,
            };
        }
        let direct = self
            .holdings
            .iter()
            .filter(|holding| holding.held == self.subject && controlled.contains(&holding.holder));
        let sum = direct.map(|holding| holding.share().parts()).fold(0, u32::saturating_add);
        PartsPerMillion::new(sum).min(PartsPerMillion::ONE)
    }

    /// What one holding makes of the two (Articles 3(2) and 3(3)).
    pub(super) fn relation(&self, holding: &Holding, definition: &SmeDefinition) -> Relation {
        let kind = |key| self.members.get(key).map(|member: &Enterprise| member.kind);
        let (Some(holder), Some(held)) = (kind(&holding.holder), kind(&holding.held)) else {
            return Relation::Autonomous;
        };
        if !holder.is_enterprise() || !held.is_enterprise() {
            return Relation::Autonomous;
        }
        if holding.control || holding.share() > definition.linked_above {
            return Relation::Linked;
        }
        if holding.share() < definition.partner_from || exempt(holder, holding, definition) {
            return Relation::Autonomous;
        }
        Relation::Partner
    }

    /// `key` and everybody linked to it through any chain of links.
    fn linked_to(&self, key: &Slug, definition: &SmeDefinition) -> BTreeSet<Slug> {
        let mut reached = BTreeSet::from([key.clone()]);
        let mut open = vec![key.clone()];
        while let Some(at) = open.pop() {
            for holding in &self.holdings {
                let other = if holding.holder == at {
                    &holding.held
                } else if holding.held == at {
                    &holding.holder
                } else {
                    continue;
                };
                if self.relation(holding, definition) == Relation::Linked
                    && reached.insert(other.clone())
                {
                    open.push(other.clone());
                }
            }
        }
        reached
    }
}

/// A member whose figures are added to the subject's.
pub(super) struct Counted {
    pub(super) key: Slug,
    pub(super) share: PartsPerMillion,
    pub(super) relation: Relation,
}

/// Whether an investor of Article 3(2) may hold this much without becoming a partner.
fn exempt(holder: EnterpriseKind, holding: &Holding, definition: &SmeDefinition) -> bool {
    let small_enough = match holder {
        EnterpriseKind::BusinessAngel => {
            holding.invested.is_some_and(|invested| invested < definition.business_angel_below)
        }
        _ => true,
    };
    holder.is_privileged() && small_enough && holding.share() <= definition.investor_up_to
}
