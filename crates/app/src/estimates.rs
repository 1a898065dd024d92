//! How many hours work on a model takes, for whoever is about to ask for some.

use access::estimate::{Estimate, NoEstimate, Plan, estimate};
use units::PartitionKey;

use crate::App;

impl App {
    /// What a plan takes on a partition of the federation, by the policy of today.
    ///
    /// # Errors
    /// When the partition or something that the calculation needs is not known.
    pub fn estimate(&self, plan: &Plan, key: &PartitionKey) -> Result<Estimate, NoEstimate> {
        let day = access::day_in_brussels(self.now());
        let found = self.rules().federation.partition(key);
        let (.., partition) = found.ok_or_else(|| NoEstimate::Partition(key.clone()))?;
        estimate(plan, partition, (&self.rules().policy, day))
    }

    /// The kinds of work on models that can be estimated, and the partitions for which.
    pub fn estimable(&self) -> (Vec<String>, Vec<PartitionKey>) {
        let (policy, day) = (&self.rules().policy, access::day_in_brussels(self.now()));
        let works = policy.model_works(day).map(|work| work.rule.entry.clone());
        let partitions = self.rules().federation.systems().flat_map(|(_, it)| &it.partitions);
        let known = partitions.filter(|partition| {
            partition.device.known().is_some_and(|name| policy.device(name, day).is_some())
        });
        (works.collect(), known.map(|partition| partition.key.clone()).collect())
    }
}
