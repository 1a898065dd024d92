//! A command line of `sbatch`: options, then the script and its arguments.

use super::read::{Written, letter, written};
use crate::directive::{Argument, Standing};

/// An option of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its long name, without the dashes.
    pub name: &'static str,
    /// Its value, as it was written.
    pub value: Option<String>,
}

impl Given {
    /// The option as one word.
    pub fn word(&self) -> String {
        match &self.value {
            Some(value) => format!("--{}={value}", self.name),
            None => format!("--{}", self.name),
        }
    }
}

/// Takes options off the beginning of `words`; gives back what follows them.
///
/// # Errors
/// With what is wrong, for people: an option that is unknown, or lacks its value.
pub fn command_line(words: &[String]) -> Result<(Vec<Given>, Vec<String>), String> {
    let mut given = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.as_slice().first() {
        if !word.starts_with('-') || word == "-" {
            break;
        }
        rest.next();
        if word == "--" {
            break;
        }
        let mut found = written(word)?;
        loop {
            let Written { option, name, attached } = found;
            let is_letter = !name.starts_with("--");
            let (value, letters) = match (option.argument, attached) {
                (Argument::Required, None) => (rest.next().map(String::as_str), None),
                (Argument::None, Some(letters)) if is_letter => (None, Some(letters)),
                (_, attached) => (attached, None),
            };
            match (option.argument, value) {
                (Argument::Required, None) => return Err(format!("`{name}` needs a value")),
                (Argument::None, Some(_)) => return Err(format!("`{name}` takes no value")),
                _ => {}
            }
            given.push(Given { name: option.long, value: value.map(str::to_owned) });
            let Some(letters) = letters else { break };
            found = letter(letters)?;
        }
    }
    Ok((given, rest.cloned().collect()))
}

/// What becomes of every option of `sbatch`, in the words of the users' guide: its long name, and
/// `carried out`, `handed to Slurm`, `no effect` or `refused`.
pub fn fates() -> impl Iterator<Item = (&'static str, &'static str)> {
    crate::directive::table::OPTIONS.iter().map(|option| {
        let fate = match option.standing {
            Standing::Field(_) => "carried out",
            Standing::Handed(..) => "handed to Slurm",
            Standing::Harmless(_) => "no effect",
            Standing::Refused(_) => "refused",
        };
        (option.long, fate)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, Vec<String>), String> {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let (given, rest) = command_line(&words)?;
        let shown: Vec<String> = given.iter().map(Given::word).collect();
        Ok((shown.join(" "), rest))
    }

    #[test]
    fn options_end_where_the_script_begins() {
        let (options, rest) =
            read("--parsable -QN 2 -t5 --wrap=true run.sh -N 3 --time=1").unwrap();
        assert_eq!(options, "--parsable --quiet --nodes=2 --time=5 --wrap=true");
        assert_eq!(rest, ["run.sh", "-N", "3", "--time=1"]);
        assert_eq!(read("-W -- -x").unwrap(), ("--wait".to_owned(), vec!["-x".to_owned()]));
        assert_eq!(read("-").unwrap(), (String::new(), vec!["-".to_owned()]));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(read("--banana").unwrap_err(), "`--banana` is unknown");
        assert_eq!(read("-N").unwrap_err(), "`-N` needs a value");
        assert_eq!(read("--parsable=1").unwrap_err(), "`--parsable` takes no value");
    }
}
