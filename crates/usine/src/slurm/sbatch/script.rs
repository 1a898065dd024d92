//! The script that `sbatch` is given: a file, standard input, or a command to wrap.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// Shells to which `set --` hands arguments on.
const SHELLS: [&str; 6] = ["ash", "bash", "dash", "ksh", "sh", "zsh"];

/// The script, with its arguments in it, and the name of a job that runs it.
pub(super) fn read(wrap: Option<&str>, operands: &[String]) -> Result<(String, String)> {
    match (wrap, operands) {
        (Some(_), [_, ..]) => bail!("Script arguments not permitted with --wrap option"),
        (Some(command), []) => Ok((wrapped(command), "wrap".to_owned())),
        (None, []) => {
            let text = std::io::read_to_string(std::io::stdin());
            Ok((text.context("cannot read standard input")?, "sbatch".to_owned()))
        }
        (None, [file, arguments @ ..]) => {
            let text = match std::fs::read(file) {
                Ok(bytes) => {
                    String::from_utf8(bytes).with_context(|| format!("{file} is not text"))?
                }
                Err(_) if file == "-" => bail!("write the script to standard input without `-`"),
                Err(error) => bail!("Unable to open file {file}: {error}"),
            };
            let name = Path::new(file).file_name().and_then(|name| name.to_str());
            Ok((with_arguments(&text, arguments)?, name.unwrap_or("sbatch").to_owned()))
        }
    }
}

/// What Slurm itself makes of a command to wrap.
fn wrapped(command: &str) -> String {
    format!("#!/bin/sh\n# This script was created by sbatch --wrap.\n\n{command}\n")
}

/// The script with its arguments set before the first command.
fn with_arguments(text: &str, arguments: &[String]) -> Result<String> {
    if arguments.is_empty() {
        return Ok(text.to_owned());
    }
    let interpreter = text.lines().next().unwrap_or_default().trim_start_matches("#!").trim();
    let mut words = interpreter
        .split_whitespace()
        .map(|word| Path::new(word).file_name().and_then(|name| name.to_str()).unwrap_or_default());
    let program = match words.next() {
        Some("env") => words.next(),
        first => first,
    };
    if !program.is_some_and(|program| SHELLS.contains(&program)) {
        bail!("arguments reach scripts of a shell only; give them to this one by --export");
    }
    let quoted = arguments.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''")));
    let line = format!("set -- {}\n", quoted.collect::<Vec<_>>().join(" "));
    let is_before = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let before: usize = text.split_inclusive('\n').take_while(is_before).map(str::len).sum();
    let (head, body) = text.split_at(before);
    let joint = if head.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{head}{joint}{line}{body}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_command_is_the_script_that_slurm_writes() {
        let (text, name) = read(Some("echo hi"), &[]).unwrap();
        let expected = "#!/bin/sh\n# This script was created by sbatch --wrap.\n\necho hi\n";
        assert_eq!((text.as_str(), name.as_str()), (expected, "wrap"));
        assert!(read(Some("echo"), &["x".to_owned()]).is_err());
    }

    #[test]
    fn arguments_are_set_after_the_directives() {
        let text = "#!/bin/bash -l\n#SBATCH -N 1\n\n# note\necho \"$1\"\n";
        let with = |text: &str, arguments: &[&str]| {
            with_arguments(text, &arguments.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            with(text, &["it's", "$HOME"]).unwrap(),
            "#!/bin/bash -l\n#SBATCH -N 1\n\n# note\nset -- 'it'\\''s' '$HOME'\necho \"$1\"\n"
        );
        assert_eq!(with(text, &[]).unwrap(), text);
        assert!(with("#!/usr/bin/env bash\necho", &["x"]).unwrap().contains("set -- 'x'\necho"));
        assert!(with("#!/usr/bin/python3\nprint()\n", &["x"]).is_err());
        assert_eq!(with("#!/bin/sh", &["x"]).unwrap(), "#!/bin/sh\nset -- 'x'\n");
    }

    #[test]
    fn a_file_gives_its_name_to_the_job() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("train.sh");
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        let (text, name) = read(None, &[file.display().to_string()]).unwrap();
        assert_eq!((text.as_str(), name.as_str()), ("#!/bin/sh\n", "train.sh"));
        let missing = read(None, &["/none/such".to_owned()]).unwrap_err().to_string();
        assert!(missing.starts_with("Unable to open file /none/such: "), "{missing}");
    }
}
