use std::time::Duration;

use jiff::SignedDuration;
use site::key::{Purpose, SecretKey};
use site::protocol::{Enrolment, Knock, Proof, Rotation, VERSION};
use units::{Slug, Timestamp};

use super::AgentState;
use crate::testing::TestHub;
use crate::{Actor, App, Error, Role, Scope, Secret};

fn afar() -> Slug {
    "afar".parse().unwrap()
}

/// A hub with a remote site, and the operator of its factory.
struct Place {
    hub: TestHub,
    operator: Actor,
}

impl Place {
    async fn each() -> Vec<Self> {
        let mut places = Vec::new();
        for hub in TestHub::each().await {
            let factory = Scope::Factory("meluxina-ai".parse().unwrap());
            let (_, operator) = hub.person("olga", &[(Role::SiteOperator, factory)]).await;
            places.push(Self { hub, operator });
        }
        places
    }

    async fn new() -> Self {
        Self::each().await.remove(0)
    }

    fn app(&self) -> &App {
        &self.hub.app
    }

    fn pass(&self, seconds: i64) {
        self.hub.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn code(&self) -> String {
        let (code, _) = self.app().offer_site_code(&self.operator, &afar()).await.unwrap();
        code.reveal().to_owned()
    }

    async fn enrol(&self, key: &SecretKey, code: &str) -> Result<(), Error> {
        let proof = key.prove(Purpose::Enrol { code }, &afar(), self.app().now()).unwrap();
        let asked = Enrolment { version: VERSION, code: code.to_owned(), proof };
        self.app().enrol_agent(&Actor::anonymous(), &afar(), asked).await.map(|_| ())
    }

    fn proof(&self, key: &SecretKey, at: Timestamp) -> Proof {
        key.prove(Purpose::Session, &afar(), at).unwrap()
    }

    async fn knock(&self, proof: Proof) -> Result<Secret, Error> {
        let asked = Knock { version: VERSION, proof };
        let opened = self.app().open_agent_session(&Actor::anonymous(), &afar(), asked).await?;
        Ok(Secret::presented(opened.token))
    }

    async fn open(&self, key: &SecretKey) -> Result<Secret, Error> {
        self.knock(self.proof(key, self.app().now())).await
    }

    async fn rotate(&self, old: &SecretKey, new: &SecretKey) -> Result<(), Error> {
        let to = new.public();
        let proof = old.prove(Purpose::Rotate { to: &to }, &afar(), self.app().now()).unwrap();
        let asked = Rotation { version: VERSION, to: to.to_string(), proof };
        self.app().rotate_agent_key(&Actor::anonymous(), &afar(), asked).await.map(|_| ())
    }

    async fn state(&self) -> AgentState {
        self.app().site(&self.operator, &afar()).await.unwrap().agent
    }

    /// What the audit trail says of the site, oldest first.
    async fn trail(&self) -> Vec<(String, String)> {
        let app = self.app();
        let trail = app.audit_trail(&Actor::system(), Some("site:afar"), None, 50).await.unwrap();
        trail.into_iter().rev().map(|line| (line.actor, line.action)).collect()
    }
}

fn refusal<T>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::NotAdmitted(why)) => why,
        Err(other) => panic!("refused otherwise: {other}"),
        Ok(_) => panic!("let in"),
    }
}

#[tokio::test]
async fn an_agent_is_admitted_by_a_code_and_let_in_by_its_key() {
    for place in Place::each().await {
        assert_eq!(place.state().await, AgentState::NotEnrolled);
        let (key, code) = (SecretKey::generate().unwrap(), place.code().await);
        place.enrol(&key, &code).await.unwrap();
        assert_eq!(place.state().await, AgentState::Silent);
        let token = place.open(&key).await.unwrap();
        let agent = place.app().authenticate(&token).await.unwrap().actor;
        let orders = place.app().site_orders(&agent, &afar(), 0, Duration::ZERO).await.unwrap();
        assert_eq!(orders.orders, []);
        assert_eq!(place.state().await, AgentState::Present);
        let told = place.app().site(&place.operator, &afar()).await.unwrap();
        assert_eq!(told.key.unwrap().fingerprint, key.public().fingerprint());
        let since = place.app().now();
        place.pass(91);
        assert_eq!(place.state().await, AgentState::Away { since });
        let actions = place.trail().await;
        assert!(actions.iter().any(|(_, action)| action == "site.code"));
        assert!(actions.contains(&("site:afar".to_owned(), "site.enrol".to_owned())));
    }
}

#[tokio::test]
async fn a_code_admits_one_agent_for_a_while_and_the_last_code_alone() {
    for place in Place::each().await {
        let [first, second] = [(); 2].map(|()| SecretKey::generate().unwrap());
        let old = place.code().await;
        let code = place.code().await;
        assert!(refusal(place.enrol(&first, &old).await).contains("does not know"));
        place.enrol(&first, &code).await.unwrap();
        // The answer was lost: the same agent asks again.
        place.enrol(&first, &code).await.unwrap();
        assert!(refusal(place.enrol(&second, &code).await).contains("used already"));
        place.open(&first).await.unwrap();

        let late = place.code().await;
        place.pass(30 * 60);
        assert!(refusal(place.enrol(&second, &late).await).contains("expired"));
        let code = place.code().await;
        place.enrol(&second, &code).await.unwrap();
        assert!(refusal(place.open(&first).await).contains("another agent was enrolled"));
        // A key that was given up never becomes the site's again.
        let code = place.code().await;
        assert!(matches!(place.enrol(&first, &code).await, Err(Error::Conflict(_))));
        place.open(&second).await.unwrap();
    }
}

