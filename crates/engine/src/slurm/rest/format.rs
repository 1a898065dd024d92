//! What differs between the data formats of `slurmrestd`, v0.0.37 (release 21.08) to v0.0.44 (25.11).
//!
//! | | to v0.0.38 | v0.0.39 | from v0.0.40 |
//! | --- | --- | --- | --- |
//! | numbers | plain | plain or with `set` | with `set` and `infinite` |
//! | state of a job | a word | a word | a list of words |
//! | environment | an object | a list | a list |
//! | where the script stands | beside the job | beside the job | in the job |
//! | GPUs | `gres` | `tres_per_node` | `tres_per_node` |
//!
//! In all of them a failure may come with status 200, and then stands in `errors`.

use std::fmt;

use serde_json::Value;
use units::Timestamp;

use crate::Error;
use crate::slurm::state::Exit;
use crate::slurm::transport::About;

/// The name of the daemon in errors.
pub(super) const ASKED: &str = "slurmrestd";

/// What Slurm itself sets where nobody says otherwise; it is not told this way.
const MIN_JOB_AGE_SECONDS: u64 = 300;

/// A data format, by its last number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Format(u32);

impl Format {
    const OLDEST: Self = Self(37);
    const NEWEST: Self = Self(44);

    /// The newest of ours that a daemon's document names, with jobs and with their accounting.
    pub(super) fn newest_in(document: &Value) -> Option<Self> {
        let paths = document.get("paths")?.as_object()?;
        let speaks = |part: &str, number: u32| {
            let path = format!("/{part}/v0.0.{number}/jobs");
            paths.keys().any(|known| known.trim_end_matches('/') == path)
        };
        (Self::OLDEST.0..=Self::NEWEST.0)
            .rev()
            .find(|number| speaks("slurm", *number) && speaks("slurmdb", *number))
            .map(Self)
    }

    /// Whether the environment is a list of `NAME=VALUE`, GPUs are asked for as any resource, and
    /// numbers of a submission may be unset.
    pub(super) const fn is_of_parsers(self) -> bool {
        self.0 >= 39
    }

    /// Whether numbers have a `set` of their own, and the script stands in the job.
    pub(super) const fn has_unset_numbers(self) -> bool {
        self.0 >= 40
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v0.0.{}", self.0)
    }
}

/// A number, whether plain, in words, or with its `set`; `None` when there is none.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => crate::slurm::text::number(text),
        Value::Object(object) => {
            let flag = |name: &str| object.get(name).and_then(Value::as_bool);
            let is_number = flag("set") != Some(false) && flag("infinite") != Some(true);
            object.get("number").filter(|_| is_number).and_then(Value::as_u64)
        }
        _ => None,
    }
}

/// An instant; `None` for one that is not known.
pub(super) fn instant(value: &Value) -> Option<Timestamp> {
    let second = number(value).filter(|second| *second > 0)?;
    Timestamp::from_second(i64::try_from(second).ok()?).ok()
}

