//! Finding the directives of a script and reading their options as `sbatch` does.

use super::handed::Handed;
use super::{Remark, SCRIPT_BYTES_MAX};
use crate::directive::options;
use crate::directive::table::HETEROGENEOUS;
use crate::directive::words::{self, Unclosed};
use crate::directive::{Argument, Directives, Found, Standing, options::Opt};

const MARK: &str = "#SBATCH";

/// The text of a script, or what keeps the bytes from being one.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Remark> {
    let remark = |line: usize, text: &str| Remark { line: Some(line), text: text.to_owned() };
    if bytes.len() > SCRIPT_BYTES_MAX {
        return Err(remark(1, "the script is longer than 4 MiB"));
    }
    let line_of = |offset: usize| {
        let before = bytes.iter().take(offset);
        before.filter(|byte| **byte == b'\n').count().saturating_add(1)
    };
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        return Err(remark(line_of(offset), "the script holds a null character"));
    }
    if let Some(offset) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        let text = "the line ends as in DOS (\\r\\n), which no shell accepts; use \\n alone";
        return Err(remark(line_of(offset), text));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| remark(line_of(error.valid_up_to()), "the text is not UTF-8"))?;
    if !text.starts_with("#!") {
        let text = "the first line must be #! and the path of an interpreter, as in #!/bin/bash";
        return Err(remark(1, text));
    }
    Ok(text)
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) directives: Directives,
    pub(super) warnings: Vec<Remark>,
    pub(super) errors: Vec<Remark>,
    pub(super) handed: Vec<Handed>,
}

/// An option as it was written: `--time`, `-t`.
pub(super) struct Written<'a> {
    pub(super) option: &'static Opt,
    pub(super) name: String,
    /// What follows the equals sign or the letter.
    pub(super) attached: Option<&'a str>,
}

impl Reader {
    /// Reads the directives up to the first command.
    pub(super) fn script(&mut self, text: &str) {
        for (index, line) in text.lines().enumerate() {
            let number = Some(index.saturating_add(1));
            if let Some(rest) = line.strip_prefix(MARK) {
                match words::split(rest) {
                    Ok(words) => self.words(&words, number),
                    Err(Unclosed(quote)) => {
                        self.error(number, format!("the quote {quote} is never closed"));
                    }
                }
                continue;
            }
            let content = line.trim_start();
            if !content.is_empty() && !content.starts_with('#') {
                break;
            }
        }
    }

    /// Reads options given beside the script.
    pub(super) fn options(&mut self, words: &[String]) {
        self.words(words, None);
    }

    fn words(&mut self, words: &[String], line: Option<usize>) {
        let mut rest = words.iter().map(String::as_str);
        while let Some(word) = rest.next() {
            if word == "hetjob" || word == "packjob" || word == ":" {
                self.error(line, format!("heterogeneous jobs are not offered: {HETEROGENEOUS}"));
                return;
            }
            match written(word) {
                Ok(found) => self.take(found, &mut rest, line),
                Err(problem) => self.error(line, problem),
            }
        }
    }

    /// Takes one option, with its value from behind the name or from the next word.
    fn take<'a>(
        &mut self,
        mut written: Written<'a>,
        rest: &mut impl Iterator<Item = &'a str>,
        line: Option<usize>,
    ) {
        loop {
            let Written { option, name, attached } = written;
            let is_letter = !name.starts_with("--");
            let (value, letters) = match (option.argument, attached) {
                (Argument::Required, None) => (rest.next(), None),
                (Argument::None, Some(letters)) if is_letter => (None, Some(letters)),
                (_, attached) => (attached, None),
            };
            self.apply(option, &name, value, line);
            // A letter without a value may have others behind it, as in `-QH`.
            let Some(letters) = letters else { return };
            match letter(letters) {
                Ok(next) => written = next,
                Err(problem) => return self.error(line, problem),
            }
        }
    }

    fn apply(&mut self, option: &Opt, name: &str, value: Option<&str>, line: Option<usize>) {
        if option.argument == Argument::Required && value.is_none() {
            return self.error(line, format!("`{name}` needs a value"));
        }
        if option.argument == Argument::None && value.is_some() {
            return self.error(line, format!("`{name}` takes no value"));
        }
        match option.standing {
            Standing::Field(field) => {
                if let Err(problem) = self.directives.set(field, value.unwrap_or_default()) {
                    self.error(line, format!("`{name}`: {problem}"));
                }
            }
            Standing::Handed(form, elsewhere) => {
                let checked = value.map_or(Ok(()), |value| form.check(value));
                if let Err(problem) = checked {
                    return self.error(line, format!("`{name}`: {problem}"));
                }
                // A later one replaces an earlier one, as in Slurm.
                self.handed.retain(|earlier| earlier.name != option.long);
                let (long, value) = (option.long, value.map(str::to_owned));
                let written = name.to_owned();
                self.handed.push(Handed { name: long, written, value, form, elsewhere, line });
            }
            Standing::Harmless(reason) => {
                self.warnings
                    .push(Remark { line, text: format!("`{name}` has no effect: {reason}") });
            }
            Standing::Refused(reason) => {
                self.error(line, format!("`{name}` is not supported: {reason}"));
            }
        }
    }

    fn error(&mut self, line: Option<usize>, text: String) {
        self.errors.push(Remark { line, text });
    }
}

/// The option that a word names.
pub(super) fn written(word: &str) -> Result<Written<'_>, String> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, attached) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        return long_option(name, attached);
    }
    match word.strip_prefix('-') {
        Some(letters) if !letters.is_empty() => letter(letters),
        _ => Err(format!("`{word}` is not an option")),
    }
}

fn long_option<'a>(name: &str, attached: Option<&'a str>) -> Result<Written<'a>, String> {
    match options::long(name) {
        Found::One(option) => Ok(Written { option, name: format!("--{}", option.long), attached }),
        Found::Several(names) => Err(format!("`--{name}` could be --{}", names.join(", --"))),
        Found::None(Some(near)) => Err(format!("`--{name}` is unknown; did you mean `--{near}`?")),
        Found::None(None) => Err(format!("`--{name}` is unknown")),
    }
}

/// The option of the first letter; what follows it is its value or more letters.
pub(super) fn letter(letters: &str) -> Result<Written<'_>, String> {
    let mut characters = letters.chars();
    let first = characters.next().unwrap_or_default();
    let option = options::short(first).ok_or_else(|| format!("`-{first}` is unknown"))?;
    let attached = Some(characters.as_str()).filter(|rest| !rest.is_empty());
    Ok(Written { option, name: format!("-{first}"), attached })
}
