//! How many hours work on a model takes: a first guess, with every step of the calculation.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use units::{Meter, PartitionKey};

use crate::document::Figure;
use crate::federation::{Device, Federation, Partition};
use crate::policy::{Entry, ModelWork, Policy};

/// The largest number of parameters or tokens; larger ones are slips of the keyboard.
const COUNT_MAX: u64 = 1_000_000_000_000_000_000;

const TOO_LARGE: &str = "it is more than can be counted";

/// The text is no count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a count from 1 to 10^18, such as 7000000000, 7e9, 7B or 1.5T")]
pub struct NotACount(String);

/// A number of parameters or tokens: `7000000000`, `7e9`, `7B`, `1.5T`, `350M`, `20k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(u64);

impl Count {
    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for Count {
    type Err = NotACount;

    fn from_str(text: &str) -> Result<Self, NotACount> {
        let wrong = || NotACount(text.to_owned());
        let text = text.trim();
        let zeros = |mark: &str| match mark {
            "k" | "K" => Some(3_u32),
            "M" => Some(6),
            "B" | "G" => Some(9),
            "T" => Some(12),
            _ => None,
        };
        let (number, zeros) = match text.split_once(['e', 'E']) {
            Some((number, power)) => (number, power.parse().map_err(|_| wrong())?),
            None => match text.char_indices().next_back() {
                Some((at, mark)) if mark.is_ascii_alphabetic() => {
                    let (number, mark) = text.split_at(at);
                    (number, zeros(mark).ok_or_else(wrong)?)
                }
                _ => (text, 0),
            },
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let places = u32::try_from(part.len()).map_err(|_| wrong())?;
        if whole.is_empty() || !digits(whole) || !digits(part) || places > zeros || zeros > 18 {
            return Err(wrong());
        }
        let scale = 10_u64.checked_pow(zeros.saturating_sub(places)).ok_or_else(wrong)?;
        let count = format!("{whole}{part}").parse::<u64>().ok();
        let count = count.and_then(|count| count.checked_mul(scale));
        count.filter(|count| (1..=COUNT_MAX).contains(count)).map(Self).ok_or_else(wrong)
    }
}

/// What is to be done with a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Which kind of work, by the entry of policy.
    pub work: String,
    /// How many parameters the model has.
    pub parameters: Count,
    /// How many tokens go through it.
    pub tokens: Count,
    /// How many devices are to work at once; as many as memory demands without.
    pub devices: Option<u32>,
}

/// A guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Where.
    pub partition: PartitionKey,
    /// On which device.
    pub device: String,
    /// Hours of one device, rounded up.
    pub device_hours: u64,
    /// What to ask for, in hours of the partition's meter, rounded up.
    pub hours: u64,
    /// What is counted there.
    pub meter: Meter,
    /// The fewest devices whose memory holds the model's state; activations come on top.
    pub devices_min: u64,
    /// How many devices work at once.
    pub devices: u64,
    /// How long they work, in hours, rounded up.
    pub elapsed_hours: u64,
    /// The calculation, line by line.
    pub lines: Vec<String>,
    /// The entry of policy that it rests on.
    pub rule: String,
}

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEstimate {
    /// The federation has no such partition.
    #[error("the federation has no partition {0}")]
    Partition(PartitionKey),
    /// The kind of work is not known.
    #[error("`{0}` is no kind of work; known are {1}")]
    Work(String, String),
    /// The partition's device is not known, or nothing is known of it.
    #[error("{0}: {1}")]
    Device(PartitionKey, String),
    /// The partition counts something that devices do not make up.
    #[error("{0} is counted in {1}, which the estimator cannot tell")]
    Meter(PartitionKey, &'static str),
    /// A figure of policy is unknown, or too large.
    #[error("{0}")]
    Figure(String),
}

/// What the plan takes on a partition of the federation, by the policy of `day`.
///
/// # Errors
/// When the partition or something that the calculation needs is not known.
pub fn estimate(
    plan: &Plan,
    (federation, key): (&Federation, &PartitionKey),
    (policy, day): (&Policy, Date),
) -> Result<Estimate, NoEstimate> {
    let found = federation.partition(key).ok_or_else(|| NoEstimate::Partition(key.clone()));
    let (.., partition) = found?;
    let work = policy.model_work(&plan.work, day).ok_or_else(|| {
        let known: Vec<&str> = policy.model_works(day).map(|it| it.rule.entry.as_str()).collect();
        NoEstimate::Work(plan.work.clone(), known.join(", "))
    })?;
    let device = device_of(partition, federation)?;
    let figures = Figures::of(plan, (work, device))?;
    let devices = u64::from(plan.devices.unwrap_or_default()).max(figures.devices_min);
    let hours = match partition.meter {
        Meter::Gpu => figures.device_hours,
        Meter::Node => figures.device_hours.div_ceil(in_node(partition)?),
        Meter::Core => {
            // A device is had with its part of a node's cores.
            let cores = *known(&partition.cores_per_node, "the number of cores in a node")?;
            let hours = figures.device_hours.checked_mul(u64::from(cores));
            let hours = hours.ok_or_else(|| NoEstimate::Figure(TOO_LARGE.to_owned()))?;
            hours.div_ceil(in_node(partition)?)
        }
        Meter::Qpu => {
            let unit = partition.meter.hour_name();
            return Err(NoEstimate::Meter(partition.key.clone(), unit));
        }
    };
    let mut lines = figures.lines;
    lines.push(format!("{} {} to ask for", grouped(hours.into()), partition.meter.hour_name()));
    Ok(Estimate {
        partition: partition.key.clone(),
        device: partition.device.known().cloned().unwrap_or_default(),
        device_hours: figures.device_hours,
        hours,
        meter: partition.meter,
        devices_min: figures.devices_min,
        devices,
        elapsed_hours: figures.device_hours.div_ceil(devices.max(1)),
        lines,
        rule: work.rule.to_string(),
    })
}

/// How many devices a node of the partition has.
fn in_node(partition: &Partition) -> Result<u64, NoEstimate> {
    let devices = known(&partition.devices_per_node, "the number of devices in a node")?;
    Ok(u64::from(*devices).max(1))
}

fn device_of<'f>(
    partition: &Partition,
    federation: &'f Federation,
) -> Result<&'f Device, NoEstimate> {
    let why = |text: String| NoEstimate::Device(partition.key.clone(), text);
    let name = partition.device.require("its device").map_err(&why)?;
    let found = federation.programme.devices.iter().find(|device| device.name == *name);
    found.ok_or_else(|| why(format!("nothing is known of what {name} delivers")))
}

