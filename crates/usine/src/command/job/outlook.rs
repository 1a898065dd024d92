//! Why a job waits and where one could run, for people.

use anyhow::Result;
use serde_json::Value;

use crate::command::segment;
use crate::output::{entries, text, when, work};
use crate::remote::Remote;

/// What the hub says of a job that waits.
pub(super) async fn of(remote: &Remote, id: &str) -> Result<Value> {
    remote.get(&format!("/jobs/{}/outlook", segment(id))).await
}

/// Tells it, or that the job does not wait.
pub(super) fn tell_all(outlook: &Value) {
    if entries(outlook, "/causes").is_empty() {
        println!("it does not wait: it runs or has ended");
    }
    tell(outlook);
}

/// Tells what there is to tell; nothing of a job that does not wait.
pub(super) fn tell(outlook: &Value) {
    let line = |name: &str, value: String| {
        if !value.is_empty() {
            println!("  {name:<12}{value}");
        }
    };
    for (index, cause) in entries(outlook, "/causes").iter().enumerate() {
        line(if index == 0 { "waits" } else { "and" }, text(cause, "/text"));
    }
    for sooner in entries(outlook, "/sooner") {
        line("sooner with", text(sooner, "/text"));
    }
    line("start", text(outlook, "/text"));
    let away = |cause: &Value| text(cause, "/kind") == "agent-away";
    let may_leave = outlook.pointer("/may_leave").and_then(Value::as_bool) == Some(true);
    if may_leave && entries(outlook, "/causes").iter().any(away) {
        line("elsewhere", "it may run elsewhere: usine job move NUMBER".to_owned());
    }
    let as_of = when(outlook, "/as_of");
    if !as_of.is_empty() {
        line("as of", format!("{as_of}, when its site was last heard of"));
    }
}

/// One place in the table of offers.
pub(super) fn row(offer: &Value) -> [String; 8] {
    let place = [text(offer, "/partition"), text(offer, "/country")].join(" ");
    let refused = text(offer, "/refused");
    if !refused.is_empty() {
        let none = String::new;
        return [place, refused, none(), none(), none(), none(), none(), none()];
    }
    let known = |pointer: &str, unit: &str| match text(offer, pointer) {
        unknown if unknown.is_empty() => "not known".to_owned(),
        known => format!("{known} {unit}"),
    };
    let payers = entries(offer, "/terms/payers").iter().filter_map(Value::as_str);
    let start = match when(offer, "/terms/expected/likely") {
        unknown if unknown.is_empty() => "not known".to_owned(),
        start => start,
    };
    [
        place,
        start,
        work(offer, "/terms/held"),
        work(offer, "/terms/available"),
        payers.collect::<Vec<_>>().join(", "),
        known("/terms/transfer_seconds", "s"),
        known("/terms/carbon_grams", "g"),
        known("/terms/score_seconds", "s"),
    ]
}

/// The heads of the columns that [`row`] fills.
pub(super) const COLUMNS: [&str; 8] =
    ["place", "likely start", "held", "left before", "paid by", "data", "CO2 at most", "counted"];
