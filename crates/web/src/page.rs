//! Lists in pages: opaque cursors in, one page and the next cursor out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::{Kind, Problem};

/// How many entries a page has when nobody says.
const LIMIT_DEFAULT: u32 = 50;
/// How many entries a page may have.
const LIMIT_MAX: u32 = 200;

/// Which page of a list to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Where to go on: the `next` of the page before.
    pub cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// How many entries the page may have.
    ///
    /// # Errors
    /// When more are asked for than a page may have, or none.
    pub fn limit(&self) -> Result<u32, Problem> {
        match self.limit.unwrap_or(LIMIT_DEFAULT) {
            limit @ 1..=LIMIT_MAX => Ok(limit),
            _ => Err(Problem::with(Kind::BadRequest, format!("limit is from 1 to {LIMIT_MAX}"))),
        }
    }

    /// What the cursor stands for.
    ///
    /// # Errors
    /// When it is not one that this service gave.
    pub fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Problem> {
        self.cursor.as_deref().map(opened).transpose()
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The entries, in the order of the list.
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` entries. `key` names an entry in the list's order; a full page
    /// has a successor, which may turn out to be empty.
    pub fn new<E: Into<T>, K: ToString>(
        entries: Vec<E>,
        limit: u32,
        key: impl Fn(&E) -> K,
    ) -> Self {
        let full = u32::try_from(entries.len()).is_ok_and(|count| count >= limit);
        let next = entries.last().filter(|_| full).map(|entry| sealed(&key(entry)));
        Self { items: entries.into_iter().map(Into::into).collect(), next }
    }

    /// A list short enough to be given whole.
    pub fn whole<E: Into<T>>(entries: impl IntoIterator<Item = E>) -> Self {
        Self { items: entries.into_iter().map(Into::into).collect(), next: None }
    }
}

fn sealed(key: &impl ToString) -> String {
    URL_SAFE_NO_PAD.encode(key.to_string())
}

fn opened<T: std::str::FromStr>(cursor: &str) -> Result<T, Problem> {
    let unknown = || Problem::with(Kind::BadRequest, "the cursor is not one of this list");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| unknown())?;
    String::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_page_leads_to_the_next_and_a_short_one_does_not() {
        let page: Page<u64> = Page::new(vec![7_u64, 8], 2, |entry| *entry);
        let query = PageQuery { cursor: page.next, limit: None };
        assert_eq!(query.after::<u64>().unwrap(), Some(8));
        assert_eq!(Page::<u64>::new(vec![7_u64], 2, |entry| *entry).next, None);
    }

    #[test]
    fn foreign_cursors_and_sizes_are_refused() {
        for cursor in ["", "!!", "Zm9v"] {
            let query = PageQuery { cursor: Some(cursor.to_owned()), limit: None };
            assert!(query.after::<u64>().is_err(), "{cursor}");
        }
        for limit in [0, 201] {
            assert!(PageQuery { cursor: None, limit: Some(limit) }.limit().is_err());
        }
    }
}
