//! What callers see.

use ::ledger::{Insufficient, Kind, Refusal, Short, verify};
use units::{Cents, Shares};

use super::*;
use crate::testing::databases;

#[tokio::test]
async fn a_job_is_held_charged_and_the_rest_released() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 1_000).await;
        crate::ledger::hold(&tx, memo(), allocation(1), job(1), seconds(600))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stands(&tx, allocation(1)).await, (400, 600, 0));
        tx.commit().await.unwrap();

        let tx = db.store.write().await.unwrap();
        let entry =
            crate::ledger::settle(&tx, memo(), job(1), seconds(101)).await.unwrap().unwrap();
        assert!(matches!(entry.kind(), Kind::Settle { .. }));
        assert_eq!(stands(&tx, allocation(1)).await, (899, 0, 101));
        let again = crate::ledger::settle(&tx, memo(), job(1), seconds(101)).await;
        assert_eq!(denied(again), Denied::NoOpenHold(job(1)));
        tx.commit().await.unwrap();
        assert_eq!(assert_sound(&db.store).await.entries, 4);
    }
}

#[tokio::test]
async fn a_refusal_writes_nothing_and_leaves_the_transaction_usable() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 1_000).await;
        let before = crate::ledger::head(&tx).await.unwrap();
        let asked = crate::ledger::hold(&tx, memo(), allocation(1), job(1), seconds(1_001)).await;
        let insufficient = Insufficient { missing: seconds(1), available: seconds(1_000) };
        assert_eq!(denied(asked), Denied::Refused(Refusal::Insufficient(insufficient)));
        let asked = crate::ledger::hold(&tx, memo(), allocation(2), job(1), seconds(1)).await;
        assert_eq!(denied(asked), Denied::NoSuchAllocation(allocation(2)));
        assert_eq!(
            denied(crate::ledger::release(&tx, memo(), job(9)).await),
            Denied::NoOpenHold(job(9))
        );
        let asked = crate::ledger::correct(&tx, memo(), job(9), seconds(1)).await;
        assert_eq!(denied(asked), Denied::NotCharged(job(9)));
        let unknown = pool(7, "union").id;
        let asked =
            crate::ledger::grant(&tx, memo(), allocation(2), &Shares::sole(unknown), seconds(1))
                .await;
        assert_eq!(denied(asked), Denied::NoSuchPool(unknown));
        let lu = pool(2, "state:LU").id;
        let asked =
            crate::ledger::grant(&tx, memo(), allocation(2), &Shares::sole(lu), seconds(9_501))
                .await;
        assert_eq!(denied(asked), Denied::Short(Short::Pools(vec![(lu, seconds(1))])));
        assert_eq!(crate::ledger::head(&tx).await.unwrap(), before);
        crate::ledger::hold(&tx, memo(), allocation(1), job(1), seconds(1_000))
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        assert_sound(&db.store).await;
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_no_entry() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 1_000).await;
        drop(tx);
        assert_eq!(assert_sound(&db.store).await.entries, 0);
    }
}

#[tokio::test]
async fn an_overrun_is_borne_by_the_site_until_a_correction_lifts_it() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 100).await;
        crate::ledger::hold(&tx, memo(), allocation(1), job(1), seconds(60))
            .await
            .unwrap()
            .unwrap();
        crate::ledger::settle(&tx, memo(), job(1), seconds(150)).await.unwrap().unwrap();
        assert_eq!(stands(&tx, allocation(1)).await, (0, 0, 100));
        let (_, charge) = crate::ledger::charge_of(&tx, job(1)).await.unwrap().unwrap();
        assert_eq!((charge.used, charge.absorbed), (seconds(150), seconds(50)));
        crate::ledger::correct(&tx, memo(), job(1), seconds(120)).await.unwrap().unwrap();
        crate::ledger::correct(&tx, memo(), job(1), seconds(90)).await.unwrap().unwrap();
        let (_, charge) = crate::ledger::charge_of(&tx, job(1)).await.unwrap().unwrap();
        assert_eq!((charge.used, charge.absorbed), (seconds(90), seconds(0)));
        assert_eq!(stands(&tx, allocation(1)).await, (10, 0, 90));
        tx.commit().await.unwrap();
        assert_sound(&db.store).await;
    }
}

