//! `usine user` and `usine token`: accounts, roles and tokens.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{LIST_MAX, Session, login, segment};
use crate::output::{entries, text, when};
use crate::remote::{Remote, wait};

/// Accounts and the roles that people hold.
#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account; the password is asked for, or read from standard input.
    Register {
        /// The address to sign in with.
        #[arg(long)]
        email: String,
        /// How the person is called.
        #[arg(long)]
        name: String,
        /// Read the password from standard input instead of asking for it.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show your own account and the roles you hold.
    Show,
    /// List the identities by which providers sign you in.
    Identities,
    /// Unlink an identity; the last way to sign in is not taken away.
    Unlink {
        /// Its identifier.
        id: String,
    },
    /// List who holds which role in a scope.
    Roles {
        /// `federation`, `factory:KEY`, `organisation:ID` or `project:ID`.
        #[arg(default_value = "federation")]
        scope: String,
    },
    /// Give somebody a role of the federation or of a factory.
    Grant(RoleArguments),
    /// Take a role away.
    Revoke(RoleArguments),
    /// Close somebody's account: they are signed out everywhere and their tokens stop working.
    Close {
        /// The person's identifier.
        person: String,
    },
    /// Open a closed account again.
    Open {
        /// The person's identifier.
        person: String,
    },
}

#[derive(clap::Args)]
pub(crate) struct RoleArguments {
    /// The person's identifier.
    person: String,
    /// The role, as programme-officer.
    role: String,
    /// `federation` or `factory:KEY`.
    #[arg(default_value = "federation")]
    scope: String,
}

/// Carries out `usine user`.
pub(crate) fn user(command: &UserCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            UserCommand::Register { email, name, password_stdin } => {
                let password =
                    if *password_stdin { login::line_of_input()? } else { login::ask_password()? };
                let new = json!({ "email": email, "name": name, "password": password });
                let made = remote.post("/people", &new).await?;
                session.audience.show(&made, |made| {
                    println!("made the account {} ({})", text(made, "/email"), text(made, "/id"));
                    println!("sign in with: usine login {} --email {email}", remote.url());
                })
            }
            UserCommand::Show => {
                let me = remote.get("/me").await?;
                session.audience.show(&me, tell_account)
            }
            UserCommand::Identities => identities(&remote, session).await,
            UserCommand::Unlink { id } => {
                let gone = remote.delete(&format!("/me/identities/{}", segment(id))).await?;
                session.audience.show(&gone, |_| println!("{id} no longer signs you in"))
            }
            UserCommand::Roles { scope } => roles(&remote, scope, session).await,
            UserCommand::Grant(RoleArguments { person, role, scope }) => {
                let new = json!({ "person": person, "role": role, "scope": scope });
                let given = remote.post("/grants", &new).await?;
                session.audience.show(&given, |_| println!("{person} is {role} in {scope} now"))
            }
            UserCommand::Revoke(RoleArguments { person, role, scope }) => {
                let parts = [person, role, scope].map(|part| segment(part)).join("/");
                let taken = remote.delete(&format!("/grants/{parts}")).await?;
                session
                    .audience
                    .show(&taken, |_| println!("{person} is no longer {role} in {scope}"))
            }
            UserCommand::Close { person } => {
                let path = format!("/people/{}/close", segment(person));
                let closed = remote.post(&path, &json!({})).await?;
                session.audience.show(&closed, |_| {
                    println!("the account is closed; `usine user open {person}` opens it again");
                })
            }
            UserCommand::Open { person } => {
                let path = format!("/people/{}/open", segment(person));
                let open = remote.post(&path, &json!({})).await?;
                session.audience.show(&open, |_| println!("{person} may sign in again"))
            }
        }
    })
}

async fn roles(remote: &Remote, scope: &str, session: &Session) -> Result<()> {
    let roles = remote.list(&format!("/grants?scope={}", segment(scope)), LIST_MAX).await?;
    let header = ["person", "role", "scope", "given by", "since"];
    session.audience.list(&roles, "nobody holds a role there", header, |role| {
        [
            text(role, "/person"),
            text(role, "/role"),
            text(role, "/scope"),
            text(role, "/granted_by"),
            when(role, "/granted_at"),
        ]
    })
}

async fn identities(remote: &Remote, session: &Session) -> Result<()> {
    let found = remote.list("/me/identities", LIST_MAX).await?;
    let nothing = "no provider signs you in; add one in the portal, in your settings";
    let header = ["identity", "provider", "address", "home organisation", "last used"];
    session.audience.list(&found, nothing, header, |identity| {
        [
            text(identity, "/id"),
            text(identity, "/provider"),
            text(identity, "/email"),
            text(identity, "/home_organisation"),
            when(identity, "/seen_at"),
        ]
    })
}

fn tell_account(me: &Value) {
    println!("{} <{}>  {}", text(me, "/name"), text(me, "/email"), text(me, "/id"));
    for grant in entries(me, "/grants") {
        println!("  {} in {}", text(grant, "/role"), text(grant, "/scope"));
    }
}

/// API tokens: scoped, expiring, shown once.
#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// List your tokens that still work.
    List,
    /// Make a token; its secret is printed once, alone on standard output.
    Create {
        /// What you call it.
        name: String,
        /// What it may be used for: read, apply, run, data, administer.
        #[arg(long, value_delimiter = ',', default_value = "read")]
        abilities: Vec<String>,
        /// Days until it expires.
        #[arg(long, default_value_t = 30)]
        days: u32,
    },
    /// Revoke a token.
    Revoke {
        /// Its identifier.
        id: String,
    },
}

/// Carries out `usine token`.
pub(crate) fn token(command: &TokenCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            TokenCommand::List => {
                let tokens = remote.list("/tokens", LIST_MAX).await?;
                let header = ["token", "name", "for", "expires"];
                session.audience.list(&tokens, "you have no tokens", header, |token| {
                    let abilities: Vec<_> =
                        entries(token, "/abilities").iter().filter_map(Value::as_str).collect();
                    [
                        text(token, "/id"),
                        text(token, "/name"),
                        abilities.join(" "),
                        when(token, "/expires_at"),
                    ]
                })
            }
            TokenCommand::Create { name, abilities, days } => {
                let new = json!({ "name": name, "abilities": abilities, "days": days });
                let made = remote.post("/tokens", &new).await?;
                session.audience.show(&made, |made| {
                    eprintln!(
                        "token {} works until {}",
                        text(made, "/id"),
                        when(made, "/expires_at")
                    );
                    println!("{}", text(made, "/secret"));
                })
            }
            TokenCommand::Revoke { id } => {
                let gone = remote.delete(&format!("/tokens/{}", segment(id))).await?;
                session.audience.show(&gone, |_| println!("the token {id} no longer works"))
            }
        }
    })
}
