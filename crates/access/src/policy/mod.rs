//! Policy: every figure a rule needs, as entries with a day from which they hold and a source.
//!
//! Not here: the rules themselves. An entry is never changed; a newer one follows it.

mod aid;
mod alerts;
mod awards;
mod calendar;
mod caps;
mod countries;
mod cut_offs;
mod difference;
mod estimates;
mod modes;
mod reading;
mod review;
mod sme;

use std::fmt;

use jiff::ToSpan;
use jiff::civil::Date;
use units::{CountryCode, Meter, PartitionKey, Payer, Slug, Timestamp};

use crate::document::{Diagnostic, Diagnostics, Document, Place, Source};
use crate::review::MailDomain;

use reading::{entries, entries_if_any, read_file, read_file_if_any, strangers};

pub use aid::{AidCeiling, AidTreatment, HourPrice, PayerKind};
pub use alerts::Threshold;
pub use awards::{AwardChanges, Beyond, Commitment, Cut, Release, Whose};
pub use calendar::{DayOfYear, Holidays, Length, NotADayOfYear, NotATerm, Term};
pub use caps::{Cap, Caps};
pub use countries::CountryGroup;
pub use cut_offs::CutOffs;
pub use difference::{Difference, Line, News, differences};
pub use estimates::ModelWork;
pub use modes::{AccessMode, Audience, DecidedBy, ModeShare, Review, Track};
pub use review::{Criterion, Field, Fields, Order, Procedure};
pub use sme::{Ceilings, ScaleUpDefinition, SmeDefinition, StartUpDefinition};

/// Names one entry of policy in one of its versions: `policy/caps.toml#commercial@2024-07-09`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId {
    /// The file.
    pub file: String,
    /// The key of the entry.
    pub entry: String,
    /// The day from which this version of it holds.
    pub from: Date,
}

impl RuleId {
    /// Whether both name the same version of one entry, in whatever folder each was read.
    pub fn is_version(&self, other: &Self) -> bool {
        let file = |rule: &Self| rule.file.rsplit('/').next().map(str::to_owned);
        file(self) == file(other) && (&self.entry, self.from) == (&other.entry, other.from)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}@{}", self.file, self.entry, self.from)
    }
}

/// An entry of policy with its time of validity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// Its name and version.
    pub rule: RuleId,
    /// The last day on which it holds, when it has one.
    pub until: Option<Date>,
    /// Where it was read.
    pub source: Source,
    /// How it is to be understood.
    pub note: Option<String>,
    /// Where in its document it stands, for diagnostics.
    pub at: Place,
    /// What it says.
    pub says: T,
}

