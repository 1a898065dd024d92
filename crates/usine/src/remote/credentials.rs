//! Who is signed in where: a file that only its owner can read.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::exit::{Failure, Told};

/// A bearer token, which never shows in logs.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself, for the `Authorization` header and the file.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// The sign-ins of one person on one machine.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The hub signed in to last.
    current: Option<String>,
    /// One token a hub.
    tokens: BTreeMap<String, Token>,
}

impl Credentials {
    /// Reads the file of this person; nothing there means nobody is signed in.
    pub(crate) fn load() -> Result<Self> {
        Self::read(&file()?)
    }

    fn read(file: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                let told = format!("cannot read the sign-ins in {}", file.display());
                return Err(anyhow::Error::from(error).context(told));
            }
        };
        let mode = std::fs::metadata(file)?.permissions().mode();
        if mode & 0o077 != 0 {
            let file = file.display();
            let message = format!(
                "{file} can be read by others, so the tokens in it are no longer secret; \
                 revoke them (usine token revoke), then: chmod 600 {file}"
            );
            return Err(Told::new(Failure::Invalid, message).into());
        }
        toml::from_str(&text).map_err(|error| {
            let message = format!("{} is damaged: {error}", file.display());
            Told::new(Failure::Invalid, message).into()
        })
    }

    /// Writes the file, readable by its owner alone, in one step.
    pub(crate) fn save(&self) -> Result<PathBuf> {
        let file = file()?;
        self.write(&file)
            .with_context(|| format!("cannot keep the sign-in in {}", file.display()))?;
        Ok(file)
    }

    fn write(&self, file: &Path) -> Result<()> {
        let folder = file.parent().context("the file has no folder")?;
        std::fs::create_dir_all(folder)?;
        let fresh = file.with_extension(format!("{}.new", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        let mut handle = options.write(true).create_new(true).mode(0o600).open(&fresh)?;
        handle.write_all(toml::to_string(self)?.as_bytes())?;
        handle.sync_all()?;
        Ok(std::fs::rename(&fresh, file)?)
    }

    /// The hub signed in to last.
    pub(crate) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// The token for a hub.
    pub(crate) fn token(&self, hub: &str) -> Option<&Token> {
        self.tokens.get(hub.trim_end_matches('/'))
    }

    /// Remembers a sign-in and makes its hub the current one.
    pub(crate) fn remember(&mut self, hub: &str, token: Token) {
        self.tokens.insert(hub.to_owned(), token);
        self.current = Some(hub.to_owned());
    }

    /// Forgets the sign-in to a hub, which stays the current one.
    pub(crate) fn forget(&mut self, hub: &str) {
        self.tokens.remove(hub);
    }
}

/// Where sign-ins are kept: `USINE_CREDENTIALS`, or below the folder for configuration.
fn file() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(file) = from("USINE_CREDENTIALS") {
        return Ok(file);
    }
    let folder = from("XDG_CONFIG_HOME").or_else(|| from("HOME").map(|home| home.join(".config")));
    folder.map(|folder| folder.join("usine").join("credentials.toml")).context(
        "neither HOME nor XDG_CONFIG_HOME nor USINE_CREDENTIALS says where to keep sign-ins",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_kept_for_its_owner_alone_and_forgotten_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("usine/credentials.toml");
        let mut credentials = Credentials::read(&file).unwrap();
        assert_eq!(credentials.current(), None);
        credentials.remember("http://a", Token::new("one"));
        credentials.remember("http://b", Token::new("two"));
        credentials.write(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let mut again = Credentials::read(&file).unwrap();
        assert_eq!(again.current(), Some("http://b"));
        assert_eq!(again.token("http://a/").map(Token::reveal), Some("one"));
        again.forget("http://b");
        assert_eq!((again.current(), again.token("http://b").is_none()), (Some("http://b"), true));
    }

    #[test]
    fn a_file_that_others_can_read_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials.toml");
        Credentials::default().write(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = Credentials::read(&file).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_token_does_not_show_in_debug_output() {
        assert!(!format!("{:?}", Token::new("secret")).contains("secret"));
    }
}
