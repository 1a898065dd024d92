//! A scenario in words, so that a report says what it is a report of.

use super::BACKFILLS;
use super::{Load, LoadSource, Machine, Multifactor, Placement, Policy, Scenario, Whom};

impl Scenario {
    /// What is simulated, as pairs of a name and a description.
    pub fn described(&self) -> Vec<(String, String)> {
        let mut told = vec![("days".to_owned(), self.days_in_words())];
        for machine in &self.machines {
            told.push((format!("machine {}", machine.key), machine.in_words()));
        }
        for load in &self.loads {
            told.push(("load".to_owned(), load.in_words()));
        }
        told.extend(self.policy.in_words(self.machines.len()));
        told
    }

    fn days_in_words(&self) -> String {
        let (days, start) = (self.span.days, self.span.start);
        match self.warm_up_days {
            0 => format!("{days} from {start}"),
            warm => format!("{days} from {start}, of which the first {warm} are not measured"),
        }
    }
}

impl Machine {
    fn in_words(&self) -> String {
        let (nodes, per_node, unit) = (self.nodes, self.units_per_node, self.unit.word());
        let mut words = format!("{nodes} nodes of {per_node} {unit}s");
        let day = |at: i64| at / 86_400 + 1;
        if self.arrives > 0 {
            words += &format!(", from day {}", day(self.arrives));
        }
        for upgrade in &self.upgrades {
            words += &format!(", {} nodes from day {}", upgrade.nodes, day(upgrade.at));
        }
        for failure in &self.failures {
            let until = failure.until / 86_400;
            words += &format!(", lost from day {} to day {until}", day(failure.from));
        }
        words
    }
}

impl Load {
    fn in_words(&self) -> String {
        let words = match &self.source {
            LoadSource::Trace(trace) => format!("the log {}", trace.path.display()),
            LoadSource::Population(population) => {
                let groups = population.crowds.iter().map(|crowd| {
                    format!("{} ({} jobs a week)", crowd.group.key, crowd.jobs_per_week)
                });
                format!("drawn for {}", groups.collect::<Vec<_>>().join(", "))
            }
        };
        match self.percent {
            100 => words,
            percent => format!("{words}, at {percent} %"),
        }
    }
}

impl Policy {
    fn in_words(&self, machines: usize) -> Vec<(String, String)> {
        let mut told = Vec::new();
        let mut tell = |name: &str, words: String| told.push((name.to_owned(), words));
        tell("backfill", access::document::word(&BACKFILLS, &self.backfill).to_owned());
        if machines > 1 {
            let word = access::document::word(&Placement::WORDS, &self.placement);
            tell("placement", word.to_owned());
        }
        if let Some(Multifactor { priority, backfill }) = &self.multifactor {
            let weights = &priority.weights;
            let half_life = priority.half_life_seconds.unwrap_or(0) / 86_400;
            let mut words = format!(
                "as Slurm's: fair share {} points (use counts half after {half_life} days), age {}, size {}",
                weights.fair_share, weights.age, weights.size
            );
            if backfill.depth < usize::MAX {
                words += &format!("; {} jobs are tried for backfill", backfill.depth);
            }
            tell("priority", words);
        }
        for (whom, points) in &self.priorities {
            tell("priority", format!("{points} points for {}", whom.in_words()));
        }
        if let Some((whom, percent)) = &self.floor {
            tell("floor", format!("{percent} % of each machine for {} alone", whom.in_words()));
        }
        for cap in &self.caps {
            tell("cap", format!("{} % of each machine for {}", cap.percent, cap.whom.in_words()));
        }
        told
    }
}

impl Whom {
    fn in_words(&self) -> String {
        let parts = [("payer", &self.payers), ("mode", &self.modes)];
        let mut words = match self.classes.as_slice() {
            [] => "all".to_owned(),
            classes => classes.join(" and "),
        };
        for (what, names) in parts {
            if !names.is_empty() {
                words += &format!(" of {what} {}", names.join(" or "));
            }
        }
        words
    }
}
