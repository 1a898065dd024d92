//! Many at once.

use super::*;
use crate::testing::databases;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_holds_never_overdraw_an_allocation() {
    const SUBMITTERS: u128 = 24;
    const JOBS: u128 = 10;
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        // Enough for 100 of the 240 holds of 7, with 6 left over.
        granted(&tx, allocation(1), 706).await;
        tx.commit().await.unwrap();
        let submitters: Vec<_> = (0..SUBMITTERS)
            .map(|submitter| {
                let store = db.store.clone();
                tokio::spawn(async move {
                    let mut held = 0;
                    for number in 0..JOBS {
                        let tx = store.write().await.unwrap();
                        let job = job(submitter * JOBS + number);
                        let hold =
                            crate::ledger::hold(&tx, memo(), allocation(1), job, seconds(7)).await;
                        if hold.unwrap().is_ok() {
                            held += 1;
                        }
                        tx.commit().await.unwrap();
                    }
                    held
                })
            })
            .collect();
        let mut held = 0;
        for submitter in submitters {
            held += submitter.await.unwrap();
        }
        assert_eq!(held, 100);
        let tx = db.store.read().await.unwrap();
        assert_eq!(stands(&tx, allocation(1)).await, (6, 700, 0));
        drop(tx);
        assert_eq!(assert_sound(&db.store).await.entries, 102);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_job_reported_by_many_is_charged_once() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 1_000).await;
        crate::ledger::hold(&tx, memo(), allocation(1), job(1), seconds(50))
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        let reports: Vec<_> = (0..16)
            .map(|_| {
                let store = db.store.clone();
                tokio::spawn(async move {
                    let tx = store.write().await.unwrap();
                    let settled =
                        crate::ledger::settle(&tx, memo(), job(1), seconds(20)).await.unwrap();
                    tx.commit().await.unwrap();
                    settled.is_ok()
                })
            })
            .collect();
        let mut settled = 0;
        for report in reports {
            settled += u32::from(report.await.unwrap());
        }
        assert_eq!(settled, 1);
        let tx = db.store.read().await.unwrap();
        assert_eq!(stands(&tx, allocation(1)).await, (980, 0, 20));
    }
}
