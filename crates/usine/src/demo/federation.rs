//! Step 1: who built which machine, who paid, and whose hours they are.

use anyhow::Result;
use serde_json::Value;

use super::Story;
use crate::output::{entries, number, right, table, text, when};

/// Loads the federation and follows one agreement to this quarter's hours.
pub(super) async fn tell(story: &mut Story) -> Result<()> {
    story.narrator.heading("Seven AI factories, and who has which hours");
    let federation = story.ada.get("/federation").await?;
    let factories = story.ada.get("/factories").await?;
    let narrator = &story.narrator;
    narrator.say(&format!(
        "The hub has loaded {} factories. {} of their figures are known, each with its source and \
         date; {} are not public and stand as unknown.",
        number(&federation, "/factories"),
        number(&federation, "/figures_known"),
        number(&federation, "/figures_unknown"),
    ));
    narrator.pause();
    let rows = entries(&factories, "/items").iter().map(|factory| {
        [
            text(factory, "/name"),
            format!("{} ({})", text(factory, "/place"), text(factory, "/country")),
            systems(factory),
            joined(factory),
        ]
    });
    narrator.table(&table(["factory", "place", "systems", "joined by"], rows));
    narrator.pause();
    pools(story).await
}

fn systems(factory: &Value) -> String {
    let names = entries(factory, "/systems").iter();
    let names: Vec<_> = names
        .map(|system| format!("{} ({})", text(system, "/name"), text(system, "/kind")))
        .collect();
    names.join("\n")
}

fn joined(factory: &Value) -> String {
    let states = entries(factory, "/joined/value").iter().filter_map(Value::as_str);
    let states: Vec<_> = states.collect();
    if states.is_empty() { "unknown".to_owned() } else { states.join(" ") }
}

async fn pools(story: &mut Story) -> Result<()> {
    let pools = story.ada.get(&format!("/partitions/{}/pools", story.partition)).await?;
    let narrator = &story.narrator;
    narrator.say(&format!("Take the partition {}, by its hosting agreement:", story.partition));
    narrator.figure("paid by the Union", &text(&pools, "/funding/union_total/text"));
    narrator.figure("paid by the states", &text(&pools, "/funding/states_total/text"));
    narrator.figure("so the Union's time is", &text(&pools, "/union_time"));
    let (start, end) = (when(&pools, "/period/start"), when(&pools, "/period/end"));
    let day = |instant: &str| instant.split(' ').next().unwrap_or_default().to_owned();
    let capacity = text(&pools, "/capacity/text");
    narrator.figure("this quarter", &format!("{} to {}: {capacity}", day(&start), day(&end)));
    narrator.pause();
    let rows = entries(&pools, "/pools").iter().map(|pool| {
        [text(pool, "/payer"), text(pool, "/amount/text"), text(pool, "/remaining/text")]
    });
    let mut shown = table(["payer", "hours of this quarter", "of which left"], rows);
    right(&mut shown, &[1, 2]);
    narrator.table(&shown);
    for line in entries(&pools, "/lines").iter().filter_map(Value::as_str) {
        narrator.bullet(line);
    }
    Ok(())
}
