//! The policy of a scenario.

use access::document::{Table, Value};
use sched::{Backfill, FairShare, PriorityPolicy, Weights};
use units::Slug;

use crate::population::some_tables;
use crate::workload::Group;

/// Who may run what, where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Who may start before whom on one machine.
    pub backfill: sched::Policy,
    /// Which machine a job goes to.
    pub placement: Placement,
    /// Slurm's factors for the order of waiting jobs, where the scenario uses them.
    pub multifactor: Option<Multifactor>,
    /// Points that let the jobs of some go first.
    pub priorities: Vec<(Whom, i64)>,
    /// A part of each machine that only these may use, in percent.
    pub floor: Option<(Whom, u32)>,
    /// How much of each machine some may hold together, in percent.
    pub caps: Vec<Cap>,
}

/// Slurm's multifactor priority with fair share between payers, groups and users, and the limits
/// of its backfill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multifactor {
    /// How waiting jobs are ordered.
    pub priority: PriorityPolicy,
    /// How far others are considered.
    pub backfill: Backfill,
}

/// The most that some may hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// Who.
    pub whom: Whom,
    /// Of each machine.
    pub percent: u32,
}

/// Groups of users, by what they are; all that is said must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whom {
    /// Classes of organisation; any when there are none.
    pub classes: Vec<String>,
    /// Payers; any when there are none.
    pub payers: Vec<String>,
    /// Access modes; any when there are none.
    pub modes: Vec<String>,
}

impl Whom {
    /// Whether the group is among them.
    pub fn contains(&self, group: &Group) -> bool {
        let among =
            |names: &[String], name: &str| names.is_empty() || names.iter().any(|it| it == name);
        among(&self.classes, &group.class)
            && among(&self.payers, &group.payer)
            && among(&self.modes, group.mode.as_deref().unwrap_or_default())
    }
}

/// How a job's machine is chosen, among those that are up and large enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// By lot.
    Random,
    /// Where the least is asked and held, relative to the machine.
    LeastLoaded,
    /// Where it is expected to start first, wherever its data is.
    Forecast,
    /// Where it is expected to start first once its data is there.
    DataAware,
}

impl Placement {
    /// The rules, by the words that scenarios use.
    pub const WORDS: [(&str, Self); 4] = [
        ("random", Self::Random),
        ("least-loaded", Self::LeastLoaded),
        ("forecast", Self::Forecast),
        ("data-aware", Self::DataAware),
    ];
}

/// The backfills, by the words that scenarios use.
pub(crate) const BACKFILLS: [(&str, sched::Policy); 3] = [
    ("fcfs", sched::Policy::Fcfs),
    ("easy", sched::Policy::Easy),
    ("conservative", sched::Policy::Conservative),
];

pub(super) fn read(table: &Table<'_>) -> Option<Policy> {
    let backfill = table.required("backfill", |value| value.choice(&BACKFILLS));
    let placement = table.optional("placement", |value| value.choice(&Placement::WORDS));
    let priorities = table.optional("priorities", |_| {
        some_tables(table, "priorities", |table| {
            let points: Option<u32> = table.required("points", Value::number);
            Some((whom(table)?, i64::from(points?)))
        })
    });
    let floor = table.optional("floor", |value| {
        value.table(|table| {
            let percent = table.required("percent", percent);
            Some((whom(table)?, percent?))
        })
    });
    let caps = table.optional("caps", |_| {
        some_tables(table, "caps", |table| {
            // A cap of nothing would be none: a job counts for no more than its cap.
            let percent = table.required("percent", |value| {
                value.count::<u32>().filter(|_| percent(value).is_some())
            });
            Some(Cap { whom: whom(table)?, percent: percent? })
        })
    });
    let multifactor = table.optional("multifactor", |value| value.table(multifactor));
    Some(Policy {
        backfill: backfill?,
        placement: placement.unwrap_or(Placement::Forecast),
        multifactor,
        priorities: priorities.unwrap_or_default(),
        floor,
        caps: caps.unwrap_or_default(),
    })
}

fn multifactor(table: &Table<'_>) -> Option<Multifactor> {
    let number = |key| table.optional(key, Value::number::<u32>).map(i64::from);
    let seconds = |key| table.optional(key, Value::count::<u32>).map(i64::from);
    let fair_share = number("fair_share");
    let age = number("age");
    let size = number("size");
    let favor_small = table.optional("favor_small", Value::boolean);
    let half_life_days = seconds("half_life_days");
    let age_days_max = seconds("age_days_max");
    let depth = table.optional("backfill_depth", Value::count::<u32>);
    let window = seconds("backfill_window_seconds");
    let resolution = seconds("backfill_resolution_seconds");
    let interval = number("backfill_interval_seconds");
    let weights = Weights {
        age: age.unwrap_or(0),
        fair_share: fair_share.unwrap_or(0),
        size: size.unwrap_or(0),
        ..Weights::default()
    };
    let (arrival, unlimited) = (PriorityPolicy::ARRIVAL, Backfill::UNLIMITED);
    let days = |days: Option<i64>| days.map(|days| days.saturating_mul(86_400));
    let priority = PriorityPolicy {
        weights,
        fair_share: FairShare::Tree,
        favor_small: favor_small.unwrap_or(false),
        half_life_seconds: days(half_life_days).or(arrival.half_life_seconds),
        age_seconds_max: days(age_days_max).unwrap_or(arrival.age_seconds_max),
        ..arrival
    };
    let backfill = Backfill {
        depth: depth.and_then(|depth| usize::try_from(depth).ok()).unwrap_or(unlimited.depth),
        window_seconds: window.unwrap_or(unlimited.window_seconds),
        resolution_seconds: resolution.unwrap_or(unlimited.resolution_seconds),
        whole_nodes: unlimited.whole_nodes,
        ends_within_seconds: unlimited.ends_within_seconds,
        interval_seconds: interval.unwrap_or(unlimited.interval_seconds),
    };
    Some(Multifactor { priority, backfill })
}

fn percent(value: &Value<'_>) -> Option<u32> {
    let percent: u32 = value.number()?;
    if percent > 100 { value.fault("is more than the whole machine") } else { Some(percent) }
}

fn whom(table: &Table<'_>) -> Option<Whom> {
    let slugs = |key| {
        let slug = |value: &Value<'_>| value.parsed::<Slug>().map(|slug| slug.to_string());
        table.optional(key, |value| value.list(slug)).unwrap_or_default()
    };
    let payers = table.optional("payers", |value| value.list(Value::text)).unwrap_or_default();
    let whom = Whom { classes: slugs("classes"), payers, modes: slugs("modes") };
    if whom == Whom::default() {
        return table.fault("says of nobody: name classes, payers or modes");
    }
    Some(whom)
}
