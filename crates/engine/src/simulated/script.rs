//! The part of the shell's language that the simulation plays.

use std::time::Duration;

use jobs::life::{End, Failure};

/// Where a line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Stdout,
    Stderr,
    Metrics,
}

/// What a script does and when, counted from its start.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    lines: Vec<(Duration, Written, String)>,
    length: Duration,
    end: End,
}

impl Play {
    /// Understands `echo`, `sleep`, `exit` and `kill -N $$`; any other command fails as one that
    /// is not installed.
    pub(crate) fn of(script: &str) -> Self {
        let mut play = Self { lines: Vec::new(), length: Duration::ZERO, end: End::Completed };
        for line in script.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
            match command {
                "echo" => play.echo(rest),
                "sleep" => {
                    let seconds = rest.parse().unwrap_or_default();
                    play.length = play.length.saturating_add(Duration::from_secs(seconds));
                }
                "exit" => {
                    play.end = super::end_of(rest.parse().unwrap_or(2));
                    return play;
                }
                "kill" => {
                    let signal = rest.trim_start_matches('-').trim_end_matches(" $$");
                    play.end = End::Failed(Failure::Signal(signal.parse().unwrap_or(15)));
                    return play;
                }
                _ => play.end = super::end_of(127),
            }
        }
        play
    }

    fn echo(&mut self, rest: &str) {
        let (text, to) = match rest.split_once(" >") {
            Some((text, "&2")) => (text, Written::Stderr),
            Some((text, _)) => (text, Written::Metrics),
            None => (rest, Written::Stdout),
        };
        self.lines.push((self.length, to, format!("{}\n", text.trim_matches('\''))));
    }

    /// How long it takes when nothing stops it.
    pub(crate) const fn length(&self) -> Duration {
        self.length
    }

    /// How it ends when nothing stops it.
    pub(crate) const fn end(&self) -> End {
        self.end
    }

    /// What it has written after `passed` to the places that are `wanted`.
    pub(crate) fn written(&self, passed: Duration, wanted: impl Fn(Written) -> bool) -> Vec<u8> {
        let so_far = self.lines.iter().filter(|(at, to, _)| *at <= passed && wanted(*to));
        so_far.flat_map(|(_, _, text)| text.bytes()).collect()
    }
}
