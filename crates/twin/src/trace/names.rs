//! Names that occur again and again, kept once.

use std::collections::BTreeMap;

/// A name of one log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameId(u32);

impl NameId {
    /// The name that is empty, for what a log does not say.
    pub const NONE: Self = Self(0);

    /// A small number, below the count of names of the log.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names of one log; the first is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    names: Vec<String>,
    ids: BTreeMap<String, NameId>,
}

impl Default for Names {
    fn default() -> Self {
        Self { names: vec![String::new()], ids: BTreeMap::from([(String::new(), NameId::NONE)]) }
    }
}

impl Names {
    /// The number of `name`, which is given one when it is new.
    pub fn id(&mut self, name: &str) -> NameId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = NameId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// The name with this number.
    pub fn name(&self, id: NameId) -> &str {
        self.names.get(id.index()).map_or("", String::as_str)
    }

    /// How many names there are, the empty one included.
    pub fn count(&self) -> usize {
        self.names.len()
    }
}
