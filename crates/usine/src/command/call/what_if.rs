//! `usine call what-if`: what granting all that a call is asked would mean.

use serde_json::Value;

use crate::output::{entries, number, right, table, text};

/// Tells people what was weighed.
pub(super) fn tell(call: &Value, weighed: &Value) {
    println!("{}: if all that is asked is granted", text(call, "/title"));
    for partition in entries(weighed, "/partitions") {
        let count = number(partition, "/applications");
        let noun = if count == 1 { "application waits" } else { "applications wait" };
        println!("\n{}: {count} {noun} for a decision", text(partition, "/partition"));
        pools(partition);
        if let Some(unknown) = partition.pointer("/unknown").and_then(Value::as_str) {
            println!("waits: {unknown}");
            continue;
        }
        println!("load: {}", text(partition, "/load"));
        waits(partition);
        for sentence in entries(partition, "/verdict").iter().filter_map(Value::as_str) {
            println!("{sentence}");
        }
    }
    println!("\nassumed: {} ({})", text(weighed, "/assumptions"), text(weighed, "/rule"));
}

fn pools(partition: &Value) {
    let rows = entries(partition, "/pools").iter().map(|pool| {
        ["/payer", "/hours/text", "/granted/text", "/asked/text", "/left/text"]
            .map(|key| text(pool, key))
    });
    let mut pools = table(["payer", "hours", "granted", "asked", "would be left"], rows);
    right(&mut pools, &[1, 2, 3, 4]);
    println!("{pools}");
}

fn waits(partition: &Value) {
    let rows = entries(partition, "/waits").iter().map(|wait| {
        [
            text(wait, "/whom"),
            text(wait, "/figure"),
            duration(wait, "/before"),
            duration(wait, "/after"),
            duration(wait, "/difference"),
            text(wait, "/verdict"),
        ]
    });
    let header = ["whose wait", "which", "as it is", "if granted", "difference", "is that"];
    let mut waits = table(header, rows);
    right(&mut waits, &[2, 3, 4]);
    println!("{waits}");
}

/// A length of time in minutes with its margin; empty when there is none.
fn duration(wait: &Value, pointer: &str) -> String {
    if wait.pointer(pointer).is_none() {
        return String::new();
    }
    let minutes = |key: &str| {
        let seconds = number(wait, &format!("{pointer}/{key}"));
        let tenths = (seconds.abs() + 3) / 6;
        let sign = if seconds < 0 && tenths > 0 { "-" } else { "" };
        format!("{sign}{}.{}", tenths / 10, tenths % 10)
    };
    let mean = minutes("seconds");
    match wait.pointer(&format!("{pointer}/margin")) {
        Some(_) => format!("{mean} ± {} min", minutes("margin")),
        None => format!("{mean} min"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_told_in_minutes_with_their_margins() {
        let wait = json!({
            "before": { "seconds": 90, "margin": 12 }, "after": { "seconds": 7_200 },
            "difference": { "seconds": -33, "margin": 2 },
        });
        assert_eq!(duration(&wait, "/before"), "1.5 ± 0.2 min");
        assert_eq!(duration(&wait, "/after"), "120.0 min");
        assert_eq!(duration(&wait, "/difference"), "-0.6 ± 0.0 min");
        assert_eq!(duration(&wait, "/none"), "");
    }
}
