//! Who pays for the federation: by factory, by programme of the Union, by state.

use std::collections::BTreeMap;

use units::{Cents, CountryCode, Overflow, PartsPerMillion, Shares, Slug};

use super::{Factory, Federation, System};
use crate::agreement::{Agreement, divide};
use crate::document::Figure;

/// What the Union and the states pay for one purpose, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paid {
    /// The Union.
    pub union: Cents,
    /// The participating states.
    pub states: Cents,
}

impl Paid {
    /// Both together.
    ///
    /// # Errors
    /// When the sum exceeds 64 bits of cents.
    pub fn total(self) -> Result<Cents, Overflow> {
        self.union.plus(self.states)
    }

    fn add(&mut self, other: Self) -> Result<(), Overflow> {
        self.union = self.union.plus(other.union)?;
        self.states = self.states.plus(other.states)?;
        Ok(())
    }
}

/// Who pays the states' part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contributor {
    /// One state.
    State(CountryCode),
    /// Several together: how they share it is not public.
    Together(Vec<CountryCode>),
}

/// What is known of the money for one factory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactoryFunding {
    /// Which factory.
    pub key: Slug,
    /// How it is called.
    pub name: String,
    /// For infrastructure: the acquisition of machines.
    pub infrastructure: Paid,
    /// For services: operation, AI-oriented services included.
    pub services: Paid,
    /// What is not known of it.
    pub unknown: Vec<String>,
}

/// Who pays for the federation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// By factory, in the order of their keys.
    pub factories: Vec<FactoryFunding>,
    /// What is known of the money for infrastructure.
    pub infrastructure: Paid,
    /// What is known of the money for services.
    pub services: Paid,
    /// What states pay, for both.
    pub states: BTreeMap<Contributor, Cents>,
    /// What was announced for everything together and is not accounted for by the above; nothing
    /// when more is known than was announced.
    pub unaccounted: Figure<Cents>,
}

impl Federation {
    /// Who pays for the federation, as far as the agreements say it.
    ///
    /// # Errors
    /// When a sum exceeds 64 bits of cents.
    pub fn overview(&self) -> Result<Overview, Overflow> {
        let (mut infrastructure, mut services) = (Paid::default(), Paid::default());
        let mut states = BTreeMap::new();
        let mut factories = Vec::new();
        for factory in self.factories.values() {
            let funding = of_factory(factory, &mut states)?;
            infrastructure.add(funding.infrastructure)?;
            services.add(funding.services)?;
            factories.push(funding);
        }
        let known = infrastructure.total()?.plus(services.total()?)?;
        let unaccounted = self
            .programme
            .investment
            .map(|announced| Cents::new(announced.count().saturating_sub(known.count()).max(0)));
        Ok(Overview { factories, infrastructure, services, states, unaccounted })
    }
}

fn of_factory(
    factory: &Factory,
    states: &mut BTreeMap<Contributor, Cents>,
) -> Result<FactoryFunding, Overflow> {
    let mut funding = FactoryFunding {
        key: factory.key.clone(),
        name: factory.name.clone(),
        infrastructure: Paid::default(),
        services: Paid::default(),
        unknown: Vec::new(),
    };
    for system in &factory.systems {
        let Some(agreement) = &system.agreement else { continue };
        let acquisition = paid(
            (&agreement.acquisition, "the cost of acquisition"),
            (&agreement.union_acquisition, "the Union's part of acquisition"),
        );
        let operation = paid(
            (&agreement.operation, "the cost of operation"),
            (&agreement.union_operation, "the Union's part of operation"),
        );
        for (purpose, found) in
            [(&mut funding.infrastructure, acquisition), (&mut funding.services, operation)]
        {
            match found {
                Ok(paid) => {
                    purpose.add(paid)?;
                    shared((factory, agreement), paid.states, states)?;
                }
                Err(reason) => funding.unknown.push(told(system, &reason)),
            }
        }
    }
    Ok(funding)
}

fn told(system: &System, reason: &str) -> String {
    format!("{}: {reason}", system.name)
}

/// What each side pays of a cost.
fn paid(
    (cost, what): (&Figure<Cents>, &str),
    (part, whose): (&Figure<PartsPerMillion>, &str),
) -> Result<Paid, String> {
    let (union, states) = divide(*cost.require(what)?, *part.require(whose)?);
    Ok(Paid { union, states })
}

/// Adds what each state pays of `amount`: alone, by the weights of the agreement, or together.
fn shared(
    (factory, agreement): (&Factory, &Agreement),
    amount: Cents,
    states: &mut BTreeMap<Contributor, Cents>,
) -> Result<(), Overflow> {
    let taking_part = factory.states();
    let weights = agreement.remainder.known().into_iter().flatten();
    let shares = Shares::new(weights.map(|(state, weight)| (*state, u64::from(*weight))));
    let parts = match (taking_part.as_slice(), shares) {
        ([alone], _) => vec![(Contributor::State(*alone), amount.count())],
        (_, Ok(shares)) => {
            let parts = shares.split(amount.count()).into_iter();
            parts.map(|(state, part)| (Contributor::State(state), part)).collect()
        }
        (_, Err(_)) => vec![(Contributor::Together(taking_part), amount.count())],
    };
    for (contributor, part) in parts {
        let sum = states.entry(contributor).or_insert(Cents::ZERO);
        *sum = sum.plus(Cents::new(part))?;
    }
    Ok(())
}
