//! A start-up with hours: registered, assessed, awarded, all over the public API.

use serde_json::{Value, json};

use crate::factory::{Client, Factory};

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A start-up whose application was awarded hours.
pub(crate) struct StartUp {
    /// Its representative, who also leads the project.
    pub(crate) founder: Client,
    /// The address the founder signs in with.
    pub(crate) email: String,
    /// The project that came of it.
    pub(crate) project: String,
    /// Its organisation.
    pub(crate) organisation: String,
    call: String,
}

impl StartUp {
    /// Walks the way from registration to an allocation of `hours` GPU-hours.
    pub(crate) async fn with_hours(factory: &Factory, hours: u32) -> Self {
        let email = "founder@lumiere.example".to_owned();
        let founder = person(factory, &email).await;
        let organisation = organisation(&founder).await;
        let call = playground(&founder).await;
        let mut start_up = Self { founder, email, project: String::new(), organisation, call };
        let (project, _) = start_up.awarded(None, "meluxina-ai.gpu", hours).await;
        start_up.project = project;
        start_up
    }

    /// Applies for hours, for a new project or for one that there is; the project and the
    /// allocation that come of it.
    pub(crate) async fn awarded(
        &self,
        project: Option<&str>,
        partition: &str,
        hours: u32,
    ) -> (String, String) {
        let draft = json!({
            "project": project,
            "title": "A small model of our own",
            "purpose": "To learn whether a model trained on our documents answers our customers.",
            "partition": partition,
            "hours": hours,
            "months": 3,
            "duties_accepted": true,
        });
        let asked = json!({ "organisation": self.organisation, "draft": draft });
        let drafted = self.founder.post(&format!("/calls/{}/applications", self.call), asked).await;
        let submit = format!("/applications/{}/submit", text(&drafted, "id"));
        let decided = self.founder.post(&submit, json!({})).await;
        assert_eq!(decided["state"], "awarded", "{decided}");
        (text(&decided, "project"), text(&decided, "allocation"))
    }
}

/// Somebody who has registered and signed in.
pub(crate) async fn person(factory: &Factory, email: &str) -> Client {
    let anonymous = Client::anonymous(&factory.url);
    let account = json!({ "email": email, "name": "Ada Founder", "password": PASSWORD });
    anonymous.post("/people", account).await;
    let session = anonymous.post("/session", json!({ "email": email, "password": PASSWORD })).await;
    anonymous.with(&text(&session, "token"))
}

/// A small enterprise in Luxembourg that has declared its accounts.
async fn organisation(founder: &Client) -> String {
    let registered = json!({
        "name": "Lumière Langue S.à r.l.",
        "kind": "enterprise",
        "country": "LU",
        "sector": "language technology",
        "registered_on": "2024-05-01",
    });
    let organisation = text(&founder.post("/organisations", registered).await, "id");
    let size = json!({
        "headcount_hundredths": 1150, "turnover_cents": 90_000_000, "balance_sheet_cents": 60_000_000,
    });
    let declared = json!({
        "name": "Lumière Langue S.à r.l.",
        "periods": [{ "closed_on": "2025-12-31", "size": size }],
    });
    let path = format!("/organisations/{organisation}/declaration");
    let assessment = founder.put(&path, declared).await;
    assert_eq!(assessment["sme"], true, "{assessment}");
    organisation
}

/// The standing call of the access mode Playground.
async fn playground(founder: &Client) -> String {
    let calls = founder.get("/calls").await;
    let items = calls["items"].as_array().unwrap();
    let call = items.iter().find(|call| call["mode"]["key"] == "playground").unwrap();
    text(call, "id")
}

/// The text at a key that must be there.
pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}
