//! What should be on the books of a site, by who has hours there and by the site's own policy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use units::{AllocationId, ProjectId, Slug};

use super::object::{Field, Fields, Login, Object, Owned, Tree, Value};
use crate::AccountPrefix;

/// Where an allocation stands at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its jobs run.
    Active,
    /// Its jobs run behind all others, and within a narrower ceiling.
    Downscaled,
    /// Nothing may be submitted, for now.
    Paused,
    /// It has not begun, or is over: nothing may be submitted.
    Closed,
}

/// An allocation, as the hub wishes it at a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which.
    pub allocation: AllocationId,
    /// Whose.
    pub project: ProjectId,
    /// The access mode that it was granted under.
    pub mode: Slug,
    /// Where it stands.
    pub standing: Standing,
    /// Unit-seconds that were granted.
    pub granted_seconds: u64,
    /// Unit-seconds that are used.
    pub used_seconds: u64,
    /// Those who may use it, by their logins here.
    pub members: BTreeSet<Login>,
}

/// A name of something that Slurm counts, such as `gres/gpu`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource(String);

/// The text names no resource, or no amounts of some.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not what Slurm counts, such as gres/gpu, or amounts of it, such as gres/gpu=64,cpu=512"
)]
pub struct NotAResource(pub String);

impl FromStr for Resource {
    type Err = NotAResource;

    fn from_str(text: &str) -> Result<Self, NotAResource> {
        let fine =
            |mark: u8| mark.is_ascii_lowercase() || mark.is_ascii_digit() || b"/:_".contains(&mark);
        let begins = text.bytes().next().is_some_and(|mark| mark.is_ascii_lowercase());
        if begins && text.len() <= 40 && text.bytes().all(fine) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAResource(text.to_owned()))
        }
    }
}

/// Amounts of resources, such as `gres/gpu=64,cpu=512`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources(Value);

impl FromStr for Resources {
    type Err = NotAResource;

    fn from_str(text: &str) -> Result<Self, NotAResource> {
        let part = |part: &str| {
            let (name, amount) = part.split_once('=')?;
            let counts = !amount.is_empty()
                && amount.len() <= 15
                && amount.bytes().all(|mark| mark.is_ascii_digit());
            (counts && name.trim().parse::<Resource>().is_ok()).then_some(())
        };
        if text.split(',').all(|one| part(one.trim()).is_some()) {
            Ok(Self(Value::new(text)))
        } else {
            Err(NotAResource(text.to_owned()))
        }
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// What a site grants a class of allocations: its floor and its ceiling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub key: Slug,
    /// The access modes that belong to it.
    pub modes: BTreeSet<Slug>,
    /// The priority of its jobs.
    pub priority: u32,
    /// Its part of what all classes share: what it can count on while others want the machine.
    pub fairshare: u32,
    /// What its jobs may hold at once, together; not bounded where empty.
    pub ceiling: Resources,
}

/// How a site wants to have the hub's allocations on its books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What all names begin with.
    pub prefix: AccountPrefix,
    /// The site's account above those of Usine.
    pub parent: String,
    /// What budgets are counted in.
    pub resource: Resource,
    /// How much of that a unit of the partition's meter is.
    pub per_unit: u32,
    /// The classes. What belongs to none has neither priority nor ceiling.
    pub classes: Vec<Class>,
    /// The ceiling of an allocation that is downscaled.
    pub downscaled: Resources,
}

/// What should be there: accounts after those above them, and after their quality of service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted(pub Vec<(Object, Fields)>);

/// The class of allocations that belong to none.
const OTHER: &str = "other";

