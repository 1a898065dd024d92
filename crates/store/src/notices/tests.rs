use units::{Meter, PartsPerMillion, Work};

use super::*;
use crate::identity::people::{self, Person};
use crate::testing::databases;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_251_600 + second).unwrap()
}

fn notice(number: u128) -> NoticeRecord {
    let facts = [
        ("text", Fact::Text("a\n“b”".to_owned())),
        ("word", Fact::Word("role-user".to_owned())),
        ("count", Fact::Count(-3)),
        ("day", Fact::Day(at(0))),
        ("minute", Fact::Minute(at(61))),
        ("share", Fact::Share(PartsPerMillion::new(125_000))),
        ("amount", Fact::Amount(Work::seconds(90), Meter::Node)),
    ];
    NoticeRecord {
        id: Uuid::from_u128(number),
        kind: "application.awarded".to_owned(),
        facts: facts.map(|(name, fact)| (name.to_owned(), fact)).into(),
        link: "/projects".to_owned(),
        told_at: at(0),
    }
}

async fn person(tx: &Tx, name: &str) -> PersonId {
    let person = Person {
        id: PersonId::from_uuid(Uuid::new_v4()),
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        password: None,
        created_at: at(0),
        disabled_at: None,
    };
    people::insert(tx, &person).await.unwrap();
    person.id
}

#[tokio::test]
async fn a_notice_is_told_once_and_read_back_as_it_was_told() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let ada = person(&tx, "ada").await;
        assert!(insert(&tx, "the same", &notice(1)).await.unwrap());
        assert!(!insert(&tx, "the same", &notice(2)).await.unwrap());
        assert!(insert(&tx, "another", &notice(3)).await.unwrap());
        for id in [1, 3, 3] {
            let to = (Uuid::from_u128(id), ada);
            deliver(&tx, to, (ByMail::AtOnce, Some(at(0)))).await.unwrap();
        }
        let found = inbox(&tx, ada, (false, None), 10).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|it| it.notice).collect();
        assert_eq!(found, [notice(3), notice(1)]);
        let older = inbox(&tx, ada, (true, Some(Uuid::from_u128(3))), 10).await.unwrap();
        assert_eq!(older.len(), 1);
        assert_eq!(unread(&tx, ada).await.unwrap(), 2);
        assert!(read(&tx, (ada, Uuid::from_u128(1)), at(5)).await.unwrap());
        assert!(!read(&tx, (ada, Uuid::from_u128(2)), at(5)).await.unwrap());
        assert_eq!(read_all(&tx, ada, at(6)).await.unwrap(), 1);
        let found = inbox(&tx, ada, (false, None), 10).await.unwrap();
        assert_eq!(found[1].read_at, Some(at(5)));
    }
}

#[tokio::test]
async fn a_webhook_gets_what_its_person_is_told_and_nothing_once_it_is_gone() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let (ada, bob) = (person(&tx, "ada").await, person(&tx, "bob").await);
        let webhook = webhooks::WebhookRecord {
            id: Uuid::from_u128(9),
            person: ada,
            url: "https://example.org/".to_owned(),
            secret: "whsec_x".to_owned(),
            made_at: at(0),
            failing_since: None,
            disabled_at: None,
        };
        webhooks::insert(&tx, &webhook).await.unwrap();
        for id in [1, 2] {
            insert(&tx, &id.to_string(), &notice(id)).await.unwrap();
        }
        webhooks::send(&tx, Uuid::from_u128(1), &[ada, bob], at(0)).await.unwrap();
        webhooks::send(&tx, Uuid::from_u128(2), &[bob], at(0)).await.unwrap();
        let due = webhooks::due(&tx, at(0), 10).await.unwrap();
        let [(to, delivery)] = due.as_slice() else { panic!("{} are due", due.len()) };
        assert!(*to == webhook && delivery.notice == notice(1));
        let after = webhooks::Delivery {
            state: webhooks::DeliveryState::Delivered,
            due_at: None,
            attempts: 2,
            status: Some(204),
            ..delivery.clone()
        };
        webhooks::settle(&tx, (webhook.id, Uuid::from_u128(1)), &after).await.unwrap();
        assert_eq!(webhooks::deliveries(&tx, webhook.id, 5).await.unwrap(), [after]);
        assert!(webhooks::due(&tx, at(9), 10).await.unwrap().is_empty());
        webhooks::set_health(&tx, webhook.id, (Some(at(1)), Some(at(2)))).await.unwrap();
        assert_eq!(webhooks::count(&tx).await.unwrap(), (1, 1));
        webhooks::send(&tx, Uuid::from_u128(2), &[ada], at(3)).await.unwrap();
        assert!(webhooks::due(&tx, at(9), 10).await.unwrap().is_empty(), "it is disabled");
        webhooks::delete(&tx, webhook.id).await.unwrap();
        assert!(webhooks::of_person(&tx, ada).await.unwrap().is_empty());
    }
}
