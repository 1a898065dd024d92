//! Looks at the engine, once per interval for all jobs together.

use engine::Engine;

use super::orders::error_chain;
use super::{Shared, pause_after};

/// Looks for ever; while there is no job, only now and then.
pub(super) async fn look<E: Engine>(shared: &Shared<E>) {
    let mut failures = 0;
    loop {
        if !shared.table.is_idle() {
            match shared.engine.observe().await {
                Ok(observations) => {
                    shared.table.see(observations);
                    failures = 0;
                }
                Err(error) => {
                    tracing::warn!(error = error_chain(&error), "the engine cannot be looked at");
                    tokio::time::sleep(pause_after(failures)).await;
                    failures += 1;
                }
            }
        }
        tokio::time::sleep(shared.settings.interval).await;
    }
}
