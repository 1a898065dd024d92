//! The facts of a decision as JSON: instants to the nanosecond, amounts in unit-seconds and cents.

use std::collections::BTreeMap;

use access::aid::AidLine;
use access::allocation::Promised;
use access::application::{Asker, Draft, Facts, Ground, PoolLeft};
use access::call::Call;
use access::organisation::OrganisationKind;
use serde::{Deserialize, Serialize};
use units::{AllocationId, CallId, Cents, OrganisationId, PoolId, ProjectId, Work};
use uuid::Uuid;

use crate::StoreError;
use crate::calls::rule;
use crate::organisations::GroupRow;
use crate::scope::{chosen, parsed};

#[derive(Serialize, Deserialize)]
pub(super) struct FactsRow {
    now: String,
    call: CallRow,
    draft: DraftRow,
    #[serde(default)]
    granted: Option<u32>,
    asker: AskerRow,
    open_awards: u32,
    ground: Option<GroundRow>,
    aid: Vec<AidRow>,
}

#[derive(Serialize, Deserialize)]
struct CallRow {
    id: Uuid,
    key: String,
    title: String,
    mode: String,
    rule: String,
    partitions: Vec<String>,
    opens_at: String,
    closes_at: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct DraftRow {
    project: Option<Uuid>,
    title: String,
    purpose: String,
    partition: Option<String>,
    hours: Option<u32>,
    months: Option<u32>,
    duties_accepted: bool,
    #[serde(default)]
    fields: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct AskerRow {
    organisation: Uuid,
    kind: String,
    country: String,
    registered_on: Option<String>,
    declared: Option<(GroupRow, String)>,
}

#[derive(Serialize, Deserialize)]
struct GroundRow {
    host: String,
    units: Option<u64>,
    meter: String,
    pools: Vec<PoolRow>,
}

#[derive(Serialize, Deserialize)]
struct PoolRow {
    id: Uuid,
    payer: String,
    opened: i64,
    left: i64,
    granted: BTreeMap<String, i64>,
    /// Likely to be used, and delivered; missing in records from before November 2026.
    #[serde(default)]
    promised: Option<(i64, i64)>,
}

#[derive(Serialize, Deserialize)]
struct AidRow {
    beneficiary: Uuid,
    state: String,
    granted_on: String,
    cents: i64,
    authority: String,
    instrument: String,
    sector: Option<String>,
    allocation: Option<Uuid>,
}

impl FactsRow {
    pub(super) fn of(facts: &Facts) -> Self {
        let Asker { organisation, kind, country, registered_on, declared } = &facts.asker;
        Self {
            now: facts.now.to_string(),
            call: CallRow::of(&facts.call),
            draft: DraftRow::of(&facts.draft),
            granted: facts.granted,
            asker: AskerRow {
                organisation: organisation.uuid(),
                kind: kind.to_string(),
                country: country.to_string(),
                registered_on: registered_on.map(|day| day.to_string()),
                declared: declared
                    .as_ref()
                    .map(|(group, on)| (GroupRow::of(group), on.to_string())),
            },
            open_awards: facts.open_awards,
            ground: facts.ground.as_ref().map(|ground| GroundRow {
                host: ground.host.to_string(),
                units: ground.units,
                meter: ground.meter.to_string(),
                pools: ground.pools.iter().map(PoolRow::of).collect(),
            }),
            aid: facts.aid.iter().map(AidRow::of).collect(),
        }
    }

    pub(super) fn read(self) -> Result<Facts, StoreError> {
        let declared = |(group, on): (GroupRow, String)| {
            Ok::<_, StoreError>((group.read()?, parsed("day of declaration", &on)?))
        };
        let registered_on = self.asker.registered_on;
        let registered_on = registered_on.map(|day| parsed("day of registration", &day));
        let ground = |row: GroundRow| {
            Ok::<_, StoreError>(Ground {
                host: parsed("country", &row.host)?,
                units: row.units,
                meter: parsed("meter", &row.meter)?,
                pools: row.pools.into_iter().map(PoolRow::read).collect::<Result<_, _>>()?,
            })
        };
        Ok(Facts {
            now: parsed("instant", &self.now)?,
            call: self.call.read()?,
            draft: self.draft.read()?,
            granted: self.granted,
            asker: Asker {
                organisation: OrganisationId::from_uuid(self.asker.organisation),
                kind: chosen("kind of organisation", &OrganisationKind::WORDS, &self.asker.kind)?,
                country: parsed("country", &self.asker.country)?,
                registered_on: registered_on.transpose()?,
                declared: self.asker.declared.map(declared).transpose()?,
            },
            open_awards: self.open_awards,
            ground: self.ground.map(ground).transpose()?,
            aid: self.aid.into_iter().map(AidRow::read).collect::<Result<_, _>>()?,
        })
    }
}

impl CallRow {
    fn of(call: &Call) -> Self {
        Self {
            id: call.id.uuid(),
            key: call.key.to_string(),
            title: call.title.clone(),
            mode: call.mode.to_string(),
            rule: call.rule.to_string(),
            partitions: call.partitions.iter().map(ToString::to_string).collect(),
            opens_at: call.opens_at.to_string(),
            closes_at: call.closes_at.map(|at| at.to_string()),
        }
    }

    fn read(self) -> Result<Call, StoreError> {
        let partitions = self.partitions.iter().map(|key| parsed("partition", key));
        let closes_at = self.closes_at.map(|at| parsed("instant", &at));
        Ok(Call {
            id: CallId::from_uuid(self.id),
            key: parsed("call", &self.key)?,
            title: self.title,
            mode: parsed("access mode", &self.mode)?,
            rule: rule(&self.rule)?,
            partitions: partitions.collect::<Result<_, _>>()?,
            opens_at: parsed("instant", &self.opens_at)?,
            closes_at: closes_at.transpose()?,
        })
    }
}

impl DraftRow {
    fn of(draft: &Draft) -> Self {
        Self {
            project: draft.project.map(ProjectId::uuid),
            title: draft.title.clone(),
            purpose: draft.purpose.clone(),
            partition: draft.partition.as_ref().map(ToString::to_string),
            hours: draft.hours,
            months: draft.months,
            duties_accepted: draft.duties_accepted,
            fields: draft.fields.iter().map(ToString::to_string).collect(),
        }
    }

    fn read(self) -> Result<Draft, StoreError> {
        let partition = self.partition.map(|key| parsed("partition", &key));
        let fields = self.fields.iter().map(|key| parsed("field of knowledge", key));
        Ok(Draft {
            project: self.project.map(ProjectId::from_uuid),
            title: self.title,
            purpose: self.purpose,
            partition: partition.transpose()?,
            hours: self.hours,
            months: self.months,
            duties_accepted: self.duties_accepted,
            fields: fields.collect::<Result<_, _>>()?,
            team: Vec::new(),
        })
    }
}

impl PoolRow {
    fn of(pool: &PoolLeft) -> Self {
        let granted = pool.granted.iter().map(|(mode, work)| (mode.to_string(), work.count()));
        Self {
            id: pool.id.uuid(),
            payer: pool.payer.to_string(),
            opened: pool.opened.count(),
            left: pool.left.count(),
            granted: granted.collect(),
            promised: pool.promised.map(|it| (it.likely.count(), it.delivered.count())),
        }
    }

    fn read(self) -> Result<PoolLeft, StoreError> {
        let granted = self.granted.into_iter();
        let granted =
            granted.map(|(mode, work)| Ok((parsed("access mode", &mode)?, Work::seconds(work))));
        Ok(PoolLeft {
            id: PoolId::from_uuid(self.id),
            payer: parsed("payer", &self.payer)?,
            opened: Work::seconds(self.opened),
            left: Work::seconds(self.left),
            granted: granted.collect::<Result<_, StoreError>>()?,
            promised: self.promised.map(|(likely, delivered)| Promised {
                likely: Work::seconds(likely),
                delivered: Work::seconds(delivered),
            }),
        })
    }
}

impl AidRow {
    fn of(line: &AidLine) -> Self {
        Self {
            beneficiary: line.beneficiary.uuid(),
            state: line.state.to_string(),
            granted_on: line.granted_on.to_string(),
            cents: line.amount.count(),
            authority: line.authority.clone(),
            instrument: line.instrument.clone(),
            sector: line.sector.clone(),
            allocation: line.allocation.map(AllocationId::uuid),
        }
    }

    fn read(self) -> Result<AidLine, StoreError> {
        Ok(AidLine {
            beneficiary: OrganisationId::from_uuid(self.beneficiary),
            state: parsed("state", &self.state)?,
            granted_on: parsed("day", &self.granted_on)?,
            amount: Cents::new(self.cents),
            authority: self.authority,
            instrument: self.instrument,
            sector: self.sector,
            allocation: self.allocation.map(AllocationId::from_uuid),
        })
    }
}
