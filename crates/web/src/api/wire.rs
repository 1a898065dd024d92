//! How the vocabulary looks on the wire: instants as RFC 3339, amounts as integers with their unit.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use units::{Meter, Period, Timestamp, Work};
use utoipa::ToSchema;

/// An instant in UTC, RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
pub struct Instant(pub Timestamp);

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// The time between two instants, without the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Span {
    /// The first instant inside.
    pub start: Instant,
    /// The first instant after.
    pub end: Instant,
}

impl From<Period> for Span {
    fn from(period: Period) -> Self {
        Self { start: period.start().into(), end: period.end().into() }
    }
}

/// An amount of metered work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Amount {
    /// How many seconds of one unit; may be negative in movements.
    #[schema(example = 18_000_000)]
    pub unit_seconds: i64,
    /// What is counted: `gpu`, `node`, `core` or `qpu`.
    #[schema(example = "gpu")]
    pub unit: String,
    /// The same for people, in hours.
    #[schema(example = "5 000.00 GPU-h")]
    pub text: String,
}

impl Amount {
    /// `work` as counted by `meter`.
    pub fn of(work: Work, meter: Meter) -> Self {
        Self {
            unit_seconds: work.count(),
            unit: meter.to_string(),
            text: work.display(meter).to_string(),
        }
    }
}

/// An option of `sbatch` as one word.
pub(crate) fn option_word((name, value): &(String, Option<String>)) -> String {
    match value {
        Some(value) => format!("--{name}={value}"),
        None => format!("--{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_amounts_read_back_as_written() {
        let at = Instant("2026-11-21T09:00:00.5Z".parse().unwrap());
        let text = serde_json::to_string(&at).unwrap();
        assert_eq!(text, "\"2026-11-21T09:00:00.5Z\"");
        assert_eq!(serde_json::from_str::<Instant>(&text).unwrap(), at);
        let amount = Amount::of(Work::hours(2).unwrap(), Meter::Node);
        assert_eq!(amount.text, "2.00 node-h");
        assert_eq!(amount.unit_seconds, 7_200);
    }
}
