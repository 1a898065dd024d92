//! The login of somebody whom the site's table does not name: by the form of their address, or by a
//! command of the site.

use std::process::Stdio;
use std::time::Duration;

use jobs::tenancy::{Login, NotALogin};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;

/// The longest answer of a command, in bytes.
const ANSWER_MAX: u64 = 256;
/// The longest address that is looked up, in bytes.
const ADDRESS_MAX: usize = 254;

/// How a site finds the login of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Addresses of one domain become logins, and no others.
    Template {
        /// What stands behind the `@`, in small letters.
        domain: String,
        /// The login, with [`Rule::LOCAL_PART`] for what stands before the `@`.
        login: String,
    },
    /// A command of the site says so: it reads the address as a line, and prints a login or nothing.
    Command {
        /// The program and its arguments; no shell sees them.
        words: Vec<String>,
        /// How long it may take.
        patience: Duration,
    },
}

/// A login could not be looked up, which does not mean that there is none.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// The command cannot be run.
    #[error("the command for logins cannot be run")]
    NotRun(#[from] std::io::Error),
    /// The command took too long.
    #[error("the command for logins took longer than {0:?}")]
    TooLong(Duration),
    /// The command failed.
    #[error("the command for logins ended with {0}")]
    Failed(std::process::ExitStatus),
    /// What it printed is no login.
    #[error("the command for logins printed something else")]
    NoLogin(#[from] NotALogin),
    /// What it printed is no text, or too long.
    #[error("the command for logins printed no line of text")]
    NoText,
}

impl Rule {
    /// Stands for what comes before the `@` of an address.
    pub const LOCAL_PART: &'static str = "{local_part}";

    /// The login of whoever has this address; `None` when they have none.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn find(&self, address: &str) -> Result<Option<Login>, Unknown> {
        let address = address.to_lowercase();
        if address.len() > ADDRESS_MAX || address.chars().any(char::is_control) {
            return Ok(None);
        }
        match self {
            Self::Template { domain, login } => Ok(by_template(domain, login, &address)),
            Self::Command { words, patience } => {
                let asked = timeout(*patience, ask(words, &address)).await;
                parsed(&asked.map_err(|_| Unknown::TooLong(*patience))??)
            }
        }
    }
}

/// What does not make a login as it stands makes none: nothing is left out or put in its place, so that
/// two addresses never come to the same login.
fn by_template(domain: &str, login: &str, address: &str) -> Option<Login> {
    let (local_part, of) = address.rsplit_once('@')?;
    let login = login.replace(Rule::LOCAL_PART, local_part);
    (of == domain && !local_part.is_empty()).then(|| login.parse().ok()).flatten()
}

/// What the command prints when it reads the address.
async fn ask(words: &[String], address: &str) -> Result<Vec<u8>, Unknown> {
    let (program, arguments) = words.split_first().ok_or(Unknown::NoText)?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read may answer all the same.
        let _unread = stdin.write_all(format!("{address}\n").as_bytes()).await;
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(ANSWER_MAX.saturating_add(1)).read_to_end(&mut answer).await?;
    }
    if answer.len() as u64 > ANSWER_MAX {
        return Err(Unknown::NoText);
    }
    let status = child.wait().await?;
    if status.success() { Ok(answer) } else { Err(Unknown::Failed(status)) }
}

/// One line with a login, or nothing.
fn parsed(answer: &[u8]) -> Result<Option<Login>, Unknown> {
    let text = str::from_utf8(answer).map_err(|_| Unknown::NoText)?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    if line.is_empty() { Ok(None) } else { Ok(Some(line.parse()?)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(script: &str) -> Rule {
        let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        Rule::Command { words, patience: Duration::from_secs(2) }
    }

    fn template(login: &str) -> Rule {
        Rule::Template { domain: "hpc.example.eu".to_owned(), login: login.to_owned() }
    }

    async fn found(rule: &Rule, address: &str) -> Result<Option<String>, Unknown> {
        Ok(rule.find(address).await?.map(|login| login.to_string()))
    }

    #[tokio::test]
    async fn an_address_of_the_domain_becomes_a_login() {
        let prefixed = template("eu-{local_part}");
        let login = found(&prefixed, "Ada.L@HPC.example.eu").await.unwrap();
        assert_eq!(login.as_deref(), Some("eu-ada.l"));
    }

    #[tokio::test]
    async fn a_hostile_address_becomes_no_login() {
        let plain = template("{local_part}");
        for address in [
            "ada@example.eu",
            "ada@evil-hpc.example.eu",
            "ada@hpc.example.eu.evil.eu",
            "ada@evil.eu@hpc.example.eu",
            "ada",
            "@hpc.example.eu",
            "root@hpc.example.eu",
            "-u@hpc.example.eu",
            "../ada@hpc.example.eu",
            "a b@hpc.example.eu",
            "ada\n@hpc.example.eu",
            "ada;id@hpc.example.eu",
            "$(id)@hpc.example.eu",
            "{local_part}@hpc.example.eu",
            "ada+x@hpc.example.eu",
            "0@hpc.example.eu",
            "аda@hpc.example.eu",
            "abcdefghijklmnopqrstuvwxyzabcdefgh@hpc.example.eu",
        ] {
            assert_eq!(found(&plain, address).await.unwrap(), None, "{address:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_template_makes_a_login_of_an_address_or_none(address in "\\PC{0,40}") {
            let address = format!("{address}@hpc.example.eu").to_lowercase();
            let local_part = address.strip_suffix("@hpc.example.eu").unwrap();
            if let Some(login) = by_template("hpc.example.eu", "u-{local_part}", &address) {
                proptest::prop_assert_eq!(login.as_str().strip_prefix("u-"), Some(local_part));
            }
        }
    }

    #[tokio::test]
    async fn a_command_reads_the_address_and_prints_a_login_or_nothing() {
        let known = command("read line; case $line in ada@x.eu) echo u100;; esac");
        assert_eq!(found(&known, "Ada@x.eu").await.unwrap().as_deref(), Some("u100"));
        assert_eq!(found(&known, "ben@x.eu").await.unwrap(), None);
        let two_lines = "ada@x.eu\nroot@x.eu";
        assert_eq!(found(&command("cat"), two_lines).await.unwrap(), None, "it is not asked");
        let deaf = command("echo u100");
        assert_eq!(found(&deaf, "ada@x.eu").await.unwrap().as_deref(), Some("u100"));
    }

    #[tokio::test]
    async fn a_command_that_does_anything_else_names_nobody() {
        for script in [
            "echo root",
            "echo -- -u",
            "echo 'a b'",
            "printf 'ada\\nben\\n'",
            "printf '\\377'",
            "yes",
            "sleep 60",
            "echo ada; exit 3",
            "kill $$",
        ] {
            assert!(found(&command(script), "ada@x.eu").await.is_err(), "{script}");
        }
        let patience = Duration::from_secs(2);
        let missing = Rule::Command { words: vec!["/none".to_owned()], patience };
        assert!(matches!(found(&missing, "ada@x.eu").await, Err(Unknown::NotRun(_))));
    }
}
