//! Job arrays: which indices, and how many elements at a time.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// The text does not describe an array.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnArray {
    /// It is not in any known form.
    #[error("`{0}` is not an array: write indices such as 0-15, 1,3,5-9, 0-31:4 or 0-99%8")]
    Form(String),
    /// It has more elements than a submission may have.
    #[error("`{0}` has more than {max} elements", max = ArraySpec::ELEMENTS_MAX)]
    TooMany(String),
}

/// From `first` to `last`, each `step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Range {
    first: u32,
    last: u32,
    step: NonZeroU32,
}

/// The indices of an array and how many elements may run at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArraySpec {
    ranges: Vec<Range>,
    at_once_max: Option<NonZeroU32>,
}

impl ArraySpec {
    /// The most elements that one submission may have.
    pub const ELEMENTS_MAX: usize = 1_000;

    /// The indices in ascending order, each once; never empty.
    pub fn indices(&self) -> BTreeSet<u32> {
        self.ranges.iter().flat_map(Range::indices).collect()
    }

    /// How many elements may run at a time, if that is limited.
    pub const fn at_once_max(&self) -> Option<NonZeroU32> {
        self.at_once_max
    }
}

impl Range {
    fn indices(&self) -> impl Iterator<Item = u32> + use<> {
        let step = usize::try_from(self.step.get()).unwrap_or(usize::MAX);
        (self.first..=self.last).step_by(step)
    }
}

impl FromStr for ArraySpec {
    type Err = NotAnArray;

    fn from_str(text: &str) -> Result<Self, NotAnArray> {
        let spec = parse(text).ok_or_else(|| NotAnArray::Form(text.to_owned()))?;
        let indices = spec.ranges.iter().flat_map(Range::indices);
        if indices.take(Self::ELEMENTS_MAX.saturating_add(1)).count() > Self::ELEMENTS_MAX {
            return Err(NotAnArray::TooMany(text.to_owned()));
        }
        Ok(spec)
    }
}

fn parse(text: &str) -> Option<ArraySpec> {
    let (indices, at_once_max) = match text.split_once('%') {
        Some((indices, limit)) => (indices, Some(number(limit).and_then(NonZeroU32::new)?)),
        None => (text, None),
    };
    let ranges = indices.split(',').map(range).collect::<Option<Vec<_>>>()?;
    Some(ArraySpec { ranges, at_once_max })
}

fn range(text: &str) -> Option<Range> {
    let Some((first, rest)) = text.split_once('-') else {
        let only = number(text)?;
        return Some(Range { first: only, last: only, step: NonZeroU32::MIN });
    };
    let (last, step) = match rest.split_once(':') {
        Some((last, step)) => (last, number(step).and_then(NonZeroU32::new)?),
        None => (rest, NonZeroU32::MIN),
    };
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some(Range { first, last, step })
}

fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for ArraySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.ranges.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{}", range.first)?;
            if range.last != range.first || range.step != NonZeroU32::MIN {
                write!(f, "-{}", range.last)?;
            }
            if range.step != NonZeroU32::MIN {
                write!(f, ":{}", range.step)?;
            }
        }
        match self.at_once_max {
            Some(limit) => write!(f, "%{limit}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(text: &str) -> Option<Vec<u32>> {
        text.parse::<ArraySpec>().ok().map(|array| Vec::from_iter(array.indices()))
    }

    #[test]
    fn indices_are_those_of_slurm() {
        let table: [(&str, Option<Vec<u32>>); 12] = [
            ("0-3", Some(vec![0, 1, 2, 3])),
            ("7", Some(vec![7])),
            ("9,1-3,2", Some(vec![1, 2, 3, 9])),
            ("0-10:4", Some(vec![0, 4, 8])),
            ("1-5%2", Some(vec![1, 2, 3, 4, 5])),
            ("5-1", None),
            ("1-5%0", None),
            ("1-5:0", None),
            ("", None),
            ("1,,2", None),
            ("a-b", None),
            ("1-", None),
        ];
        for (text, expected) in table {
            assert_eq!(indices(text), expected, "{text:?}");
        }
        assert_eq!("1-5%2".parse::<ArraySpec>().unwrap().at_once_max(), NonZeroU32::new(2));
    }

    #[test]
    fn an_array_too_large_to_submit_is_refused_without_counting_it_out() {
        let refused = |text: &str| matches!(text.parse::<ArraySpec>(), Err(NotAnArray::TooMany(_)));
        assert!(refused("0-1000"));
        assert!(refused("0-4294967295"));
        assert!(!refused("1-1000"));
    }
}
