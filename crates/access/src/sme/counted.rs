//! Whose figures count with those of the subject, and for how much (Article 6).

use std::collections::{BTreeMap, BTreeSet};

use units::{PartsPerMillion, Slug};

use super::links::Links;
use super::member::Stake;
use super::{Group, Holding, Relation};
use crate::policy::SmeDefinition;

/// A member whose figures are added to the subject's.
pub(super) struct Counted {
    pub(super) key: Slug,
    pub(super) share: PartsPerMillion,
    pub(super) relation: Relation,
    pub(super) why: String,
    pub(super) article: &'static str,
    /// Whose consolidated accounts include its figures already, if any do.
    pub(super) included_in: Option<Slug>,
}

/// What one group of linked enterprises holds of one enterprise.
struct Held<'g> {
    of: &'g Slug,
    holders: BTreeSet<&'g Slug>,
    stake: Stake,
}

impl Group {
    /// Who counts, and for how much: linked enterprises in full, partners by the greatest holding
    /// between them and the subject's group, each partner together with what is linked to it
    /// (Article 6(2) and (3)). Partners of partners do not count.
    pub(super) fn counted(&self, links: &Links<'_>, definition: &SmeDefinition) -> Vec<Counted> {
        let own = links.class(&self.subject);
        let mut counted = Vec::new();
        for key in own.iter().filter(|key| **key != self.subject) {
            let direct = links.within(key).find(|it| it.between.0 == *key || it.between.1 == *key);
            counted.push(Counted {
                key: key.clone(),
                share: PartsPerMillion::ONE,
                relation: Relation::Linked,
                why: direct.map_or_else(|| "linked".to_owned(), |link| link.what.clone()),
                article: direct.map_or("Article 3(3)", |link| link.article),
                included_in: None,
            });
        }
        for class in links.classes() {
            if class == own {
                continue;
            }
            let Some(held) = self.partnership((&own, &class), definition) else { continue };
            for key in class {
                let why = self.why_partner(&held, &key);
                counted.push(Counted {
                    key,
                    share: held.stake.greater(),
                    relation: Relation::Partner,
                    why,
                    article: "Article 3(2)",
                    included_in: None,
                });
            }
        }
        self.mark_included(&mut counted);
        counted
    }

    /// The holdings between the subject's group and others that would make partners, were it not
    /// for who holds them: each with the investor and the share.
    pub(super) fn exempt(
        &self,
        links: &Links<'_>,
        definition: &SmeDefinition,
    ) -> Vec<(Slug, Slug, PartsPerMillion)> {
        let own = links.class(&self.subject);
        let mut found = Vec::new();
        for class in links.classes().iter().filter(|class| **class != own) {
            for held in self.stakes(class, &own) {
                if held.stake.greater() >= definition.partner_from
                    && self.is_exempt(&held, definition)
                {
                    let holders = held.holders.iter();
                    found.extend(
                        holders.map(|it| ((*it).clone(), held.of.clone(), held.stake.greater())),
                    );
                }
            }
        }
        found
    }

    /// The greatest holding that makes partners of two groups, in either direction.
    fn partnership(
        &self,
        (own, class): (&BTreeSet<Slug>, &BTreeSet<Slug>),
        definition: &SmeDefinition,
    ) -> Option<Held<'_>> {
        let both = self.stakes(class, own).into_iter().chain(self.stakes(own, class));
        both.filter(|held| held.stake.greater() >= definition.partner_from)
            .filter(|held| !self.is_exempt(held, definition))
            .max_by_key(|held| held.stake.greater())
    }

    /// What `holders` have, alone or jointly, of each of `others`.
    fn stakes<'g>(&'g self, holders: &BTreeSet<Slug>, others: &BTreeSet<Slug>) -> Vec<Held<'g>> {
        let mut stakes: BTreeMap<&Slug, Held<'g>> = BTreeMap::new();
        let something = |it: &&Holding| it.capital.parts() > 0 || it.voting.parts() > 0;
        for holding in self.holdings.iter().filter(something) {
            if holders.contains(&holding.holder) && others.contains(&holding.held) {
                let held = stakes.entry(&holding.held).or_insert_with(|| Held {
                    of: &holding.held,
                    holders: BTreeSet::new(),
                    stake: Stake::NONE,
                });
                held.holders.insert(&holding.holder);
                held.stake = held.stake.and(holding);
            }
        }
        stakes.into_values().collect()
    }

    /// Whether all who hold are investors of Article 3(2), with no more than they may have.
    fn is_exempt(&self, held: &Held<'_>, definition: &SmeDefinition) -> bool {
        held.stake.greater() <= definition.investor_up_to
            && held.holders.iter().all(|it| self.is_privileged(it, held.of, definition))
    }

    fn why_partner(&self, held: &Held<'_>, key: &Slug) -> String {
        let holders: Vec<String> = held.holders.iter().map(|it| self.name_of(it)).collect();
        let how = if holders.len() > 1 { "hold together" } else { "holds" };
        let (who, share, of) = (holders.join(" and "), held.stake.greater(), self.name_of(held.of));
        if held.of == key || held.holders.contains(key) {
            format!("{who} {how} {share} of {of}")
        } else {
            format!("{} is linked to a partner: {who} {how} {share} of {of}", self.name_of(key))
        }
    }

    /// Marks those whose figures stand already in somebody's consolidated accounts, at least for
    /// as much as they count.
    fn mark_included(&self, counted: &mut [Counted]) {
        let mut includes: BTreeMap<Slug, (PartsPerMillion, Slug)> = BTreeMap::new();
        let subject = (&self.subject, PartsPerMillion::ONE);
        let all = counted.iter().map(|it| (&it.key, it.share)).chain([subject]);
        for (key, share) in all {
            for included in self.consolidated_by(key) {
                let more = includes.get(&included).is_none_or(|(known, _)| share > *known);
                if more {
                    includes.insert(included, (share, key.clone()));
                }
            }
        }
        for it in counted {
            let by = includes.get(&it.key).filter(|(share, _)| *share >= it.share);
            it.included_in = by.map(|(_, by)| by.clone());
        }
    }

    /// The linked enterprise whose consolidated accounts include the subject's, if there is one.
    pub(super) fn consolidating(&self, counted: &[Counted]) -> Option<Slug> {
        let linked = counted.iter().filter(|it| it.relation == Relation::Linked);
        let mut including =
            linked.filter(|it| self.consolidated_by(&it.key).contains(&self.subject));
        including.find(|it| it.included_in.is_none()).map(|it| it.key.clone())
    }
}
