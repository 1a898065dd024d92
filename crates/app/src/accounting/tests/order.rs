//! However messages are cut, repeated and put out of order, the ledger comes to the same.

use proptest::prelude::*;
use site::protocol::{End, Run};

use super::desk::Desk;

/// Runs of three jobs of the hub and of two submitted by hand, each first while it ran, then over.
async fn told(desk: &Desk) -> (Vec<Run>, i64) {
    let mut runs = Vec::new();
    let mut all = 0;
    for number in 1..=5_u64 {
        let hub = number <= 3;
        let job = if hub { Some(desk.yard.job("#SBATCH --time=60").await.id) } else { None };
        if let Some(job) = job {
            desk.yard.ends(job, End::Completed, 10).await;
        }
        for time in 0..3_u32 {
            let seconds = 10 + time * 7;
            let began = -5_000 + i64::from(time) * 1_000;
            let run = Run { job, ..desk.run(number, began, seconds) };
            runs.push(Run { ended: None, ran_seconds: 0, job: None, ..run.clone() });
            runs.push(run);
            all += i64::from(seconds);
        }
    }
    (runs, all)
}

/// What is known of a run last is that it is over, whatever was repeated before.
fn with_ends_last(runs: Vec<Run>, order: &[usize]) -> Vec<Run> {
    let mut told: Vec<Run> = order.iter().map(|at| runs[at % runs.len()].clone()).collect();
    told.extend(runs.into_iter().filter(|run| run.ended.is_some()));
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_ledger_charges_every_run_once(
        order in prop::collection::vec(0_usize..30, 0..40),
        cut in 1_usize..12,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let desk = Desk::each().await.remove(0);
            desk.pass(10_000);
            let (runs, all) = told(&desk).await;
            for part in with_ends_last(runs, &order).chunks(cut) {
                desk.tell(part).await;
            }
            assert_eq!(desk.used().await, all);
            let day = desk.today().await;
            assert_eq!((day.accounted.count(), day.charged.count()), (all, all), "{day:?}");
            desk.yard.audit().await;
        });
    }
}
