//! Keeps accounts, their users, qualities of service and limits on the books of the site's scheduler
//! as the hub wishes, as far as the site lets it.
//!
//! Each round asks the hub who has hours here, reads the books, and compares ([`jobs::tenancy`]). A
//! plan is only shown until somebody agrees to it, or the site has every plan carried out. What was
//! set is remembered on disk, so that a change by hand is told from a new wish.

mod memory;
mod round;

use std::collections::BTreeSet;
use std::time::Duration;

use engine::{Engine, Place};
use jobs::tenancy::{DriftPolicy, Object, Owned, Policy, Tree};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::orders::error_chain;
use super::table::Sight;
use super::{Shared, pause_after};
use crate::protocol::Manage;
use round::Round;

/// How a site keeps the hub's allocations on its books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// How they are to stand there.
    pub policy: Policy,
    /// What becomes of changes by hand.
    pub drift: DriftPolicy,
    /// Whether plans are carried out unasked.
    pub manage: Manage,
    /// How often the books are looked at.
    pub interval: Duration,
}

/// How long a job waits for its account where plans are carried out unasked.
const ACCOUNT_WAIT: Duration = Duration::from_secs(300);
/// How long it waits for the first look at the books.
const LOOK_WAIT: Duration = Duration::from_secs(30);
/// How long to leave a hub alone that does not know of tenants.
const OLD_HUB: Duration = Duration::from_secs(600);

/// What is known of the books: nothing before the first look.
#[derive(Debug)]
pub(super) struct Tenants(watch::Sender<Option<Known>>);

/// Who may use which account, by the last look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known(BTreeSet<(String, String)>);

impl Default for Tenants {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Tenants {
    /// Notes what was seen.
    fn see(&self, tree: &Tree) {
        let member = |object: &Object| match object {
            Object::Member(account, login) => Some((account.to_string(), login.to_string())),
            Object::Account(_) | Object::Qos(_) => None,
        };
        let known = Known(tree.keys().filter_map(member).collect());
        self.0.send_replace(Some(known));
    }
}

/// Keeps the books for ever; at a site that keeps them itself, not at all.
pub(super) async fn keep<E: Engine>(shared: &Shared<E>) {
    let Some(keeping) = &shared.settings.keeping else { return };
    let (mut round, mut failures) = (Round::new(shared, keeping), 0);
    loop {
        match round.go().await {
            Ok(()) => failures = 0,
            Err(error) => {
                let old = matches!(&error, super::Error::Hub(hub) if hub.status() == Some(404));
                tracing::warn!(error = error_chain(&error), "accounts and limits are not kept");
                sleep(if old {
                    OLD_HUB
                } else {
                    pause_after(failures).max(Duration::from_secs(1))
                })
                .await;
                failures += 1;
            }
        }
    }
}

/// Waits until the person of `place` may use its account, where the agent keeps such accounts.
///
/// # Errors
/// With the reason, for people, when nobody has made it yet.
pub(super) async fn admitted<E: Engine>(
    shared: &Shared<E>,
    place: &Place,
    sight: &mut watch::Receiver<Sight>,
) -> Result<(), String> {
    let Some(keeping) = &shared.settings.keeping else { return Ok(()) };
    let (Some(account), Some(user)) = (&place.account, &place.user) else { return Ok(()) };
    if Owned::claimed(&keeping.policy.prefix, account).is_none() {
        return Ok(());
    }
    let wanted = (account.clone(), user.clone());
    let mut known = shared.tenants.0.subscribe();
    let begun = Instant::now();
    loop {
        let seen = known.borrow_and_update().clone();
        if seen.as_ref().is_some_and(|known| known.0.contains(&wanted)) {
            return Ok(());
        }
        let blind = seen.is_none();
        let patience = match (seen, keeping.manage) {
            (Some(_), Manage::Plan) => Duration::ZERO,
            (Some(_), Manage::Apply) => ACCOUNT_WAIT,
            (None, _) => LOOK_WAIT,
        };
        let until = begun + patience;
        if Instant::now() >= until {
            if blind {
                // The books cannot be read: the scheduler itself says who may what.
                return Ok(());
            }
            return Err(format!(
                "{user} may not use the account {account} of this site's scheduler yet: its \
                 operator has to agree to the plan that makes it (usine site accounts {})",
                shared.settings.site
            ));
        }
        tokio::select! {
            biased;
            // What is cancelled is not waited for; the engine says so.
            _cancelled = sight.wait_for(|sight| sight.cancel) => return Ok(()),
            _changed = known.changed() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}
