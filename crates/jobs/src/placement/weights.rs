//! How much speaks against a place, by policy.

use serde::Deserialize;
use units::Payer;

/// The policy of placement cannot be read; the text shows the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the weights of placement cannot be read: {0}")]
pub struct WeightsError(toml::de::Error);

impl WeightsError {
    /// What is wrong, and at which byte of the text.
    pub fn fault(&self) -> (usize, String) {
        (self.0.span().map_or(0, |span| span.start), self.0.message().to_owned())
    }
}

/// What each thing is worth in seconds of waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Who chose them, and when.
    pub source: String,
    /// How much of the likely wait counts.
    pub wait_percent: u32,
    /// How much of the difference between the likely and the latest start counts.
    pub doubt_percent: u32,
    /// How much of the time counts for which data is on its way.
    pub transfer_percent: u32,
    /// Seconds for each percent of the allocation's remaining hours.
    pub hours_seconds_per_percent: u32,
    /// Seconds for each day that the allocation still lasts: what lapses soon is used first.
    pub keeping_seconds_per_day: u32,
    /// Days beyond these make no difference.
    pub keeping_days_max: u32,
    /// Seconds for each kilowatt-hour.
    pub energy_seconds_per_kwh: u32,
    /// Seconds for each kilogram of carbon dioxide.
    pub carbon_seconds_per_kg: u32,
    /// How long an order may wait for its site's agent before the job goes elsewhere, if its
    /// submitter allowed that.
    pub move_after_seconds: u32,
    payers: Payers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payers {
    union: u32,
    state: u32,
    volunteered: u32,
    commercial: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    source: String,
    wait_percent: u32,
    doubt_percent: u32,
    transfer_percent: u32,
    hours_seconds_per_percent: u32,
    keeping_seconds_per_day: u32,
    keeping_days_max: u32,
    energy_seconds_per_kwh: u32,
    carbon_seconds_per_kg: u32,
    move_after_seconds: u32,
    payer_seconds: Payers,
}

impl Weights {
    /// Reads the text of a policy file.
    ///
    /// # Errors
    /// With the place that is not in the expected form.
    pub fn parse(text: &str) -> Result<Self, WeightsError> {
        let raw: Raw = toml::from_str(text).map_err(WeightsError)?;
        Ok(Self {
            source: raw.source,
            wait_percent: raw.wait_percent,
            doubt_percent: raw.doubt_percent,
            transfer_percent: raw.transfer_percent,
            hours_seconds_per_percent: raw.hours_seconds_per_percent,
            keeping_seconds_per_day: raw.keeping_seconds_per_day,
            keeping_days_max: raw.keeping_days_max,
            energy_seconds_per_kwh: raw.energy_seconds_per_kwh,
            carbon_seconds_per_kg: raw.carbon_seconds_per_kg,
            move_after_seconds: raw.move_after_seconds,
            payers: raw.payer_seconds,
        })
    }

    /// Seconds for hours of this payer.
    pub const fn of_payer(&self, payer: Payer) -> u32 {
        match payer {
            Payer::Union => self.payers.union,
            Payer::State(_) => self.payers.state,
            Payer::Volunteered(_) => self.payers.volunteered,
            Payer::Commercial => self.payers.commercial,
        }
    }
}
