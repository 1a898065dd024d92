//! `usine call`: invitations to apply.

mod what_if;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{LIST_MAX, Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{entries, spinner, text, when};
use crate::remote::{Remote, wait};

/// Calls.
#[derive(Subcommand)]
pub(crate) enum CallCommand {
    /// List the calls that are open.
    List,
    /// Show a call: who may apply, for how much, who decides.
    Show {
        /// Its key or identifier.
        call: String,
    },
    /// Say what granting all that a call is asked would mean for its pools and for waits.
    WhatIf {
        /// Its key or identifier.
        call: String,
    },
    /// Publish a call.
    Open {
        /// Its key, as fast-lane-2027.
        #[arg(long)]
        key: String,
        /// Its title.
        #[arg(long)]
        title: String,
        /// The access mode, as fast-lane.
        #[arg(long)]
        mode: String,
        /// The partitions whose hours it gives, as meluxina-ai.gpu.
        #[arg(long = "partition", required = true)]
        partitions: Vec<String>,
        /// From when, as 2027-01-01T00:00:00Z.
        #[arg(long)]
        opens_at: String,
        /// Until when; it stays open when not given.
        #[arg(long)]
        closes_at: Option<String>,
    },
}

/// Carries out `usine call`.
pub(crate) fn call(command: &CallCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            CallCommand::List => {
                let calls = remote.list("/calls?limit=200", LIST_MAX).await?;
                let header = ["key", "title", "stage", "hours", "partitions"];
                session.audience.list(&calls, "no call is open", header, |call| {
                    [
                        text(call, "/key"),
                        text(call, "/title"),
                        text(call, "/stage"),
                        hours(call),
                        words(call, "/partitions", "\n"),
                    ]
                })
            }
            CallCommand::Show { call } => session.audience.show(&find(&remote, call).await?, tell),
            CallCommand::WhatIf { call } => {
                let found = find(&remote, call).await?;
                let waiting = spinner("simulating");
                let path = format!("/calls/{}/what-if", segment(&text(&found, "/id")));
                let weighed = remote.get(&path).await?;
                waiting.finish_and_clear();
                session.audience.show(&weighed, |weighed| what_if::tell(&found, weighed))
            }
            CallCommand::Open { key, title, mode, partitions, opens_at, closes_at } => {
                let new = json!({
                    "key": key,
                    "title": title,
                    "mode": mode,
                    "partitions": partitions,
                    "opens_at": opens_at,
                    "closes_at": closes_at,
                });
                session.audience.show(&remote.post("/calls", &new).await?, tell)
            }
        }
    })
}

/// The call with this key or identifier.
pub(super) async fn find(remote: &Remote, name: &str) -> Result<Value> {
    if name.parse::<units::CallId>().is_ok() {
        return remote.get(&format!("/calls/{}", segment(name))).await;
    }
    let calls = remote.list("/calls?limit=200", LIST_MAX).await?;
    let found = calls.into_iter().find(|call| text(call, "/key") == name);
    found.ok_or_else(|| {
        let message = format!("no call has the key {name}; see `usine call list`");
        Told::new(Failure::NotFound, message).into()
    })
}

fn words(value: &Value, pointer: &str, joint: &str) -> String {
    let words: Vec<_> = entries(value, pointer).iter().filter_map(Value::as_str).collect();
    words.join(joint)
}

fn hours(call: &Value) -> String {
    let [min, max] = ["/mode/hours_min", "/mode/hours_max"].map(|end| match text(call, end) {
        unknown if unknown.is_empty() => "?".to_owned(),
        known => known,
    });
    format!("{min} to {max} {}-h", text(call, "/mode/unit"))
}

fn tell(call: &Value) {
    println!("{} ({})  {}", text(call, "/title"), text(call, "/key"), text(call, "/id"));
    println!("  {}\n", text(call, "/mode/summary"));
    let closes = match when(call, "/closes_at") {
        never if never.is_empty() => "until further notice".to_owned(),
        at => format!("until {at}"),
    };
    let decided = call.pointer("/mode/decided_by_rules").and_then(Value::as_bool) == Some(true);
    let lines = [
        ("stage", format!("{}, {closes}", text(call, "/stage"))),
        ("who", words(call, "/mode/who", ", ")),
        ("hours", hours(call)),
        ("partitions", words(call, "/partitions", ", ")),
        ("draws on", text(call, "/mode/draws_on")),
        (
            "decided by",
            if decided { "rules".to_owned() } else { words(call, "/mode/reviews", ", ") },
        ),
        ("duties", words(call, "/mode/duties", "; ")),
        ("rule", text(call, "/mode/rule")),
    ];
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        println!("  {name:<12}{value}");
    }
}
