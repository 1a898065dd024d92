//! What the configuration of an agent says of logins that its table does not name.

use std::num::NonZeroU32;
use std::time::Duration;

use ::site::agent::Rule;
use anyhow::Result;
use serde::Deserialize;

use super::config::invalid;

/// How long a command may take, in seconds, when not set.
const SECONDS: u32 = 10;

/// The table `[slurm.logins]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LoginTable {
    /// The domain whose addresses become logins, and how.
    domain: Option<String>,
    template: Option<String>,
    /// A command that says who has which login, and how long it may take.
    command: Option<Vec<String>>,
    seconds: Option<NonZeroU32>,
}

impl LoginTable {
    /// The rule that it gives.
    ///
    /// # Errors
    /// When it gives none, or two.
    pub(super) fn rule(&self) -> Result<Rule> {
        match (&self.domain, &self.template, &self.command) {
            (Some(domain), Some(template), None) => {
                if domain.is_empty() || domain.contains('@') {
                    let text = "slurm.logins.domain: name what stands behind the @ of addresses";
                    return Err(invalid(text.to_owned()));
                }
                if template.matches(Rule::LOCAL_PART).count() != 1 {
                    let text = "slurm.logins.template: put {local_part} into it once, so that nobody \
                        shares a login";
                    return Err(invalid(text.to_owned()));
                }
                Ok(Rule::Template { domain: domain.to_lowercase(), login: template.clone() })
            }
            (None, None, Some(words)) if words.first().is_some_and(|it| it.starts_with('/')) => {
                let seconds = self.seconds.map_or(SECONDS, NonZeroU32::get);
                let patience = Duration::from_secs(seconds.into());
                Ok(Rule::Command { words: words.clone(), patience })
            }
            (None, None, Some(_)) => Err(invalid(
                "slurm.logins.command: begin with the whole path of a program".to_owned(),
            )),
            _ => Err(invalid(
                "slurm.logins: name either a `domain` and a `template`, or a `command`".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Result<Rule, String> {
        let table: LoginTable = toml::from_str(text).map_err(|error| error.to_string())?;
        table.rule().map_err(|error| error.to_string())
    }

    #[test]
    fn logins_come_of_one_domain_or_of_a_command() {
        let template = rule("domain = \"HPC.example.eu\"\ntemplate = \"eu-{local_part}\"").unwrap();
        let (domain, login) = ("hpc.example.eu".to_owned(), "eu-{local_part}".to_owned());
        assert_eq!(template, Rule::Template { domain, login });
        let command = rule("command = [\"/usr/local/sbin/login-of\"]\nseconds = 3").unwrap();
        let words = vec!["/usr/local/sbin/login-of".to_owned()];
        assert_eq!(command, Rule::Command { words, patience: Duration::from_secs(3) });
    }

    #[test]
    fn a_rule_that_would_share_a_login_or_says_nothing_is_refused() {
        for (text, word) in [
            ("domain = \"x.eu\"\ntemplate = \"guest\"", "{local_part}"),
            ("domain = \"x.eu\"", "either"),
            ("domain = \"@x.eu\"\ntemplate = \"{local_part}\"", "behind the @"),
            ("command = [\"login-of\"]", "whole path"),
            ("command = []", "whole path"),
            ("", "either"),
            ("domain = \"x.eu\"\ncommand = [\"/x\"]", "either"),
            ("claim = \"uid\"", "unknown field"),
        ] {
            let refused = rule(text).unwrap_err();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }
}
