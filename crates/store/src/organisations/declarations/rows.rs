//! Declarations and assessments as JSON: shares in parts per million, money in cents, staff in
//! hundredths of an annual work unit.

use access::policy::RuleId;
use std::collections::BTreeSet;

use access::sme::{
    AccountingPeriod, Addend, Assessment, Awu, Control, Enterprise, EnterpriseKind, Group, Holding,
    Line, LocalAuthority, PeriodResult, Relation, Size, SizeClass, StartUp,
};
use serde::{Deserialize, Serialize};
use units::{Cents, OrganisationId, PartsPerMillion, Slug};

use crate::StoreError;
use crate::scope::{chosen, parsed};

#[derive(Serialize, Deserialize)]
pub(crate) struct GroupRow {
    subject: String,
    members: Vec<MemberRow>,
    holdings: Vec<HoldingRow>,
}

#[derive(Serialize, Deserialize)]
struct MemberRow {
    key: String,
    name: String,
    kind: String,
    periods: Vec<PeriodRow>,
    #[serde(default)]
    markets: BTreeSet<String>,
    #[serde(default)]
    adjacent_markets: BTreeSet<String>,
    #[serde(default)]
    consolidates: Vec<String>,
    #[serde(default)]
    acts_with: Vec<String>,
    #[serde(default)]
    authority: Option<(i64, u32)>,
    #[serde(default)]
    organisation: Option<uuid::Uuid>,
}

#[derive(Serialize, Deserialize)]
struct PeriodRow {
    closed_on: String,
    size: SizeRow,
    estimated: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct SizeRow {
    headcount: u32,
    turnover: i64,
    balance_sheet: i64,
}

#[derive(Serialize, Deserialize)]
struct HoldingRow {
    holder: String,
    held: String,
    capital: u32,
    voting: u32,
    /// Declarations of before it was asked how said only whether.
    control: ControlRow,
    invested: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ControlRow {
    Whether(bool),
    How(String),
}

#[derive(Serialize, Deserialize)]
pub(super) struct AssessmentRow {
    rule: RuleRow,
    class: String,
    relation: String,
    size: SizeRow,
    public_share: u32,
    periods: Vec<ResultRow>,
    lines: Vec<LineRow>,
    start_up: StartUpRow,
}

#[derive(Serialize, Deserialize)]
struct RuleRow {
    file: String,
    entry: String,
    from: String,
}

#[derive(Serialize, Deserialize)]
struct ResultRow {
    closed_on: String,
    size: SizeRow,
    class: String,
}

#[derive(Serialize, Deserialize)]
struct LineRow {
    what: String,
    size: Option<SizeRow>,
    share: Option<u32>,
    article: String,
    #[serde(default)]
    addend: Option<AddendRow>,
}

#[derive(Serialize, Deserialize)]
struct AddendRow {
    period: String,
    member: String,
    name: String,
    relation: Option<String>,
    accounts_of: String,
    whole: SizeRow,
}

#[derive(Serialize, Deserialize)]
struct StartUpRow {
    rule: RuleRow,
    holds: bool,
    reasons: Vec<String>,
}

impl GroupRow {
    pub(crate) fn of(group: &Group) -> Self {
        let period = |period: &AccountingPeriod| PeriodRow {
            closed_on: period.closed_on.to_string(),
            size: SizeRow::of(period.size),
            estimated: period.estimated,
        };
        let members = group.members.iter().map(|(key, member)| MemberRow {
            key: key.to_string(),
            name: member.name.clone(),
            kind: member.kind.to_string(),
            periods: member.periods.iter().map(period).collect(),
            markets: member.markets.clone(),
            adjacent_markets: member.adjacent_markets.clone(),
            consolidates: member.consolidates.iter().map(Slug::to_string).collect(),
            acts_with: member.acts_with.iter().map(Slug::to_string).collect(),
            authority: member.authority.map(|it| (it.annual_budget.count(), it.inhabitants)),
            organisation: member.organisation.map(OrganisationId::uuid),
        });
        let holdings = group.holdings.iter().map(|holding| HoldingRow {
            holder: holding.holder.to_string(),
            held: holding.held.to_string(),
            capital: holding.capital.parts(),
            voting: holding.voting.parts(),
            control: holding
                .control
                .map_or(ControlRow::Whether(false), |it| ControlRow::How(it.to_string())),
            invested: holding.invested.map(Cents::count),
        });
        Self {
            subject: group.subject.to_string(),
            members: members.collect(),
            holdings: holdings.collect(),
        }
    }

