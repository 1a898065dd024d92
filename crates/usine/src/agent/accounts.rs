//! What the configuration of an agent says of accounts and limits in Slurm.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use ::jobs::AccountPrefix;
use ::jobs::tenancy::{Class, DriftPolicy, Policy, Resource, Resources, Response};
use ::site::agent::tenants::Keeping;
use ::site::protocol;
use anyhow::Result;
use serde::Deserialize;
use units::Slug;

use super::config::invalid;

/// How often the books are looked at, when not set.
const INTERVAL_SECONDS: u32 = 60;
/// What budgets are counted in, when not set.
const RESOURCE: &str = "gres/gpu";

/// What the agent may do with the books.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Manage {
    /// Nothing: the site makes accounts itself.
    Off,
    /// Say what is to be done, and do it when the site's operator agrees.
    #[default]
    Plan,
    /// Do it.
    Apply,
}

/// What becomes of a change by hand.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ByHand {
    Mend,
    Accept,
    Report,
}

impl From<ByHand> for Response {
    fn from(by_hand: ByHand) -> Self {
        match by_hand {
            ByHand::Mend => Self::Mend,
            ByHand::Accept => Self::Accept,
            ByHand::Report => Self::Report,
        }
    }
}

/// The table `[slurm.accounts.drift]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Drift {
    limits: ByHand,
    shares: ByHand,
    tree: ByHand,
}

impl Default for Drift {
    /// Nothing that an administrator did is undone unless they said so.
    fn default() -> Self {
        Self { limits: ByHand::Report, shares: ByHand::Accept, tree: ByHand::Report }
    }
}

/// A table `[slurm.accounts.classes.NAME]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassTable {
    /// The access modes that belong to it.
    modes: BTreeSet<String>,
    #[serde(default)]
    priority: u32,
    #[serde(default)]
    fairshare: Option<NonZeroU32>,
    #[serde(default)]
    ceiling: Option<String>,
}

/// The table `[slurm.accounts]`: every allocation has an account of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Accounts {
    /// What the names of those accounts begin with.
    prefix: Option<String>,
    manage: Manage,
    /// The site's account above those of Usine.
    parent: Option<String>,
    /// What stands before `sacctmgr` where it changes something.
    command: Vec<String>,
    interval_seconds: Option<NonZeroU32>,
    /// What budgets are counted in, and how much of it a unit of the partition's meter is.
    resource: Option<String>,
    per_unit: Option<NonZeroU32>,
    drift: Drift,
    classes: BTreeMap<String, ClassTable>,
    /// The ceiling of an allocation that is downscaled.
    downscaled: Option<String>,
}

impl Accounts {
    pub(super) fn prefix(&self) -> Result<AccountPrefix> {
        let Some(prefix) = &self.prefix else { return Ok(AccountPrefix::default()) };
        prefix.parse().map_err(|error| invalid(format!("slurm.accounts.prefix: {error}")))
    }

    /// What stands before `sacctmgr` where it changes something.
    pub(super) fn keeper(&self) -> Vec<String> {
        self.command.clone()
    }

    /// How the hub's allocations are kept on the books; `None` where the site does it.
    pub(super) fn keeping(&self) -> Result<Option<Keeping>> {
        let manage = match self.manage {
            Manage::Off => return Ok(None),
            Manage::Plan => protocol::Manage::Plan,
            Manage::Apply => protocol::Manage::Apply,
        };
        let interval = self.interval_seconds.map_or(INTERVAL_SECONDS, NonZeroU32::get);
        Ok(Some(Keeping {
            policy: self.policy()?,
            drift: DriftPolicy {
                limits: self.drift.limits.into(),
                shares: self.drift.shares.into(),
                tree: self.drift.tree.into(),
            },
            manage,
            interval: Duration::from_secs(interval.into()),
        }))
    }

