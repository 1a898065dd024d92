//! Reading a command line as Slurm's commands do: long and short options, `=` or a blank, the unique
//! beginning of a long name, operands among the options.

use anyhow::{Result, bail};

/// An option that a command knows.
pub(super) struct Known {
    /// The long name, without the dashes; empty for one that has only a letter.
    pub(super) long: &'static str,
    pub(super) letter: Option<char>,
    pub(super) takes: Takes,
}

/// Whether an option has a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Value,
}

/// An option that has a value.
pub(super) const fn value(long: &'static str, letter: char) -> Known {
    Known { long, letter: Some(letter), takes: Takes::Value }
}

/// An option that has none.
pub(super) const fn flag(long: &'static str, letter: char) -> Known {
    Known { long, letter: Some(letter), takes: Takes::Nothing }
}

/// The same without a letter.
pub(super) const fn only_long(known: Known) -> Known {
    Known { letter: None, ..known }
}

/// A command line that was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Long names, with their values; those without one have an empty value.
    options: Vec<(&'static str, String)>,
    /// What is no option.
    pub(super) operands: Vec<String>,
}

impl Line {
    /// Reads `words`.
    ///
    /// # Errors
    /// When one is an option that is not known, or lacks its value.
    pub(super) fn read(words: &[String], known: &'static [Known]) -> Result<Self> {
        let mut line = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if word == "--" {
                line.operands.extend(rest.cloned());
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                let (name, attached) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                let option = named(name, known)?;
                line.take(option, word, attached, &mut rest)?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|it| !it.is_empty()) {
                line.letters(letters, known, &mut rest)?;
            } else {
                line.operands.push(word.clone());
            }
        }
        Ok(line)
    }

    fn letters<'w>(
        &mut self,
        letters: &str,
        known: &'static [Known],
        rest: &mut impl Iterator<Item = &'w String>,
    ) -> Result<()> {
        let mut characters = letters.chars();
        while let Some(letter) = characters.next() {
            let Some(option) = known.iter().find(|option| option.letter == Some(letter)) else {
                bail!("invalid option -- '{letter}'");
            };
            let behind = characters.as_str();
            if option.takes == Takes::Value && !behind.is_empty() {
                let value = behind.strip_prefix('=').unwrap_or(behind);
                self.options.push((option.long, value.to_owned()));
                return Ok(());
            }
            self.take(option, &format!("-{letter}"), None, rest)?;
        }
        Ok(())
    }

    fn take<'w>(
        &mut self,
        option: &'static Known,
        written: &str,
        attached: Option<String>,
        rest: &mut impl Iterator<Item = &'w String>,
    ) -> Result<()> {
        let value = match (option.takes, attached) {
            (Takes::Nothing, None) => String::new(),
            (Takes::Nothing, Some(_)) => bail!("option '{written}' doesn't allow an argument"),
            (Takes::Value, Some(value)) => value,
            (Takes::Value, None) => match rest.next() {
                Some(value) => value.clone(),
                None => bail!("option '{written}' requires an argument"),
            },
        };
        self.options.push((option.long, value));
        Ok(())
    }

    /// Whether an option stands there.
    pub(super) fn has(&self, long: &str) -> bool {
        self.options.iter().any(|(name, _)| *name == long)
    }

    /// The last value of an option.
    pub(super) fn last(&self, long: &str) -> Option<&str> {
        self.options.iter().rev().find(|(name, _)| *name == long).map(|(_, value)| value.as_str())
    }

    /// All values of an option, lists with commas taken apart; `None` where it does not stand.
    pub(super) fn list(&self, long: &str) -> Option<Vec<String>> {
        let found = self.options.iter().filter(|(name, _)| *name == long);
        let parts = found.flat_map(|(_, value)| value.split(',')).map(str::trim);
        let parts: Vec<String> = parts.filter(|it| !it.is_empty()).map(str::to_owned).collect();
        self.has(long).then_some(parts)
    }
}

fn named(name: &str, known: &'static [Known]) -> Result<&'static Known> {
    if let Some(option) = known.iter().find(|option| option.long == name) {
        return Ok(option);
    }
    let begun: Vec<_> = known.iter().filter(|option| option.long.starts_with(name)).collect();
    match begun.as_slice() {
        [only] => Ok(only),
        [] => bail!("unrecognized option '--{name}'"),
        several => {
            let names: Vec<_> = several.iter().map(|option| option.long).collect();
            bail!("option '--{name}' is ambiguous; possibilities: --{}", names.join(", --"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static KNOWN: &[Known] = &[
        flag("noheader", 'h'),
        value("format", 'o'),
        value("jobs", 'j'),
        only_long(flag("me", ' ')),
        only_long(flag("noconvert", ' ')),
    ];

    fn read(text: &str) -> Result<Line, String> {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        Line::read(&words, KNOWN).map_err(|error| error.to_string())
    }

    #[test]
    fn every_way_to_write_an_option_means_the_same() {
        for text in [
            "-h -o %i -j 1,2 x",
            "-ho %i --jobs=1,2 x",
            "--noh x -o%i -j1 -j 2",
            "--format %i -hj=1,2 x",
        ] {
            let line = read(text).unwrap();
            assert!(line.has("noheader"), "{text}");
            assert_eq!(line.last("format"), Some("%i"), "{text}");
            assert_eq!(line.list("jobs").unwrap(), ["1", "2"], "{text}");
            assert_eq!(line.operands, ["x"], "{text}");
        }
        assert_eq!(read("--me").unwrap().list("jobs"), None);
        assert_eq!(read("-- -h").unwrap().operands, ["-h"]);
    }

    #[test]
    fn what_is_not_known_or_not_whole_is_refused_as_getopt_says_it() {
        assert_eq!(read("-x").unwrap_err(), "invalid option -- 'x'");
        assert_eq!(read("--banana").unwrap_err(), "unrecognized option '--banana'");
        assert_eq!(
            read("--no").unwrap_err(),
            "option '--no' is ambiguous; possibilities: --noheader, --noconvert"
        );
        assert_eq!(read("-o").unwrap_err(), "option '-o' requires an argument");
        assert_eq!(read("--me=x").unwrap_err(), "option '--me=x' doesn't allow an argument");
    }
}
