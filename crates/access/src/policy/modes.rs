//! Access modes: who may ask for how much, for how long, and who decides.

use std::fmt;

use units::{Meter, PartsPerMillion, Payer, Slug};

use super::{CutOffs, Entry, Term, cut_offs, entries};
use crate::document::{Figure, Table, Value, word};

/// Whom a mode is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Small and medium-sized enterprises.
    Sme,
    /// Start-ups.
    StartUp,
    /// Enterprises of any size.
    Industry,
    /// Universities and research organisations.
    Science,
    /// Public bodies.
    PublicSector,
}

impl Audience {
    /// The audiences, by the words that files use.
    pub const WORDS: [(&str, Self); 5] = [
        ("sme", Self::Sme),
        ("start-up", Self::StartUp),
        ("industry", Self::Industry),
        ("science", Self::Science),
        ("public-sector", Self::PublicSector),
    ];
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// A check that an application passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Review {
    /// Whether the organisation may ask at all.
    Eligibility,
    /// Whether the request fits the machine.
    Technical,
    /// Whether experts find it worth the hours.
    Peer,
}

impl Review {
    /// The checks, by the words that files use.
    pub const WORDS: [(&str, Self); 3] =
        [("eligibility", Self::Eligibility), ("technical", Self::Technical), ("peer", Self::Peer)];
}

impl fmt::Display for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// Who decides on an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    /// The rules alone, first come, first served.
    Rules,
    /// People, after review.
    People,
}

impl DecidedBy {
    /// The deciders, by the words that files use.
    pub const WORDS: [(&str, Self); 2] = [("rules", Self::Rules), ("people", Self::People)];
}

/// A field of applicants that compete among themselves alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// Scientific access.
    Science,
    /// Industry.
    Industry,
    /// Public administration.
    PublicAdministration,
}

impl Track {
    /// The tracks, by the words that files use.
    pub const WORDS: [(&str, Self); 3] = [
        ("science", Self::Science),
        ("industry", Self::Industry),
        ("public-administration", Self::PublicAdministration),
    ];
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// One access mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessMode {
    /// Its name.
    pub name: String,
    /// Whom it is for, in words.
    pub summary: String,
    /// Who may apply.
    pub who: Vec<Audience>,
    /// The tracks that are reviewed apart; empty when there is one field of applicants.
    pub tracks: Vec<Track>,
    /// The groups of states whose organisations may apply.
    pub countries: Vec<Slug>,
    /// What is counted.
    pub meter: Meter,
    /// The fewest hours that may be asked.
    pub hours_min: Figure<u32>,
    /// The most hours that may be asked.
    pub hours_max: Figure<u32>,
    /// For how many months.
    pub months: Figure<Vec<u32>>,
    /// On how many systems at once.
    pub systems_max: Figure<u32>,
    /// The checks that an application passes, in order.
    pub reviews: Vec<Review>,
    /// Who decides.
    pub decided_by: DecidedBy,
    /// How long the decision takes.
    pub time_to_access: Figure<Term>,
    /// When applications are taken.
    pub cut_offs: Figure<CutOffs>,
    /// Whose hours are granted.
    pub draws_on: Payer,
    /// For whom the hours are free of charge.
    pub free_for: Figure<Vec<Audience>>,
    /// How many awards of this mode an organisation may have open at once.
    pub open_awards_max: Figure<u32>,
    /// What an award obliges to.
    pub duties: Figure<Vec<String>>,
    /// How many months after its end the final report of an award is due.
    pub final_report_months: Figure<u32>,
}

/// The most that a group of modes may take of the Union's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeShare {
    /// The modes that share it.
    pub modes: Vec<Slug>,
    /// The most they may take together.
    pub limit: PartsPerMillion,
}

type Modes = (Vec<Entry<AccessMode>>, Vec<Entry<ModeShare>>);

/// The entries of `access-modes.toml`.
pub(super) fn read(root: &Table<'_>) -> Option<Modes> {
    let modes = entries(root, "modes", mode);
    let shares = entries(root, "shares", |table| {
        let modes = table.required("modes", |value| value.list(Value::parsed));
        let limit = table.required("limit", Value::percent);
        Some(ModeShare { modes: modes?, limit: limit? })
    });
    Some((modes?, shares?))
}

fn mode(table: &Table<'_>) -> Option<AccessMode> {
    let audience = |value: &Value<'_>| value.choice(&Audience::WORDS);
    let review = |value: &Value<'_>| value.choice(&Review::WORDS);
    let hours = |key| table.required(key, |value| value.figure(Value::count));
    let name = table.required("name", Value::text);
    let summary = table.required("summary", Value::text);
    let who = table.required("who", |value| value.list(audience));
    let countries = table.required("countries", |value| value.list(Value::parsed));
    let track = |value: &Value<'_>| value.choice(&Track::WORDS);
    let tracks = table.optional("tracks", |value| value.list(track)).unwrap_or_default();
    let meter = table.required("meter", Value::parsed);
    let (hours_min, hours_max) = (hours("hours_min"), hours("hours_max"));
    let months = table.required("months", |value| value.figure(|it| it.list(Value::count)));
    let systems_max = table.required("systems_max", |value| value.figure(Value::count));
    let reviews = table.required("reviews", |value| value.list(review));
    let decided_by = table.required("decided_by", |value| value.choice(&DecidedBy::WORDS));
    let time_to_access = table.required("time_to_access", |value| value.figure(Value::parsed));
    let cut_offs = table.required("cut_offs", |value| value.figure(cut_offs::read));
    let draws_on = table.required("draws_on", Value::parsed);
    let free_for = table.required("free_for", |value| value.figure(|it| it.list(audience)));
    let open_awards_max = table.required("open_awards_max", |value| value.figure(Value::count));
    let duties = table.required("duties", |value| value.figure(|it| it.list(Value::text)));
    let final_report_months =
        table.required("final_report_months", |value| value.figure(Value::count));
    let mode = AccessMode {
        tracks,
        final_report_months: final_report_months?,
        name: name?,
        summary: summary?,
        who: who?,
        countries: countries?,
        meter: meter?,
        hours_min: hours_min?,
        hours_max: hours_max?,
        months: months?,
        systems_max: systems_max?,
        reviews: reviews?,
        decided_by: decided_by?,
        time_to_access: time_to_access?,
        cut_offs: cut_offs?,
        draws_on: draws_on?,
        free_for: free_for?,
        open_awards_max: open_awards_max?,
        duties: duties?,
    };
    sound(table, &mode);
    Some(mode)
}

/// Bounds in order; and a mode that rules decide leaves nothing they need unknown.
fn sound(table: &Table<'_>, mode: &AccessMode) {
    if let (Some(min), Some(max)) = (mode.hours_min.known(), mode.hours_max.known())
        && min > max
    {
        table.fault_of::<()>("hours_min", format!("is {min}, above hours_max, which is {max}"));
    }
    if mode.decided_by == DecidedBy::People {
        return;
    }
    let needed = [
        ("hours_min", mode.hours_min.known().is_some()),
        ("hours_max", mode.hours_max.known().is_some()),
        ("months", mode.months.known().is_some_and(|months| !months.is_empty())),
        ("open_awards_max", mode.open_awards_max.known().is_some()),
        ("free_for", mode.free_for.known().is_some()),
    ];
    for (key, known) in needed {
        if !known {
            table.fault_of::<()>(key, "must be known, for the rules decide alone in this mode");
        }
    }
    if mode.reviews.contains(&Review::Peer) {
        table.fault_of::<()>("reviews", "a peer review is decided by people, not by rules");
    }
}
