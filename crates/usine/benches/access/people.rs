//! Those who ask: an applicant, a reviewer, an operator, an officer, each signed in.

use access::application::State;
use reqwest::RequestBuilder;
use serde_json::Value;
use store::Store;
use store::identity::grants;
use store::organisations::Declaration;
use store::pools::PoolRecord;
use units::{OrganisationId, Payer, PersonId, Timestamp};

use crate::cases::Cases;
use crate::factory::{Client, Factory};
use crate::story::{StartUp, person, text};
use crate::town::granted;

/// How many applications the reviewer is asked to judge.
const TO_JUDGE: usize = 8;

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anybody,
    Applicant,
    Reviewer,
    Operator,
    Officer,
}

/// Somebody with a session.
struct Person {
    id: PersonId,
    token: String,
}

/// Everybody who asks.
pub(crate) struct People {
    start_up: StartUp,
    applicant: Person,
    reviewer: Person,
    operator: Person,
    officer: Person,
    /// The hub's instant.
    now: Timestamp,
    /// Whom the applicant speaks for.
    pub(crate) organisation: OrganisationId,
}

impl People {
    /// Makes their accounts.
    pub(crate) async fn enter(factory: &Factory) -> Self {
        let start_up = StartUp::with_hours(factory, 5_000).await;
        let account = start_up.founder.get("/me").await;
        Self {
            applicant: somebody(factory, "applicant").await,
            reviewer: somebody(factory, "reviewer").await,
            operator: somebody(factory, "operator").await,
            officer: somebody(factory, "officer").await,
            now: text(&account, "created_at").parse().unwrap(),
            organisation: start_up.organisation.parse().unwrap(),
            start_up,
        }
    }

    /// What the start-up has declared.
    pub(crate) async fn declared(&self, store: &Store) -> Declaration {
        let tx = store.read().await.unwrap();
        let id = self.start_up.organisation.parse().unwrap();
        store::organisations::latest_declaration(&tx, id).await.unwrap().unwrap()
    }

    /// The Union's hours of this quarter.
    pub(crate) async fn pool(&self, store: &Store) -> PoolRecord {
        let tx = store.read().await.unwrap();
        let partition = "meluxina-ai.gpu".parse().unwrap();
        let pools = store::pools::at(&tx, &partition, self.now).await.unwrap();
        pools.into_iter().find(|pool| pool.payer == Payer::Union).unwrap()
    }

    /// Gives them their parts: the applicant speaks for the organisation that asks most.
    pub(crate) async fn join(&mut self, store: &Store, cases: &Cases) {
        let of = |id| cases.applications.iter().filter(move |it| it.organisation == id);
        let busiest = cases.applications.iter().map(|it| it.organisation);
        self.organisation = busiest.max_by_key(|id| (of(*id).count(), *id)).unwrap();
        let organisation = format!("organisation:{}", self.organisation);
        let mut parts = vec![
            (self.applicant.id, "organisation-representative", organisation),
            (self.reviewer.id, "reviewer", "federation".to_owned()),
            (self.operator.id, "site-operator", "factory:meluxina-ai".to_owned()),
            (self.officer.id, "programme-officer", "federation".to_owned()),
        ];
        for application in of(self.organisation) {
            if let State::Awarded { project, .. } = &application.state {
                parts.push((self.applicant.id, "project-manager", format!("project:{project}")));
            }
        }
        let tx = store.write().await.unwrap();
        for (person, role, scope) in &parts {
            grants::insert(&tx, &granted(*person, role, scope, self.now)).await.unwrap();
        }
        let judged = cases.being_reviewed().call;
        let by = (self.officer.id, self.now);
        store::reviews::add_to_pool(&tx, (judged, self.reviewer.id), by).await.unwrap();
        for application in self.to_judge(cases) {
            let who = (application, self.reviewer.id);
            store::reviews::assign(&tx, who, by, "knows pe6").await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// What the reviewer is asked to judge.
    pub(crate) fn to_judge(&self, cases: &Cases) -> Vec<units::ApplicationId> {
        let judged = cases.being_reviewed().call;
        let under = cases.applications.iter().filter(|it| it.call == judged);
        under.take(TO_JUDGE).map(|it| it.id).collect()
    }

    /// A request as somebody.
    pub(crate) fn token(&self, who: Who) -> Option<String> {
        let person = match who {
            Who::Anybody => return None,
            Who::Applicant => &self.applicant,
            Who::Reviewer => &self.reviewer,
            Who::Operator => &self.operator,
            Who::Officer => &self.officer,
        };
        Some(person.token.clone())
    }
}

/// Puts a session's token on a request, if there is one.
pub(crate) fn signed(request: RequestBuilder, token: Option<&String>) -> RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

async fn somebody(factory: &Factory, name: &str) -> Person {
    let client: Client = person(factory, &format!("{name}@bench.example")).await;
    let account: Value = client.get("/me").await;
    Person { id: text(&account, "id").parse().unwrap(), token: client.token.unwrap() }
}
