//! The use cases, one module a station: authorise, load, decide (by a rule crate), write, announce.
//!
//! Not here: SQL, HTTP, rules. Every public method takes the [`Actor`] first, so that the API, the
//! portal and the command line cannot disagree about who may do what.

pub mod accounting;
pub mod actor;
pub mod aid;
pub mod alerts;
pub mod allocations;
pub mod announce;
pub mod applications;
pub mod audit;
pub mod calls;
pub mod clock;
pub mod data;
pub mod decisions;
mod error;
mod estimates;
pub mod federation;
pub mod forecasts;
pub mod history;
pub mod idempotency;
pub mod identity;
pub mod jobs;
pub mod ledger;
pub mod notices;
pub mod organisations;
pub mod permission;
pub mod projects;
pub mod review;
mod secret;
pub mod services;
pub mod sites;
pub mod ssh;
pub mod statement;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod visible;

use std::sync::Arc;

use store::Store;
use units::Timestamp;

pub use actor::{Actor, Grant, Scope, Subject};
pub use announce::{Announcements, Topic};
pub use clock::{Clock, MovableClock, SystemClock};
pub use error::{Error, FieldError, Reason};
pub use permission::{Ability, Action, Role};
pub use secret::Secret;

/// What a hub is made of; `usine` and tests put it together.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The one source of `now` and of new ids.
    pub clock: Arc<dyn Clock>,
    /// Where datasets and models are kept.
    pub data: data::Data,
    /// The federation and the policy that decides about its hours.
    pub rules: federation::Rules,
    /// Where jobs run and what is offered for them.
    pub jobs: jobs::Settings,
    /// Who signs certificates for SSH.
    pub ssh: Arc<site::ssh::Authority>,
    /// How notices leave the house.
    pub post: notices::Outlets,
    /// What simulations of awards assume.
    pub what_if: Arc<twin::award::Settings>,
}

/// The hub: every use case is a method. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
    announcements: Announcements,
    hashing: identity::Hashing,
    simulator: calls::Simulator,
    tickets: data::Tickets,
}

impl App {
    /// Puts a hub together.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            announcements: Announcements::default(),
            hashing: identity::Hashing::default(),
            simulator: calls::Simulator::default(),
            tickets: data::Tickets::default(),
        }
    }

    /// The instant this hub believes it is.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The hub's clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.parts.clock
    }

    /// What has just changed, for live views and waiting agents.
    pub fn announcements(&self) -> &Announcements {
        &self.announcements
    }

    /// The database, for use cases; the crates above reach it only through them.
    pub(crate) fn store(&self) -> &Store {
        &self.parts.store
    }
}
