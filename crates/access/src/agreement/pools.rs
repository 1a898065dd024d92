//! From an agreement to hours: the pools of a partition in a period.

use units::{Cents, Overflow, PartsPerMillion, Payer, Period, Shares, Work};

use super::{Agreement, funding, union_time};
use crate::document::Figure;
use crate::federation::Partition;
use crate::policy::{Cap, Caps};

/// The hours of one payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Who owns them.
    pub payer: Payer,
    /// How much.
    pub amount: Work,
}

/// The whole capacity of a partition in a period, by payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pools {
    /// The period.
    pub period: Period,
    /// What the partition can do in it.
    pub capacity: Work,
    /// The Union's part of the time, commercial use included.
    pub union_time: PartsPerMillion,
    /// Who has how much, in the order of the payers; adds up to the capacity.
    pub pools: Vec<Pool>,
    /// How the figures came about, line by line, each with its article or source.
    pub lines: Vec<String>,
}

/// Why there are no pools: every figure that would be needed and is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .reasons.join("; "))]
pub struct NoPools {
    /// One reason for each missing figure.
    pub reasons: Vec<String>,
}

/// The hours that each payer of `agreement` has on `partition` in `period`.
///
/// The capacity is split exactly, by largest remainder, in three steps: Union and states by what
/// they pay, the Union's part into its own and commercial use, the rest among the states. The
/// Union's part is rounded down at its cap, so that the cap holds to the second.
///
/// # Errors
/// Every figure that is not known.
pub fn pools(
    agreement: &Agreement,
    partition: &Partition,
    period: Period,
    caps: &Caps,
) -> Result<Pools, NoPools> {
    let units = partition.units();
    let funding = funding(agreement);
    let remainder = agreement.remainder.require("how the states share the remaining time");
    let class = agreement.class.require("the class of the machine");
    let (Ok(units), Ok(funding), Ok(remainder), Ok(class)) = (&units, &funding, &remainder, &class)
    else {
        let mut reasons = funding.err().unwrap_or_default();
        reasons.extend([units.err(), remainder.err(), class.err()].into_iter().flatten());
        return Err(NoPools { reasons });
    };
    let part = union_time(agreement, caps).map_err(|reasons| NoPools { reasons })?;
    let capacity = capacity(*units, period).map_err(too_large)?;
    let cap = caps.union_time(**class);
    let union = Work::seconds(
        by_cost(capacity, funding.union(), funding.states())?
            .min(cap.limit.of(capacity.count()))
            .min(stated(agreement, capacity)),
    );
    let states = capacity.minus(union).map_err(too_large)?;
    let mut split = of_union(agreement, union);
    split.extend(of_states(agreement, remainder, states)?);
    split.retain(|pool| pool.amount > Work::ZERO);
    split.sort_by_key(|pool| pool.payer);
    let lines = explain(agreement, partition, caps, (part, cap));
    Ok(Pools { period, capacity, union_time: part, pools: split, lines })
}

/// All units held for the whole period.
fn capacity(units: u64, period: Period) -> Result<Work, Overflow> {
    let units = i64::try_from(units).map_err(|_| Overflow)?;
    units.checked_mul(period.seconds()).map(Work::seconds).ok_or(Overflow)
}

/// The Union's part of `capacity` in proportion to what it pays.
fn by_cost(
    capacity: Work,
    union: Result<Cents, Overflow>,
    states: Result<Cents, Overflow>,
) -> Result<i64, NoPools> {
    let weight = |cents: Cents| u64::try_from(cents.count()).unwrap_or_default();
    let union = weight(union.map_err(too_large)?);
    let states = weight(states.map_err(too_large)?);
    let shares = Shares::new([(Side::Union, union), (Side::States, states)]).map_err(|_| {
        NoPools { reasons: vec!["the total cost of ownership is nothing".to_owned()] }
    })?;
    let parts = shares.split(capacity.count());
    Ok(parts.iter().find(|(side, _)| *side == Side::Union).map_or(0, |(_, part)| *part))
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    States,
    Union,
}