#[tokio::test]
async fn what_is_left_goes_back_to_its_pools_or_expires() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 1_000).await;
        crate::ledger::hold(&tx, memo(), allocation(1), job(1), seconds(100))
            .await
            .unwrap()
            .unwrap();
        let entries =
            crate::ledger::expire(&tx, [memo(), memo()], allocation(1)).await.unwrap().unwrap();
        assert_eq!(entries.iter().map(|entry| entry.kind().name()).collect::<Vec<_>>(), ["return"]);
        let pools = crate::ledger::pool_balances(&tx, &[pool(1, "union").id]).await.unwrap();
        assert_eq!(pools, [(pool(1, "union"), hours(), seconds(9_950))]);
        crate::ledger::release(&tx, memo(), job(1)).await.unwrap().unwrap();
        let later = Period::quarter_of(now()).end();
        let memos = || [memo_at(later), memo_at(later)];
        let entries = crate::ledger::expire(&tx, memos(), allocation(1)).await.unwrap().unwrap();
        assert_eq!(entries.iter().map(|entry| entry.kind().name()).collect::<Vec<_>>(), ["expiry"]);
        assert!(
            crate::ledger::expire(&tx, memos(), allocation(1)).await.unwrap().unwrap().is_empty()
        );
        tx.commit().await.unwrap();
        assert_sound(&db.store).await;
    }
}

#[tokio::test]
async fn one_pen_writes_many_entries_that_see_each_other() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 1_000).await;
        granted(&tx, allocation(2), 10).await;
        let mut pen = Pen::take(&tx, &[]).await.unwrap();
        for number in 0..200 {
            pen.hold(memo(), allocation(1), job(number), seconds(5)).await.unwrap().unwrap();
        }
        let last = pen.hold(memo(), allocation(1), job(200), seconds(1)).await.unwrap();
        assert!(last.is_err(), "the pen forgot what it held before");
        for number in 0..200 {
            pen.settle(memo(), job(number), seconds(3)).await.unwrap().unwrap();
        }
        let again = pen.settle(memo(), job(0), seconds(3)).await;
        assert_eq!(denied(again), Denied::NoOpenHold(job(0)));
        pen.transfer(memo(), allocation(1), allocation(2), seconds(400)).await.unwrap().unwrap();
        pen.write(Ok(())).await.unwrap().unwrap();
        assert_eq!(stands(&tx, allocation(1)).await, (0, 0, 600));
        assert_eq!(stands(&tx, allocation(2)).await, (410, 0, 0));
        crate::ledger::hold(&tx, memo(), allocation(2), job(300), seconds(7))
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(assert_sound(&db.store).await.entries, 406);
    }
}

#[tokio::test]
async fn a_hold_on_record_is_closed_once_by_one_pen() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 1_000).await;
        crate::ledger::hold(&tx, memo(), allocation(1), job(1), seconds(5)).await.unwrap().unwrap();
        let mut pen = Pen::take(&tx, &[]).await.unwrap();
        pen.settle(memo(), job(1), seconds(3)).await.unwrap().unwrap();
        assert_eq!(denied(pen.release(memo(), job(1)).await), Denied::NoOpenHold(job(1)));
        pen.write(Ok(())).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_sound(&db.store).await;
    }
}

