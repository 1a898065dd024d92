//! As whom a job runs at the site.

use std::collections::BTreeMap;

use engine::Place;

use crate::protocol::{StartJob, login_digest};

/// How a site knows the persons of the hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Persons {
    /// Not at all: every job runs as the agent, on an engine that keeps jobs apart by itself.
    #[default]
    Unknown,
    /// By a table of its administrator.
    Known(Logins),
}

/// The logins of persons, and what all their jobs have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logins {
    /// The login of each address at the hub, in small letters.
    pub by_email: BTreeMap<String, String>,
    /// The partition of the site's scheduler.
    pub partition: Option<String>,
    /// The account of the site's scheduler that is charged.
    pub account: Option<String>,
    /// The quality of service.
    pub qos: Option<String>,
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
            account: logins.account.clone(),
            qos: logins.qos.clone(),
            partition: logins.partition.clone(),
            options: Vec::new(),
        })
    }
}