    pub(crate) fn read(self) -> Result<Group, StoreError> {
        let members =
            self.members.into_iter().map(|row| Ok((parsed("key", &row.key)?, row.read()?)));
        let holdings = self.holdings.into_iter().map(HoldingRow::read);
        Ok(Group {
            subject: parsed("key", &self.subject)?,
            members: members.collect::<Result<_, StoreError>>()?,
            holdings: holdings.collect::<Result<_, _>>()?,
        })
    }
}

impl MemberRow {
    fn read(self) -> Result<Enterprise, StoreError> {
        let period = |row: PeriodRow| {
            Ok(AccountingPeriod {
                closed_on: parsed("day", &row.closed_on)?,
                size: row.size.read(),
                estimated: row.estimated,
            })
        };
        let keys = |keys: Vec<String>| {
            keys.iter().map(|key| parsed("key", key)).collect::<Result<BTreeSet<Slug>, _>>()
        };
        let authority = |(budget, inhabitants)| LocalAuthority {
            annual_budget: Cents::new(budget),
            inhabitants,
        };
        Ok(Enterprise {
            name: self.name,
            kind: chosen("kind of enterprise", &EnterpriseKind::WORDS, &self.kind)?,
            periods: self.periods.into_iter().map(period).collect::<Result<_, StoreError>>()?,
            markets: self.markets,
            adjacent_markets: self.adjacent_markets,
            consolidates: keys(self.consolidates)?,
            acts_with: keys(self.acts_with)?,
            authority: self.authority.map(authority),
            organisation: self.organisation.map(OrganisationId::from_uuid),
        })
    }
}

impl HoldingRow {
    fn read(self) -> Result<Holding, StoreError> {
        Ok(Holding {
            holder: parsed("key", &self.holder)?,
            held: parsed("key", &self.held)?,
            capital: PartsPerMillion::new(self.capital),
            voting: PartsPerMillion::new(self.voting),
            control: self.control.read()?,
            invested: self.invested.map(Cents::new),
        })
    }
}

impl ControlRow {
    fn read(self) -> Result<Option<Control>, StoreError> {
        match self {
            Self::Whether(controls) => Ok(controls.then_some(Control::Stated)),
            Self::How(word) => chosen("control", &Control::WORDS, &word).map(Some),
        }
    }
}

impl AddendRow {
    fn of(addend: &Addend) -> Self {
        Self {
            period: addend.period.to_string(),
            member: addend.member.to_string(),
            name: addend.name.clone(),
            relation: addend.relation.map(|it| it.to_string()),
            accounts_of: addend.accounts_of.to_string(),
            whole: SizeRow::of(addend.whole),
        }
    }

    fn read(self) -> Result<Addend, StoreError> {
        let relation = |word: String| chosen("relation", &Relation::WORDS, &word);
        Ok(Addend {
            period: parsed("day", &self.period)?,
            member: parsed("key", &self.member)?,
            name: self.name,
            relation: self.relation.map(relation).transpose()?,
            accounts_of: parsed("day", &self.accounts_of)?,
            whole: self.whole.read(),
        })
    }
}

impl SizeRow {
    fn of(size: Size) -> Self {
        Self {
            headcount: size.headcount.count(),
            turnover: size.turnover.count(),
            balance_sheet: size.balance_sheet.count(),
        }
    }

    const fn read(self) -> Size {
        Size {
            headcount: Awu::hundredths(self.headcount),
            turnover: Cents::new(self.turnover),
            balance_sheet: Cents::new(self.balance_sheet),
        }
    }
}

impl RuleRow {
    fn of(rule: &RuleId) -> Self {
        let RuleId { file, entry, from } = rule;
        Self { file: file.clone(), entry: entry.clone(), from: from.to_string() }
    }

    fn read(self) -> Result<RuleId, StoreError> {
        Ok(RuleId { file: self.file, entry: self.entry, from: parsed("day", &self.from)? })
    }
}

impl AssessmentRow {
    pub(super) fn of(assessment: &Assessment, start_up: &StartUp) -> Self {
        let result = |period: &PeriodResult| ResultRow {
            closed_on: period.closed_on.to_string(),
            size: SizeRow::of(period.size),
            class: period.class.to_string(),
        };
        let line = |line: &Line| LineRow {
            what: line.what.clone(),
            size: line.size.map(SizeRow::of),
            share: line.share.map(PartsPerMillion::parts),
            article: line.article.to_string(),
            addend: line.addend.as_ref().map(AddendRow::of),
        };
        Self {
            rule: RuleRow::of(&assessment.rule),
            class: assessment.class.to_string(),
            relation: assessment.relation.to_string(),
            size: SizeRow::of(assessment.size),
            public_share: assessment.public_share.parts(),
            periods: assessment.periods.iter().map(result).collect(),
            lines: assessment.lines.iter().map(line).collect(),
            start_up: StartUpRow {
                rule: RuleRow::of(&start_up.rule),
                holds: start_up.holds,
                reasons: start_up.reasons.clone(),
            },
        }
    }

    pub(super) fn read(self) -> Result<(Assessment, StartUp), StoreError> {
        let class = |text: &str| chosen("class", &SizeClass::WORDS, text);
        let result = |row: ResultRow| {
            Ok(PeriodResult {
                closed_on: parsed("day", &row.closed_on)?,
                size: row.size.read(),
                class: class(&row.class)?,
            })
        };
        let line = |row: LineRow| {
            Ok(Line {
                what: row.what,
                size: row.size.map(SizeRow::read),
                share: row.share.map(PartsPerMillion::new),
                article: row.article.into(),
                addend: row.addend.map(AddendRow::read).transpose()?,
            })
        };
        let assessment = Assessment {
            rule: self.rule.read()?,
            class: class(&self.class)?,
            relation: chosen("relation", &Relation::WORDS, &self.relation)?,
            size: self.size.read(),
            public_share: PartsPerMillion::new(self.public_share),
            periods: self.periods.into_iter().map(result).collect::<Result<_, StoreError>>()?,
            lines: self.lines.into_iter().map(line).collect::<Result<_, StoreError>>()?,
        };
        let start_up = StartUp {
            rule: self.start_up.rule.read()?,
            holds: self.start_up.holds,
            reasons: self.start_up.reasons,
        };
        Ok((assessment, start_up))
    }
}
