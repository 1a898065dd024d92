//! Who submits what to the test cluster, from a seed.

/// Who submits, for which account, and how often relative to the others.
pub(super) const PEOPLE: [(&str, &str, u64); 6] = [
    ("usine-ann", "physics", 4),
    ("usine-ben", "physics", 2),
    ("usine-eva", "biology", 3),
    ("usine-ivo", "biology", 1),
    ("usine-kim", "startup", 2),
    ("usine-lou", "students", 3),
];

/// Accounts with their shares and limits, as `sacctmgr` takes them.
pub(super) const ACCOUNTS: [(&str, &[&str]); 4] = [
    ("physics", &["Fairshare=50"]),
    ("biology", &["Fairshare=30"]),
    ("startup", &["Fairshare=15"]),
    ("students", &["Fairshare=5", "GrpTRES=cpu=64", "MaxJobs=4"]),
];

/// One job that sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Job {
    /// When it is submitted, since the first may be.
    pub(super) at_millis: u64,
    pub(super) user: &'static str,
    pub(super) account: &'static str,
    pub(super) qos: &'static str,
    pub(super) nodes: u64,
    pub(super) cores_per_node: u64,
    pub(super) limit_minutes: u64,
    /// How long it sleeps.
    pub(super) seconds: u64,
}

/// `count` jobs of mixed sizes, times and people for nodes with `cores` each, submitted in bursts
/// over `span_seconds`.
pub(super) fn jobs(seed: u64, count: u64, span_seconds: u64, nodes: u64, cores: u64) -> Vec<Job> {
    let mut dice = Dice(seed);
    let mut jobs: Vec<Job> = Vec::new();
    while jobs.len() < usize::try_from(count).unwrap_or(usize::MAX) {
        let at_millis = dice.below(span_seconds * 1_000);
        let (user, account) = dice.person();
        let qos = if account == "startup" || dice.below(8) == 0 { "high" } else { "normal" };
        for _ in 0..=dice.below(4) {
            let wide = dice.below(4) == 0;
            let part = 1 << dice.below(4);
            // Nine in ten end well before their limit, as people over-request; the others use it up
            // but for a few seconds.
            let limit_minutes = 1 + dice.below(3);
            let seconds = match dice.below(10) {
                0 => limit_minutes * 60 - 8,
                _ => 2 + dice.below(limit_minutes * 15),
            };
            jobs.push(Job {
                at_millis,
                user,
                account,
                qos,
                nodes: if wide { 1 + dice.below(nodes / 2) } else { 1 },
                cores_per_node: if wide { cores } else { part.min(cores) },
                limit_minutes,
                seconds,
            });
        }
    }
    jobs.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    jobs.sort_by_key(|job| job.at_millis);
    jobs
}

/// Pseudo-random numbers, the same in every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    fn person(&mut self) -> (&'static str, &'static str) {
        let mut left = self.below(PEOPLE.iter().map(|(_, _, weight)| weight).sum());
        for (user, account, weight) in PEOPLE {
            if left < weight {
                return (user, account);
            }
            left -= weight;
        }
        let [(user, account, _), ..] = PEOPLE;
        (user, account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_means_the_same_jobs_and_all_fit() {
        let drawn = jobs(7, 300, 240, 8, 16);
        assert_eq!(drawn, jobs(7, 300, 240, 8, 16));
        assert_ne!(drawn, jobs(8, 300, 240, 8, 16));
        assert_eq!(drawn.len(), 300);
        for job in &drawn {
            assert!(job.seconds < job.limit_minutes * 60, "{job:?} runs into its limit");
            assert!(job.nodes <= 4 && (1..=16).contains(&job.cores_per_node), "{job:?}");
        }
        for (user, _, _) in PEOPLE {
            assert!(drawn.iter().any(|job| job.user == user), "{user} submits nothing");
        }
    }
}