#[tokio::test]
async fn a_proof_works_once_and_only_about_now() {
    let place = Place::new().await;
    let (key, code) = (SecretKey::generate().unwrap(), place.code().await);
    place.enrol(&key, &code).await.unwrap();
    let captured = place.proof(&key, place.app().now());
    place.knock(captured.clone()).await.unwrap();
    assert!(refusal(place.knock(captured.clone()).await).contains("came before"));
    for seconds in [59, 60, 200] {
        place.pass(seconds);
        refusal(place.knock(captured.clone()).await);
        let fresh = place.proof(&key, place.app().now());
        place.knock(fresh).await.unwrap();
    }
    // One that was made ahead of time does not outlive the memory of its use.
    let ahead = place.proof(&key, place.app().now() + SignedDuration::from_secs(60));
    place.knock(ahead.clone()).await.unwrap();
    for _ in 0..5 {
        place.pass(30);
        place.open(&key).await.unwrap();
        refusal(place.knock(ahead.clone()).await);
    }
    let fast = place.proof(&key, place.app().now() + SignedDuration::from_secs(312));
    assert!(refusal(place.knock(fast).await).contains("312 s ahead of the hub's"));
}

#[tokio::test]
async fn an_agent_that_is_sent_away_is_refused_at_once_and_told_why() {
    for place in Place::each().await {
        let (key, code) = (SecretKey::generate().unwrap(), place.code().await);
        place.enrol(&key, &code).await.unwrap();
        let token = place.open(&key).await.unwrap();
        let agent = place.app().authenticate(&token).await.unwrap().actor;
        let (app, waits) = (place.app().clone(), agent.clone());
        let waiting = tokio::spawn(async move {
            app.site_orders(&waits, &afar(), 0, Duration::from_secs(50)).await
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let unused = place.code().await;
        place.app().revoke_agent(&place.operator, &afar()).await.unwrap();
        assert!(refusal(waiting.await.unwrap()).contains("was revoked by its operator"));
        assert!(matches!(place.app().authenticate(&token).await, Err(Error::BadCredentials(_))));
        assert!(refusal(place.open(&key).await).contains("was revoked by its operator"));
        assert_eq!(place.state().await, AgentState::Dismissed { since: place.app().now() });
        let other = SecretKey::generate().unwrap();
        refusal(place.enrol(&other, &unused).await);
        let again = place.app().revoke_agent(&place.operator, &afar()).await;
        assert!(matches!(again, Err(Error::Conflict(_))));
        assert!(place.trail().await.iter().any(|(_, action)| action == "site.revoke"));
        let code = place.code().await;
        place.enrol(&other, &code).await.unwrap();
        place.open(&other).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_hands_over_to_the_next_one() {
    for place in Place::each().await {
        let [first, second, third] = [(); 3].map(|()| SecretKey::generate().unwrap());
        let code = place.code().await;
        place.enrol(&first, &code).await.unwrap();
        let token = place.open(&first).await.unwrap();
        place.rotate(&first, &second).await.unwrap();
        // The answer was lost: the same is asked again.
        place.rotate(&first, &second).await.unwrap();
        assert!(matches!(place.app().authenticate(&token).await, Err(Error::BadCredentials(_))));
        assert!(refusal(place.open(&first).await).contains("replaced by another one"));
        place.open(&second).await.unwrap();
        refusal(place.rotate(&first, &third).await);
        assert!(matches!(place.rotate(&second, &first).await, Err(Error::Conflict(_))));
        place.open(&second).await.unwrap();
    }
}

#[tokio::test]
async fn only_operators_of_the_site_manage_its_agent_and_the_hub_keeps_its_own() {
    let place = Place::new().await;
    let other = Scope::Factory("lumi-aif".parse().unwrap());
    let (_, stranger) = place.hub.person("piet", &[(Role::SiteOperator, other)]).await;
    let (_, officer) =
        place.hub.person("quin", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    let (_, root) = place.hub.person("root", &[(Role::Administrator, Scope::Federation)]).await;
    let app = place.app();
    let unseen = app.offer_site_code(&stranger, &afar()).await;
    assert!(matches!(unseen, Err(Error::NotFound("site"))));
    assert!(matches!(app.revoke_agent(&officer, &afar()).await, Err(Error::Forbidden(_))));
    app.offer_site_code(&root, &afar()).await.unwrap();
    let here: Slug = "here".parse().unwrap();
    assert!(matches!(app.offer_site_code(&root, &here).await, Err(Error::Conflict(_))));
    let key = SecretKey::generate().unwrap();
    let code = "usine_code_00";
    let proof = key.prove(Purpose::Enrol { code }, &here, app.now()).unwrap();
    let asked = Enrolment { version: VERSION, code: code.to_owned(), proof };
    refusal(app.enrol_agent(&Actor::anonymous(), &here, asked).await);
}

#[tokio::test]
async fn an_agent_of_a_distant_version_is_told_who_is_to_be_updated() {
    let place = Place::new().await;
    let (key, code) = (SecretKey::generate().unwrap(), place.code().await);
    place.enrol(&key, &code).await.unwrap();
    let knock = |version| {
        let proof = place.proof(&key, place.app().now());
        let (app, asked) = (place.app().clone(), Knock { version, proof });
        async move { app.open_agent_session(&Actor::anonymous(), &afar(), asked).await }
    };
    knock(VERSION + 1).await.unwrap();
    let Err(Error::Conflict(why)) = knock(VERSION + 2).await else { panic!("it was let in") };
    assert!(why.ends_with("update the hub"), "{why}");
}