/// What the agreement itself allows the Union at most.
fn stated(agreement: &Agreement, capacity: Work) -> i64 {
    let stated = agreement.union_time.as_ref().and_then(Figure::known);
    stated.map_or(i64::MAX, |part| part.of(capacity.count()))
}

/// The Union's time, less what is set aside for commercial use.
fn of_union(agreement: &Agreement, union: Work) -> Vec<Pool> {
    let commercial = agreement.commercial.known().map_or(0, |part| part.of(union.count()));
    vec![
        Pool {
            payer: Payer::Union,
            amount: Work::seconds(union.count().saturating_sub(commercial)),
        },
        Pool { payer: Payer::Commercial, amount: Work::seconds(commercial) },
    ]
}

/// The states' time, each less what it volunteers.
fn of_states(
    agreement: &Agreement,
    remainder: &[(units::CountryCode, u32)],
    states: Work,
) -> Result<Vec<Pool>, NoPools> {
    let weights = remainder.iter().map(|(state, weight)| (*state, u64::from(*weight)));
    let shares = Shares::new(weights)
        .map_err(|error| NoPools { reasons: vec![format!("the states' remainder: {error}")] })?;
    let volunteers = agreement.volunteered.as_ref().and_then(Figure::known);
    let mut pools = Vec::new();
    for (state, amount) in shares.split(states.count()) {
        let part = volunteers
            .into_iter()
            .flatten()
            .find(|(volunteer, _)| *volunteer == state)
            .map_or(0, |(_, part)| part.of(amount));
        let own = amount.saturating_sub(part);
        pools.push(Pool { payer: Payer::State(state), amount: Work::seconds(own) });
        pools.push(Pool { payer: Payer::Volunteered(state), amount: Work::seconds(part) });
    }
    Ok(pools)
}

fn explain(
    agreement: &Agreement,
    partition: &Partition,
    caps: &Caps,
    (part, cap): (PartsPerMillion, &Cap),
) -> Vec<String> {
    let mut lines = vec![
        format!(
            "capacity: {} {} held through the whole period, without any deduction for maintenance",
            partition.units().unwrap_or_default(),
            match partition.meter {
                units::Meter::Gpu => "GPUs",
                units::Meter::Node => "nodes",
                units::Meter::Core => "cores",
                units::Meter::Qpu => "quantum processors",
            }
        ),
        cost_line("acquisition", &agreement.acquisition, &agreement.union_acquisition),
        cost_line("operation", &agreement.operation, &agreement.union_operation),
        format!(
            "the Union's time is proportional to its part of the total cost of ownership, at most \
             {}: {part} ({})",
            cap.limit, cap.article
        ),
    ];
    lines.push(match &agreement.commercial {
        Figure::Known(part, evidence) => {
            format!("commercial use: {part} of the Union's time ({})", evidence.source)
        }
        Figure::Unknown(note) => format!(
            "commercial use: nothing set aside, for the part is unknown ({note}); at most {} of \
             the Union's time may be sold ({})",
            caps.commercial.limit, caps.commercial.article
        ),
    });
    lines.push(format!("the remaining time belongs to the states ({})", caps.remainder.article));
    lines
}

fn cost_line(what: &str, cost: &Figure<Cents>, part: &Figure<PartsPerMillion>) -> String {
    let note = |figure: Option<&crate::document::Evidence>| {
        figure.map_or_else(String::new, |evidence| match &evidence.note {
            Some(note) => format!("{}; {note}", evidence.source),
            None => evidence.source.to_string(),
        })
    };
    format!(
        "{what}: {cost} ({}), of which the Union pays {part} ({})",
        note(cost.evidence()),
        note(part.evidence())
    )
}

fn too_large(_: Overflow) -> NoPools {
    NoPools { reasons: vec!["the hours of this period are too many to be counted".to_owned()] }
}
