//! `usine login` and `usine logout`.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;

use super::Session;
use crate::exit::{Failure, Told};
use crate::output::{number, spinner, text};
use crate::remote::credentials::{Credentials, Token};
use crate::remote::{Remote, wait};

/// How long a sign-in of the command line lasts.
const DAYS: u32 = 30;

/// Sign in to a hub: by a code that you approve in the portal, with a one-time link, a token, or
/// address and password.
#[derive(clap::Args)]
pub(crate) struct LoginArguments {
    /// The hub's address, or a one-time sign-in link [default: the hub signed in to last].
    #[arg(value_name = "URL-OR-LINK")]
    place: Option<String>,
    /// Sign in with address and password, which is asked for.
    #[arg(long)]
    email: Option<String>,
    /// Read the password from standard input instead of asking for it.
    #[arg(long, requires = "email")]
    password_stdin: bool,
    /// Read an API token from standard input and use it as it is.
    #[arg(long, conflicts_with_all = ["email", "password_stdin"])]
    token_stdin: bool,
}

/// Signs in and remembers the sign-in.
pub(crate) fn login(arguments: &LoginArguments, session: &Session) -> Result<()> {
    let (hub, link) = match &arguments.place {
        Some(place) => match place.split_once(web::SIGN_IN_LINK) {
            Some((hub, link)) => (Some(hub.to_owned()), Some(link.to_owned())),
            None => (Some(place.clone()), None),
        },
        None => (None, None),
    };
    let remote = match hub {
        Some(hub) => Remote::new(&hub, session.hub.ca.as_deref(), None)?,
        None => Remote::new(session.remote()?.url(), session.hub.ca.as_deref(), None)?,
    };
    wait(async {
        let (token, me) = if arguments.token_stdin {
            let token = Token::new(line_of_input()?);
            let me = remote.with(token.clone()).get("/me").await?;
            (token, me)
        } else {
            match (link, &arguments.email) {
                (Some(link), _) => lasting(&remote, &json!({ "link": link })).await?,
                (None, Some(email)) => lasting(&remote, &by_password(email, arguments)?).await?,
                (None, None) => by_device(&remote).await?,
            }
        };
        let mut credentials = Credentials::load()?;
        credentials.remember(remote.url(), token);
        let file = credentials.save()?;
        session.audience.show(&me, |me| {
            println!("signed in to {} as {}", remote.url(), text(me, "/email"));
            println!("the sign-in lasts {DAYS} days and is kept in {}", file.display());
        })
    })
}

/// Exchanges a proof for a token of the command line's own; the session behind it ends at once.
async fn lasting(remote: &Remote, proof: &serde_json::Value) -> Result<(Token, serde_json::Value)> {
    let opened = remote.post("/session", proof).await?;
    let signed_in = remote.with(Token::new(text(&opened, "/token")));
    let me = signed_in.get("/me").await?;
    let new = json!({
        "name": own_name(),
        "abilities": ["read", "apply", "run", "data", "administer"],
        "days": DAYS,
    });
    let made = signed_in.post("/tokens", &new).await?;
    signed_in.delete("/session").await?;
    Ok((Token::new(text(&made, "/secret")), me))
}

/// What this command line calls itself.
fn own_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("command line on {}", host.trim()).trim_end_matches(" on ").to_owned()
}

/// Shows a code and waits until somebody approves it in the portal (RFC 8628).
async fn by_device(remote: &Remote) -> Result<(Token, serde_json::Value)> {
    let asked = remote.post("/devices", &json!({ "name": own_name() })).await?;
    let place = format!("{}{}", remote.url(), text(&asked, "/verification_path"));
    let code = text(&asked, "/user_code");
    eprintln!("open {place} where you are signed in, and type the code {code}");
    eprintln!("  or open {place}?code={code}");
    let bar = spinner("waiting");
    let kept = json!({ "device_code": text(&asked, "/device_code") });
    let mut seconds = u64::try_from(number(&asked, "/interval")).unwrap_or(5).max(1);
    let made = loop {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        match remote
            .post_or_rule("/devices/token", &kept, &["authorization_pending", "slow_down"])
            .await?
        {
            Ok(made) => break made,
            Err("slow_down") => seconds = seconds.saturating_add(5),
            Err(_) => {}
        }
    };
    bar.finish_and_clear();
    let token = Token::new(text(&made, "/secret"));
    let me = remote.with(token.clone()).get("/me").await?;
    Ok((token, me))
}

fn by_password(email: &str, arguments: &LoginArguments) -> Result<serde_json::Value> {
    let password = if arguments.password_stdin { line_of_input()? } else { ask_password()? };
    Ok(json!({ "email": email, "password": password }))
}

fn need_terminal() -> Result<()> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    let message = "nobody can be asked here: give a sign-in link, or --email with \
                   --password-stdin, or --token-stdin";
    Err(Told::new(Failure::Invalid, message).into())
}

/// Asks for a password without showing it.
pub(crate) fn ask_password() -> Result<String> {
    need_terminal()?;
    eprint!("password: ");
    std::io::stderr().flush()?;
    let stdin = std::io::stdin();
    let shown = tcgetattr(&stdin)?;
    let mut silent = shown.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &silent)?;
    let line = line_of_input();
    tcsetattr(&stdin, OptionalActions::Now, &shown)?;
    eprintln!();
    line
}

/// One line of standard input, without its end.
pub(crate) fn line_of_input() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("cannot read standard input")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Revokes the token of the command line and forgets it.
pub(crate) fn logout(session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let mut credentials = Credentials::load()?;
    let Some(token) = credentials.token(remote.url()).cloned() else {
        println!("nobody is signed in to {}", remote.url());
        return Ok(());
    };
    let revoked = wait(remote.with(token).delete("/session"));
    credentials.forget(remote.url());
    credentials.save()?;
    match revoked {
        Ok(_) => println!("signed out of {}; the token no longer works", remote.url()),
        Err(error) => {
            println!("forgot the sign-in to {}", remote.url());
            eprintln!("the hub could not be told: {error:#}");
        }
    }
    Ok(())
}
