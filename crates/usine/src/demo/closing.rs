//! Step 7: what was used, who paid, whether the books are sound; and the way to the portal.

use std::time::Duration;

use anyhow::{Result, bail};
use app::Actor;
use serde_json::Value;

use super::Story;
use crate::command::ledger::{statement_table, verdict};
use crate::config::Config;
use crate::factory::Factory;
use crate::output::{entries, number, text};

/// How long jobs have to end after the story was stopped.
const CANCEL_PATIENCE: Duration = Duration::from_secs(12);

/// Prints the statement and checks the ledger.
pub(super) async fn tell(story: &mut Story) -> Result<()> {
    story.narrator.heading("The statement, and the books behind it");
    let statement = story.ada.get(&format!("/projects/{}/statement", story.project)).await?;
    let narrator = &story.narrator;
    for allocation in entries(&statement, "/allocations") {
        narrator.say(&format!("Allocation on {}, this quarter:", text(allocation, "/partition")));
        narrator.table(&statement_table(allocation));
        let movements = entries(allocation, "/movements").len();
        narrator.aside(&format!(
            "{movements} movements, as of ledger entry {}",
            number(&statement, "/ledger_seq")
        ));
    }
    let check = story.administrator.get("/ledger/check").await?;
    let sound = check.pointer("/sound").and_then(Value::as_bool) == Some(true);
    narrator.pause();
    narrator.check(sound, &verdict(&check));
    narrator.pause();
    if !sound {
        bail!("the books are not sound: {}", text(&check, "/finding"));
    }
    Ok(())
}

/// Says how to look around, and how to stop.
pub(super) async fn leave_open(story: &Story, factory: &Factory, config: &Config) -> Result<()> {
    let narrator = &story.narrator;
    let seconds = narrator.elapsed().as_secs();
    narrator
        .say(&format!("The story took {seconds} s. The factory stays, and you may look around:"));
    narrator.pause();
    let hub = &factory.hub;
    let ada = hub.app.sign_in_link(story.ada_id).await?;
    narrator.figure("the start-up's view", &hub.link(&ada));
    let staff = hub.app.sign_in_link(story.administrator_id).await?;
    narrator.figure("the administrator's", &hub.link(&staff));
    narrator.aside("each link signs in once, in a browser, or with: usine login LINK");
    narrator.pause();
    narrator.figure("stop", &format!("Ctrl-C, or: kill {}", std::process::id()));
    narrator.figure("start again", &format!("usine up --data {}", config.data.display()));
    narrator.figure("remove everything", &format!("rm -r {}", config.data.display()));
    Ok(())
}

/// Ends whatever still runs when the story is broken off, so that nothing goes on unseen.
pub(super) async fn cancel_jobs(factory: &Factory) {
    let app = &factory.hub.app;
    let running = |state: &'static str| app::jobs::JobFilter {
        state: Some(state),
        ..app::jobs::JobFilter::default()
    };
    let mut found = Vec::new();
    for state in ["held", "ordered", "queued", "running"] {
        found.extend(app.jobs(&Actor::system(), running(state), 200).await.unwrap_or_default());
    }
    for job in &found {
        if let Err(error) = app.cancel_job(&Actor::system(), job.id).await {
            eprintln!("the job {} could not be cancelled: {error}", job.id);
        }
    }
    let ended = async {
        for job in &found {
            while app
                .job(&Actor::system(), job.id)
                .await
                .is_ok_and(|detail| !detail.job.life.state.is_final())
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    if tokio::time::timeout(CANCEL_PATIENCE, ended).await.is_err() {
        eprintln!("a job is still ending; it is found again at the next start");
    }
}