/// The steps of the calculation.
struct Figures {
    device_hours: u64,
    devices_min: u64,
    lines: Vec<String>,
}

impl Figures {
    fn of(plan: &Plan, (work, device): (&Entry<ModelWork>, &Device)) -> Result<Self, NoEstimate> {
        let huge = || NoEstimate::Figure(TOO_LARGE.to_owned());
        let utilisation = *known(&work.says.utilisation, "the utilisation")?;
        let bytes = *known(&work.says.bytes, "the bytes a parameter")?;
        let peak = u128::from(*known(&device.teraflops, "what the device delivers")?);
        let memory = u128::from(*known(&device.memory_gb, "the memory of the device")?);
        let (parameters, tokens) = (u128::from(plan.parameters.0), u128::from(plan.tokens.0));
        let each = u128::from(work.says.operations);
        let operations =
            each.checked_mul(parameters).and_then(|it| it.checked_mul(tokens)).ok_or_else(huge)?;
        // Millionths of the peak times 10^12 a second are 10^6 operations a second.
        let a_second =
            peak.saturating_mul(u128::from(utilisation.parts())).saturating_mul(1_000_000);
        let an_hour = a_second.saturating_mul(3_600).max(1);
        let device_hours = u64::try_from(operations.div_ceil(an_hour)).map_err(|_| huge())?;
        let state = parameters.checked_mul(u128::from(bytes)).ok_or_else(huge)?;
        let memory = memory.saturating_mul(1_000_000_000).max(1);
        let devices_min = u64::try_from(state.div_ceil(memory)).map_err(|_| huge())?.max(1);
        let lines = vec![
            format!(
                "{each} × {} parameters × {} tokens = {} operations",
                grouped(parameters),
                grouped(tokens),
                grouped(operations)
            ),
            format!(
                "{} × 10^12 a second × {utilisation} = {} operations a second",
                grouped(peak),
                grouped(a_second)
            ),
            format!("{} hours of one device", grouped(device_hours.into())),
            format!(
                "{bytes} bytes × {} = {} bytes: at least {} devices",
                grouped(parameters),
                grouped(state),
                grouped(devices_min.into())
            ),
        ];
        Ok(Self { device_hours, devices_min, lines })
    }
}

/// `1234567` as `1 234 567`.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let places = digits.chars().rev().enumerate();
    let mut text = String::new();
    for (place, digit) in places {
        if place > 0 && place.is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text.chars().rev().collect()
}

fn known<'f, T>(figure: &'f Figure<T>, what: &str) -> Result<&'f T, NoEstimate> {
    figure.require(what).map_err(NoEstimate::Figure)
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
