//! How applications are reviewed: procedures with their criteria, and the fields of knowledge.

use units::Slug;

use super::{Entry, entries};
use crate::document::{Figure, Table, Value};
use crate::review::{MailDomain, Points};

/// The order in which those that pass are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The best first.
    Score,
    /// Who came first, first.
    FirstCome,
}

impl Order {
    /// The orders, by the words that files use.
    pub const WORDS: [(&str, Self); 2] = [("score", Self::Score), ("first-come", Self::FirstCome)];
}

/// What reviewers give points for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// Its name in addresses and files.
    pub key: Slug,
    /// Its name for people.
    pub name: String,
    /// What a reviewer asks themselves.
    pub question: String,
    /// How often its points count in the sum.
    pub weight: u32,
    /// The fewest points that pass.
    pub threshold: Points,
}

/// How applications of some modes are reviewed by peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Procedure {
    /// Of which modes.
    pub modes: Vec<Slug>,
    /// How many reviews an application has.
    pub reviewers: u32,
    /// How many applications somebody takes who has not said how many.
    pub load_max: u32,
    /// The most points of a criterion.
    pub scale: Points,
    /// The fewest points in the weighted sum that pass.
    pub total_min: Points,
    /// How far apart two reviewers may be on a criterion before they must agree.
    pub apart_max: Points,
    /// In which order those that pass are served.
    pub order: Order,
    /// How many days an applicant has to answer the reviews.
    pub rebuttal_days: Figure<u32>,
    /// How many days after publication an appeal may be made.
    pub appeal_days: Figure<u32>,
    /// What a reviewer of another field of the domain costs, in applications more for one who
    /// knows the field.
    pub cost_of_domain: u32,
    /// What a reviewer of other domains costs, likewise.
    pub cost_of_other: u32,
    /// What points are given for, in order.
    pub criteria: Vec<Criterion>,
}

/// A field of knowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in files and forms.
    pub key: Slug,
    /// Its name for people.
    pub name: String,
    /// The domain it is part of.
    pub domain: Slug,
}

/// The fields of knowledge that hold together.
pub type Fields = Vec<Field>;

/// The entries of `review.toml`.
#[derive(Clone, Debug)]
pub(super) struct ReviewRules {
    pub(super) procedures: Vec<Entry<Procedure>>,
    pub(super) fields: Vec<Entry<Fields>>,
    pub(super) public_mail: Vec<Entry<Vec<MailDomain>>>,
}

pub(super) fn read(root: &Table<'_>) -> Option<ReviewRules> {
    let procedures = entries(root, "procedures", procedure);
    let fields = entries(root, "fields", fields);
    let public_mail = entries(root, "public_mail", |table| {
        table.required("domains", |value| value.list(Value::parsed))
    });
    Some(ReviewRules { procedures: procedures?, fields: fields?, public_mail: public_mail? })
}

fn procedure(table: &Table<'_>) -> Option<Procedure> {
    let days = |key| table.required(key, |value| value.figure(Value::count));
    let modes = table.required("modes", |value| value.list(Value::parsed));
    let reviewers = table.required("reviewers", Value::count);
    let load_max = table.required("load_max", Value::count);
    let scale: Option<Points> = table.required("scale", Value::parsed);
    let total_min: Option<Points> = table.required("total_min", Value::parsed);
    let apart_max = table.required("apart_max", Value::parsed);
    let order = table.required("order", |value| value.choice(&Order::WORDS));
    let (rebuttal_days, appeal_days) = (days("rebuttal_days"), days("appeal_days"));
    let cost_of_domain = table.required("cost_of_domain", Value::number);
    let cost_of_other = table.required("cost_of_other", Value::number);
    let criteria = table.required("criteria", |value| value.list(|item| item.table(criterion)));
    let procedure = Procedure {
        modes: modes?,
        reviewers: reviewers?,
        load_max: load_max?,
        scale: scale?,
        total_min: total_min?,
        apart_max: apart_max?,
        order: order?,
        rebuttal_days: rebuttal_days?,
        appeal_days: appeal_days?,
        cost_of_domain: cost_of_domain?,
        cost_of_other: cost_of_other?,
        criteria: criteria?,
    };
    sound(table, &procedure);
    Some(procedure)
}

fn criterion(table: &Table<'_>) -> Option<Criterion> {
    let key = table.required("key", Value::parsed);
    let name = table.required("name", Value::text);
    let question = table.required("question", Value::text);
    let weight = table.required("weight", Value::count);
    let threshold = table.required("threshold", Value::parsed);
    Some(Criterion {
        key: key?,
        name: name?,
        question: question?,
        weight: weight?,
        threshold: threshold?,
    })
}

/// Thresholds that can be met, criteria that can be told apart.
fn sound(table: &Table<'_>, procedure: &Procedure) {
    if procedure.criteria.is_empty() {
        table.fault_of::<()>("criteria", "needs at least one criterion");
    }
    let mut most = 0_u64;
    for (index, criterion) in procedure.criteria.iter().enumerate() {
        let scale = u64::from(procedure.scale.count());
        most = most.saturating_add(scale.saturating_mul(u64::from(criterion.weight)));
        if criterion.threshold > procedure.scale {
            let text = format!("the threshold of {} lies beyond the scale", criterion.key);
            table.fault_of::<()>("criteria", text);
        }
        let later = procedure.criteria.iter().skip(index.saturating_add(1));
        if later.into_iter().any(|other| other.key == criterion.key) {
            table.fault_of::<()>("criteria", format!("{} stands there twice", criterion.key));
        }
    }
    if u64::from(procedure.total_min.count()) > most {
        table.fault_of::<()>("total_min", "is more than all criteria together can give");
    }
}

fn fields(table: &Table<'_>) -> Option<Fields> {
    let domain: Slug = table.required("domain", Value::parsed)?;
    let named = table.required("names", |value| value.map::<Slug, String>(Value::text))?;
    let field = |(key, name)| Field { key, name, domain: domain.clone() };
    Some(named.into_iter().map(field).collect())
}
