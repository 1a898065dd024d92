//! What a reader may see: reads that are shown to people take a [`Scope`].

use sea_orm::Value;
use units::{OrganisationId, PartitionKey, ProjectId};

/// What a reader may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Everything,
    /// What lies in any of these.
    Within {
        /// Organisations, with all that is theirs.
        organisations: Vec<OrganisationId>,
        /// Projects, with all that is theirs.
        projects: Vec<ProjectId>,
        /// Partitions, with what was asked or granted there.
        partitions: Vec<PartitionKey>,
    },
}

/// The columns by which a table lies in a scope; a column that it lacks matches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Columns {
    pub(crate) organisation: Option<&'static str>,
    pub(crate) project: Option<&'static str>,
    /// A condition with `{}` for a list of partitions.
    pub(crate) partition: Option<&'static str>,
}

/// Conditions of a statement, with their values.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    all: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// Demands that a row lies in `scope`.
    pub(crate) fn within(scope: &Scope, columns: Columns) -> Self {
        let mut conditions = Self::default();
        let Scope::Within { organisations, projects, partitions } = scope else {
            return conditions;
        };
        let mut any = Vec::new();
        if let (Some(column), false) = (columns.organisation, organisations.is_empty()) {
            let list = conditions.list(organisations.iter().map(|id| id.uuid().into()));
            any.push(format!("{column} IN ({list})"));
        }
        if let (Some(column), false) = (columns.project, projects.is_empty()) {
            let list = conditions.list(projects.iter().map(|id| id.uuid().into()));
            any.push(format!("{column} IN ({list})"));
        }
        if let (Some(condition), false) = (columns.partition, partitions.is_empty()) {
            let list = conditions.list(partitions.iter().map(|key| key.to_string().into()));
            any.push(condition.replace("{}", &list));
        }
        let any = if any.is_empty() { "1 = 0".to_owned() } else { any.join(" OR ") };
        conditions.all.push(format!("({any})"));
        conditions
    }

    /// Demands `condition`, in which `{}` stands for `value`.
    pub(crate) fn and(&mut self, condition: &str, value: impl Into<Value>) {
        let place = self.bind(value.into());
        self.all.push(condition.replace("{}", &place));
    }

    /// Demands `condition`, in which each `{}` stands for the next of `values`.
    pub(crate) fn and_all(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        let mut demanded = condition.to_owned();
        for value in values {
            let place = self.bind(value);
            demanded = demanded.replacen("{}", &place, 1);
        }
        self.all.push(demanded);
    }

    /// Demands `condition`, or that `column` names one of `organisations`.
    pub(crate) fn or_one_of(
        &mut self,
        condition: &str,
        column: &str,
        organisations: &[OrganisationId],
    ) {
        if organisations.is_empty() {
            self.all.push(condition.to_owned());
        } else {
            let list = self.list(organisations.iter().map(|id| id.uuid().into()));
            self.all.push(format!("({condition} OR {column} IN ({list}))"));
        }
    }

    /// `SELECT` of a page: newest first, at most `limit` rows.
    pub(crate) fn page(mut self, select: &str, limit: u32) -> (String, Vec<Value>) {
        let limit = self.bind(i64::from(limit).into());
        let demands = if self.all.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.all.join(" AND "))
        };
        (format!("{select}{demands} ORDER BY id DESC LIMIT {limit}"), self.values)
    }

    fn list(&mut self, values: impl Iterator<Item = Value>) -> String {
        let places: Vec<String> = values.map(|value| self.bind(value)).collect();
        places.join(", ")
    }

    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}

/// A stored text in its own syntax.
pub(crate) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    what: &'static str,
    text: &str,
) -> Result<T, crate::StoreError> {
    text.parse().map_err(|error| crate::StoreError::damaged(what, error))
}

/// A stored word of a table of words.
pub(crate) fn chosen<T: Copy>(
    what: &'static str,
    words: &[(&str, T)],
    text: &str,
) -> Result<T, crate::StoreError> {
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, choice)| *choice).ok_or_else(|| crate::StoreError::damaged(what, text))
}
