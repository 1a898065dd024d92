//! As whom a job runs at the site.

use std::collections::BTreeMap;

use engine::Place;
use jobs::AccountPrefix;

use super::rule::Rule;
use crate::protocol::{Owner, StartJob, login_digest};

/// How a site knows the persons of the hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Persons {
    /// Not at all: every job runs as the agent, on an engine that keeps jobs apart by itself.
    #[default]
    Unknown,
    /// By a table of its administrator, and by a rule beside it.
    Known(Logins),
}

/// Under which account of the site's scheduler jobs run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// That which the scheduler takes by itself.
    #[default]
    Usual,
    /// This one, all of them.
    Fixed(String),
    /// That of the allocation whose hours a job uses.
    OfAllocation(AccountPrefix),
}

/// The logins of persons, and what all their jobs have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logins {
    /// The login of each address at the hub, in small letters.
    pub by_email: BTreeMap<String, String>,
    /// How the login of anybody else is found; nobody else has one where absent.
    pub rule: Option<Rule>,
    /// The partition of the site's scheduler.
    pub partition: Option<String>,
    /// The account of the site's scheduler that is charged.
    pub account: Account,
    /// The quality of service.
    pub qos: Option<String>,
}

impl Account {
    fn of(&self, owner: &Owner) -> Result<Option<String>, String> {
        match self {
            Self::Usual => Ok(None),
            Self::Fixed(account) => Ok(Some(account.clone())),
            Self::OfAllocation(prefix) => {
                let allocation = owner.allocation.ok_or(
                    "the hub does not say whose hours this job uses, and each allocation has an \
                     account of its own here; update the hub",
                )?;
                Ok(Some(prefix.of_allocation(allocation)))
            }
        }
    }
}

impl Persons {
    /// Who has a login, as the hub is told; `None` where everybody's jobs run.
    pub(super) fn digests(&self) -> Option<Vec<String>> {
        let Self::Known(logins) = self else { return None };
        let mut digests: Vec<String> =
            logins.by_email.keys().map(|email| login_digest(email)).collect();
        digests.sort();
        Some(digests)
    }

    /// What the names of those accounts begin with that are Usine's, where it names them.
    pub(super) const fn prefix(&self) -> Option<&AccountPrefix> {
        match self {
            Self::Known(Logins { account: Account::OfAllocation(prefix), .. }) => Some(prefix),
            Self::Known(_) | Self::Unknown => None,
        }
    }

    /// The login of somebody with this address.
    pub(super) fn login(&self, email: &str) -> Option<&str> {
        let Self::Known(logins) = self else { return None };
        logins.by_email.get(&email.to_lowercase()).map(String::as_str)
    }

    /// Those who have this login, as the hub is told.
    pub(super) fn with_login(&self, login: &str) -> Vec<String> {
        let Self::Known(logins) = self else { return Vec::new() };
        let theirs = logins.by_email.iter().filter(|(_, theirs)| *theirs == login);
        theirs.map(|(email, _)| login_digest(email)).collect()
    }

    /// Whose `order` is to the site's scheduler.
    ///
    /// # Errors
    /// With the reason, for people, when its owner has no login here.
    pub(super) fn place(&self, order: &StartJob) -> Result<Place, String> {
        let Self::Known(logins) = self else { return Ok(Place::default()) };
        let Some(owner) = &order.owner else {
            return Err("the hub does not say whose job this is, and jobs run as persons here; \
                update the hub"
                .to_owned());
        };
        let user = logins.by_email.get(&owner.email.to_lowercase()).ok_or_else(|| {
            format!(
                "{} has no login at this site; ask its administrator to name one in the agent's \
                 configuration",
                owner.email
            )
        })?;
        Ok(Place {
            user: Some(user.clone()),
            account: logins.account.of(owner)?,
            qos: logins.qos.clone(),
            partition: logins.partition.clone(),
            options: order.options.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_runs_under_the_account_of_the_allocation_that_it_uses() {
        let id = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10";
        let owner = |allocation: Option<&str>| Owner {
            person: id.parse().unwrap(),
            email: "ada@example.org".to_owned(),
            project: id.parse().unwrap(),
            allocation: allocation.map(|id| id.parse().unwrap()),
        };
        let kept = Account::OfAllocation(AccountPrefix::default());
        let account = kept.of(&owner(Some(id))).unwrap();
        assert_eq!(account.as_deref(), Some("usine_a018f2a6e7c2b7d1e9a510b7c2f6f9a10"));
        let silent = kept.of(&owner(None)).unwrap_err();
        assert!(silent.contains("update the hub"), "{silent}");
        assert_eq!(Account::Usual.of(&owner(Some(id))), Ok(None));
        let fixed = Account::Fixed("ehpc".to_owned());
        assert_eq!(fixed.of(&owner(None)), Ok(Some("ehpc".to_owned())));
    }
}
