//! How much of an enterprise is in public hands (Article 3(4)).

use std::collections::{BTreeMap, BTreeSet};

use units::{PartsPerMillion, Slug};

use super::member::Stake;
use super::{Group, Holding};
use crate::policy::SmeDefinition;

impl Group {
    /// The part of the subject's capital or votes that public bodies hold, individually or
    /// jointly, directly or through enterprises that they control. What the investors of Article
    /// 3(2) hold within their limits is left out, as Article 3(4) does.
    pub(super) fn public_share(&self, definition: &SmeDefinition) -> PartsPerMillion {
        let controlled = self.publicly_controlled(definition);
        let exempt = |holding: &Holding| {
            holding.capital.max(holding.voting) <= definition.investor_up_to
                && self.is_privileged(&holding.holder, &holding.held, definition)
        };
        let counts = |holding: &&Holding| {
            holding.held == self.subject && controlled.contains(&holding.holder) && !exempt(holding)
        };
        let held = self.holdings.iter().filter(counts);
        held.fold(Stake::NONE, |stake, holding| stake.and(holding)).greater()
    }

    /// Public bodies, and the enterprises of which they have the majority of the votes or which
    /// they control otherwise, all together and through any chain that avoids the subject.
    fn publicly_controlled(&self, definition: &SmeDefinition) -> BTreeSet<&Slug> {
        let bodies = self.members.iter().filter(|(_, it)| it.kind.is_public());
        let mut controlled: BTreeSet<&Slug> = bodies.map(|(key, _)| key).collect();
        loop {
            let mut stakes: BTreeMap<&Slug, (Stake, bool)> = BTreeMap::new();
            for holding in &self.holdings {
                if holding.held != self.subject && controlled.contains(&holding.holder) {
                    let (stake, control) =
                        stakes.entry(&holding.held).or_insert((Stake::NONE, false));
                    *stake = stake.and(holding);
                    *control |= holding.control.is_some();
                }
            }
            let before = controlled.len();
            let majority = |(stake, control): &(Stake, bool)| {
                *control || stake.voting > definition.linked_above
            };
            controlled.extend(stakes.iter().filter(|(_, it)| majority(it)).map(|(key, _)| *key));
            if controlled.len() == before {
                return controlled;
            }
        }
    }
}
