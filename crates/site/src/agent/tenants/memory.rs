//! What was set on the books, as a file: a field that is something else was changed by hand.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use engine::Disk;
use jobs::AccountPrefix;
use jobs::tenancy::{Field, Fields, Object, Owned, Tree, Value};
use serde::{Deserialize, Serialize};
use units::AllocationId;

/// What an agent knows of what it did.
#[derive(Debug)]
pub(super) struct Memory {
    disk: Disk,
    path: PathBuf,
    /// What was set last.
    pub(super) set: Tree,
    /// Unit-seconds of an allocation that were used before its budget was made.
    pub(super) before: BTreeMap<AllocationId, u64>,
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Page {
    objects: Vec<Line>,
    before: BTreeMap<String, u64>,
}

/// An object with what was set of it.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    kind: Kind,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    login: Option<String>,
    set: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Qos,
    Account,
    Member,
}

const FIELDS: [Field; 8] = [
    Field::Parent,
    Field::Fairshare,
    Field::Ceiling,
    Field::Submit,
    Field::Qos,
    Field::Priority,
    Field::Flags,
    Field::Budget,
];

impl Memory {
    /// Reads what the agent before this one knew; what does not bear the prefix is forgotten.
    pub(super) fn open(disk: Disk, path: PathBuf, prefix: &AccountPrefix) -> io::Result<Self> {
        let page: Page = disk.read(&path)?.unwrap_or_default();
        let set = page.objects.iter().filter_map(|line| line.object(prefix)).collect();
        let before = page.before.iter().filter_map(|(id, used)| Some((id.parse().ok()?, *used)));
        let before = before.collect();
        Ok(Self { disk, path, set, before })
    }

    /// Keeps it.
    pub(super) fn keep(&self) -> io::Result<()> {
        let objects = self.set.iter().map(Line::of).collect();
        let before = self.before.iter().map(|(id, used)| (id.to_string(), *used)).collect();
        self.disk.write(&self.path, &Page { objects, before })
    }
}

impl Line {
    fn of((object, fields): (&Object, &Fields)) -> Self {
        let (kind, name, login) = match object {
            Object::Qos(name) => (Kind::Qos, name, None),
            Object::Account(name) => (Kind::Account, name, None),
            Object::Member(name, login) => (Kind::Member, name, Some(login.to_string())),
        };
        let text =
            |(field, value): (&Field, &Value)| (field.name().to_owned(), value.as_str().to_owned());
        Self { kind, name: name.to_string(), login, set: fields.iter().map(text).collect() }
    }

    fn object(&self, prefix: &AccountPrefix) -> Option<(Object, Fields)> {
        let name = Owned::claimed(prefix, &self.name)?;
        let object = match self.kind {
            Kind::Qos => Object::Qos(name),
            Kind::Account => Object::Account(name),
            Kind::Member => Object::Member(name, self.login.as_deref()?.parse().ok()?),
        };
        let known = |field: &Field| {
            let value = self.set.get(field.name())?;
            Some((*field, Value::new(value.as_str())))
        };
        Some((object, FIELDS.iter().filter_map(known).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_known_to_the_next_agent_under_the_same_prefix() {
        let folder = tempfile::tempdir().unwrap();
        let (path, prefix) = (folder.path().join("tenants.json"), AccountPrefix::default());
        let mut memory = Memory::open(Disk::default(), path.clone(), &prefix).unwrap();
        let owned = Owned::claimed(&prefix, "usine_aa").unwrap();
        let fields: Fields = FIELDS.iter().map(|it| (*it, Value::new("b=2,a=1"))).collect();
        memory.set.insert(Object::Qos(owned.clone()), fields);
        memory.set.insert(Object::Member(owned, "ada".parse().unwrap()), Fields::new());
        let id: AllocationId = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".parse().unwrap();
        memory.before.insert(id, 7);
        memory.keep().unwrap();

        let again = Memory::open(Disk::default(), path.clone(), &prefix).unwrap();
        assert_eq!((&again.set, &again.before), (&memory.set, &memory.before));
        let other: AccountPrefix = "eu7_".parse().unwrap();
        assert!(Memory::open(Disk::default(), path, &other).unwrap().set.is_empty());
    }
}
