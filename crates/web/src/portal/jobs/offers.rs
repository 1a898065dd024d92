//! The places where a job could run, as a table.

use ::jobs::placement::Term;
use app::jobs::{Offer, Offers, Terms};

use crate::portal::hours;
use crate::portal::tongue::Tongue;

/// One place in the table.
pub(crate) struct Place {
    pub(crate) partition: String,
    pub(crate) stands: String,
    pub(crate) terms: Result<Row, String>,
}

/// What running there would mean.
pub(crate) struct Row {
    pub(crate) start: String,
    pub(crate) held: String,
    pub(crate) left: String,
    pub(crate) payers: String,
    pub(crate) transfer: String,
    pub(crate) carbon: String,
    pub(crate) score: String,
}

/// All places, and why the first comes first.
pub(crate) struct Comparison {
    pub(crate) places: Vec<Place>,
    pub(crate) because: Option<String>,
}

impl Comparison {
    pub(crate) fn of(t: Tongue, offers: &Offers) -> Self {
        Self {
            places: offers.offers.iter().map(|offer| place(t, offer)).collect(),
            because: offers.because.map(|because| advantage(t, because)),
        }
    }
}

/// What speaks most for the first place.
pub(crate) fn advantage(t: Tongue, (term, seconds): (Term, u64)) -> String {
    let worth = t.seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
    let gaps = [("term", t.sub("term-", &term.to_string())), ("worth", worth)];
    let gaps = gaps.each_ref().map(|(name, text)| (*name, text.as_str()));
    t.fill("offers-because", &gaps)
}

fn place(t: Tongue, offer: &Offer) -> Place {
    let stands = offer.place.as_ref();
    Place {
        partition: offer.allocation.partition.to_string(),
        stands: stands.map_or_else(String::new, |(_, country)| t.country(*country)),
        terms: offer.terms.as_ref().map(|terms| row(t, terms)).map_err(Clone::clone),
    }
}

fn row(t: Tongue, terms: &Terms) -> Row {
    let meter = terms.meter;
    let unknown = || t.say("unknown");
    let seconds = |seconds: u64| t.seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
    let payers: Vec<String> = terms.payers.iter().map(|payer| hours::payer(t, *payer)).collect();
    Row {
        start: terms.expected.map_or_else(unknown, |expected| t.minute(expected.likely)),
        held: t.work(terms.held, meter),
        left: t.work(terms.available, meter),
        payers: payers.join(", "),
        transfer: terms.transfer_seconds.map_or_else(unknown, seconds),
        carbon: terms.carbon_grams.map_or_else(unknown, |grams| {
            format!("{} g", t.number(i64::try_from(grams).unwrap_or(i64::MAX)))
        }),
        score: seconds(terms.score.total()),
    }
}
