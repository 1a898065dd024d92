//! `sdiag`: how far the accounting is behind the controller.

use super::columns::lines;
use crate::slurm::process::Invocation;
use crate::slurm::text;

pub(super) fn build() -> Invocation {
    Invocation::new("sdiag", [""; 0])
}

/// Messages for slurmdbd that wait in the controller; `None` when it does not tell.
pub(super) fn parse(answer: &[u8]) -> Option<u64> {
    let line = lines(answer).find_map(|line| {
        let (name, value) = str::from_utf8(line).ok()?.split_once(':')?;
        (name.trim() == "DBD Agent queue size").then_some(value)
    });
    line.and_then(|value| text::number(value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_that_wait_are_counted() {
        // From what Slurm 22.05.8 prints.
        let answer = "Agent queue size:     1\nAgent count:          0\nDBD Agent queue size: 12\n";
        assert_eq!(parse(answer.as_bytes()), Some(12));
        assert_eq!(parse(b"Agent queue size: 1\n"), None);
    }
}
