//! Which members of an ownership graph are linked to which (Article 3(3)).
//!
//! Classes of linked enterprises grow until nothing more joins: a class that has, all its members
//! together, the majority of somebody's votes takes it in, and so does a person who controls
//! enterprises in the same or adjacent markets. Classes only ever merge, so this ends whatever the
//! graph looks like, and neither its order nor its cycles matter.

use std::collections::{BTreeMap, BTreeSet};

use units::Slug;

use super::group::{About, Fault};
use super::member::Stake;
use super::{EnterpriseKind, Group, Holding};
use crate::policy::SmeDefinition;

/// The subject and everybody linked to it through enterprises, but not through natural persons.
pub fn linked_by_enterprises(group: &Group, definition: &SmeDefinition) -> BTreeSet<Slug> {
    Links::of_enterprises(group, definition).class(&group.subject)
}

/// The classes of linked enterprises, and what linked them.
pub(super) struct Links<'g> {
    group: &'g Group,
    definition: &'g SmeDefinition,
    /// The class of every enterprise, named by its first member.
    class_of: BTreeMap<&'g Slug, &'g Slug>,
    found: Vec<Link>,
}

/// One relation that links two enterprises.
pub(super) struct Link {
    pub(super) between: (Slug, Slug),
    pub(super) what: String,
    pub(super) article: &'static str,
}

impl<'g> Links<'g> {
    /// Finds all links of `group`.
    pub(super) fn of(group: &'g Group, definition: &'g SmeDefinition) -> Self {
        let mut links = Self::none(group, definition);
        while links.by_holdings() || links.by_persons() {}
        links
    }

    /// Finds the links through enterprises alone, as Article 2(2) of the de minimis Regulation does.
    fn of_enterprises(group: &'g Group, definition: &'g SmeDefinition) -> Self {
        let mut links = Self::none(group, definition);
        while links.by_holdings() {}
        links
    }

    fn none(group: &'g Group, definition: &'g SmeDefinition) -> Self {
        let enterprises = group.members.iter().filter(|(_, it)| it.kind.is_enterprise());
        let class_of = enterprises.map(|(key, _)| (key, key)).collect();
        Self { group, definition, class_of, found: Vec::new() }
    }

    /// The enterprises of the same class as `key`, itself included.
    pub(super) fn class(&self, key: &Slug) -> BTreeSet<Slug> {
        let Some(class) = self.class_of.get(key) else { return BTreeSet::new() };
        self.members_of(class).cloned().collect()
    }

    /// Every class, as the keys of its members.
    pub(super) fn classes(&self) -> Vec<BTreeSet<Slug>> {
        let names: BTreeSet<&Slug> = self.class_of.values().copied().collect();
        names.into_iter().map(|class| self.members_of(class).cloned().collect()).collect()
    }

    /// The relations found within the class of `key`.
    pub(super) fn within(&self, key: &Slug) -> impl Iterator<Item = &Link> {
        let class = self.class_of.get(key).copied();
        self.found.iter().filter(move |link| self.class_of.get(&link.between.0).copied() == class)
    }

