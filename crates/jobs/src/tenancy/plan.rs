//! What is to be done about the difference between what should be and what is.

use std::collections::BTreeSet;
use std::fmt;

use super::object::{Field, Fields, Object, Tree, Value};
use super::wanted::Wanted;

/// What is to be done with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is to be made, with this.
    Create(Fields),
    /// A field is to be set.
    Set {
        /// Which.
        field: Field,
        /// What it is.
        from: Value,
        /// What it is to be.
        to: Value,
    },
}

/// Why something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not there.
    Missing,
    /// The hub, or the policy of the site, wishes otherwise than before.
    Wish,
    /// Somebody changed it by hand, and the policy is to mend that.
    Mend,
    /// The person is no member any more.
    Left,
}

impl Why {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Wish => "wish",
            Self::Mend => "mend",
            Self::Left => "left",
        }
    }
}

/// One thing to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// With what.
    pub object: Object,
    /// What.
    pub change: Change,
    /// Why.
    pub why: Why,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.change {
            Change::Create(fields) => {
                write!(f, "create {}", self.object)?;
                let set = fields.iter().filter(|(_, value)| !value.is_none());
                set.enumerate().try_for_each(|(index, (field, value))| {
                    let comma = if index == 0 { ":" } else { "," };
                    write!(f, "{comma} {} {value}", field.name())
                })
            }
            Change::Set { field, to, .. } => {
                write!(f, "set {} of {} to {to}", field.name(), self.object)
            }
        }
    }
}

/// What a change by hand is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftKind {
    /// How much may be used, held or submitted.
    Limits,
    /// Whose jobs come first.
    Shares,
    /// What there is, and how it hangs together.
    Tree,
}

impl DriftKind {
    const fn of(field: Field) -> Self {
        match field {
            Field::Ceiling | Field::Submit | Field::Budget | Field::Flags => Self::Limits,
            Field::Fairshare | Field::Priority => Self::Shares,
            Field::Parent | Field::Qos => Self::Tree,
        }
    }

    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::Shares => "shares",
            Self::Tree => "tree",
        }
    }
}

/// What becomes of a change by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// It is undone.
    Mend,
    /// It stays, and counts as agreed.
    Accept,
    /// It stays, and is shown until somebody sees to it.
    Report,
}

impl Response {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mend => "mend",
            Self::Accept => "accept",
            Self::Report => "report",
        }
    }
}

/// What becomes of changes by hand, by what they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriftPolicy {
    /// Of limits.
    pub limits: Response,
    /// Of shares and priorities.
    pub shares: Response,
    /// Of what there is.
    pub tree: Response,
}

impl DriftPolicy {
    const fn of(&self, kind: DriftKind) -> Response {
        match kind {
            DriftKind::Limits => self.limits,
            DriftKind::Shares => self.shares,
            DriftKind::Tree => self.tree,
        }
    }
}

/// Something that somebody changed by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// What.
    pub object: Object,
    /// Which field, with what it was set to and what it is; `None` where the object itself came or
    /// went.
    pub field: Option<(Field, Value, Value)>,
    /// What it is about.
    pub kind: DriftKind,
    /// What becomes of it.
    pub response: Response,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some((field, set, found)) => {
                write!(f, "{} of {} was set to {set} and is {found}", field.name(), self.object)
            }
            None => write!(f, "{} came or went by hand", self.object),
        }
    }
}

/// What is to be done, in this order, and what was done by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be done.
    pub steps: Vec<Step>,
    /// What was done by hand.
    pub drift: Vec<Drift>,
}

impl Plan {
    /// Whether the site is as it should be, but for what its policy accepts.
    pub fn agrees(&self) -> bool {
        self.steps.is_empty() && self.drift.iter().all(|it| it.response == Response::Accept)
    }
}

/// Compares what should be with what was `found`, given what was `set` last: a field that is not what
/// it was set to was changed by hand, every other difference is a new wish.
pub fn plan(wanted: &Wanted, found: &Tree, set: &Tree, policy: &DriftPolicy) -> Plan {
    let mut plan = Plan::default();
    let mut absent = BTreeSet::new();
    for (object, fields) in &wanted.0 {
        match found.get(object) {
            Some(has) => {
                let known = set.get(object);
                for (field, to) in fields {
                    let is = has.get(field).cloned().unwrap_or_default();
                    let was = known.and_then(|known| known.get(field));
                    plan.compare((object, *field), to, (is, was), policy);
                }
            }
            None if rests_on(object, fields, &absent) => {
                absent.insert(object.clone());
            }
            None => plan.restore((object, fields), set, policy, &mut absent),
        }
    }
    plan.see_to_others(wanted, found, set, policy);
    plan
}

