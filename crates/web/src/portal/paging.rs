//! Lists in pages: which page is asked for, and where the next one stands.

use serde::Deserialize;

use crate::page::{Page, PageQuery};
use crate::problem::Problem;

/// How many entries a page of the portal lists.
pub(crate) const LISTED: u32 = 50;

/// Which part of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    /// Where to go on.
    cursor: Option<String>,
    /// What names are to begin with; only where a list can be searched.
    name: Option<String>,
}

impl Listing {
    /// What the entry before the page is.
    ///
    /// # Errors
    /// When the cursor is not one that this service gave.
    pub(crate) fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Problem> {
        PageQuery { cursor: self.cursor.clone(), limit: None }.after()
    }

    /// What is looked for, if anything.
    pub(crate) fn sought(&self) -> Option<&str> {
        self.name.as_deref().map(str::trim).filter(|name| !name.is_empty())
    }

    /// The entries, and the address of the page after them, which stands at `path` too.
    pub(crate) fn page<T, K: ToString>(
        &self,
        entries: Vec<T>,
        path: &str,
        key: impl Fn(&T) -> K,
    ) -> (Vec<T>, Option<String>) {
        let page: Page<T> = Page::new(entries, LISTED, key);
        let next = page.next.map(|cursor| {
            let mut fields = vec![("cursor", cursor.as_str())];
            fields.extend(self.sought().map(|name| ("name", name)));
            // Plain texts can always be written so.
            format!("{path}?{}", serde_urlencoded::to_string(fields).unwrap_or_default())
        });
        (page.items, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_of_the_same_search() {
        let listing = Listing { cursor: None, name: Some(" à & co ".to_owned()) };
        let full: Vec<u32> = (0..LISTED).collect();
        let (entries, next) = listing.page(full, "/organisations", |entry| *entry);
        assert_eq!(entries.len(), 50);
        assert_eq!(next.unwrap(), "/organisations?cursor=NDk&name=%C3%A0+%26+co");
        assert_eq!(listing.page(vec![1, 2], "/organisations", |entry| *entry).1, None);
    }
}
