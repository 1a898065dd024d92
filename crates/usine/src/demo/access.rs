//! Steps 2 and 3: a start-up is assessed, applies, and gets its hours.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Story;
use crate::output::{entries, text, when};
use crate::remote::credentials::Token;

const NAME: &str = "Aurore Intelligence S.à r.l.";

/// Ada registers her company, declares its figures, and learns what it counts as.
pub(super) async fn assess(story: &mut Story) -> Result<()> {
    story.narrator.heading("A start-up from Luxembourg registers and is assessed");
    let password = uuid::Uuid::new_v4().to_string();
    let email = "ada@aurore.example";
    let account = json!({ "email": email, "name": "Ada Weber", "password": password });
    let account = story.ada.post("/people", &account).await?;
    story.ada_id = text(&account, "/id").parse()?;
    let proof = json!({ "email": email, "password": password });
    let session = story.ada.post("/session", &proof).await?;
    story.ada = story.ada.with(Token::new(text(&session, "/token")));
    let organisation = json!({
        "name": NAME,
        "kind": "enterprise",
        "country": "LU",
        "legal_form": "S.à r.l.",
        "sector": "software",
        "registered_on": "2024-05-01",
    });
    let organisation = story.ada.post("/organisations", &organisation).await?;
    story.organisation = text(&organisation, "/id");
    let path = format!("/organisations/{}/declaration", story.organisation);
    let assessment = story.ada.put(&path, &declaration()).await?;
    let narrator = &story.narrator;
    narrator.say(&format!(
        "Ada Weber makes an account ({email}) and puts her company on record: {NAME}, registered in \
         2024. She declares 8.5 people, a turnover of 0.4 million euros, and a seed fund that holds \
         30 % of the capital."
    ));
    narrator.pause();
    let is = |key: &str| assessment.pointer(key).and_then(Value::as_bool) == Some(true);
    narrator.check(
        is("/sme"),
        &format!("an SME: {} and {}", text(&assessment, "/class"), text(&assessment, "/relation")),
    );
    for line in entries(&assessment, "/lines") {
        let share = text(line, "/share");
        let share = if share.is_empty() { share } else { format!(", {share}") };
        narrator.bullet(&format!("{}{share} ({})", text(line, "/what"), text(line, "/article")));
    }
    let start_up = if is("/start_up") { "a start-up" } else { "not a start-up" };
    narrator.check(is("/start_up"), start_up);
    for reason in entries(&assessment, "/start_up_reasons").iter().filter_map(Value::as_str) {
        narrator.bullet(reason);
    }
    narrator.aside(&format!("by {}", text(&assessment, "/rule")));
    if !is("/sme") {
        bail!("the assessment is not the one that the story expects: {assessment}");
    }
    Ok(())
}

/// Nearly nine people, and a venture fund with a minority: small, and autonomous by Article 3.
fn declaration() -> Value {
    let size = |headcount: u32, turnover: i64, balance_sheet: i64| {
        json!({
            "headcount_hundredths": headcount,
            "turnover_cents": turnover,
            "balance_sheet_cents": balance_sheet,
        })
    };
    json!({
        "name": NAME,
        "periods": [{ "closed_on": "2025-12-31", "size": size(850, 40_000_000, 20_000_000) }],
        "related": [{
            "key": "seed-fund",
            "name": "Mosel Seed Fund",
            "kind": "venture-capital",
            "periods": [{
                "closed_on": "2025-12-31",
                "size": size(2_000, 100, 900_000_000_000),
            }],
        }],
        "holdings": [{
            "holder": "seed-fund",
            "held": "self",
            "capital_parts_per_million": 300_000,
            "voting_parts_per_million": 250_000,
        }],
    })
}

/// The company applies under Playground and is given hours by the rules alone.
pub(super) async fn apply(story: &mut Story) -> Result<()> {
    story.narrator.heading("It applies under Playground and is given hours at once");
    let calls = story.ada.get("/calls").await?;
    let open = |call: &&Value| text(call, "/mode/key") == "playground";
    let Some(call) = entries(&calls, "/items").iter().find(open) else {
        bail!("the hub has no open Playground call");
    };
    let draft = json!({
        "title": "A small language model",
        "purpose": "Train a first language model on technical documentation, to find out what a \
                    model of our own would take.",
        "partition": story.partition,
        "hours": 5_000,
        "months": 3,
        "duties_accepted": true,
    });
    let begun = json!({ "organisation": story.organisation, "draft": draft });
    let path = format!("/calls/{}/applications", text(call, "/id"));
    let application = story.ada.post(&path, &begun).await?;
    let application = format!("/applications/{}", text(&application, "/id"));
    let narrator = &story.narrator;
    narrator.say(&format!(
        "The call “{}” is open: {}. Ada asks for 5 000 GPU-hours on {} for three months.",
        text(call, "/title"),
        text(call, "/mode/summary"),
        story.partition,
    ));
    narrator.pause();
    let checked = story.ada.post(&format!("{application}/check"), &json!({})).await?;
    for finding in entries(&checked, "/findings") {
        let passed = text(finding, "/outcome") == "passed";
        narrator.check(passed, &format!("{}: {}", text(finding, "/check"), text(finding, "/text")));
    }
    let decided = story.ada.post(&format!("{application}/submit"), &json!({})).await?;
    if text(&decided, "/state") != "awarded" {
        bail!("the application was not awarded: {decided}");
    }
    story.project = text(&decided, "/project");
    story.allocation = text(&decided, "/allocation");
    tell_award(story).await
}

async fn tell_award(story: &Story) -> Result<()> {
    let allocation = story.ada.get(&format!("/allocations/{}", story.allocation)).await?;
    let narrator = &story.narrator;
    narrator.pause();
    narrator.say("No reviewer is needed for this mode: the rules decide, and the hours are there.");
    narrator.figure("granted", &text(&allocation, "/granted/text"));
    narrator.figure("until", &format!("{} UTC", when(&allocation, "/period/end")));
    for part in entries(&allocation, "/balance") {
        let share = format!("{} from this pool", text(part, "/available/text"));
        narrator.figure(&format!("paid by {}", text(part, "/payer")), &share);
    }
    narrator.aside(&format!("by {}", text(&allocation, "/rule")));
    let pools = story.ada.get(&format!("/partitions/{}/pools", story.partition)).await?;
    if let Some(pool) =
        entries(&pools, "/pools").iter().find(|pool| text(pool, "/payer") == "union")
    {
        narrator.figure("left in the Union's pool", &text(pool, "/remaining/text"));
    }
    Ok(())
}
