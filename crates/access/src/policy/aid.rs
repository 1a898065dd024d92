//! State aid: the ceiling of de minimis aid, whose hours count as aid, and what hours are worth.

use units::{Cents, Meter, PartitionKey, Payer};

use super::{Entry, entries};
use crate::document::{Table, Value};

/// What one Member State may grant one undertaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AidCeiling {
    /// The most in any period.
    pub ceiling: Cents,
    /// The length of a period, in years.
    pub years: u32,
}

/// Whose hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayerKind {
    /// The Union's.
    Union,
    /// Those that are sold at market price.
    Commercial,
    /// A participating state's.
    State,
    /// Those that a state volunteers.
    Volunteered,
}

impl PayerKind {
    const WORDS: [(&str, Self); 4] = [
        ("union", Self::Union),
        ("commercial", Self::Commercial),
        ("state", Self::State),
        ("volunteered", Self::Volunteered),
    ];

    const fn of(payer: Payer) -> Self {
        match payer {
            Payer::Union => Self::Union,
            Payer::Commercial => Self::Commercial,
            Payer::State(_) => Self::State,
            Payer::Volunteered(_) => Self::Volunteered,
        }
    }
}

/// Whether hours of a payer are aid when an enterprise has them free of charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AidTreatment {
    /// Whose hours.
    pub payer: PayerKind,
    /// Whether they count.
    pub counts: bool,
}

/// What hours are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourPrice {
    /// What is counted.
    pub meter: Meter,
    /// The partition that the price is for; any, when it names none.
    pub partition: Option<PartitionKey>,
    /// The price of a thousand hours.
    pub thousand_hours: Cents,
}

/// The entries of `aid.toml`.
pub(super) struct AidRules {
    pub(super) ceilings: Vec<Entry<AidCeiling>>,
    pub(super) treatments: Vec<Entry<AidTreatment>>,
}

impl AidRules {
    /// How hours of `payer` are treated, among entries that hold.
    pub(super) fn treatment<'e>(
        mut holding: impl Iterator<Item = &'e Entry<AidTreatment>>,
        payer: Payer,
    ) -> Option<&'e Entry<AidTreatment>> {
        holding.find(|entry| entry.says.payer == PayerKind::of(payer))
    }
}

pub(super) fn read(root: &Table<'_>) -> Option<AidRules> {
    let ceilings = entries(root, "ceilings", |table| {
        let ceiling = table.required("ceiling_eur", Value::euros);
        let years = table.required("years", Value::count);
        Some(AidCeiling { ceiling: ceiling?, years: years? })
    });
    let treatments = entries(root, "treatments", |table| {
        let payer = table.required("payer", |value| value.choice(&PayerKind::WORDS));
        let counts = table.required("counts", Value::boolean);
        Some(AidTreatment { payer: payer?, counts: counts? })
    });
    Some(AidRules { ceilings: ceilings?, treatments: treatments? })
}

/// The entries of `prices.toml`.
pub(super) fn prices(root: &Table<'_>) -> Option<Vec<Entry<HourPrice>>> {
    entries(root, "prices", |table| {
        let meter = table.required("meter", Value::parsed);
        let partition = table.optional("partition", Value::parsed);
        let thousand_hours = table.required("thousand_hours_eur", Value::euros);
        Some(HourPrice { meter: meter?, partition, thousand_hours: thousand_hours? })
    })
}