    fn policy(&self) -> Result<Policy> {
        let prefix = self.prefix()?;
        let parent = self.parent.clone().unwrap_or_else(|| "root".to_owned());
        let plain =
            |mark: u8| mark.is_ascii_lowercase() || mark.is_ascii_digit() || b"._-".contains(&mark);
        if parent.is_empty() || parent.starts_with('-') || !parent.bytes().all(plain) {
            let text = format!("slurm.accounts.parent: `{parent}` is not the name of an account");
            return Err(invalid(text));
        }
        if prefix.claims(&parent) {
            let text = format!(
                "slurm.accounts.parent: `{parent}` begins with `{prefix}` as Usine's own accounts \
                 do; name one of the site's"
            );
            return Err(invalid(text));
        }
        let resource = self.resource.as_deref().unwrap_or(RESOURCE).parse::<Resource>();
        let resource =
            resource.map_err(|error| invalid(format!("slurm.accounts.resource: {error}")))?;
        let classes = self.classes.iter().map(|(key, table)| table.class(key));
        Ok(Policy {
            prefix,
            parent,
            resource,
            per_unit: self.per_unit.map_or(1, NonZeroU32::get),
            classes: classes.collect::<Result<_>>()?,
            downscaled: resources("downscaled", self.downscaled.as_deref())?,
        })
    }
}

impl ClassTable {
    fn class(&self, key: &str) -> Result<Class> {
        let name = |text: &str| {
            text.parse::<Slug>()
                .map_err(|error| invalid(format!("slurm.accounts.classes.{key}: {error}")))
        };
        Ok(Class {
            key: name(key)?,
            modes: self.modes.iter().map(|mode| name(mode)).collect::<Result<_>>()?,
            priority: self.priority,
            fairshare: self.fairshare.map_or(1, NonZeroU32::get),
            ceiling: resources(&format!("classes.{key}.ceiling"), self.ceiling.as_deref())?,
        })
    }
}

fn resources(key: &str, text: Option<&str>) -> Result<Resources> {
    let Some(text) = text else { return Ok(Resources::default()) };
    text.parse().map_err(|error| invalid(format!("slurm.accounts.{key}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeping(text: &str) -> Result<Option<Keeping>, String> {
        let accounts: Accounts = toml::from_str(text).map_err(|error| error.to_string())?;
        accounts.keeping().map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_done_and_nothing_undone_unless_the_site_says_so() {
        let usual = keeping("").unwrap().unwrap();
        assert_eq!(usual.manage, protocol::Manage::Plan);
        assert_eq!((usual.drift.limits, usual.drift.tree), (Response::Report, Response::Report));
        assert_eq!(usual.policy.parent, "root");
        assert_eq!(keeping("manage = \"off\"").unwrap(), None);
    }

    #[test]
    fn a_lane_has_its_modes_a_floor_and_a_ceiling() {
        let text = "manage = \"apply\"\nparent = \"eurohpc\"\nresource = \"billing\"\nper_unit = 4\n\
            [classes.sme]\nmodes = [\"fast-lane\"]\npriority = 100\nfairshare = 40\n\
            ceiling = \"gres/gpu=64\"\n[drift]\nlimits = \"mend\"\n";
        let found = keeping(text).unwrap().unwrap();
        let [class] = &found.policy.classes[..] else { panic!("{found:?}") };
        assert_eq!((class.priority, class.fairshare), (100, 40));
        assert_eq!(class.ceiling.to_string(), "gres/gpu=64");
        assert_eq!((found.policy.per_unit, found.drift.limits), (4, Response::Mend));
    }

    #[test]
    fn what_could_mean_something_else_is_refused() {
        for (text, word) in [
            ("parent = \"root where name=x\"", "parent"),
            ("parent = \"usine_all\"", "one of the site's"),
            ("resource = \"gpu=1\"", "resource"),
            ("downscaled = \"gres/gpu\"", "downscaled"),
            ("[classes.\"S M E\"]\nmodes = []", "classes"),
            ("managed = \"plan\"", "managed"),
        ] {
            let refused = keeping(text).unwrap_err();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }
}
