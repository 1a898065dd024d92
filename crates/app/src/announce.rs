//! What has just changed. An announcement carries no data: whoever hears it reads again, with
//! their own permission. It may be missed, so listeners also look from time to time.

use tokio::sync::broadcast;
use units::{JobId, Slug};

/// Announcements kept for a slow listener before it loses the oldest.
const BACKLOG: usize = 1_024;

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// State, log or metrics of a job.
    Job(JobId),
    /// Orders for a site.
    Orders(Slug),
    /// What a site is to have on the books of its scheduler.
    Tenancy(Slug),
}

/// The hub's notice board.
#[derive(Clone, Debug)]
pub struct Announcements(broadcast::Sender<Topic>);

impl Default for Announcements {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Announcements {
    /// Tells whoever listens. Call after the commit.
    pub fn tell(&self, topic: Topic) {
        // No listener is fine.
        let _ = self.0.send(topic);
    }

    /// Listens from now on.
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

/// One listener.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Topic>);

impl Listener {
    /// Waits until something that `wanted` accepts has changed, or announcements were missed.
    pub async fn heard(&mut self, wanted: impl Fn(&Topic) -> bool) {
        loop {
            match self.0.recv().await {
                Ok(topic) if wanted(&topic) => return,
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The hub is going down; its requests end with it.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
