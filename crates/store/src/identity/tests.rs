use units::{PersonId, Timestamp, TokenId};
use uuid::Uuid;

use super::idempotency::{Answer, Remembered};
use super::*;
use crate::testing::databases;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn person(email: &str) -> people::Person {
    people::Person {
        id: PersonId::from_uuid(Uuid::new_v4()),
        email: email.to_owned(),
        name: "Ada".to_owned(),
        password: None,
        created_at: at(1),
        disabled_at: None,
    }
}

#[tokio::test]
async fn a_person_comes_back_as_stored_and_only_once() {
    for database in databases().await {
        let ada = person("ada@example.org");
        let tx = database.store.write().await.unwrap();
        people::insert(&tx, &ada).await.unwrap();
        tx.commit().await.unwrap();

        let tx = database.store.write().await.unwrap();
        assert_eq!(people::by_email(&tx, "ada@example.org").await.unwrap(), Some(ada.clone()));
        assert_eq!(people::by_id(&tx, ada.id).await.unwrap(), Some(ada));
        let again = people::insert(&tx, &person("ada@example.org")).await;
        assert!(matches!(again, Err(crate::StoreError::Exists(_))), "{again:?}");
    }
}

#[tokio::test]
async fn what_is_not_committed_leaves_no_trace() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        people::insert(&tx, &person("eve@example.org")).await.unwrap();
        drop(tx);
        let tx = database.store.read().await.unwrap();
        assert_eq!(people::by_email(&tx, "eve@example.org").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_token_works_until_it_expires_or_is_revoked() {
    for database in databases().await {
        let token = tokens::TokenRecord {
            id: TokenId::from_uuid(Uuid::new_v4()),
            hash: "h".to_owned(),
            holder: "person:1".to_owned(),
            name: "laptop".to_owned(),
            kind: "api".to_owned(),
            abilities: "read".to_owned(),
            created_at: at(0),
            expires_at: at(100),
            revoked_at: None,
        };
        let tx = database.store.write().await.unwrap();
        tokens::insert(&tx, &token).await.unwrap();
        assert_eq!(tokens::valid(&tx, "h", at(99)).await.unwrap(), Some(token.clone()));
        assert_eq!(tokens::valid(&tx, "h", at(100)).await.unwrap(), None);
        assert!(!tokens::revoke(&tx, "person:2", token.id, at(50)).await.unwrap());
        assert!(tokens::revoke(&tx, "person:1", token.id, at(50)).await.unwrap());
        assert_eq!(tokens::valid(&tx, "h", at(60)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_sign_in_link_works_once() {
    for database in databases().await {
        let ada = person("ada@example.org");
        let tx = database.store.write().await.unwrap();
        people::insert(&tx, &ada).await.unwrap();
        links::insert(&tx, "l", ada.id, at(100)).await.unwrap();
        assert_eq!(links::redeem(&tx, "l", at(100)).await.unwrap(), None);
        assert_eq!(links::redeem(&tx, "l", at(5)).await.unwrap(), Some(ada.id));
        assert_eq!(links::redeem(&tx, "l", at(6)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_not_repeated() {
    for database in databases().await {
        let answer = Answer {
            status: 201,
            content_type: Some("application/json".to_owned()),
            location: None,
            body: "{}".to_owned(),
        };
        let tx = database.store.write().await.unwrap();
        let reserve = async |request: &'static str| {
            idempotency::reserve(&tx, "person:1", "k", request, (at(1), at(0))).await.unwrap()
        };
        assert_eq!(reserve("r").await, Remembered::New);
        assert_eq!(reserve("r").await, Remembered::Pending);
        idempotency::answer(&tx, "person:1", "k", &answer).await.unwrap();
        assert_eq!(reserve("r").await, Remembered::Answered(answer));
        assert_eq!(reserve("other").await, Remembered::Other);
        assert_eq!(idempotency::forget_before(&tx, at(2)).await.unwrap(), 1);
        assert_eq!(reserve("other").await, Remembered::New);
    }
}

#[tokio::test]
async fn a_key_is_freed_only_if_its_request_was_never_carried_out() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let reserve = async |key: &'static str| {
            idempotency::reserve(&tx, "person:1", key, "r", (at(1), at(0))).await.unwrap()
        };
        for key in ["never", "done"] {
            assert_eq!(reserve(key).await, Remembered::New);
        }
        idempotency::done(&tx, "person:1", "done").await.unwrap();
        assert_eq!(reserve("never").await, Remembered::Pending);
        assert_eq!(idempotency::forget_unfinished(&tx).await.unwrap(), 1);
        assert_eq!(reserve("never").await, Remembered::New);
        assert_eq!(reserve("done").await, Remembered::Done);
    }
}

#[tokio::test]
async fn the_audit_trail_reads_newest_first_by_object() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        for (n, object) in [(1, "job:a"), (2, "job:b"), (3, "job:a")] {
            let record = audit::AuditRecord {
                id: Uuid::from_u128(n),
                at: at(1),
                actor: "system".to_owned(),
                action: "job.submit".to_owned(),
                object: object.to_owned(),
                rule: "r".to_owned(),
                detail: n.to_string(),
            };
            audit::insert(&tx, &record).await.unwrap();
        }
        let details = async |object, before| {
            let page = audit::page(&tx, object, before, 10).await.unwrap();
            page.into_iter().map(|line| line.detail).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(details(None, None).await, "3 2 1");
        assert_eq!(details(Some("job:a"), None).await, "3 1");
        assert_eq!(details(None, Some(Uuid::from_u128(3))).await, "2 1");
    }
}

#[tokio::test]
async fn opening_a_database_again_finds_what_was_written() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        people::insert(&tx, &person("ada@example.org")).await.unwrap();
        tx.commit().await.unwrap();
        let again = crate::Store::open(&database.url).await.unwrap();
        let tx = again.read().await.unwrap();
        assert!(people::by_email(&tx, "ada@example.org").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn other_kinds_of_database_are_refused_with_what_would_work() {
    let error = crate::Store::open("mysql://localhost/hub").await.unwrap_err();
    assert!(error.to_string().contains("sqlite:///path/hub.db"), "{error}");
}