#[tokio::test]
async fn many_jobs_are_closed_together() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 1_000).await;
        granted(&tx, allocation(2), 1_000).await;
        for number in 0..6 {
            let of = allocation(1 + number % 2);
            crate::ledger::hold(&tx, memo(), of, job(number), seconds(10)).await.unwrap().unwrap();
        }
        crate::ledger::settle(&tx, memo(), job(5), seconds(1)).await.unwrap().unwrap();
        let jobs: Vec<JobId> = (0..9).map(job).collect();
        let mut pen = Pen::take_to_close(&tx, &jobs).await.unwrap();
        for number in 0..4 {
            pen.settle(memo(), job(number), seconds(2)).await.unwrap().unwrap();
        }
        pen.release(memo(), job(4)).await.unwrap().unwrap();
        for number in 4..9 {
            let closed = pen.settle(memo(), job(number), seconds(2)).await;
            assert_eq!(denied(closed), Denied::NoOpenHold(job(number)));
        }
        pen.write(Ok(())).await.unwrap().unwrap();
        assert_eq!(stands(&tx, allocation(1)).await, (996, 0, 4));
        assert_eq!(stands(&tx, allocation(2)).await, (995, 0, 5));
        tx.commit().await.unwrap();
        assert_sound(&db.store).await;
    }
}

#[tokio::test]
async fn entries_are_read_back_as_they_were_made() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        granted(&tx, allocation(1), 1_000).await;
        let lu = "state:LU".parse().unwrap();
        let paid = [(lu, ::ledger::Purpose::Operation, Cents::new(5))];
        let agreement = units::AgreementId::from_uuid(id(5));
        crate::ledger::contribute(&tx, memo(), agreement, &paid).await.unwrap().unwrap();
        for number in 0..5 {
            crate::ledger::hold(&tx, memo(), allocation(1), job(number), seconds(7))
                .await
                .unwrap()
                .unwrap();
        }
        let all = crate::ledger::entries(&tx, None, 100).await.unwrap();
        assert_eq!(all.len(), 8);
        let books = verify(all.clone()).unwrap();
        assert_eq!(books.head(), crate::ledger::head(&tx).await.unwrap());
        let mut paged = Vec::new();
        loop {
            let after = paged.last().map(::ledger::Entry::seq);
            let page = crate::ledger::entries(&tx, after, 3).await.unwrap();
            assert!(page.len() <= 3);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, all);
    }
}

#[tokio::test]
async fn a_statement_opens_and_closes_where_the_books_stood() {
    for db in databases().await {
        let tx = db.store.write().await.unwrap();
        let day = |day: i64| now() + jiff::SignedDuration::from_hours(24 * day);
        granted(&tx, allocation(1), 1_000).await;
        crate::ledger::hold(&tx, memo_at(day(1)), allocation(1), job(1), seconds(100))
            .await
            .unwrap()
            .unwrap();
        crate::ledger::settle(&tx, memo_at(day(2)), job(1), seconds(40)).await.unwrap().unwrap();
        crate::ledger::hold(&tx, memo_at(day(3)), allocation(1), job(2), seconds(10))
            .await
            .unwrap()
            .unwrap();
        crate::ledger::settle(&tx, memo_at(day(4)), job(2), seconds(10)).await.unwrap().unwrap();
        let asked = [allocation(1), allocation(9)];
        let period = Period::new(day(2), day(4)).unwrap();
        let statements = crate::ledger::statement(&tx, &asked, period).await.unwrap();
        let [statement] = statements.as_slice() else { panic!("{statements:?}") };
        let sum = |of: &std::collections::BTreeMap<Payer, crate::ledger::Change>| {
            of.values().fold((0, 0, 0), |sum, part| {
                (
                    sum.0 + part.available.count(),
                    sum.1 + part.held.count(),
                    sum.2 + part.used.count(),
                )
            })
        };
        assert_eq!(sum(&statement.opening), (900, 100, 0));
        assert_eq!(sum(&statement.closing), (950, 10, 40));
        let kinds: Vec<_> = statement.movements.iter().map(|it| it.kind.name()).collect();
        assert_eq!(kinds, ["settle", "hold"]);
        assert_eq!(sum(&statement.movements[0].changes), (60, -100, 40));
        let half = &statement.movements[0].changes[&Payer::Union];
        assert_eq!(
            (half.available, half.held, half.used),
            (seconds(30), seconds(-50), seconds(20))
        );
    }
}
