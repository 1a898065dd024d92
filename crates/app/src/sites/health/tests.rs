use ::jobs::readiness::Takes;
use jiff::SignedDuration;
use site::protocol::{self, Condition, Drained, Events, Health, NodeAway, VERSION};

use crate::jobs::Limits;
use crate::jobs::tests::yard::{Yard, here, script};
use crate::{Actor, Error, Role, Scope};

impl Yard {
    /// The site tells what keeps it from work.
    async fn ails(&self, health: Health) -> Result<(), Error> {
        let health = Some(health);
        let events =
            Events { version: VERSION, inventory: None, snapshot: None, health, events: vec![] };
        self.app().take_events(&self.agent, &here(), events).await.map(|_| ())
    }

    async fn operator(&self) -> Actor {
        let factory = Scope::Factory("meluxina-ai".parse().unwrap());
        self.hub.person("olga", &[(Role::SiteOperator, factory)]).await.1
    }
}

fn closed() -> Health {
    Health { closed: Some("drain".to_owned()), ..Health::default() }
}

fn refusal(error: Error) -> String {
    match error {
        Error::Refused(reasons) => {
            reasons.iter().map(|it| format!("{}: {}", it.rule, it.text)).collect()
        }
        other => panic!("not refused: {other}"),
    }
}

/// What people are told of the partition of the site `here`.
async fn availability(yard: &Yard) -> &'static str {
    let clusters = yard.app().clusters(&yard.ada).await.unwrap();
    let found = clusters.iter().find(|cluster| cluster.partition.to_string() == "meluxina-ai.gpu");
    found.unwrap().availability
}

#[tokio::test]
async fn a_drained_site_takes_no_new_job_until_it_is_resumed() {
    for yard in Yard::each().await {
        let operator = yard.operator().await;
        let app = yard.app();
        let refused = app.drain_site(&yard.ada, &here(), "x").await;
        assert!(matches!(refused, Err(Error::NotFound("site"))));
        for reason in ["", "two\nlines", &"x".repeat(301)] {
            let refused = app.drain_site(&operator, &here(), reason).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{reason}");
        }
        let before = yard.job("true").await;
        let health = app.drain_site(&operator, &here(), "cooling is repaired").await.unwrap();
        assert_eq!(health.readiness.takes(), Takes::Nothing);
        let refused = refusal(yard.submit(script("true")).await.unwrap_err());
        assert!(refused.starts_with("site.drained: here: its operator lets it take no new jobs"));
        assert!(refused.ends_with("cooling is repaired"), "{refused}");
        assert_eq!(availability(&yard).await, "drain", "as `sinfo` tells it");
        yard.ends(before.id, protocol::End::Completed, 60).await;

        let health = app.resume_site(&operator, &here()).await.unwrap();
        assert_eq!(health.readiness.takes(), Takes::Work);
        assert_eq!(availability(&yard).await, "up");
        yard.job("true").await;
        assert!(matches!(app.resume_site(&operator, &here()).await, Err(Error::Conflict(_))));
    }
}

#[tokio::test]
async fn a_site_that_drains_itself_is_believed_and_resumes_itself() {
    let yard = Yard::new().await;
    let operator = yard.operator().await;
    let drained = Drained { since: yard.app().now(), reason: "new switches".to_owned() };
    yard.ails(Health { drained: Some(drained), ..Health::default() }).await.unwrap();
    let refused = refusal(yard.submit(script("true")).await.unwrap_err());
    assert!(refused.contains("the site lets it take no new jobs"), "{refused}");
    let Err(Error::Conflict(why)) = yard.app().resume_site(&operator, &here()).await else {
        panic!("the hub resumed what the site had drained");
    };
    assert!(why.contains("it drained itself"), "{why}");
    yard.ails(Health::default()).await.unwrap();
    yard.job("true").await;
}

#[tokio::test]
async fn everybody_may_know_whether_a_partition_takes_work_but_not_what_its_scheduler_says() {
    for yard in Yard::each().await {
        let failing = Some("slurmctld at 10.1.2.3 is silent".to_owned());
        let away = vec![NodeAway {
            name: "n1".to_owned(),
            condition: Condition::Drained,
            reason: "f".repeat(1_000),
            since: None,
        }];
        yard.ails(Health { failing, away, ..Health::default() }).await.unwrap();
        let anybody = yard.app().status(&Actor::anonymous()).await.unwrap();
        let shown = anybody.iter().find(|status| status.site == here()).unwrap();
        assert_eq!(shown.readiness.takes(), Takes::Nothing);
        let said: Vec<_> = shown.readiness.obstacles.iter().map(ToString::to_string).collect();
        assert!(!said.concat().contains("10.1.2.3"), "{said:?}");
        let operator = yard.operator().await;
        let health = yard.app().site_health(&operator, &here()).await.unwrap();
        assert!(health.readiness.obstacles[0].to_string().contains("10.1.2.3"));
        assert_eq!(health.away[0].reason.len(), 500, "what a site writes is cut to be readable");
        let refused = yard.app().site_health(&yard.ada, &here()).await;
        assert!(matches!(refused, Err(Error::NotFound("site"))));
    }
}

#[tokio::test]
async fn placement_passes_over_a_site_that_takes_nothing() {
    let yard = Yard::new().await;
    let offers = async || {
        let new = script("true");
        let limits = Limits::default();
        yard.app().job_offers(&yard.ada, yard.project, &new, &limits).await.unwrap().offers
    };
    assert!(offers().await[0].terms.is_ok());
    yard.ails(closed()).await.unwrap();
    let why = offers().await.remove(0).terms.unwrap_err();
    assert_eq!(why, "it takes no work now: its partition starts nothing: it is `drain`");
    // Whoever names the site may wait there.
    yard.job("true").await;
}

#[tokio::test]
async fn a_silent_agent_blocks_whatever_it_said_before() {
    let yard = Yard::new().await;
    let operator = yard.operator().await;
    yard.ails(closed()).await.unwrap();
    yard.hub.clock.advance(SignedDuration::from_hours(2));
    let operator = yard.hub.again(&operator).await;
    let health = yard.app().site_health(&operator, &here()).await.unwrap();
    let kinds: Vec<_> = health.readiness.obstacles.iter().map(|it| it.kind()).collect();
    assert_eq!(kinds, ["agent-away"]);
}

#[tokio::test]
async fn more_than_a_cluster_has_is_not_taken_in() {
    let yard = Yard::new().await;
    let node = NodeAway {
        name: "n".to_owned(),
        condition: Condition::Down,
        reason: String::new(),
        since: None,
    };
    let away = vec![node; protocol::AWAY_MAX + 1];
    let refused = yard.ails(Health { away, ..Health::default() }).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
}
