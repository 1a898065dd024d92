//! The federation and the policy, and what follows from them by itself: pools of the current
//! quarter, standing calls, hours that run out.

mod contributions;
mod house;

pub use house::Housekeeping;

use std::sync::Arc;

use access::agreement::{Funding, MachineClass, NoPools, Pools, funding};
use access::document::{Diagnostics, Document};
use access::federation::{Factory, Federation, Overview, Partition, Summary, System};
use access::policy::{Caps, Policy};
use store::Tx;
use store::pools::PoolRecord;
use units::{PartitionKey, Period, Slug, Timestamp, Work};

use crate::{Action, Actor, App, Error, Scope};

/// The federation and the policy that a hub works by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The factories.
    pub federation: Arc<Federation>,
    /// Who may have what.
    pub policy: Arc<Policy>,
    /// What that was read from, in the order of the names.
    pub texts: Arc<[Document]>,
    /// The digest of these texts.
    pub digest: Arc<str>,
    /// The partitions that a site of this hub serves.
    pub served: Vec<PartitionKey>,
}

impl Rules {
    /// Reads policy and federation; agreements are held to the law that holds at `now`.
    ///
    /// # Errors
    /// Every fault of the documents.
    pub fn read(
        federation: &[Document],
        policy: &[Document],
        served: Vec<PartitionKey>,
        now: Timestamp,
    ) -> Result<Self, Diagnostics> {
        let mut texts = policy.to_vec();
        texts.sort_by(|a, b| a.name.cmp(&b.name));
        let digest = crate::decisions::digest(&texts);
        let policy = Policy::parse(policy)?;
        let caps = policy.caps_in_force(access::day_in_brussels(now))?;
        let federation = Federation::parse(federation, &caps)?;
        for key in &served {
            federation.require(key)?;
        }
        Ok(Self {
            federation: Arc::new(federation),
            policy: Arc::new(policy),
            texts: texts.into(),
            digest: digest.into(),
            served,
        })
    }

    /// The partitions of the factory called `key`.
    pub(crate) fn partitions_of(&self, key: &Slug) -> Vec<PartitionKey> {
        let systems = self.federation.factories.get(key).into_iter().flat_map(|it| &it.systems);
        systems.flat_map(|system| &system.partitions).map(|part| part.key.clone()).collect()
    }

    /// The factory that `partition` belongs to, as a scope of grants.
    pub(crate) fn scope_of(&self, partition: &PartitionKey) -> Option<Scope> {
        let (factory, ..) = self.federation.partition(partition)?;
        Some(Scope::Factory(factory.key.clone()))
    }
}

/// The hours of a partition in the quarter around an instant.
#[derive(Clone, Debug)]
pub struct PartitionPools {
    /// The quarter.
    pub period: Period,
    /// What each side pays, when it is known.
    pub funding: Result<Funding, Vec<String>>,
    /// The kind of machine, when there is an agreement that says so.
    pub class: Option<MachineClass>,
    /// What the agreement gives, or why that is not known.
    pub computed: Result<Pools, NoPools>,
    /// The pools that the ledger has opened, with what is left in each.
    pub opened: Vec<(PoolRecord, Work)>,
}

impl App {
    /// The federation and the policy.
    pub fn rules(&self) -> &Rules {
        &self.parts.rules
    }

    /// The whole federation.
    ///
    /// # Errors
    /// When the actor's token is not good for it.
    pub fn federation(&self, actor: &Actor) -> Result<&Federation, Error> {
        actor.may(Action::ViewFederation, &[])?;
        Ok(&self.rules().federation)
    }

    /// The federation at a glance, with the pools of the current quarter.
    ///
    /// # Errors
    /// When the actor's token is not good for it.
    pub fn federation_summary(&self, actor: &Actor) -> Result<Summary, Error> {
        let now = self.now();
        let federation = self.federation(actor)?;
        Ok(federation.summary(Period::quarter_of(now), &self.caps(now)?))
    }

    /// Who pays for the federation, as far as its agreements say it.
    ///
    /// # Errors
    /// When the actor's token is not good for it.
    pub fn funding_overview(&self, actor: &Actor) -> Result<Overview, Error> {
        let overview = self.federation(actor)?.overview();
        overview.map_err(|error| Error::Internal(error.to_string()))
    }

    /// One factory.
    ///
    /// # Errors
    /// When there is none of that key.
    pub fn factory(&self, actor: &Actor, key: &Slug) -> Result<&Factory, Error> {
        self.federation(actor)?.factories.get(key).ok_or(Error::NotFound("factory"))
    }

    /// One partition, with its factory and system.
    ///
    /// # Errors
    /// When there is none of that key.
    pub fn partition(
        &self,
        actor: &Actor,
        key: &PartitionKey,
    ) -> Result<(&Factory, &System, &Partition), Error> {
        self.federation(actor)?.partition(key).ok_or(Error::NotFound("partition"))
    }

    /// Who has how many hours of a partition in the quarter around `at`, and how that comes about.
    ///
    /// # Errors
    /// When there is no such partition.
    pub async fn partition_pools(
        &self,
        actor: &Actor,
        key: &PartitionKey,
        at: Timestamp,
    ) -> Result<PartitionPools, Error> {
        let (_, system, partition) = self.partition(actor, key)?;
        let period = Period::quarter_of(at);
        let caps = self.caps(at)?;
        let tx = self.store().read().await?;
        let opened = self.pools_with_balance(&tx, key, at).await?;
        let agreement = system.agreement.as_ref();
        let no_agreement = || vec![format!("no agreement is described for {}", system.name)];
        Ok(PartitionPools {
            period,
            funding: agreement.map_or_else(|| Err(no_agreement()), funding),
            class: agreement.and_then(|agreement| agreement.class.known().copied()),
            computed: system.pools(partition, period, &caps),
            opened,
        })
    }

    /// The hours that the agreement gives of a partition in the quarter around `at`, or why that is
    /// not known. What the ledger has opened is not looked at.
    ///
    /// # Errors
    /// When there is no such partition.
    pub fn computed_pools(
        &self,
        actor: &Actor,
        key: &PartitionKey,
        at: Timestamp,
    ) -> Result<Result<Pools, NoPools>, Error> {
        let (_, system, partition) = self.partition(actor, key)?;
        Ok(system.pools(partition, Period::quarter_of(at), &self.caps(at)?))
    }

    /// The law on agreements at `at`.
    pub(crate) fn caps(&self, at: Timestamp) -> Result<Caps, Error> {
        let caps = self.rules().policy.caps_in_force(access::day_in_brussels(at));
        caps.map_err(|faults| Error::Internal(faults.to_string()))
    }

    /// The opened pools of a partition whose quarter contains `at`, with what is left in each.
    pub(crate) async fn pools_with_balance(
        &self,
        tx: &Tx,
        key: &PartitionKey,
        at: Timestamp,
    ) -> Result<Vec<(PoolRecord, Work)>, Error> {
        let pools = store::pools::at(tx, key, at).await?;
        let ids: Vec<_> = pools.iter().map(|pool| pool.id).collect();
        let balances = store::ledger::pool_balances(tx, &ids).await?;
        let left = |record: &PoolRecord| {
            let found = balances.iter().find(|(pool, ..)| pool.id == record.id);
            found.map_or(Work::ZERO, |(.., balance)| *balance)
        };
        Ok(pools.into_iter().map(|record| (record.clone(), left(&record))).collect())
    }
}

#[cfg(test)]
mod tests;
