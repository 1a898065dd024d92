//! The short numbers of jobs, as scripts written for Slurm expect them.

use std::fmt;
use std::str::FromStr;

/// The text is not the number of a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the number of a job: write N, or N_INDEX for an element of an array")]
pub struct NotAJobNumber(pub String);

/// How people name a job: by its number, or by that of its array and its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobNumber {
    /// The number of the job or array.
    pub number: i64,
    /// The index in the array.
    pub index: Option<u32>,
}

impl FromStr for JobNumber {
    type Err = NotAJobNumber;

    fn from_str(text: &str) -> Result<Self, NotAJobNumber> {
        let wrong = || NotAJobNumber(text.to_owned());
        let digits = |text: &str| {
            (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(())
        };
        let (number, index) = match text.split_once('_') {
            Some((number, index)) => (number, Some(index)),
            None => (text, None),
        };
        digits(number).and_then(|()| index.map_or(Some(()), digits)).ok_or_else(wrong)?;
        Ok(Self {
            number: number.parse().map_err(|_| wrong())?,
            index: index.map(str::parse).transpose().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for JobNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, index } = self;
        match index {
            Some(index) => write!(f, "{number}_{index}"),
            None => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_written_as_slurm_writes_them() {
        let parsed = |text: &str| text.parse::<JobNumber>().ok();
        assert_eq!(parsed("17"), Some(JobNumber { number: 17, index: None }));
        assert_eq!(parsed("17_3"), Some(JobNumber { number: 17, index: Some(3) }));
        for wrong in
            ["", "_", "17_", "_3", "-1", "+1", "1.0", "17_x", "99999999999999999999", "1_-1"]
        {
            assert_eq!(parsed(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_number_survives_printing_and_parsing(number in 0_i64.., index in any::<Option<u32>>()) {
            let number = JobNumber { number, index };
            prop_assert_eq!(number.to_string().parse(), Ok(number));
        }
    }
}
