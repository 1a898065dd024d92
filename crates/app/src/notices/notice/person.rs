//! What happens to somebody themselves.

use store::notices::Fact;
use units::{PersonId, Timestamp};

use super::{Reader, Telling};
use crate::{Role, Scope};

/// Where a role holds, with its name for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub scope: Scope,
    /// How it is called; nothing for the federation.
    pub name: Option<String>,
}

/// What happened to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonNews {
    /// They were given a role.
    RoleGiven(Role, Place),
    /// A role of theirs was taken.
    RoleTaken(Role, Place),
    /// Somebody has accepted an invitation of theirs.
    InvitationAccepted {
        /// Who, with their address.
        who: String,
        /// What they are now.
        role: Role,
        /// Where.
        place: Place,
    },
    /// Nothing is sent to their webhook any more.
    WebhookDisabled {
        /// Where it led.
        url: String,
        /// Since when it has failed.
        since: Timestamp,
    },
    /// They want to see whether their webhook works.
    WebhookTested,
}

/// How it is told.
pub(super) fn telling(person: PersonId, news: &PersonNews) -> Telling {
    let own = "/settings/notices".to_owned();
    let told = match news {
        PersonNews::RoleGiven(role, place) => in_place("role.given", *role, place),
        PersonNews::RoleTaken(role, place) => in_place("role.taken", *role, place),
        PersonNews::InvitationAccepted { who, role, place } => {
            in_place("invitation.accepted", *role, place).text("who", who)
        }
        PersonNews::WebhookDisabled { url, since } => Telling::of("webhook.disabled", own)
            .text("url", url)
            .with("since", Fact::Day(*since))
            .receipt(),
        PersonNews::WebhookTested => return Telling::of("webhook.test", own),
    };
    told.to([Reader::Person(person)])
}

fn in_place(kind: &'static str, role: Role, place: &Place) -> Telling {
    let link = match &place.scope {
        Scope::Federation => "/".to_owned(),
        Scope::Factory(key) => format!("/factories/{key}"),
        Scope::Organisation(id) => format!("/organisations/{id}"),
        Scope::Project(id) => format!("/projects/{id}"),
    };
    let name = match &place.name {
        Some(name) => Fact::Text(name.clone()),
        None => Fact::Word("notices-federation".to_owned()),
    };
    let role = Fact::Word(format!("role-{}", role.name()));
    Telling::of(kind, link).with("role", role).with("place", name)
}
