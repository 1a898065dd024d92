//! How a rule arrives at its units, shown to whoever asks why.

use std::fmt;

use units::{Meter, Overflow};

use super::{ChargeRule, Combine, Count, Over, Resource, divided_up};
use crate::request::Request;

/// A ratio of whole numbers; the denominator is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// What is divided.
    pub numerator: i128,
    /// What it is divided by.
    pub denominator: i128,
}

/// What one resource of a job claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The entry of the rule.
    pub count: Count,
    /// How much of the resource the job has, over the job or on its fullest node.
    pub amount: u64,
    /// The units that makes.
    pub units: Ratio,
}

/// What a job costs in each second, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What each resource claims, in the order of the rule.
    pub parts: Vec<Part>,
    /// The units of the meter held in each second.
    pub units: Ratio,
    /// What is counted.
    pub meter: Meter,
    /// How the parts came together.
    combine: Combine,
    /// What they were multiplied by.
    factor: Ratio,
    /// Over how many nodes, when the fullest node counts for all.
    nodes: Option<u32>,
}

impl ChargeRule {
    /// What `request` costs in each second, with every resource's claim.
    ///
    /// # Errors
    /// When an amount is too large to be counted.
    pub fn rate(&self, request: &Request) -> Result<Rate, Overflow> {
        let parts = self.counts.iter().map(|count| self.part(*count, request));
        let parts = parts.collect::<Result<Vec<Part>, Overflow>>()?;
        let mut units = parts.iter().try_fold(Ratio::ZERO, |sofar, part| match self.combine {
            Combine::Largest => sofar.larger(part.units),
            Combine::Sum => sofar.plus(part.units),
        })?;
        let nodes = match self.over {
            Over::Job => None,
            Over::Node => Some(request.nodes.get()),
        };
        if let Some(nodes) = nodes {
            units = units.times(Ratio::whole(i128::from(nodes)))?;
        }
        let (numerator, denominator) = self.factor;
        let factor = Ratio {
            numerator: i128::from(numerator.get()),
            denominator: i128::from(denominator.get()),
        };
        let (meter, combine) = (self.meter, self.combine);
        Ok(Rate { parts, units: units.times(factor)?, meter, combine, factor, nodes })
    }

    fn part(&self, count: Count, request: &Request) -> Result<Part, Overflow> {
        let total = match count.resource {
            Resource::Nodes => u64::from(request.nodes.get()),
            Resource::Cores => u64::from(request.cores.get()),
            Resource::Memory => request.memory.count_mb(),
            Resource::Gpus => u64::from(request.gpus),
        };
        let amount = match self.over {
            Over::Job => total,
            Over::Node => total.div_ceil(u64::from(request.nodes.get())),
        };
        let (have, each) = (i128::from(amount), i128::from(count.each.get()));
        let worth = Ratio::whole(i128::from(count.worth));
        let units = if count.whole_steps {
            Ratio::whole(divided_up(have, each).ok_or(Overflow)?).times(worth)?
        } else {
            Ratio { numerator: have, denominator: each }.times(worth)?
        };
        Ok(Part { count, amount, units })
    }
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self::whole(0);

    /// `count` without a fraction.
    pub const fn whole(count: i128) -> Self {
        Self { numerator: count, denominator: 1 }
    }

    fn times(self, other: Self) -> Result<Self, Overflow> {
        let numerator = self.numerator.checked_mul(other.numerator).ok_or(Overflow)?;
        let denominator = self.denominator.checked_mul(other.denominator).ok_or(Overflow)?;
        Ok(Self { numerator, denominator }.lowest())
    }

    fn plus(self, other: Self) -> Result<Self, Overflow> {
        let left = self.numerator.checked_mul(other.denominator).ok_or(Overflow)?;
        let right = other.numerator.checked_mul(self.denominator).ok_or(Overflow)?;
        let numerator = left.checked_add(right).ok_or(Overflow)?;
        let denominator = self.denominator.checked_mul(other.denominator).ok_or(Overflow)?;
        Ok(Self { numerator, denominator }.lowest())
    }

    fn larger(self, other: Self) -> Result<Self, Overflow> {
        let left = self.numerator.checked_mul(other.denominator).ok_or(Overflow)?;
        let right = other.numerator.checked_mul(self.denominator).ok_or(Overflow)?;
        Ok(if left >= right { self } else { other })
    }

    /// The same ratio in the smallest numbers.
    fn lowest(self) -> Self {
        let (mut a, mut b) = (self.numerator, self.denominator);
        while b != 0 {
            (a, b) = (b, a.checked_rem(b).unwrap_or_default());
        }
        let shortened = |number: i128| number.checked_div(a).unwrap_or(number);
        Self { numerator: shortened(self.numerator), denominator: shortened(self.denominator) }
    }
}

impl fmt::Display for Ratio {
    /// Writes `3` or `7/2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            return self.numerator.fmt(f);
        }
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, each) = (self.amount, self.count.each);
        let (name, per) = match self.count.resource {
            Resource::Nodes => (format!("{amount} nodes"), each.to_string()),
            Resource::Cores => (format!("{amount} cores"), each.to_string()),
            Resource::Memory => (format!("{amount} MB"), format!("{each} MB")),
            Resource::Gpus => (format!("{amount} GPUs"), each.to_string()),
        };
        let worth = self.count.worth;
        let by = if each.get() == 1 { String::new() } else { format!(" by {per}") };
        let times = if worth == 1 { String::new() } else { format!(" × {worth}") };
        write!(f, "{name}{by}{times} = {}", self.units)
    }
}

impl fmt::Display for Rate {
    /// Writes the whole calculation: `1/2 × largest of (10 cores by 8 = 2, 1 GPUs = 1) = 1 gpu`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.factor != Ratio::whole(1) {
            write!(f, "{} × ", self.factor)?;
        }
        if let Some(nodes) = self.nodes {
            write!(f, "{nodes} nodes × ")?;
        }
        let parts: Vec<String> = self.parts.iter().map(Part::to_string).collect();
        let combined = match (self.combine, parts.as_slice()) {
            (_, [one]) => format!("({one})"),
            (Combine::Largest, all) => format!("largest of ({})", all.join(", ")),
            (Combine::Sum, all) => format!("sum of ({})", all.join(", ")),
        };
        write!(f, "{combined} = {} {}", self.units, self.meter)
    }
}
