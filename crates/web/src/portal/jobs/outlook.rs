//! Why a job waits, when it is expected to start and what would start it sooner, in words.

use app::jobs::{Cause, Expected, Outlook, Sooner};

use crate::portal::tongue::Tongue;

/// What stands between a job and its start, as its page tells it.
pub(crate) struct Waiting {
    pub(crate) causes: Vec<String>,
    pub(crate) sooner: Vec<String>,
    pub(crate) expected: Option<String>,
    pub(crate) as_of: Option<String>,
}

impl Waiting {
    /// In words; `None` for a job that does not wait.
    pub(crate) fn of(t: Tongue, outlook: &Outlook) -> Option<Self> {
        let minute = |at| t.fill("why-as-of", &[("at", &t.minute(at))]);
        (!outlook.causes.is_empty()).then(|| Self {
            causes: outlook.causes.iter().map(|it| cause(t, it)).collect(),
            sooner: outlook.sooner.iter().map(|it| sooner(t, *it)).collect(),
            expected: outlook.expected.map(|it| expected(t, it)),
            as_of: outlook.as_of.map(minute),
        })
    }
}

/// A cause as a sentence without its full stop.
pub(crate) fn cause(t: Tongue, cause: &Cause) -> String {
    match cause {
        Cause::DependsOn(others) => t.fill("why-depends", &[("others", others)]),
        Cause::ElementsFirst => t.say("why-elements"),
        Cause::OnItsWay { seen_at: Some(at) } => {
            t.fill("why-on-its-way", &[("at", &t.minute(*at))])
        }
        Cause::OnItsWay { seen_at: None } => t.say("why-never-called"),
        Cause::AgentAway { since } => t.fill("why-agent-away", &[("at", &t.minute(*since))]),
        Cause::NotShown => t.say("why-not-shown"),
        Cause::HeldBack => t.say("why-held-back"),
        Cause::NodesDown => t.say("why-nodes-down"),
        Cause::NotFree { nodes_free, nodes_asked, free } => {
            let free = [free.cores.to_string(), free.memory_mb.to_string(), free.gpus.to_string()];
            let [cores, memory, gpus] = free;
            let nodes = [nodes_free.to_string(), nodes_asked.to_string()];
            let [could, asked] = nodes;
            let gaps = [
                ("could", could.as_str()),
                ("asked", &asked),
                ("cores", &cores),
                ("memory", &memory),
                ("gpus", &gpus),
            ];
            t.fill("why-not-free", &gaps)
        }
        Cause::Maintenance { turns_at } => {
            t.fill("why-maintenance", &[("at", &t.minute(*turns_at))])
        }
        Cause::WouldDelay { promised_at } => {
            t.fill("why-would-delay", &[("at", &t.minute(*promised_at))])
        }
        Cause::Behind { jobs } => {
            t.count("why-behind", usize::try_from(*jobs).unwrap_or(usize::MAX))
        }
        Cause::AboutToStart => t.say("why-about-to-start"),
    }
}

/// What would start a job now.
pub(crate) fn sooner(t: Tongue, sooner: Sooner) -> String {
    match sooner {
        Sooner::TimeLimit { seconds_max } => {
            t.fill("sooner-limit", &[("limit", &t.seconds(seconds_max))])
        }
        Sooner::Nodes { nodes_max } => {
            t.count("sooner-nodes", usize::try_from(nodes_max).unwrap_or(usize::MAX))
        }
    }
}

/// When a job is expected to start, as a range unless all agree on the minute.
pub(crate) fn expected(t: Tongue, expected: Expected) -> String {
    let Expected { earliest, likely, latest } = expected;
    let [earliest, likely, latest] = [earliest, likely, latest].map(|at| t.minute(at));
    if earliest == latest {
        return t.fill("expected-at", &[("likely", &likely)]);
    }
    let gaps = [("likely", likely.as_str()), ("earliest", &earliest), ("latest", &latest)];
    t.fill("expected-between", &gaps)
}
