//! The accounts under which a cluster's scheduler books jobs, where Usine names them.
//!
//! A name is the site's prefix, a letter for what it stands for, and the 32 hexadecimal digits of
//! an id: it says whose hours a job uses without a table beside it, and lower case is all that
//! Slurm keeps of an account's name.

use std::fmt;
use std::str::FromStr;

use units::{AllocationId, ProjectId};

/// What the names of all accounts begin with that are Usine's at a site; no other is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPrefix(String);

/// The text cannot stand before the names of accounts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot stand before the names of accounts: take up to {LENGTH_MAX} letters a to z, \
     digits and `_`, beginning with a letter and ending with `_`"
)]
pub struct NotAPrefix(pub String);

/// The longest prefix.
const LENGTH_MAX: usize = 20;
/// What stands for an allocation, and for a project.
const ALLOCATION: char = 'a';
const PROJECT: char = 'p';

impl Default for AccountPrefix {
    fn default() -> Self {
        Self("usine_".to_owned())
    }
}

impl AccountPrefix {
    /// The account of a project, above those of its allocations.
    pub fn of_project(&self, project: ProjectId) -> String {
        format!("{self}{PROJECT}{}", project.uuid().simple())
    }

    /// The account that jobs with the hours of `allocation` are booked to.
    pub fn of_allocation(&self, allocation: AllocationId) -> String {
        format!("{self}{ALLOCATION}{}", allocation.uuid().simple())
    }

    /// Whether `account` is one of Usine's, be it known or not.
    pub fn claims(&self, account: &str) -> bool {
        account.starts_with(&self.0)
    }

    /// The allocation whose hours jobs under `account` use; `None` when it names none, or not in
    /// the one spelling of [`Self::of_allocation`].
    pub fn allocation(&self, account: &str) -> Option<AllocationId> {
        let id = account.strip_prefix(&self.0)?.strip_prefix(ALLOCATION)?.parse().ok()?;
        (self.of_allocation(id) == account).then_some(id)
    }
}

impl FromStr for AccountPrefix {
    type Err = NotAPrefix;

    fn from_str(text: &str) -> Result<Self, NotAPrefix> {
        let fine = |mark: u8| mark.is_ascii_lowercase() || mark.is_ascii_digit() || mark == b'_';
        let begins = text.bytes().next().is_some_and(|mark| mark.is_ascii_lowercase());
        if begins && text.ends_with('_') && text.len() <= LENGTH_MAX && text.bytes().all(fine) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAPrefix(text.to_owned()))
        }
    }
}

impl fmt::Display for AccountPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_account_says_whose_hours_its_jobs_use() {
        let prefix = AccountPrefix::default();
        let allocation: AllocationId = "0189abcd-0000-7000-8000-00000000000f".parse().unwrap();
        let account = prefix.of_allocation(allocation);
        assert_eq!(account, "usine_a0189abcd00007000800000000000000f");
        assert_eq!(prefix.allocation(&account), Some(allocation));
        let project: ProjectId = "0189abcd-0000-7000-8000-00000000000f".parse().unwrap();
        assert_eq!(prefix.of_project(project), "usine_p0189abcd00007000800000000000000f");
        assert_eq!(prefix.allocation(&prefix.of_project(project)), None);
    }

    #[test]
    fn another_spelling_names_no_allocation_and_is_claimed_all_the_same() {
        let prefix = AccountPrefix::default();
        for other in [
            "usine_a0189abcd-0000-7000-8000-00000000000f",
            "usine_a0189ABCD00007000800000000000000f",
            "usine_a",
            "usine_by_hand",
        ] {
            assert_eq!(prefix.allocation(other), None, "{other}");
            assert!(prefix.claims(other), "{other}");
        }
        assert!(!prefix.claims("physics"));
        assert!(!prefix.claims("Usine_a"));
    }

    #[test]
    fn a_prefix_is_never_empty_and_never_the_beginning_of_a_word() {
        for wrong in ["", "_", "usine", "Usine_", "us-ine_", "7_", "a_very_long_beginning_"] {
            assert_eq!(wrong.parse::<AccountPrefix>(), Err(NotAPrefix(wrong.to_owned())));
        }
        assert_eq!("eu7_".parse::<AccountPrefix>().unwrap().to_string(), "eu7_");
    }

    proptest! {
        #[test]
        fn every_allocation_has_one_account_and_every_account_at_most_one_allocation(
            id in any::<u128>(), other in "[ -~]{0,50}",
        ) {
            let prefix: AccountPrefix = "eu7_".parse().unwrap();
            let id: AllocationId = format!("{id:032x}").parse().unwrap();
            prop_assert_eq!(prefix.allocation(&prefix.of_allocation(id)), Some(id));
            if let Some(found) = prefix.allocation(&other) {
                prop_assert_eq!(prefix.of_allocation(found), other);
            }
        }
    }
}