    /// Persons whose enterprises may be linked, but do not say in which markets they work.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut silent = BTreeSet::new();
        for circle in self.circles() {
            let controlled = self.controlled_by(&circle);
            for (index, one) in controlled.iter().enumerate() {
                for other in controlled.iter().skip(index.saturating_add(1)) {
                    if self.class_of.get(one) != self.class_of.get(other) {
                        let says_nothing = |key: &&&Slug| {
                            self.group.members.get(**key).is_some_and(|it| it.markets.is_empty())
                        };
                        silent.extend([one, other].into_iter().filter(says_nothing).copied());
                    }
                }
            }
        }
        let fault = |key: &Slug| Fault {
            about: About::Member(key.clone()),
            text: format!(
                "{} ({key}): a person controls it and another enterprise; say in which `markets` \
                 it works, which decides whether the two are linked (Article 3(3))",
                self.group.name_of(key)
            ),
        };
        silent.into_iter().map(fault).collect()
    }

    fn members_of(&self, class: &Slug) -> impl Iterator<Item = &'g Slug> {
        let of_class = move |(_, its): &(&&'g Slug, &&'g Slug)| ***its == *class;
        self.class_of.iter().filter(of_class).map(|(key, _)| *key)
    }

    /// Joins the first two classes of which one has a majority or control in the other.
    fn by_holdings(&mut self) -> bool {
        let mut stakes: BTreeMap<(&Slug, &Slug), Vec<&'g Holding>> = BTreeMap::new();
        for holding in &self.group.holdings {
            let class = self.class_of.get(&holding.holder).copied();
            let other = self.class_of.get(&holding.held).copied();
            if let (Some(class), Some(_)) = (class, other)
                && class != other.unwrap_or(class)
            {
                stakes.entry((&holding.held, class)).or_default().push(holding);
            }
        }
        let mut joined = false;
        for ((held, _), mut holdings) in stakes {
            holdings.sort_by_key(|holding| &holding.holder);
            let Some(link) = self.link_of(held, &holdings) else { continue };
            joined |= self.join(link);
        }
        joined
    }

    /// What links `held` to those who hold it here, if anything does.
    fn link_of(&self, held: &Slug, holdings: &[&Holding]) -> Option<Link> {
        let named = |key| self.group.name_of(key);
        for holding in holdings {
            if let Some(control) = holding.control {
                let holder = named(&holding.holder);
                return Some(Link {
                    between: (holding.holder.clone(), held.clone()),
                    what: format!("{holder} {} {}", control.means(), named(held)),
                    article: control.article(),
                });
            }
        }
        let stake = holdings.iter().fold(Stake::NONE, |stake, holding| stake.and(holding));
        let voting = holdings.iter().filter(|holding| holding.voting.parts() > 0);
        let holders: Vec<String> = voting.clone().map(|it| named(&it.holder)).collect();
        let first = voting.map(|it| it.holder.clone()).next()?;
        (stake.voting > self.definition.linked_above).then(|| {
            let how = if holders.len() > 1 { "have together" } else { "has" };
            let (who, share, of) = (holders.join(" and "), stake.voting, named(held));
            Link {
                between: (first, held.clone()),
                what: format!("{who} {how} {share} of the votes of {of}"),
                article: "Article 3(3)(a)",
            }
        })
    }

    /// Joins enterprises that one person, or persons acting jointly, control.
    fn by_persons(&mut self) -> bool {
        let mut joined = false;
        for circle in self.circles() {
            let controlled: Vec<&Slug> = self.controlled_by(&circle).into_iter().collect();
            let names: Vec<String> = circle.iter().map(|key| self.group.name_of(key)).collect();
            for (index, one) in controlled.iter().enumerate() {
                for other in controlled.iter().skip(index.saturating_add(1)) {
                    let pair = (self.group.members.get(*one), self.group.members.get(*other));
                    let (Some(a), Some(b)) = pair else { continue };
                    if a.meets(b) {
                        let (who, a, b) = (names.join(" and "), &a.name, &b.name);
                        joined |= self.join(Link {
                            between: ((*one).clone(), (*other).clone()),
                            what: format!(
                                "{a} and {b} are linked through {who}, in the same or adjacent markets"
                            ),
                            article: "Article 3(3), through natural persons",
                        });
                    }
                }
            }
        }
        joined
    }

    /// The persons of the graph, those who act jointly together.
    fn circles(&self) -> Vec<BTreeSet<&'g Slug>> {
        let persons = self.group.members.iter().filter(|(_, it)| it.kind == EnterpriseKind::Person);
        let mut circles: Vec<BTreeSet<&'g Slug>> = Vec::new();
        for (key, person) in persons {
            let mut circle: BTreeSet<&'g Slug> = person.acts_with.iter().chain([key]).collect();
            let (with, without) =
                circles.into_iter().partition(|it: &BTreeSet<_>| !it.is_disjoint(&circle));
            circles = without;
            circle.extend(Vec::into_iter(with).flatten());
            circles.push(circle);
        }
        circles
    }

    /// The enterprises that these persons control, by themselves and through one another.
    fn controlled_by(&self, circle: &BTreeSet<&'g Slug>) -> BTreeSet<&'g Slug> {
        let mut controlling = circle.clone();
        loop {
            let mut stakes: BTreeMap<&'g Slug, (Stake, bool)> = BTreeMap::new();
            for holding in &self.group.holdings {
                if controlling.contains(&holding.holder) && !controlling.contains(&holding.held) {
                    let (stake, control) =
                        stakes.entry(&holding.held).or_insert((Stake::NONE, false));
                    *stake = stake.and(holding);
                    *control |= holding.control.is_some();
                }
            }
            let before = controlling.len();
            let majority = |(stake, control): &(Stake, bool)| {
                *control || stake.voting > self.definition.linked_above
            };
            controlling.extend(stakes.iter().filter(|(_, it)| majority(it)).map(|(key, _)| *key));
            if controlling.len() == before {
                break;
            }
        }
        controlling.into_iter().filter(|key| self.class_of.contains_key(*key)).collect()
    }

    /// Makes one class of two, unless they are one already.
    fn join(&mut self, link: Link) -> bool {
        let (one, other) = &link.between;
        let (Some(one), Some(other)) = (self.class_of.get(one), self.class_of.get(other)) else {
            return false;
        };
        let (first, second) = (*one.min(other), *one.max(other));
        if first == second {
            return false;
        }
        for class in self.class_of.values_mut() {
            if *class == second {
                *class = first;
            }
        }
        self.found.push(link);
        true
    }
}
