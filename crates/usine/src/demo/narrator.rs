//! The voice of the demonstration: headings, sentences, figures, quoted text.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use comfy_table::Table;

/// How wide sentences may be.
const WIDTH: usize = 92;
/// How much of that the names of figures take.
const NAME_WIDTH: usize = 24;
/// How far everything below a heading is set in.
const INDENT: &str = "   ";

/// Tells the story to standard output.
pub(super) struct Narrator {
    painted: bool,
    begun: Instant,
    step: u32,
    steps: u32,
}

impl Narrator {
    /// Tells a story of `steps` steps.
    pub(super) fn new(steps: u32) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let painted = wanted && std::io::stdout().is_terminal();
        Self { painted, begun: Instant::now(), step: 0, steps }
    }

    /// How long the story has been going on.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Begins the next step.
    pub(super) fn heading(&mut self, title: &str) {
        self.step = self.step.saturating_add(1);
        let number = self.paint("36", &format!("{}/{}", self.step, self.steps));
        println!("\n{number}  {}\n", self.paint("1", title));
    }

    /// The title of the whole story.
    pub(super) fn title(&self, text: &str) {
        println!("{}", self.paint("1;36", text));
    }

    /// A sentence or two, broken at words.
    pub(super) fn say(&self, text: &str) {
        for line in broken(text, WIDTH) {
            println!("{INDENT}{line}");
        }
    }

    /// A remark that may be skipped.
    pub(super) fn aside(&self, text: &str) {
        for line in broken(text, WIDTH) {
            println!("{INDENT}{}", self.paint("2", &line));
        }
    }

    /// One of several remarks.
    pub(super) fn bullet(&self, text: &str) {
        let paint = |line: &str| self.paint("2", line);
        hang(&paint("·"), 1, broken(text, WIDTH.saturating_sub(2)).iter().map(|line| paint(line)));
    }

    /// A named figure.
    pub(super) fn figure(&self, name: &str, value: &str) {
        let width = WIDTH.saturating_sub(NAME_WIDTH).saturating_sub(1);
        let name = self.paint("2", &format!("{name:<NAME_WIDTH$}"));
        hang(&name, NAME_WIDTH, broken(value, width).into_iter());
    }

    /// Something that was checked.
    pub(super) fn check(&self, passed: bool, text: &str) {
        let mark = if passed { self.paint("32", "✓") } else { self.paint("31", "✗") };
        hang(&mark, 1, broken(text, WIDTH.saturating_sub(2)).into_iter());
    }

    /// A table.
    pub(super) fn table(&self, table: &Table) {
        for line in table.to_string().lines() {
            println!("{INDENT}{line}");
        }
    }

    /// Text that somebody, or something, else wrote; several empty lines are drawn together.
    pub(super) fn quote(&self, text: &str) {
        let bar = self.paint("36", "│");
        let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        lines.dedup_by(|line, before| line.is_empty() && before.is_empty());
        for paragraph in lines {
            for line in broken(paragraph, WIDTH.saturating_sub(2)) {
                println!("{INDENT}{bar} {line}");
            }
        }
    }

    /// A line of space.
    pub(super) fn pause(&self) {
        println!();
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.painted { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Prints `lines` beside a mark of `width` characters.
fn hang(mark: &str, width: usize, mut lines: impl Iterator<Item = String>) {
    println!("{INDENT}{mark} {}", lines.next().unwrap_or_default());
    lines.for_each(|line| println!("{INDENT}{:width$} {line}", ""));
}

/// `text` in lines of at most `width` characters where its words allow it.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        let room = line.chars().count().saturating_add(1).saturating_add(word.chars().count());
        if line.is_empty() {
            line.push_str(word);
        } else if room <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_broken_at_words() {
        assert_eq!(broken("one two  three\nfour", 9), ["one two", "three", "four"]);
        assert_eq!(broken("", 9), [""]);
        assert_eq!(broken("incomprehensibilities so", 9), ["incomprehensibilities", "so"]);
    }
}
