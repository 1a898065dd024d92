//! Counts of nodes and GPUs as directives write them.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// The text is not a number of nodes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a number of nodes: write N or MIN-MAX")]
pub struct NotANodeCount(pub String);

/// How many nodes will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeRange {
    /// The fewest.
    pub min: NonZeroU32,
    /// The most.
    pub max: NonZeroU32,
}

impl FromStr for NodeRange {
    type Err = NotANodeCount;

    fn from_str(text: &str) -> Result<Self, NotANodeCount> {
        let wrong = || NotANodeCount(text.to_owned());
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        let range = Self { min: count(min).ok_or_else(wrong)?, max: count(max).ok_or_else(wrong)? };
        if range.min <= range.max { Ok(range) } else { Err(wrong()) }
    }
}

/// A count with Slurm's suffixes: `k` for 1 024 and `m` for 1 048 576.
fn count(text: &str) -> Option<NonZeroU32> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = text.split_at_checked(digits)?;
    let factor: u32 = match suffix {
        "" => 1,
        "k" | "K" => 1_024,
        "m" | "M" => 1_048_576,
        _ => return None,
    };
    NonZeroU32::new(number.parse::<u32>().ok()?.checked_mul(factor)?)
}

impl fmt::Display for NodeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            return self.min.fmt(f);
        }
        write!(f, "{}-{}", self.min, self.max)
    }
}

/// The text is not a number of GPUs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAGpuCount {
    /// It is not in any known form.
    #[error("`{0}` is not a number of GPUs: write N or TYPE:N")]
    Form(String),
    /// More than one type.
    #[error("`{0}` asks for several types: the GPUs of a partition are all alike, ask for one")]
    Several(String),
    /// A generic resource that is not a GPU.
    #[error("`{0}` is not offered: the only generic resource is gpu")]
    Resource(String),
}

/// A number of GPUs, perhaps of a named type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GpuCount {
    /// The type, as the site calls it.
    pub model: Option<String>,
    /// How many; zero is an answer.
    pub count: u32,
}

impl GpuCount {
    /// Reads the value of `--gres`: `none`, `gpu`, `gpu:N` or `gpu:TYPE:N`.
    ///
    /// # Errors
    /// When the text is in another form or names another resource.
    pub fn from_gres(text: &str) -> Result<Self, NotAGpuCount> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self { model: None, count: 0 });
        }
        if text.contains(',') {
            return Err(NotAGpuCount::Several(text.to_owned()));
        }
        let text = text.strip_prefix("gres/").unwrap_or(text);
        let (resource, rest) = text.split_once(':').unwrap_or((text, "1"));
        if resource != "gpu" {
            return Err(NotAGpuCount::Resource(resource.to_owned()));
        }
        if is_model(rest) {
            return Ok(Self { model: Some(rest.to_owned()), count: 1 });
        }
        rest.parse()
    }

    /// The value as `--gres` takes it.
    pub fn to_gres(&self) -> String {
        format!("gpu:{self}")
    }
}

fn is_model(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    text.bytes().any(|byte| !byte.is_ascii_digit()) && text.bytes().all(plain)
}

impl FromStr for GpuCount {
    type Err = NotAGpuCount;

    fn from_str(text: &str) -> Result<Self, NotAGpuCount> {
        if text.contains(',') {
            return Err(NotAGpuCount::Several(text.to_owned()));
        }
        let wrong = || NotAGpuCount::Form(text.to_owned());
        let (model, number) = match text.split_once(':') {
            Some((model, number)) if is_model(model) => (Some(model.to_owned()), number),
            Some(_) => return Err(wrong()),
            None => (None, text),
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let count = digits.then(|| number.parse().ok()).flatten().ok_or_else(wrong)?;
        Ok(Self { model, count })
    }
}

impl fmt::Display for GpuCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.model {
            Some(model) => write!(f, "{model}:{}", self.count),
            None => self.count.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_counts_may_be_ranges() {
        let parsed = |text: &str| {
            text.parse::<NodeRange>().ok().map(|range| (range.min.get(), range.max.get()))
        };
        let table = [
            ("4", Some((4, 4))),
            ("2-8", Some((2, 8))),
            ("1k", Some((1_024, 1_024))),
            ("8-2", None),
            ("0", None),
            ("-2", None),
            ("2-", None),
            ("n[1-4]", None),
            ("9999999999m", None),
        ];
        for (text, expected) in table {
            assert_eq!(parsed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn gpu_counts_may_name_a_type() {
        let gres = |text: &str| GpuCount::from_gres(text).map(|gpus| gpus.to_string());
        assert_eq!(gres("gpu"), Ok("1".to_owned()));
        assert_eq!(gres("gpu:4"), Ok("4".to_owned()));
        assert_eq!(gres("gres/gpu:h100:2"), Ok("h100:2".to_owned()));
        assert_eq!(gres("gpu:h100"), Ok("h100:1".to_owned()));
        assert_eq!(gres("none"), Ok("0".to_owned()));
        assert_eq!(gres("gpu:h100:"), Err(NotAGpuCount::Form("h100:".to_owned())));
        assert_eq!(gres("nvme:1"), Err(NotAGpuCount::Resource("nvme".to_owned())));
        assert!(matches!(gres("gpu:a:1,gpu:b:1"), Err(NotAGpuCount::Several(_))));
        for text in ["", "x", ":2", "a b:2", "h100:-1", "2:h100"] {
            assert!(text.parse::<GpuCount>().is_err(), "{text:?}");
        }
    }
}
