//! Hours by who pays them, in words and as bars.

use units::{Meter, Payer, Work};

use super::chart::{Bar, Part};
use super::tongue::Tongue;

/// How a payer is called.
pub(crate) fn payer(t: Tongue, payer: Payer) -> String {
    match payer {
        Payer::Union => t.say("payer-union"),
        Payer::Commercial => t.say("payer-commercial"),
        Payer::State(code) => t.country(code),
        Payer::Volunteered(code) => {
            t.fill("payer-volunteered", &[("state", t.country(code).as_str())])
        }
    }
}

/// The colour of each payer in one drawing: states differ from one another.
fn class(payer: Payer, states_before: usize) -> &'static str {
    match payer {
        Payer::Union => "union",
        Payer::Commercial => "commercial",
        Payer::Volunteered(_) => "volunteered",
        Payer::State(_) => match states_before % 3 {
            0 => "state-1",
            1 => "state-2",
            _ => "state-3",
        },
    }
}

/// Hours by payer as one bar.
pub(crate) fn by_payer(t: Tongue, title: String, meter: Meter, hours: &[(Payer, Work)]) -> Bar {
    let mut states = 0;
    let parts = hours
        .iter()
        .map(|(who, work)| {
            let class = class(*who, states);
            states += usize::from(matches!(who, Payer::State(_)));
            let (label, text) = (payer(t, *who), t.work(work, meter));
            Part { class, label, value: work.count(), text }
        })
        .collect();
    let whole = hours.iter().map(|(_, work)| work.count()).sum();
    Bar { title, parts, whole }
}
