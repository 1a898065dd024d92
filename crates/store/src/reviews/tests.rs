use access::review::Verdict;
use units::{Payer, Period, PoolId, Work};
use uuid::Uuid;

use super::*;
use crate::applications::tests::world;
use crate::identity::people;
use crate::pools::{self, PoolRecord};
use crate::testing::databases;
use crate::verdicts::{self, VerdictRecord};

fn at(minute: u32) -> Timestamp {
    format!("2026-11-22T09:{minute:02}:00Z").parse().unwrap()
}

async fn somebody(tx: &Tx, name: &str) -> PersonId {
    let id = PersonId::from_uuid(Uuid::new_v4());
    let person = people::Person {
        id,
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        password: None,
        created_at: at(0),
        disabled_at: None,
    };
    people::insert(tx, &person).await.unwrap();
    id
}

fn written(points: &str) -> Written {
    let scores = [("excellence".parse().unwrap(), points.parse().unwrap())];
    Written {
        scores: scores.into(),
        to_applicant: "Sound".to_owned(),
        confidential: "A little short".to_owned(),
    }
}

#[tokio::test]
async fn a_review_is_written_often_and_handed_in_once() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let world = world(&tx).await;
        let (application, call) = (world.application.id, world.call.id);
        let (ben, officer) = (somebody(&tx, "ben").await, somebody(&tx, "officer").await);
        add_to_pool(&tx, (call, ben), (officer, at(1))).await.unwrap();
        add_to_pool(&tx, (call, ben), (officer, at(2))).await.unwrap();
        let member = &pool(&tx, call).await.unwrap()[0];
        assert_eq!((member.name.as_str(), &member.profile, member.added_at), ("ben", &None, at(1)));
        let profile = Profile {
            fields: vec!["pe6".parse().unwrap()],
            published_with: vec!["Ada \"the\" Lovelace".to_owned()],
            load_max: Some(4),
        };
        set_profile(&tx, ben, &profile, at(3)).await.unwrap();
        assert_eq!(pool(&tx, call).await.unwrap()[0].profile.as_ref(), Some(&profile));

        let who = (application, ben);
        assign(&tx, who, (officer, at(4)), "knows the field").await.unwrap();
        assert!(write(&tx, who, &written("3"), None).await.unwrap());
        assert!(write(&tx, who, &written("3.5"), Some(at(5))).await.unwrap());
        assert!(!write(&tx, who, &written("5"), Some(at(6))).await.unwrap());
        assert!(!unassign(&tx, application, ben).await.unwrap(), "it was handed in");
        let found = one(&tx, application, ben).await.unwrap().unwrap();
        assert_eq!((&found.written, found.submitted_at), (&written("3.5"), Some(at(5))));
        assert_eq!(of_application(&tx, application).await.unwrap(), [found]);
        assert!(of_reviewer(&tx, ben).await.unwrap().is_empty(), "it is a draft still");
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn hours_are_set_aside_from_adoption_to_publication() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let world = world(&tx).await;
        let (officer, second) = (somebody(&tx, "officer").await, somebody(&tx, "second").await);
        let record = PoolRecord {
            id: PoolId::from_uuid(Uuid::new_v4()),
            partition: "meluxina-ai.gpu".parse().unwrap(),
            meter: units::Meter::Gpu,
            period: Period::quarter_of(at(0)),
            payer: Payer::Union,
            amount: Work::hours(100).unwrap(),
            opened_at: at(0),
        };
        pools::insert(&tx, &record).await.unwrap();
        let verdict = VerdictRecord {
            id: Uuid::new_v4(),
            application: world.application.id,
            verdict: Verdict::Award { hours: 60 },
            remark: "well founded".to_owned(),
            proposed_by: officer,
            proposed_at: at(1),
            adopted: None,
            published_at: None,
        };
        verdicts::propose(&tx, &verdict).await.unwrap();
        let other = ApplicationId::from_uuid(Uuid::new_v4());
        let aside = async |but_for| {
            let by_mode = verdicts::set_aside(&tx, record.id, but_for).await.unwrap();
            by_mode.into_iter().map(|(mode, work)| (mode.to_string(), work)).collect::<Vec<_>>()
        };
        assert_eq!(aside(other).await, []);
        assert!(!verdicts::publish(&tx, verdict.id, at(2)).await.unwrap(), "nobody adopted it");
        let hours = Work::hours(60).unwrap();
        let set = Some((record.id, hours));
        assert!(verdicts::adopt(&tx, verdict.id, (second, at(2)), set).await.unwrap());
        assert!(!verdicts::adopt(&tx, verdict.id, (second, at(3)), set).await.unwrap());
        assert_eq!(aside(other).await, [("playground".to_owned(), hours)]);
        assert_eq!(aside(verdict.application).await, [], "it is not in its own way");
        let standing = verdicts::standing(&tx, verdict.application).await.unwrap().unwrap();
        assert_eq!(standing.adopted, Some((second, at(2))));
        assert!(verdicts::publish(&tx, verdict.id, at(4)).await.unwrap());
        assert_eq!(aside(other).await, []);
        assert!(!verdicts::send_back(&tx, verdict.id, (second, at(5))).await.unwrap());
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_and_an_appeal_are_given_once() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let application = world(&tx).await.application.id;
        let ada = somebody(&tx, "applicant").await;
        assert!(!answer_rebuttal(&tx, application, "early", at(0)).await.unwrap());
        assert!(open_rebuttal(&tx, application, ada, (at(1), at(9))).await.unwrap());
        assert!(!open_rebuttal(&tx, application, ada, (at(2), at(10))).await.unwrap());
        assert!(answer_rebuttal(&tx, application, "we did measure", at(3)).await.unwrap());
        assert!(!answer_rebuttal(&tx, application, "again", at(4)).await.unwrap());
        let found = rebuttal(&tx, application).await.unwrap().unwrap();
        assert_eq!((found.closes_at, found.text.as_deref()), (at(9), Some("we did measure")));
        assert!(make_appeal(&tx, application, "unheard", (ada, at(5))).await.unwrap());
        assert!(!make_appeal(&tx, application, "again", (ada, at(6))).await.unwrap());
        let answer = (true, "a review was lost");
        assert!(decide_appeal(&tx, application, answer, (ada, at(7))).await.unwrap());
        assert!(!decide_appeal(&tx, application, answer, (ada, at(8))).await.unwrap());
        assert_eq!(appeal(&tx, application).await.unwrap().unwrap().upheld, Some(true));
        tx.commit().await.unwrap();
    }
}
