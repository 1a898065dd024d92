//! Whoever changes a stored byte with raw SQL is found out.

use super::*;
use crate::testing::databases;

/// A bit of everything: pools, grants, holds, settlements, an overrun, a correction, a transfer,
/// an expiry, euros.
async fn history(store: &Store) {
    let tx = store.write().await.unwrap();
    granted(&tx, allocation(1), 1_001).await;
    granted(&tx, allocation(2), 77).await;
    let lu = "state:LU".parse().unwrap();
    let paid = [(lu, ::ledger::Purpose::Acquisition, units::Cents::new(5))];
    let agreement = units::AgreementId::from_uuid(id(5));
    crate::ledger::contribute(&tx, memo(), agreement, &paid).await.unwrap().unwrap();
    let mut pen = Pen::take(&tx, &[]).await.unwrap();
    pen.hold(memo(), allocation(1), job(1), seconds(501)).await.unwrap().unwrap();
    pen.hold(memo(), allocation(1), job(2), seconds(20)).await.unwrap().unwrap();
    pen.settle(memo(), job(1), seconds(333)).await.unwrap().unwrap();
    pen.release(memo(), job(2)).await.unwrap().unwrap();
    pen.hold(memo(), allocation(2), job(3), seconds(77)).await.unwrap().unwrap();
    pen.settle(memo(), job(3), seconds(80)).await.unwrap().unwrap();
    pen.write(Ok(())).await.unwrap().unwrap();
    crate::ledger::correct(&tx, memo(), job(1), seconds(300)).await.unwrap().unwrap();
    crate::ledger::transfer(&tx, memo(), allocation(1), allocation(2), seconds(9))
        .await
        .unwrap()
        .unwrap();
    crate::ledger::expire(&tx, [memo(), memo()], allocation(1)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_sound(store).await;
}

/// Runs `sql` in a transaction that is not committed and says what the check then says.
async fn found(store: &Store, sql: &str) -> Option<String> {
    let tx = store.write().await.unwrap();
    let changed = match tx.execute(sql, []).await {
        Ok(changed) => changed,
        // The database itself does not take such a value.
        Err(error) => return Some(format!("refused by the database: {error:?}")),
    };
    assert!(changed > 0, "{sql} changed nothing");
    match crate::ledger::verify(&tx, |_| {}).await {
        Ok(Ok(_)) => None,
        Ok(Err(finding)) => Some(finding.to_string()),
        Err(error) => Some(format!("{error:?}")),
    }
}

#[tokio::test]
async fn every_column_of_every_row_is_covered() {
    const UUID: &str = "'00000000-0000-0000-0000-0000000000ff'";
    for db in databases().await {
        history(&db.store).await;
        let postgres = db.url.starts_with("postgres");
        let uuid = if postgres {
            UUID.to_owned()
        } else {
            "x'000000000000000000000000000000ff'".to_owned()
        };
        let flipped =
            if postgres { "set_byte(hash, 31, get_byte(hash, 31) # 1)" } else { "zeroblob(32)" };
        let mut tried = 0;
        let entries = assert_sound(&db.store).await.entries;
        for seq in 1..=entries {
            let text = |column: &str| format!("{column} = {column} || 'x'");
            let number = |column: &str| format!("{column} = COALESCE({column}, 0) + 1");
            let id = |column: &str| format!("{column} = {uuid}");
            for change in [
                "seq = seq + 1000000".to_owned(),
                id("id"),
                number("at"),
                text("author"),
                text("kind"),
                id("allocation"),
                id("recipient"),
                id("job"),
                number("refers"),
                number("amount"),
                text("reason"),
                format!("hash = {flipped}"),
            ] {
                let sql = format!("UPDATE ledger_entry SET {change} WHERE seq = {seq}");
                let finding = found(&db.store, &sql).await;
                assert!(finding.is_some(), "{sql} went unnoticed");
                tried += 1;
            }
            for change in [
                "seq = seq + 1000000",
                "line = line + 100",
                "source = source + 1",
                "target = target + 1",
                "amount = amount + 1",
            ] {
                let sql =
                    format!("UPDATE ledger_transfer SET {change} WHERE seq = {seq} AND line = 0");
                let finding = found(&db.store, &sql).await;
                assert!(finding.is_some(), "{sql} went unnoticed");
                tried += 1;
            }
            for sql in [
                format!("DELETE FROM ledger_transfer WHERE seq = {seq} AND line = 0"),
                format!("DELETE FROM ledger_entry WHERE seq = {seq}"),
            ] {
                assert!(found(&db.store, &sql).await.is_some(), "{sql} went unnoticed");
            }
        }
        assert!(tried > 200);
    }
}

#[tokio::test]
async fn accounts_cannot_be_touched_either() {
    for db in databases().await {
        history(&db.store).await;
        let uuid = if db.url.starts_with("postgres") {
            "'00000000-0000-0000-0000-0000000000ff'"
        } else {
            "x'000000000000000000000000000000ff'"
        };
        let accounts = assert_sound(&db.store).await.accounts;
        assert!(accounts > 10);
        for number in 1..=accounts {
            for change in [
                "number = number + 1000000".to_owned(),
                "name = name || 'x'".to_owned(),
                "name = upper(name)".to_owned(),
                format!("owner = {uuid}"),
                "floor = floor + 1".to_owned(),
                "base = base + 1".to_owned(),
                "balance = balance + 1".to_owned(),
            ] {
                let sql = format!("UPDATE ledger_account SET {change} WHERE number = {number}");
                let finding = found(&db.store, &sql).await;
                assert!(finding.is_some(), "{sql} went unnoticed");
            }
            let sql = format!("DELETE FROM ledger_account WHERE number = {number}");
            assert!(found(&db.store, &sql).await.is_some(), "{sql} went unnoticed");
        }
    }
}

#[tokio::test]
async fn the_finding_names_the_entry_and_what_is_wrong() {
    for db in databases().await {
        history(&db.store).await;
        let told = async |sql: &str| found(&db.store, sql).await.unwrap();
        let finding = told("UPDATE ledger_entry SET reason = 'other' WHERE seq = 6").await;
        assert!(finding.starts_with("entry 6 is broken: its content has hash "), "{finding}");
        let finding = told("DELETE FROM ledger_entry WHERE seq = 3").await;
        assert_eq!(finding, "entry 4 is broken: it stands where entry 3 should");
        let finding = told("UPDATE ledger_entry SET author = 'nobody' WHERE seq = 2").await;
        assert_eq!(
            finding,
            "entry 2 is broken: the author is unreadable: `nobody` does not name who makes entries"
        );
        let finding =
            told("UPDATE ledger_account SET balance = balance + 5 WHERE number = 1").await;
        assert_eq!(finding, "account 1 is broken: it has -39998, its transfers sum to -40003");
        let finding = told(
            "INSERT INTO ledger_transfer (seq, line, source, target, amount) VALUES (900, 0, 1, 2, 3)",
        )
        .await;
        assert_eq!(finding, "1 transfers belong to no entry");
        // Without its last entry the chain is whole, but the balances tell.
        let finding =
            told("DELETE FROM ledger_entry WHERE seq = (SELECT MAX(seq) FROM ledger_entry)").await;
        assert!(finding.ends_with("transfers belong to no entry"), "{finding}");
    }
}