impl Plan {
    fn compare(
        &mut self,
        (object, field): (&Object, Field),
        to: &Value,
        (is, was): (Value, Option<&Value>),
        policy: &DriftPolicy,
    ) {
        if is == *to {
            return;
        }
        let why = match was {
            Some(was) if *was != is => {
                let kind = DriftKind::of(field);
                let response = policy.of(kind);
                let told = Some((field, was.clone(), is.clone()));
                self.drift.push(Drift { object: object.clone(), field: told, kind, response });
                if response != Response::Mend {
                    return;
                }
                Why::Mend
            }
            Some(_) | None => Why::Wish,
        };
        let change = Change::Set { field, from: is, to: to.clone() };
        self.steps.push(Step { object: object.clone(), change, why });
    }

    /// Sees to what is not there: what was made before has been removed by hand.
    fn restore(
        &mut self,
        (object, fields): (&Object, &Fields),
        set: &Tree,
        policy: &DriftPolicy,
        absent: &mut BTreeSet<Object>,
    ) {
        let mut why = Why::Missing;
        if set.contains_key(object) {
            // What is not there cannot be accepted: nothing could run.
            let response = match policy.tree {
                Response::Mend => Response::Mend,
                Response::Accept | Response::Report => Response::Report,
            };
            let (object, kind) = (object.clone(), DriftKind::Tree);
            self.drift.push(Drift { object: object.clone(), field: None, kind, response });
            if response == Response::Report {
                absent.insert(object);
                return;
            }
            why = Why::Mend;
        }
        let change = Change::Create(fields.clone());
        self.steps.push(Step { object: object.clone(), change, why });
    }

    /// Sees to what bears the prefix and is not wanted: who left may submit nothing any more, and
    /// what nobody here ever made is shown.
    fn see_to_others(&mut self, wanted: &Wanted, found: &Tree, set: &Tree, policy: &DriftPolicy) {
        let known: BTreeSet<&Object> = wanted.0.iter().map(|(object, _)| object).collect();
        for (object, fields) in found.iter().filter(|(object, _)| !known.contains(object)) {
            let closed = Value::new("0");
            let is_member = matches!(object, Object::Member(..));
            // Qualities of service may belong to another cluster of the same database.
            let passed_over = matches!(object, Object::Qos(_));
            if passed_over || (is_member && fields.get(&Field::Submit) == Some(&closed)) {
                continue;
            }
            let close = |why| {
                let from = fields.get(&Field::Submit).cloned().unwrap_or_default();
                let change = Change::Set { field: Field::Submit, from, to: closed.clone() };
                Step { object: object.clone(), change, why }
            };
            if set.contains_key(object) {
                self.steps.extend(is_member.then(|| close(Why::Left)));
                continue;
            }
            let (kind, response) = (DriftKind::Tree, policy.tree);
            // An account of nobody's is not ours to change: it may hold what somebody needs.
            let response =
                if is_member || response != Response::Mend { response } else { Response::Report };
            self.drift.push(Drift { object: object.clone(), field: None, kind, response });
            if response == Response::Mend {
                self.steps.push(close(Why::Mend));
            }
        }
    }
}

/// Whether an object cannot be there because of what it rests on.
fn rests_on(object: &Object, fields: &Fields, absent: &BTreeSet<Object>) -> bool {
    absent.iter().any(|gone| match (object, gone) {
        (Object::Member(account, _), Object::Account(gone)) => account == gone,
        (Object::Account(_), Object::Account(gone)) => names(fields, Field::Parent, gone.as_str()),
        (Object::Account(_), Object::Qos(gone)) => names(fields, Field::Qos, gone.as_str()),
        _ => false,
    })
}

fn names(fields: &Fields, field: Field, name: &str) -> bool {
    fields.get(&field).is_some_and(|value| value.as_str() == name)
}

/// What is as it should be counts as set, be it by whom it may.
pub fn agreed(wanted: &Wanted, found: &Tree, set: &mut Tree) {
    for (object, fields) in &wanted.0 {
        let Some(has) = found.get(object) else { continue };
        let is = |field: &Field| has.get(field).cloned().unwrap_or_default();
        for (field, to) in fields.iter().filter(|(field, to)| is(field) == **to) {
            set.entry(object.clone()).or_default().insert(*field, to.clone());
        }
    }
}

/// The tree after a step.
pub fn carry_out(step: &Step, tree: &mut Tree) {
    let fields = tree.entry(step.object.clone()).or_default();
    match &step.change {
        Change::Create(all) => fields.extend(all.clone()),
        Change::Set { field, to, .. } => {
            fields.insert(*field, to.clone());
        }
    }
}
