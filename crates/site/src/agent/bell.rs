//! Tells tasks that something changed, in the order in which they began to wait.
//!
//! Tokio's own channel for this wakes them in an order that differs from run to run, which a
//! simulation that is to be repeated cannot have.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Rung whenever something changed.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: AtomicU64,
    notify: Notify,
}

/// Hears a bell since some moment.
#[derive(Debug)]
pub(super) struct Listener<'b> {
    bell: &'b Bell,
    heard: u64,
}

impl Bell {
    pub(super) fn ring(&self) {
        self.rung.fetch_add(1, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// Listens from now on.
    pub(super) fn listen(&self) -> Listener<'_> {
        Listener { bell: self, heard: self.rung.load(Ordering::SeqCst) }
    }
}

impl Listener<'_> {
    /// Forgets what was rung so far.
    pub(super) fn mark(&mut self) {
        self.heard = self.bell.rung.load(Ordering::SeqCst);
    }

    /// Returns once the bell was rung since the last time, or the last mark.
    pub(super) async fn heard(&mut self) {
        loop {
            // Before the look, so that no ring falls between.
            let next = self.bell.notify.notified();
            let rung = self.bell.rung.load(Ordering::SeqCst);
            if rung != self.heard {
                self.heard = rung;
                return;
            }
            next.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn a_ring_is_heard_once_by_everybody_who_listened_before_it() {
        let bell = Bell::default();
        let (mut early, mut other) = (bell.listen(), bell.listen());
        assert!(early.heard().now_or_never().is_none());
        bell.ring();
        let mut late = bell.listen();
        assert!(early.heard().now_or_never().is_some());
        assert!(other.heard().now_or_never().is_some());
        assert!(early.heard().now_or_never().is_none(), "it was rung once");
        assert!(late.heard().now_or_never().is_none(), "it was rung before");
        bell.ring();
        late.mark();
        assert!(late.heard().now_or_never().is_none(), "that ring was forgotten");
    }
}
