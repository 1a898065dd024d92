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
        let rules = self.rules();
        estimate(plan, (&rules.federation, key), (&rules.policy, day))
    }

    /// The kinds of work on models that can be estimated, and the partitions for which.
    pub fn estimable(&self) -> (Vec<String>, Vec<PartitionKey>) {
        let (rules, day) = (self.rules(), access::day_in_brussels(self.now()));
        let works = rules.policy.model_works(day).map(|work| work.rule.entry.clone());
        let partitions = rules.federation.systems().flat_map(|(_, it)| &it.partitions);
        let devices = &rules.federation.programme.devices;
        let known = partitions.filter(|partition| {
            let name = partition.device.known();
            name.is_some_and(|name| devices.iter().any(|device| device.name == *name))
        });
        (works.collect(), known.map(|partition| partition.key.clone()).collect())
    }
}
