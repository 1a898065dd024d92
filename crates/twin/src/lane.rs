//! A fast lane: a part of the machine that only some jobs may use.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::Job;

/// The text does not say who the members are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no members: write user:, group: or queue: and numbers, such as queue:2,5")]
pub struct NotMembers(pub String);

/// Whose jobs a floor is for, by the numbers that the log gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    field: Field,
    numbers: BTreeSet<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    User,
    Group,
    Queue,
}

impl Members {
    /// Whether `job` is one of theirs.
    pub fn contain(&self, job: &Job) -> bool {
        self.numbers.contains(match self.field {
            Field::User => &job.user,
            Field::Group => &job.group,
            Field::Queue => &job.queue,
        })
    }
}

impl FromStr for Members {
    type Err = NotMembers;

    fn from_str(text: &str) -> Result<Self, NotMembers> {
        let unknown = || NotMembers(text.to_owned());
        let (field, numbers) = text.split_once(':').ok_or_else(unknown)?;
        let field = match field {
            "user" => Field::User,
            "group" => Field::Group,
            "queue" => Field::Queue,
            _ => return Err(unknown()),
        };
        let numbers = numbers.split(',').map(|number| number.trim().parse());
        let numbers = numbers.collect::<Result<_, _>>().map_err(|_| unknown())?;
        Ok(Self { field, numbers })
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(u32::to_string).collect();
        let field = match self.field {
            Field::User => "user",
            Field::Group => "group",
            Field::Queue => "queue",
        };
        write!(f, "{field}:{}", numbers.join(","))
    }
}

/// A floor for the members: all others together hold no more than the rest of the machine.
///
/// A job of the others that needs more than that rest by itself runs as if there were no floor,
/// for else it would never run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FastLane {
    /// Who may use all of the machine.
    pub members: Members,
    /// The processors that others may not use.
    pub floor_procs: u32,
    /// What the others may hold together.
    pub rest_procs: u32,
}

impl FastLane {
    /// A floor of `percent` of `procs`, rounded down.
    pub fn new(members: Members, percent: u32, procs: u32) -> Self {
        let asked = u64::from(procs) * u64::from(percent.min(100)) / 100;
        let floor_procs = u32::try_from(asked).unwrap_or(procs);
        Self { members, floor_procs, rest_procs: procs - floor_procs }
    }

    /// Whether `job` must leave the floor alone.
    pub fn binds(&self, job: &Job) -> bool {
        !self.members.contain(job) && job.procs <= self.rest_procs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_survive_printing_and_parsing() {
        for text in ["user:3", "group:1,2", "queue:0,5,9"] {
            assert_eq!(text.parse::<Members>().unwrap().to_string(), text);
        }
        for text in ["", "user", "user:", "user:x", "sme:1", "queue:1,,2"] {
            assert_eq!(text.parse::<Members>(), Err(NotMembers(text.to_owned())));
        }
    }

    #[test]
    fn a_floor_binds_others_unless_they_could_never_run() {
        let job = |queue, procs| Job {
            id: 1,
            submit: 1,
            run: 1,
            estimate: 1,
            procs,
            user: 1,
            group: 1,
            queue,
        };
        let lane = FastLane::new("queue:2".parse().unwrap(), 20, 99);
        assert_eq!((lane.floor_procs, lane.rest_procs), (19, 80));
        assert!(lane.binds(&job(1, 80)));
        assert!(!lane.binds(&job(1, 81)), "it needs more than the rest");
        assert!(!lane.binds(&job(2, 1)), "it is a member's");
    }
}
