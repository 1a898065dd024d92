//! `scancel`: asks for the end of jobs.

use crate::Error;
use crate::slurm::process::{Invocation, Output};
use crate::slurm::transport::SlurmId;

pub(super) fn build(user: Option<&str>, ids: &[SlurmId]) -> Invocation {
    let ids = ids.iter().map(|id| id.0.to_string());
    Invocation::new("scancel", ids).by(user)
}

/// A job that is over, or not there, needs no cancelling.
pub(super) fn parse(output: &Output) -> Result<(), Error> {
    let settled = |line: &str| {
        ["already completing or completed", "Invalid job id"].iter().any(|it| line.contains(it))
    };
    if output.status.success() || !output.stderr.is_empty() && output.stderr.lines().all(settled) {
        return Ok(());
    }
    Err(Error::Unclear { asked: "scancel".into(), answer: output.complaint() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    #[test]
    fn what_is_over_needs_no_cancelling_and_silence_is_no_answer() {
        let parsed = |code: i32, stderr: &str| {
            let status = ExitStatus::from_raw(code << 8);
            parse(&Output { status, stdout: Vec::new(), stderr: stderr.to_owned() }).is_ok()
        };
        assert!(parsed(0, ""));
        assert!(parsed(
            1,
            "scancel: error: Kill job error on job id 5: Job/step already completing or completed"
        ));
        assert!(parsed(1, "scancel: error: Kill job error on job id 9: Invalid job id specified"));
        assert!(!parsed(1, "scancel: error: Unable to contact slurm controller (connect failure)"));
        assert!(!parsed(1, ""));
    }
}
