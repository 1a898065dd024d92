//! The people and things that the tests of the whole face are about: two organisations, a project
//! with hours, data, a finished training and a job that runs, all made through the API.

mod story;

use std::collections::BTreeMap;

use app::testing::TestHub;
use app::{Role, Scope};
use serde_json::json;

use crate::testing::{Client, TestWeb, settings};

pub(super) use story::SEA_SHA256;

/// Somebody who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Caller {
    /// Has not signed in.
    Nobody,
    /// Represents another organisation.
    Stranger,
    /// Holds a role where the things are.
    Holds(Role),
    /// The project manager's token that may only read.
    ReadToken,
    /// The agent of the embedded site.
    Site,
}

/// Everybody, with a short name.
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
    pub(super) web: TestWeb,
    tokens: BTreeMap<Caller, String>,
    /// The things by the noun before their placeholder, or by the placeholder's name.
    things: BTreeMap<&'static str, String>,
}

impl World {
    pub(super) async fn new() -> Self {
        let web = TestWeb::of(TestHub::new().await, settings());
        let mut world = Self { web, tokens: BTreeMap::new(), things: BTreeMap::new() };
        world.web.app().keep_house().await.unwrap();
        world.staff().await;
        world.tell().await;
        world
    }

    /// The same things in a database of their own.
    pub(super) async fn copy(&self) -> Self {
        let web = TestWeb::of(self.web.hub.copy().await, settings());
        Self { web, tokens: self.tokens.clone(), things: self.things.clone() }
    }

    /// People with roles of the federation, people without, and the site.
    async fn staff(&mut self) {
        for role in [Role::Administrator, Role::ProgrammeOfficer, Role::Reviewer] {
            self.person(Caller::Holds(role), &[(role, Scope::Federation)]).await;
        }
        let factory = Scope::Factory("meluxina-ai".parse().unwrap());
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
        let grant =
            json!({ "person": self.thing("person"), "role": "reviewer", "scope": "federation" });
        let administrator = self.client(Caller::Holds(Role::Administrator));
        administrator.post("/api/v1/grants", &grant).await.expect(201);
    }

    /// Lets a millisecond pass, so that what comes next also stands next in lists.
    fn tick(&self) {
        self.web.hub.clock.advance(jiff::SignedDuration::from_millis(1));
    }

    async fn person(&mut self, caller: Caller, grants: &[(Role, Scope)]) {
        self.tick();
        let (id, secret) = self.web.signed_in(&address(caller), grants).await;
        self.tokens.insert(caller, secret);
        if caller == Caller::Holds(Role::User) {
            self.things.insert("person", id.to_string());
            self.things.insert("members", id.to_string());
        }
    }

    /// Somebody, calling as a program does.
    pub(super) fn client(&self, caller: Caller) -> Client {
        match self.tokens.get(&caller) {
            Some(token) => self.web.bearer(token),
            None => self.web.anonymous(),
        }
    }

    /// Somebody, calling as a browser does.
    pub(super) fn browser(&self, caller: Caller) -> Client {
        match self.tokens.get(&caller) {
            Some(token) => self.web.cookie(token),
            None => self.web.anonymous(),
        }
    }

    /// The identifier of a thing.
    pub(super) fn thing(&self, noun: &str) -> String {
        self.things.get(noun).cloned().unwrap_or_default()
    }

    /// What stands for the placeholder `name` after the path segment `noun`.
    pub(super) fn named(&self, noun: &str, name: &str) -> String {
        let fixed = match (noun, name) {
            (_, "role") => Some("reviewer"),
            (_, "scope") => Some("federation"),
            ("factories", _) => Some("meluxina-ai"),
            ("partitions", _) => Some("meluxina-ai.gpu"),
            ("services", _) => Some("train-lm"),
            (_, "site") => Some("here"),
            ("certificates", "serial") => Some("7"),
            ("blobs", _) => Some(story::BYTES_SHA256),
            ("inputs", "mount") => Some("dataset"),
            ("inputs", "path") | ("files", _) => Some("sea.txt"),
            ("outputs", "output") => Some("model"),
            ("outputs", "path") => Some("config.json"),
            _ => None,
        };
        fixed
            .map(str::to_owned)
            .or_else(|| self.things.get(noun).cloned())
            .or_else(|| self.things.get(name).cloned())
            .unwrap_or_else(|| "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".to_owned())
    }

    /// What a property of a body must be for the request to make sense.
    pub(super) fn property(&self, path: &str, name: &str) -> Option<String> {
        match (path, name) {
            (_, "person") => self.things.get("person").cloned(),
            ("/api/v1/projects/{id}/jobs", "script") => {
                Some("#!/bin/sh\n#SBATCH --time=1\necho hello\n".to_owned())
            }
            (_, "sha256") => Some(story::BYTES_SHA256.to_owned()),
            ("/api/v1/invitations", "scope") => Some("federation".to_owned()),
            (_, "organisation") => self.things.get("organisations").cloned(),
            _ => None,
        }
    }
}

/// The first part of somebody's address.
pub(super) fn address(caller: Caller) -> String {
    match caller {
        Caller::Holds(role) => role.name().to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}
