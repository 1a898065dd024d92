use site::protocol::End;

use super::super::Submission;
use super::yard::{Yard, script};
use crate::Error;

/// Submissions at the same time, and how many of them the allocation covers.
const AT_ONCE: usize = 24;
const COVERED: i64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn submissions_at_the_same_time_never_overdraw_an_allocation() {
    for yard in Yard::each().await {
        let allocation = yard.small_allocation(COVERED * 60 + 59).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (app, ada, project) = (yard.app().clone(), yard.ada.clone(), yard.project);
            let new = Submission { allocation: Some(allocation), ..script("#SBATCH --time=1") };
            tasks.spawn(async move { app.submit_job(&ada, project, new).await });
        }
        let mut accepted = Vec::new();
        while let Some(outcome) = tasks.join_next().await {
            match outcome.unwrap() {
                Ok(submitted) => accepted.push(submitted.id),
                Err(Error::Refused(reasons)) => assert_eq!(reasons[0].rule, "allocation.hours"),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(accepted.len() as i64, COVERED);
        assert_eq!(yard.balance(allocation).await, (59, COVERED * 60, 0));
        assert_eq!(yard.ordered().await.len() as i64, COVERED);
        yard.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_jobs_that_end_together_start_the_third_once() {
    for yard in Yard::each().await {
        for _ in 0..6 {
            let (a, b) = (yard.job("#SBATCH -J a").await, yard.job("#SBATCH -J b").await);
            let third = yard.job(&format!("#SBATCH -J c -d afterok:{}:{}", a.id, b.id)).await;
            let ends = |id| yard.ends(id, End::Completed, 1);
            let cancel = yard.app().cancel_job(&yard.ada, third.id);
            let (.., cancelled) = tokio::join!(ends(a.id), ends(b.id), cancel);
            cancelled.unwrap();
            let job = yard.look(third.id).await;
            assert!(job.life.state.is_final() || job.life.cancel_asked);
            let starts = yard.ordered().await;
            let starts = starts.iter().filter(|order| **order == ("start", third.id)).count();
            assert_eq!(starts, usize::from(!job.life.state.is_final()));
            if !job.life.state.is_final() {
                yard.ends(third.id, End::Cancelled, 0).await;
            }
        }
        assert_eq!(yard.balance(yard.allocation).await.1, 0);
        yard.audit().await;
    }
}