/// What should be on the books. `found` are those that are there, and `before` is what was used of an
/// allocation by the time its budget was made, which the scheduler has not counted.
pub fn wanted(
    policy: &Policy,
    wishes: &[Wish],
    (found, before): (&Tree, &BTreeMap<AllocationId, u64>),
) -> Wanted {
    let named = |name: String| Owned::claimed(&policy.prefix, &name);
    let Some(top) = named(format!("{}all", policy.prefix)) else { return Wanted::default() };
    let mut accounts = vec![account(&top, &policy.parent, 1, &Resources::default())];
    let (mut qos, mut projects, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
    let (mut members, mut seen) = (Vec::new(), BTreeSet::new());
    for wish in wishes {
        let class = policy.classes.iter().find(|class| class.modes.contains(&wish.mode));
        let key = class.map_or(OTHER, |class| class.key.as_str());
        let above = named(format!("{}c_{key}", policy.prefix));
        let project = named(format!("{}_{key}", policy.prefix.of_project(wish.project)));
        let own = named(policy.prefix.of_allocation(wish.allocation));
        let (Some(above), Some(project), Some(own)) = (above, project, own) else { continue };
        if seen.insert(above.clone()) {
            let fairshare = class.map_or(1, |class| class.fairshare);
            let ceiling = class.map(|class| class.ceiling.clone()).unwrap_or_default();
            accounts.push(account(&above, top.as_str(), fairshare, &ceiling));
        }
        if seen.insert(project.clone()) {
            projects.push(account(&project, above.as_str(), 1, &Resources::default()));
        }
        let known = found.contains_key(&Object::Qos(own.clone()));
        let uncounted = before.get(&wish.allocation).copied();
        let uncounted = uncounted.unwrap_or(if known { 0 } else { wish.used_seconds });
        let minutes = minutes(policy, wish.granted_seconds.saturating_sub(uncounted));
        qos.push(budget(policy, (wish, class), &own, minutes));
        leaves.push(leaf(&own, &project, wish.standing));
        let submit = || Fields::from([(Field::Submit, Value::default())]);
        let member = |login: &Login| (Object::Member(own.clone(), login.clone()), submit());
        members.extend(wish.members.iter().map(member));
    }
    Wanted([qos, accounts, projects, leaves, members].concat())
}

fn account(name: &Owned, parent: &str, share: u32, ceiling: &Resources) -> (Object, Fields) {
    let fields = [
        (Field::Parent, Value::new(parent)),
        (Field::Fairshare, Value::new(share.to_string())),
        (Field::Ceiling, ceiling.0.clone()),
    ];
    (Object::Account(name.clone()), Fields::from(fields))
}

/// The account of an allocation, below that of its project.
fn leaf(own: &Owned, project: &Owned, standing: Standing) -> (Object, Fields) {
    let submit = match standing {
        Standing::Active | Standing::Downscaled => Value::default(),
        Standing::Paused | Standing::Closed => Value::new("0"),
    };
    let fields = [
        (Field::Parent, Value::new(project.as_str())),
        (Field::Submit, submit),
        (Field::Qos, Value::new(own.as_str())),
    ];
    (Object::Account(own.clone()), Fields::from(fields))
}

/// The quality of service that bounds what an allocation may use in all. It does not decay: hours
/// that were used are used.
fn budget(
    policy: &Policy,
    (wish, class): (&Wish, Option<&Class>),
    own: &Owned,
    minutes: u64,
) -> (Object, Fields) {
    let (priority, ceiling) = match wish.standing {
        Standing::Downscaled => (0, policy.downscaled.clone()),
        Standing::Active | Standing::Paused | Standing::Closed => {
            (class.map_or(0, |class| class.priority), Resources::default())
        }
    };
    let fields = [
        (Field::Priority, Value::new(priority.to_string())),
        (Field::Flags, Value::new("NoDecay")),
        (Field::Budget, Value::new(format!("{}={minutes}", policy.resource.0))),
        (Field::Ceiling, ceiling.0),
    ];
    (Object::Qos(own.clone()), Fields::from(fields))
}

/// Unit-seconds as minutes of what budgets are counted in; a minute that was begun counts in full.
fn minutes(policy: &Policy, seconds: u64) -> u64 {
    seconds.saturating_mul(u64::from(policy.per_unit)).div_ceil(60)
}