/// The words of a field that is a word or a list of them, or words with commas between.
pub(super) fn words(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => text.split(',').filter(|word| !word.is_empty()).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// How a script exited: the number of `wait`, or an object with its parts.
pub(super) fn exit(value: &Value) -> Option<Exit> {
    if value.get("return_code").is_none() {
        return number(value).map(Exit::from_wait);
    }
    let byte = |value: Option<&Value>| {
        let number = value.and_then(number).unwrap_or(0);
        u8::try_from(number & 0xFF).unwrap_or(u8::MAX)
    };
    let signal = value.pointer("/signal/id").or(value.pointer("/signal/signal_id"));
    Some(Exit { code: byte(value.get("return_code")), signal: byte(signal) })
}

/// The text of a field, empty when there is none.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What went wrong, in words, with Slurm's number for it; empty when nothing did.
pub(super) fn errors(answer: &Value) -> Vec<(i64, String)> {
    let one = |error: &Value| {
        let number = error.get("error_number").or(error.get("errno")).and_then(Value::as_i64);
        let parts = ["description", "error"].map(|name| text(error, name));
        let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        (number.unwrap_or(0), said.join(": "))
    };
    answer.get("errors").and_then(Value::as_array).into_iter().flatten().map(one).collect()
}

/// An answer without errors.
///
/// # Errors
/// [`Error::Unclear`] with what they say.
pub(super) fn sound(answer: Value) -> Result<Value, Error> {
    let errors = errors(&answer);
    if errors.is_empty() {
        return Ok(answer);
    }
    Err(unclear(&errors))
}

/// That a job is being ended, or needs no ending.
///
/// # Errors
/// [`Error::Unclear`] for all else.
pub(super) fn settled(answer: &Value) -> Result<(), Error> {
    /// The number is that of no job; the job has ended already.
    const SETTLED: [i64; 2] = [2_017, 2_021];
    let mut errors = errors(answer);
    errors.retain(|(number, _)| !SETTLED.contains(number));
    if errors.is_empty() { Ok(()) } else { Err(unclear(&errors)) }
}

pub(super) fn unclear(errors: &[(i64, String)]) -> Error {
    let said: Vec<String> =
        errors.iter().map(|(number, said)| format!("{said} ({number})")).collect();
    Error::Unclear { asked: ASKED.into(), answer: said.join("; ") }
}

/// What the cluster is; that it keeps comments in its accounting cannot be asked this way.
pub(super) fn about(answer: &Value) -> Result<About, Error> {
    let meta = answer.pointer("/meta/Slurm").or(answer.pointer("/meta/slurm"));
    let meta = meta.ok_or_else(|| unclear(&[(0, "it does not say what it is".to_owned())]))?;
    let cluster = text(meta, "cluster");
    Ok(About {
        cluster: if cluster.is_empty() { "slurm" } else { cluster }.to_owned(),
        version: text(meta, "release").to_owned(),
        min_job_age_seconds: MIN_JOB_AGE_SECONDS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_format_that_both_parts_speak_is_taken() {
        let document = |paths: &[&str]| {
            let all = paths.iter().map(|path| ((*path).to_owned(), json!({})));
            json!({ "paths": Value::Object(all.collect()) })
        };
        let speaks = |paths: &[&str]| Format::newest_in(&document(paths)).map(|it| it.to_string());
        let debian = [
            "/slurm/v0.0.36/jobs",
            "/slurm/v0.0.38/jobs",
            "/slurmdb/v0.0.38/jobs",
            "/slurm/v0.0.37/jobs",
        ];
        assert_eq!(speaks(&debian).as_deref(), Some("v0.0.38"));
        let later = [
            "/slurm/v0.0.42/jobs/",
            "/slurmdb/v0.0.42/jobs/",
            "/slurm/v0.0.41/jobs/",
            "/slurm/v0.0.44/jobs/",
        ];
        assert_eq!(speaks(&later).as_deref(), Some("v0.0.42"));
        assert_eq!(speaks(&["/slurm/v0.0.44/jobs"]), None);
        assert_eq!(speaks(&["/slurm/v0.0.45/jobs", "/slurmdb/v0.0.45/jobs"]), None);
        assert_eq!(Format::newest_in(&json!([])), None);
    }

    #[test]
    fn numbers_of_all_formats_are_read() {
        assert_eq!(number(&json!(7)), Some(7));
        assert_eq!(number(&json!({"set": true, "infinite": false, "number": 7})), Some(7));
        assert_eq!(number(&json!({"set": false, "infinite": false, "number": 0})), None);
        assert_eq!(number(&json!({"set": true, "infinite": true, "number": 0})), None);
        assert_eq!(number(&json!(null)), None);
        assert_eq!(instant(&json!(0)), None);
    }

    #[test]
    fn exits_of_all_formats_are_read() {
        assert_eq!(exit(&json!(768)), Some(Exit { code: 3, signal: 0 }));
        let newer = json!({
            "status": ["SIGNALED"],
            "return_code": {"set": false, "infinite": false, "number": 0},
            "signal": {"id": {"set": true, "infinite": false, "number": 9}, "name": "KILL"},
        });
        assert_eq!(exit(&newer), Some(Exit { code: 0, signal: 9 }));
        let between = json!({"status": "SIGNALED", "return_code": 0, "signal": {"signal_id": 9, "name": "KILL"}});
        assert_eq!(exit(&between), Some(Exit { code: 0, signal: 9 }));
    }

    #[test]
    fn a_failure_with_status_200_is_one() {
        let answer = json!({"errors": [{"error_number": 2021, "error": "Job/step already completing or completed"}]});
        assert!(sound(answer.clone()).is_err());
        assert!(settled(&answer).is_ok());
        let silent = json!({"errors": [{"error_number": 1007, "description": "Unable to contact", "error": "x"}]});
        assert!(settled(&silent).unwrap_err().to_string().contains("Unable to contact: x (1007)"));
        assert!(sound(json!({"errors": []})).is_ok());
    }
}
