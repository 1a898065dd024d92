//! State aid: what an award of free hours is worth to an undertaking, and the register of it.

use std::collections::{BTreeMap, BTreeSet};

use access::aid::{AidLine, Granted, single_undertaking};
use access::organisation::{Organisation, OrganisationKind};
use access::policy::SmeDefinition;
use access::sme::Group;
use jiff::civil::Date;
use store::Tx;
use store::aid as records;
use units::{AllocationId, Cents, CountryCode, OrganisationId, PartitionKey, Timestamp};

use crate::audit::Entry;
use crate::{Action, Actor, App, Error, FieldError};

pub use store::aid::{AidFilter, AidRecord};

/// The most lines on one page.
const PAGE_MAX: u32 = 200;
/// The most lines of an export.
const EXPORT_MAX: u32 = 1_000_000;
/// The longest name of an authority or an instrument, in characters.
const TEXT_LENGTH_MAX: usize = 200;
/// The most that one line may declare.
const CENTS_MAX: i64 = 100_000_000_000;
/// The most organisations that are followed from one to the next.
const UNDERTAKING_MAX: usize = 500;
/// In which form hours are granted.
const INSTRUMENT: &str = "service in kind: access time";

/// Aid that an organisation has received from somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherAid {
    /// The Member State whose aid it is.
    pub state: CountryCode,
    /// The day on which it was granted.
    pub granted_on: Date,
    /// Its gross grant equivalent.
    pub amount: Cents,
    /// Who granted it.
    pub authority: String,
    /// In which form.
    pub instrument: String,
}

impl App {
    /// Enters aid that the organisation has received elsewhere (Article 6 of the Regulation).
    ///
    /// # Errors
    /// When the actor may not, or what is declared cannot be.
    pub async fn declare_aid(
        &self,
        actor: &Actor,
        id: OrganisationId,
        aid: OtherAid,
    ) -> Result<AidRecord, Error> {
        let tx = self.store().write().await?;
        let organisation =
            self.organisation_for(&tx, actor, (Action::DeclareOrganisation, id)).await?;
        let now = self.now();
        sound(&aid, access::day_in_brussels(now))?;
        let line = AidLine {
            beneficiary: id,
            state: aid.state,
            granted_on: aid.granted_on,
            amount: aid.amount,
            authority: aid.authority.trim().to_owned(),
            instrument: aid.instrument.trim().to_owned(),
            sector: branch(&organisation),
            allocation: None,
        };
        let record = self.enter_aid(&tx, actor, (&organisation, line), ("declared", now)).await?;
        tx.commit().await?;
        Ok(record)
    }

    /// All aid on record of the organisation and of those that are one undertaking with it.
    ///
    /// # Errors
    /// When there is no organisation that the actor may see.
    pub async fn aid_of(&self, actor: &Actor, id: OrganisationId) -> Result<Vec<AidRecord>, Error> {
        let tx = self.store().read().await?;
        self.organisation_for(&tx, actor, (Action::ViewOrganisation, id)).await?;
        let mut records = Vec::new();
        for member in self.undertaking(&tx, id).await? {
            records.extend(records::of_organisation(&tx, member).await?);
        }
        records.sort_by_key(|record| (record.line.granted_on, record.id));
        Ok(records)
    }

