//! A whole factory in this process: the hub, the embedded sites, and the housekeeping that has to
//! happen because time passes.

use std::time::Duration;

use anyhow::Result;
use app::App;
use tokio::task::JoinHandle;

use web::post::{Post, PostSettings};

use crate::config::{Config, Mail};
use crate::hub::Hub;
use crate::site::EmbeddedSite;

/// How often the house is kept.
const HOUSEKEEPING: Duration = Duration::from_secs(15 * 60);

/// How often letters and webhooks are looked for that are due.
const SENDING: Duration = Duration::from_secs(2);

/// How often jobs are looked for that wait for a site in vain.
const MOVING: Duration = Duration::from_secs(60);

/// A factory that works until it is stopped.
pub(crate) struct Factory {
    pub(crate) hub: Hub,
    sites: Vec<EmbeddedSite>,
    keeping: [JoinHandle<()>; 3],
}

impl Factory {
    /// Starts everything; when this returns, the first page is served and jobs are taken.
    pub(crate) async fn start(config: &Config) -> Result<Self> {
        let hub = Hub::start(config).await?;
        hub.app.keep_house().await?;
        let keeping = [
            tokio::spawn(keep_house(hub.app.clone())),
            tokio::spawn(move_stranded(hub.app.clone())),
            tokio::spawn(send_notices(hub.app.clone(), post(config, &hub)?)),
        ];
        let sites = EmbeddedSite::start_all(config, &hub.app, hub.within).await?;
        Ok(Self { hub, sites, keeping })
    }

    /// Stops everything in order. Running jobs go on and are found again at the next start.
    pub(crate) async fn stop(self) -> Result<()> {
        for keeping in &self.keeping {
            keeping.abort();
        }
        for site in self.sites {
            site.stop().await?;
        }
        self.hub.stop().await
    }
}

/// Sweeps at once, then keeps house from time to time.
async fn keep_house(app: App) {
    let mut turn = tokio::time::interval(HOUSEKEEPING);
    loop {
        turn.tick().await;
        let kept = async {
            app.keep_house().await?;
            app.sweep_data().await
        };
        match kept.await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "deleted files that nothing names"),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "housekeeping failed");
            }
        }
    }
}

/// Moves jobs, from time to time, that wait for a site in vain and may run elsewhere.
async fn move_stranded(app: App) {
    let mut turn = tokio::time::interval(MOVING);
    loop {
        turn.tick().await;
        match app.move_stranded().await {
            Ok(0) => {}
            Ok(jobs) => tracing::info!(jobs, "moved jobs away from sites that do not fetch them"),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "moving jobs failed");
            }
        }
    }
}

/// The way by which notices leave the house.
fn post(config: &Config, hub: &Hub) -> Result<Post> {
    let mail = config.mail.as_ref().map(Mail::settings).transpose()?;
    let private_webhooks = config.webhooks.private_networks;
    Ok(Post::new(PostSettings { hub_url: hub.url.clone(), mail, private_webhooks })?)
}

/// Sends letters and webhooks as they fall due.
async fn send_notices(app: App, post: Post) {
    let mut turn = tokio::time::interval(SENDING);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        match post.turn(&app).await {
            Ok(done) if done == web::post::Turn::default() => {}
            Ok(done) => tracing::info!(done.sent, done.failed, "letters and webhooks left"),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "sending notices failed");
            }
        }
    }
}
