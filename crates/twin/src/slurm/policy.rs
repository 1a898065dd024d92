//! What `slurm.conf` says of priorities, backfill, preemption and what is shared.

use sched::{Backfill, FairShare, Policy, PriorityPolicy, Tres, Weights, WhenPreempted};

use super::conf::{Conf, Setting, refused};
use super::resources::{amounts, conf_seconds, whole};
use super::{Note, Part, SlurmError};

/// How a machine schedules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scheduling {
    pub(super) priority: PriorityPolicy,
    pub(super) backfill: Backfill,
    pub(super) policy: Policy,
    /// Whether jobs take memory beside cores.
    pub(super) counts_memory: bool,
    /// Whether jobs get nodes for themselves.
    pub(super) whole_nodes: bool,
    /// What becomes of jobs that must make room, if any must.
    pub(super) preempts: Option<WhenPreempted>,
    /// Whether limits of accounts and classes bind.
    pub(super) enforces_limits: bool,
}

impl Scheduling {
    /// Takes from `conf` what is about scheduling.
    pub(super) fn read(conf: &mut Conf, notes: &mut Vec<Note>) -> Result<Self, SlurmError> {
        let (policy, backfill) = backfill(conf, notes)?;
        let words = |setting: Option<Setting>| -> Vec<String> {
            let value = setting.map(|setting| setting.value).unwrap_or_default();
            value.split(',').map(|word| word.trim().to_ascii_lowercase()).collect()
        };
        let select = words(conf.take("selecttype"));
        let counted = words(conf.take("selecttypeparameters"));
        let enforced = words(conf.take("accountingstorageenforce"));
        Ok(Self {
            priority: priority(conf, notes)?,
            backfill,
            policy,
            counts_memory: counted.iter().any(|word| word.ends_with("_memory")),
            whole_nodes: select.iter().any(|word| word == "select/linear"),
            preempts: preemption(conf)?,
            enforces_limits: enforced
                .iter()
                .any(|word| ["limits", "safe", "all"].contains(&word.as_str())),
        })
    }
}

fn backfill(conf: &mut Conf, notes: &mut Vec<Note>) -> Result<(Policy, Backfill), SlurmError> {
    let kind = conf.take("schedulertype");
    let parameters = conf.take("schedulerparameters");
    if let Some(kind) = kind {
        match kind.value.to_ascii_lowercase().as_str() {
            "sched/backfill" => {}
            "sched/builtin" => return Ok((Policy::Fcfs, Backfill::UNLIMITED)),
            _ => return Err(kind.expected("sched/backfill or sched/builtin")),
        }
    }
    let mut backfill = Backfill::SLURM;
    let Some(parameters) = parameters else { return Ok((Policy::Conservative, backfill)) };
    for word in parameters.value.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let number = || {
            value
                .parse::<u32>()
                .map_err(|_| parameters.expected(format!("a whole number for {name}")))
        };
        match name.to_ascii_lowercase().as_str() {
            "bf_interval" => backfill.interval_seconds = number()?.into(),
            "bf_resolution" => backfill.resolution_seconds = number()?.max(1).into(),
            "bf_window" => backfill.window_seconds = i64::from(number()?) * 60,
            "bf_max_job_test" => {
                backfill.depth = usize::try_from(number()?.max(1)).unwrap_or(usize::MAX);
            }
            // A round that was interrupted goes on where it was; ours are not.
            "bf_continue" => {}
            _ => notes.push(Note {
                part: Part::Conf,
                line: parameters.line,
                what: format!("{word} of SchedulerParameters is not taken into account"),
            }),
        }
    }
    Ok((Policy::Conservative, backfill))
}

fn priority(conf: &mut Conf, notes: &mut Vec<Note>) -> Result<PriorityPolicy, SlurmError> {
    let mut policy = PriorityPolicy::ARRIVAL;
    let Some(kind) = conf.take("prioritytype") else { return Ok(policy) };
    match kind.value.to_ascii_lowercase().as_str() {
        "priority/basic" => return Ok(policy),
        "priority/multifactor" => {}
        _ => return Err(kind.expected("priority/basic or priority/multifactor")),
    }
    let mut weight = |name: &str| conf.take(name).map_or(Ok(0), |weight| weight.number());
    policy.weights = Weights {
        age: weight("priorityweightage")?,
        fair_share: weight("priorityweightfairshare")?,
        size: weight("priorityweightjobsize")?,
        partition: weight("priorityweightpartition")?,
        qos: weight("priorityweightqos")?,
        tres: tres_weights(conf, notes)?,
    };
    let mut time = |name: &str| {
        let read = |setting: Setting| {
            conf_seconds(&setting.value).ok_or_else(|| setting.expected("a time such as 7-0"))
        };
        conf.take(name).map(read).transpose()
    };
    if let Some(seconds) = time("prioritymaxage")? {
        policy.age_seconds_max = seconds;
    }
    if let Some(seconds) = time("prioritycalcperiod")? {
        policy.period_seconds = seconds.max(1);
    }
    if let Some(seconds) = time("prioritydecayhalflife")? {
        policy.half_life_seconds = (seconds > 0).then_some(seconds);
    }
    policy.favor_small =
        conf.take("priorityfavorsmall").is_some_and(|it| it.value.eq_ignore_ascii_case("yes"));
    let dampening = conf.take("fairsharedampeningfactor").map_or(Ok(1), |it| it.number())?;
    if let Some(flags) = conf.take("priorityflags") {
        for flag in flags.value.split(',').map(str::trim).filter(|flag| !flag.is_empty()) {
            match flag.to_ascii_uppercase().as_str() {
                "FAIR_TREE" => {}
                "NO_FAIR_TREE" => policy.fair_share = FairShare::Classic { dampening },
                _ => notes.push(Note {
                    part: Part::Conf,
                    line: flags.line,
                    what: format!("{flag} of PriorityFlags is not taken into account"),
                }),
            }
        }
    }
    Ok(policy)
}

fn tres_weights(conf: &mut Conf, notes: &mut Vec<Note>) -> Result<Tres<i64>, SlurmError> {
    let Some(weights) = conf.take("priorityweighttres") else { return Ok(Tres::all(0)) };
    let (found, others) = amounts(&weights.field(), whole).map_err(refused)?;
    notes.extend(others.into_iter().map(|(name, _)| Note {
        part: Part::Conf,
        line: weights.line,
        what: format!("the weight of {name} is not taken into account"),
    }));
    let points = |weight: Option<u64>| i64::try_from(weight.unwrap_or(0)).unwrap_or(i64::MAX);
    Ok(found.zip(Tres::all(()), |weight, ()| points(weight)))
}

fn preemption(conf: &mut Conf) -> Result<Option<WhenPreempted>, SlurmError> {
    let mode = conf.take("preemptmode");
    let Some(kind) = conf.take("preempttype") else { return Ok(None) };
    match kind.value.to_ascii_lowercase().as_str() {
        "preempt/none" => return Ok(None),
        "preempt/qos" => {}
        _ => return Err(kind.expected("preempt/none or preempt/qos")),
    }
    let Some(mode) = mode else { return Ok(None) };
    match mode.value.to_ascii_lowercase().as_str() {
        "off" => Ok(None),
        "requeue" => Ok(Some(WhenPreempted::Requeue)),
        "cancel" => Ok(Some(WhenPreempted::Cancel)),
        _ => Err(mode.expected("OFF, REQUEUE or CANCEL")),
    }
}