    /// One page of the register, the newest entry first.
    ///
    /// # Errors
    /// When the actor may not see it.
    pub async fn aid_register(
        &self,
        actor: &Actor,
        filter: &AidFilter,
        limit: u32,
    ) -> Result<Vec<AidRecord>, Error> {
        actor.may(Action::ViewAidRegister, &[])?;
        let tx = self.store().read().await?;
        Ok(records::register(&tx, filter, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// A part of the register as a national authority takes it in: CSV with a heading, one row a
    /// grant, in the order of the days.
    ///
    /// # Errors
    /// When the actor may not see it.
    pub async fn export_aid(&self, actor: &Actor, filter: &AidFilter) -> Result<String, Error> {
        actor.may(Action::ViewAidRegister, &[])?;
        let tx = self.store().read().await?;
        let mut found = records::register(&tx, filter, EXPORT_MAX).await?;
        found.sort_by_key(|record| (record.line.granted_on, record.id));
        Ok(as_csv(&found))
    }

    /// The organisation with all that are one undertaking with it, by what they or the others
    /// declare, through any chain.
    pub(crate) async fn undertaking(
        &self,
        tx: &Tx,
        id: OrganisationId,
    ) -> Result<BTreeSet<OrganisationId>, Error> {
        let mut found = self.undertakings(tx, &BTreeSet::from([id])).await?;
        Ok(found.remove(&id).unwrap_or_else(|| BTreeSet::from([id])))
    }

    /// The undertaking of each of these organisations, read together: as many times as the longest
    /// chain is long.
    pub(crate) async fn undertakings(
        &self,
        tx: &Tx,
        ids: &BTreeSet<OrganisationId>,
    ) -> Result<BTreeMap<OrganisationId, BTreeSet<OrganisationId>>, Error> {
        let mut next_to = BTreeMap::<_, BTreeSet<OrganisationId>>::new();
        let mut seen = ids.clone();
        let mut open: Vec<OrganisationId> = ids.iter().copied().collect();
        let most = ids.len().saturating_mul(UNDERTAKING_MAX);
        while !open.is_empty() && seen.len() <= most {
            let pairs = records::next_in_undertaking(tx, &open).await?;
            open.clear();
            for (one, other) in pairs {
                next_to.entry(one).or_default().insert(other);
                if seen.insert(other) {
                    open.push(other);
                }
            }
        }
        Ok(ids.iter().map(|id| (*id, connected(*id, &next_to))).collect())
    }

    /// Puts on record with whom an organisation is one undertaking, by its declaration.
    pub(crate) async fn declare_undertaking(
        &self,
        tx: &Tx,
        organisation: &Organisation,
        (group, definition): (&Group, &SmeDefinition),
    ) -> Result<(), Error> {
        let mut others = single_undertaking(group, definition);
        others.remove(&organisation.id);
        Ok(records::set_undertaking(tx, organisation, &others).await?)
    }

    /// All aid on record of the organisation and of those that are one undertaking with it.
    pub(crate) async fn aid_on_record(
        &self,
        tx: &Tx,
        organisation: &Organisation,
    ) -> Result<Vec<AidLine>, Error> {
        let mut lines = Vec::new();
        if organisation.kind == OrganisationKind::Enterprise {
            for member in self.undertaking(tx, organisation.id).await? {
                let of_member = records::of_organisation(tx, member).await?;
                lines.extend(of_member.into_iter().map(|record| record.line));
            }
        }
        Ok(lines)
    }

    /// Enters the aid of `state` that an award on `partition` is.
    pub(crate) async fn enter_award(
        &self,
        tx: &Tx,
        organisation: &Organisation,
        (granted, state): (&Granted, CountryCode),
        (allocation, partition): (AllocationId, &PartitionKey),
    ) -> Result<(), Error> {
        let now = self.now();
        let host = self.rules().federation.partition(partition);
        let host = host.map_or("the federation", |(factory, ..)| &factory.hosting_entity);
        let line = AidLine {
            beneficiary: organisation.id,
            state,
            granted_on: access::day_in_brussels(now),
            amount: granted.amount(),
            authority: format!("{host} for {state}"),
            instrument: INSTRUMENT.to_owned(),
            sector: branch(organisation),
            allocation: Some(allocation),
        };
        let rule = granted.rule().to_string();
        self.enter_aid(tx, &Actor::system(), (organisation, line), (&rule, now)).await?;
        Ok(())
    }

    async fn enter_aid(
        &self,
        tx: &Tx,
        actor: &Actor,
        (organisation, line): (&Organisation, AidLine),
        (rule, now): (&str, Timestamp),
    ) -> Result<AidRecord, Error> {
        let (id, by) = (self.clock().mint(), actor.subject().to_string());
        records::enter(tx, &line, records::Entering { id, rule, by: &by, at: now }).await?;
        let entry = Entry {
            action: "aid.enter",
            object: &format!("organisation:{}", organisation.id),
            rule,
            detail: &line.to_string(),
        };
        self.audit(tx, actor, entry).await?;
        Ok(AidRecord {
            id,
            line,
            rule: rule.to_owned(),
            entered_by: by,
            entered_at: now,
            name: organisation.name.clone(),
            registration: organisation.registration.clone(),
            country: organisation.country,
        })
    }
}

/// Who is connected with `id`, through any chain.
fn connected(
    id: OrganisationId,
    next_to: &BTreeMap<OrganisationId, BTreeSet<OrganisationId>>,
) -> BTreeSet<OrganisationId> {
    let mut found = BTreeSet::from([id]);
    let mut open = vec![id];
    while let Some(next) = open.pop() {
        for other in next_to.get(&next).into_iter().flatten() {
            if found.len() < UNDERTAKING_MAX && found.insert(*other) {
                open.push(*other);
            }
        }
    }
    found
}

impl Actor {
    /// Whether they may see the register of aid.
    pub fn sees_aid(&self) -> bool {
        self.can(Action::ViewAidRegister, &[])
    }
}

fn sound(aid: &OtherAid, today: Date) -> Result<(), Error> {
    let mut faults = Vec::new();
    for (field, text) in [("authority", &aid.authority), ("instrument", &aid.instrument)] {
        let length = text.trim().chars().count();
        if length == 0 || length > TEXT_LENGTH_MAX || text.chars().any(char::is_control) {
            let allowed = format!("write 1 to {TEXT_LENGTH_MAX} characters in one line");
            faults.push(FieldError::new(field, allowed));
        }
    }
    if !(1..=CENTS_MAX).contains(&aid.amount.count()) {
        faults.push(FieldError::new("amount_cents", format!("from 1 to {CENTS_MAX}")));
    }
    if aid.granted_on > today {
        faults.push(FieldError::new("granted_on", "lies in the future"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// The columns that Article 6(1) of the Regulation asks for, and what they come from.
const HEADING: &str = "beneficiary,identifier,country,amount_eur,granted_on,member_state,authority,\
                       instrument,sector_nace,regulation,entry,entered_at";

fn as_csv(records: &[AidRecord]) -> String {
    let mut text = format!("{HEADING}\n");
    for record in records {
        let (line, cents) = (&record.line, record.line.amount.count());
        let cells = [
            record.name.clone(),
            record.registration.clone().unwrap_or_default(),
            record.country.to_string(),
            format!("{}.{:02}", cents.div_euclid(100), cents.rem_euclid(100)),
            line.granted_on.to_string(),
            line.state.to_string(),
            line.authority.clone(),
            line.instrument.clone(),
            line.sector.clone().unwrap_or_default(),
            "Regulation (EU) 2023/2831".to_owned(),
            record.id.to_string(),
            record.entered_at.to_string(),
        ];
        text.push_str(&cells.map(|cell| quoted(&cell)).join(","));
        text.push('\n');
    }
    text
}

/// A cell as RFC 4180 has it; what a spreadsheet would take for a formula begins with a quote.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if guard.is_empty() && !cell.contains([',', '"', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

/// The branch of an organisation as authorities ask for it: by its code, or in its own words.
fn branch(organisation: &Organisation) -> Option<String> {
    let code = organisation.nace.as_ref().map(ToString::to_string);
    code.or_else(|| organisation.sector.clone())
}

#[cfg(test)]
mod tests;
