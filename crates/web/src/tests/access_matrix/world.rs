//! The people and things that the matrix is about.

use std::collections::BTreeMap;

use app::testing::TestHub;
use app::{Role, Scope};
use serde_json::json;

use crate::testing::{Client, TestWeb, settings};

/// Somebody who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Caller {
    /// Has not signed in.
    Nobody,
    /// Represents and manages another organisation and its project.
    Stranger,
    /// Holds a role where the things are.
    Holds(Role),
    /// The project manager's token that may only read.
    ReadToken,
    /// The agent of the embedded site.
    Site,
}

/// The columns.
pub(super) const CALLERS: [(&str, Caller); 11] = [
    ("none", Caller::Nobody),
    ("strng", Caller::Stranger),
    ("user", Caller::Holds(Role::User)),
    ("pm", Caller::Holds(Role::ProjectManager)),
    ("rep", Caller::Holds(Role::OrganisationRepresentative)),
    ("revwr", Caller::Holds(Role::Reviewer)),
    ("site", Caller::Holds(Role::SiteOperator)),
    ("prog", Caller::Holds(Role::ProgrammeOfficer)),
    ("admin", Caller::Holds(Role::Administrator)),
    ("pm-rd", Caller::ReadToken),
    ("agent", Caller::Site),
];

/// A hub with one thing of each kind.
pub(super) struct World {
    web: TestWeb,
    tokens: BTreeMap<Caller, String>,
    /// The things by the noun before their placeholder, or by the placeholder's name.
    things: BTreeMap<&'static str, String>,
}

impl World {
    pub(super) async fn new() -> Self {
        let hub = TestHub::new().await;
        let web = TestWeb::of(hub, settings());
        let mut world = Self { web, tokens: BTreeMap::new(), things: BTreeMap::new() };
        world.staff().await;
        world
    }

    /// The same things in a database of their own.
    pub(super) async fn copy(&self) -> Self {
        let web = TestWeb::of(self.web.hub.copy().await, settings());
        Self { web, tokens: self.tokens.clone(), things: self.things.clone() }
    }

    /// People with roles of the federation, and the site.
    async fn staff(&mut self) {
        let roles = [Role::Administrator, Role::ProgrammeOfficer, Role::Reviewer];
        for role in roles {
            self.person(Caller::Holds(role), &[(role, Scope::Federation)]).await;
        }
        let factory = Scope::Factory("meluxina".parse().unwrap());
        self.person(Caller::Holds(Role::SiteOperator), &[(Role::SiteOperator, factory)]).await;
        for caller in [
            Caller::Stranger,
            Caller::Holds(Role::User),
            Caller::Holds(Role::ProjectManager),
            Caller::Holds(Role::OrganisationRepresentative),
        ] {
            self.person(caller, &[]).await;
        }
        let site = self.web.app().site_token(&"here".parse().unwrap()).await.unwrap();
        self.tokens.insert(Caller::Site, site.reveal().to_owned());
        let ask = json!({ "name": "reads", "abilities": ["read"], "days": 30 });
        let manager = self.client(Caller::Holds(Role::ProjectManager));
        let token = manager.post("/api/v1/tokens", &ask).await.expect(201);
        self.tokens.insert(Caller::ReadToken, token.at("/secret"));
        self.things.insert("tokens", token.at("/id"));
        let user = self.things.get("person").cloned().unwrap_or_default();
        let grant = json!({ "person": user, "role": "reviewer", "scope": "federation" });
        let administrator = self.client(Caller::Holds(Role::Administrator));
        administrator.post("/api/v1/grants", &grant).await.expect(201);
    }

    async fn person(&mut self, caller: Caller, grants: &[(Role, Scope)]) {
        let name = format!("{caller:?}").to_lowercase().replace(['(', ')'], "-");
        let (id, secret) = self.web.signed_in(&name, grants).await;
        self.tokens.insert(caller, secret);
        if caller == Caller::Holds(Role::User) {
            self.things.insert("person", id.to_string());
            self.things.insert("members", id.to_string());
        }
    }

    /// Somebody of the columns.
    pub(super) fn client(&self, caller: Caller) -> Client {
        match self.tokens.get(&caller) {
            Some(token) => self.web.bearer(token),
            None => self.web.anonymous(),
        }
    }

    /// What stands for the placeholder `name` after the path segment `noun`.
    pub(super) fn named(&self, noun: &str, name: &str) -> String {
        let fixed = match name {
            "role" => Some("reviewer"),
            "scope" => Some("federation"),
            _ => None,
        };
        fixed
            .map(str::to_owned)
            .or_else(|| self.things.get(noun).cloned())
            .or_else(|| self.things.get(name).cloned())
            .unwrap_or_else(|| "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".to_owned())
    }

    /// What a property of a body must be for the request to make sense.
    pub(super) fn property(&self, _path: &str, name: &str) -> Option<String> {
        match name {
            "person" => self.things.get("person").cloned(),
            _ => None,
        }
    }
}