impl<T> Entry<T> {
    /// Whether it holds on `day`.
    pub fn holds_on(&self, day: Date) -> bool {
        self.rule.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// The whole policy that access is decided by.
#[derive(Clone, Debug)]
pub struct Policy {
    caps: Vec<Entry<Cap>>,
    modes: Vec<Entry<AccessMode>>,
    mode_shares: Vec<Entry<ModeShare>>,
    countries: Vec<Entry<CountryGroup>>,
    sme: Vec<Entry<SmeDefinition>>,
    start_up: Vec<Entry<StartUpDefinition>>,
    scale_up: Vec<Entry<ScaleUpDefinition>>,
    alerts: Vec<Entry<Threshold>>,
    aid_ceilings: Vec<Entry<AidCeiling>>,
    aid_treatments: Vec<Entry<AidTreatment>>,
    prices: Vec<Entry<HourPrice>>,
    award_changes: Vec<Entry<AwardChanges>>,
    releases: Vec<Entry<Release>>,
    cuts: Vec<Entry<Cut>>,
    commitments: Vec<Entry<Commitment>>,
    procedures: Vec<Entry<Procedure>>,
    fields: Vec<Entry<Fields>>,
    public_mail: Vec<Entry<Vec<MailDomain>>>,
    holidays: Vec<Entry<Holidays>>,
    model_works: Vec<Entry<ModelWork>>,
}

impl Policy {
    /// The files it is read from, in the policy folder.
    pub const FILES: [&'static str; 11] = [
        "access-modes.toml",
        "caps.toml",
        "countries.toml",
        "sme.toml",
        "alerts.toml",
        "aid.toml",
        "prices.toml",
        "awards.toml",
        "review.toml",
        "calendar.toml",
        "estimates.toml",
    ];

    /// Reads `documents`, one for each of [`Policy::FILES`].
    ///
    /// # Errors
    /// All faults of all documents, and files that are missing or that nobody reads.
    pub fn parse(documents: &[Document]) -> Result<Self, Diagnostics> {
        let mut faults = strangers(documents);
        let modes = read_file(documents, Self::FILES[0], modes::read, &mut faults);
        let caps = read_file(documents, Self::FILES[1], caps::read, &mut faults);
        let countries = read_file(documents, Self::FILES[2], countries::read, &mut faults);
        let sme = read_file(documents, Self::FILES[3], sme::read, &mut faults);
        let alerts = read_file(documents, Self::FILES[4], alerts::read, &mut faults);
        let aid = read_file(documents, Self::FILES[5], aid::read, &mut faults);
        let prices = read_file(documents, Self::FILES[6], aid::prices, &mut faults);
        let awards = read_file(documents, Self::FILES[7], awards::read, &mut faults);
        let review = read_file(documents, Self::FILES[8], review::read, &mut faults);
        // The texts that stand behind decisions from before it was there are read too.
        let holidays = read_file_if_any(documents, Self::FILES[9], calendar::read, &mut faults);
        let model_works =
            read_file_if_any(documents, Self::FILES[10], estimates::read, &mut faults);
        faults.sort();
        let whole = || {
            let (modes, mode_shares) = modes?;
            let sme::Definitions { sme, start_up, scale_up } = sme?;
            let aid::AidRules { ceilings: aid_ceilings, treatments: aid_treatments } = aid?;
            let (caps, countries, alerts, prices) = (caps?, countries?, alerts?, prices?);
            let awards::AwardRules { changes: award_changes, releases, cuts, commitments } =
                awards?;
            let review::ReviewRules { procedures, fields, public_mail } = review?;
            Some(Self {
                caps,
                modes,
                mode_shares,
                countries,
                sme,
                start_up,
                scale_up,
                alerts,
                aid_ceilings,
                aid_treatments,
                prices,
                award_changes,
                releases,
                cuts,
                commitments,
                procedures,
                fields,
                public_mail,
                holidays: holidays?,
                model_works: model_works?,
            })
        };
        match whole() {
            Some(policy) if faults.is_empty() => {
                policy.consistent()?;
                Ok(policy)
            }
            _ => Err(Diagnostics(faults)),
        }
    }

    /// The law on agreements that holds on `day`; `None` before the first version of any part.
    pub fn caps(&self, day: Date) -> Option<Caps> {
        Caps::gather(|key| in_force(&self.caps, key, day))
    }

    /// The law on agreements that holds on `day`.
    ///
    /// # Errors
    /// When a part of it begins later, or has ended.
    pub fn caps_in_force(&self, day: Date) -> Result<Caps, Diagnostics> {
        self.caps(day).ok_or_else(|| {
            let message = format!("not every cap has an entry that holds on {day}");
            let file = Self::FILES[1].to_owned();
            Diagnostics(vec![Diagnostic {
                file,
                at: Place::START,
                key: "caps".to_owned(),
                message,
            }])
        })
    }

    /// The access mode called `key`, as it holds on `day`.
    pub fn mode(&self, key: &Slug, day: Date) -> Option<&Entry<AccessMode>> {
        in_force(&self.modes, key.as_str(), day)
    }

    /// The access mode in the very version that `rule` names, whatever folder it was read from.
    pub fn mode_version(&self, rule: &RuleId) -> Option<&Entry<AccessMode>> {
        self.modes.iter().find(|entry| entry.rule.is_version(rule))
    }

    /// The access modes that hold on `day`.
    pub fn modes(&self, day: Date) -> impl Iterator<Item = &Entry<AccessMode>> {
        self.modes.iter().filter(move |entry| entry.holds_on(day))
    }

    /// The versions of access modes that begin after `day`.
    pub fn modes_later(&self, day: Date) -> impl Iterator<Item = &Entry<AccessMode>> {
        self.modes.iter().filter(move |entry| day < entry.rule.from)
    }

    /// The shares of the Union's time that groups of modes may take, as they hold on `day`.
    pub fn mode_shares(&self, day: Date) -> impl Iterator<Item = &Entry<ModeShare>> {
        self.mode_shares.iter().filter(move |entry| entry.holds_on(day))
    }

    /// The group of states that `country` belongs to on `day`, among `groups`.
    pub fn group_of(
        &self,
        country: CountryCode,
        groups: &[Slug],
        day: Date,
    ) -> Option<&Entry<CountryGroup>> {
        groups
            .iter()
            .filter_map(|key| in_force(&self.countries, key.as_str(), day))
            .find(|group| group.says.states.contains(&country))
    }

    /// The definition of small and medium-sized enterprises that holds on `day`.
    pub fn sme(&self, day: Date) -> Option<&Entry<SmeDefinition>> {
        self.sme.iter().find(|entry| entry.holds_on(day))
    }

    /// The definition of a start-up that holds on `day`.
    pub fn start_up(&self, day: Date) -> Option<&Entry<StartUpDefinition>> {
        self.start_up.iter().find(|entry| entry.holds_on(day))
    }

    /// The definition of a scale-up that holds on `day`.
    pub fn scale_up(&self, day: Date) -> Option<&Entry<ScaleUpDefinition>> {
        self.scale_up.iter().find(|entry| entry.holds_on(day))
    }

    /// When people are told how an allocation stands, as it holds on `day`.
    pub fn alerts(&self, day: Date) -> impl Iterator<Item = &Entry<Threshold>> {
        self.alerts.iter().filter(move |entry| entry.holds_on(day))
    }

    /// The ceiling of de minimis aid that holds on `day`.
    pub fn aid_ceiling(&self, day: Date) -> Option<&Entry<AidCeiling>> {
        self.aid_ceilings.iter().find(|entry| entry.holds_on(day))
    }

    /// Whether hours of `payer` count as aid on `day`.
    pub fn is_aid(&self, payer: Payer, day: Date) -> Option<&Entry<AidTreatment>> {
        let holding = self.aid_treatments.iter().filter(|entry| entry.holds_on(day));
        aid::AidRules::treatment(holding, payer)
    }

    /// What hours of `partition` are worth on `day`, by its own price or else by one for all.
    pub fn hour_price(
        &self,
        partition: &PartitionKey,
        meter: Meter,
        day: Date,
    ) -> Option<&Entry<HourPrice>> {
        let fits = |entry: &&Entry<HourPrice>| {
            let of = entry.says.partition.as_ref();
            entry.holds_on(day) && entry.says.meter == meter && of.is_none_or(|it| it == partition)
        };
        self.prices.iter().filter(fits).max_by_key(|entry| entry.says.partition.is_some())
    }

    /// What holds on `day` about changes of awards under `mode`, out of the hours of `payers`.
    pub fn award_changes(
        &self,
        mode: &Slug,
        payers: &[Payer],
        day: Date,
    ) -> Vec<&Entry<AwardChanges>> {
        let holding = self.award_changes.iter().filter(|it| it.holds_on(day));
        holding.filter(|it| it.says.whose.concerns(mode, payers)).collect()
    }

    /// When unused hours are taken back from awards of `day` under `mode`, out of the hours of
    /// `payers`.
    pub fn cuts(&self, mode: &Slug, payers: &[Payer], day: Date) -> Vec<&Entry<Cut>> {
        let holding = self.cuts.iter().filter(|it| it.holds_on(day));
        holding.filter(|it| it.says.whose.concerns(mode, payers)).collect()
    }

    /// Whether there are cuts at all.
    pub fn cuts_anything(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// The kinds of work on models that the estimator knows on `day`.
    pub fn model_works(&self, day: Date) -> impl Iterator<Item = &Entry<ModelWork>> {
        self.model_works.iter().filter(move |entry| entry.holds_on(day))
    }

    /// What a kind of work on a model takes, as it holds on `day`.
    pub fn model_work(&self, key: &str, day: Date) -> Option<&Entry<ModelWork>> {
        in_force(&self.model_works, key, day)
    }

    /// Whether `day` is a working day.
    pub fn is_working_day(&self, day: Date) -> bool {
        calendar::is_working(&self.holidays, day)
    }

    /// Until when an application under `mode` that was submitted at `at` is to be decided: the end
    /// of the last day in Brussels. Where applications are taken until cut-offs, the time runs from
    /// the first one after it. `None` while the programme does not say.
    pub fn decide_by(&self, mode: &AccessMode, at: Timestamp) -> Option<Timestamp> {
        let term = mode.time_to_access.known()?;
        // A cut-off at the end of a day belongs to that day.
        let before = |cut_off: Timestamp| cut_off.checked_sub(1.nanosecond()).unwrap_or(cut_off);
        let from = mode.cut_offs.known().and_then(|it| it.next(at)).map_or(at, before);
        let last = term.last_day(crate::day_in_brussels(from), |day| self.is_working_day(day))?;
        crate::end_of_day_in_brussels(last)
    }

    /// How much of a payer's part of `partition` may be promised, as it holds on `day`. The entry
    /// that names the system goes before the one for all.
    pub fn commitment(&self, partition: &PartitionKey, day: Date) -> Option<&Entry<Commitment>> {
        let concerns = |entry: &&Entry<Commitment>| {
            entry.says.systems.is_empty() || entry.says.systems.contains(&partition.system)
        };
        let holding = self.commitments.iter().filter(|it| it.holds_on(day)).filter(concerns);
        holding.max_by_key(|entry| !entry.says.systems.is_empty())
    }

    /// How the hours of an award of `day` on `partition` are released; all at once without any.
    pub fn release(&self, partition: &PartitionKey, day: Date) -> Option<&Entry<Release>> {
        let system = &partition.system;
        self.releases
            .iter()
            .find(|entry| entry.holds_on(day) && entry.says.systems.contains(system))
    }

    /// How applications of `mode` are reviewed by peers, as it holds on `day`.
    pub fn procedure(&self, mode: &Slug, day: Date) -> Option<&Entry<Procedure>> {
        let of_mode = |entry: &&Entry<Procedure>| entry.says.modes.contains(mode);
        self.procedures.iter().filter(|entry| entry.holds_on(day)).find(of_mode)
    }

    /// The fields of knowledge, as they stand on `day`.
    pub fn fields(&self, day: Date) -> Vec<Field> {
        let holding = self.fields.iter().filter(|entry| entry.holds_on(day));
        holding.flat_map(|entry| entry.says.iter().cloned()).collect()
    }

    /// Where anybody may have mail, so that it joins nobody, as it stands on `day`.
    pub fn public_mail(&self, day: Date) -> Vec<MailDomain> {
        let holding = self.public_mail.iter().filter(|entry| entry.holds_on(day));
        holding.flat_map(|entry| entry.says.iter().cloned()).collect()
    }

    /// What must hold between the files.
    fn consistent(&self) -> Result<(), Diagnostics> {
        let mut faults = Vec::new();
        let mut fault = |(rule, at): (&RuleId, Place), key: &str, message: String| {
            let key = format!("{}.{key}", rule.entry);
            faults.push(Diagnostic { file: rule.file.clone(), at, key, message });
        };
        for mode in &self.modes {
            for group in &mode.says.countries {
                if !self.countries.iter().any(|entry| entry.rule.entry == group.as_str()) {
                    let message = format!("`{group}` is not a group of policy/countries.toml");
                    fault((&mode.rule, mode.at), "countries", message);
                }
            }
        }
        for change in &self.award_changes {
            let Whose::Mode(key) = &change.says.whose else { continue };
            if !self.modes.iter().any(|mode| mode.rule.entry == key.as_str()) {
                let message = format!("`{key}` is not an access mode of policy/access-modes.toml");
                fault((&change.rule, change.at), "mode", message);
            }
        }
        for share in &self.mode_shares {
            for key in &share.says.modes {
                if !self.modes.iter().any(|mode| mode.rule.entry == key.as_str()) {
                    let message = format!("`{key}` is not an access mode of this file");
                    fault((&share.rule, share.at), "modes", message);
                }
            }
        }
        self.reviewed(&mut fault);
        if faults.is_empty() { Ok(()) } else { Err(Diagnostics(faults)) }
    }

    /// Every mode that peers review has one procedure while it holds, and the procedures name
    /// modes that there are.
    fn reviewed(&self, fault: &mut impl FnMut((&RuleId, Place), &str, String)) {
        for mode in self.modes.iter().filter(|it| it.says.reviews.contains(&Review::Peer)) {
            let of_mode = |it: &&Entry<Procedure>| {
                it.holds_on(mode.rule.from)
                    && it.says.modes.iter().any(|key| key.as_str() == mode.rule.entry)
            };
            let found = self.procedures.iter().filter(of_mode).count();
            if found != 1 {
                let message = format!(
                    "peers review this mode, so policy/review.toml needs one procedure for it \
                     that holds on {}; it has {found}",
                    mode.rule.from
                );
                fault((&mode.rule, mode.at), "reviews", message);
            }
        }
        for entry in &self.procedures {
            for key in &entry.says.modes {
                if !self.modes.iter().any(|mode| mode.rule.entry == key.as_str()) {
                    let message = format!("`{key}` is not a mode of policy/access-modes.toml");
                    fault((&entry.rule, entry.at), "modes", message);
                }
            }
        }
    }
}

fn in_force<'e, T>(entries: &'e [Entry<T>], key: &str, day: Date) -> Option<&'e Entry<T>> {
    entries.iter().find(|entry| entry.rule.entry == key && entry.holds_on(day))
}

#[cfg(test)]
mod tests;
