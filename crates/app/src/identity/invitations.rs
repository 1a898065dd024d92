//! Invitations: a role offered to an address, taken by whoever opens the link that is sent there.
//!
//! The link's secret is made when its letter leaves and is not kept, only its hash; a letter that is
//! sent again carries another one. Without a mail server the inviter is shown the link.

use jiff::SignedDuration;
use store::Tx;
use store::identity::{invitations as records, people};
use units::{PersonId, Timestamp};
use uuid::Uuid;

use records::InvitationLetter;
pub use records::InvitationRecord;

use crate::audit::Entry;
use crate::notices::{Failure, Notice, PersonNews, Place, again};
use crate::{Action, Actor, App, Error, Grant, Role, Scope, Secret};

/// How long an invitation may be accepted.
const LASTS: SignedDuration = SignedDuration::from_hours(14 * 24);
/// The most invitations into one place that wait to be accepted.
const OPEN_MAX: i64 = 200;
/// The most that one list holds.
const LISTED_MAX: u32 = 200;
/// The most letters that one turn takes up.
const TURN_MAX: u32 = 50;

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationState {
    /// It may be accepted.
    Open,
    /// Somebody has accepted it.
    Accepted,
    /// It was taken back.
    Revoked,
    /// Nobody accepted it in time.
    Expired,
}

impl InvitationState {
    /// Where `invitation` stands at `now`.
    pub fn of(invitation: &InvitationRecord, now: Timestamp) -> Self {
        if invitation.accepted.is_some() {
            Self::Accepted
        } else if invitation.revoked_at.is_some() {
            Self::Revoked
        } else if invitation.expires_at <= now {
            Self::Expired
        } else {
            Self::Open
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

/// What whoever holds the link is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Who invites.
    pub by: String,
    /// As what.
    pub role: Role,
    /// Where.
    pub place: Place,
    /// Until when it may be accepted.
    pub expires_at: Timestamp,
}

/// An invitation whose letter is due, with the secret of its link, which was made for this letter.
#[derive(Clone, Debug)]
pub struct InvitationDue {
    /// The invitation.
    pub invitation: InvitationRecord,
    /// What it offers.
    pub offer: Offer,
    /// The secret of the link.
    pub secret: Secret,
}

impl App {
    /// Invites an address to a role. Where no mail server is configured, gives back the secret of
    /// the link, which the inviter hands on.
    ///
    /// # Errors
    /// When the actor may not, the role does not exist there, or the address is none.
    pub async fn invite(
        &self,
        actor: &Actor,
        email: &str,
        grant: Grant,
    ) -> Result<(InvitationRecord, Option<Secret>), Error> {
        let tx = self.store().write().await?;
        self.may_invite(&tx, actor, &grant).await?;
        let email = email.trim().to_lowercase();
        if !super::accounts::plausible(&email) {
            let text = "is not an e-mail address, such as ada@example.org";
            return Err(Error::invalid("email", text));
        }
        let (now, by) = (self.now(), actor.person_id()?);
        let scope = grant.scope.to_string();
        if records::count_open(&tx, &scope, now).await? >= OPEN_MAX {
            let text = format!("{OPEN_MAX} invitations wait to be accepted; revoke some first");
            return Err(Error::refused("invitations.open", text));
        }
        let mailed = self.parts.post.mail_server.is_some();
        let settings = store::notices::settings(&tx, &[by]).await?.remove(&by);
        let invitation = InvitationRecord {
            id: self.clock().mint(),
            email,
            role: grant.role.name().to_owned(),
            scope,
            language: settings.unwrap_or_default().language,
            invited_by: by,
            invited_at: now,
            expires_at: now.saturating_add(LASTS).unwrap_or(Timestamp::MAX),
            revoked_at: None,
            accepted: None,
            letter: InvitationLetter { due_at: mailed.then_some(now), ..Default::default() },
        };
        let secret = if mailed { None } else { Some(Secret::random("usine_invitation")?) };
        let hash = secret.as_ref().map(Secret::hash);
        records::insert(&tx, &invitation, hash.as_deref()).await?;
        self.audit_invitation(&tx, actor, ("invitation.send", &invitation)).await?;
        tx.commit().await?;
        Ok((invitation, secret))
    }

    /// The last invitations into a place, newest first.
    ///
    /// # Errors
    /// When the actor may not invite there.
    pub async fn invitations(
        &self,
        actor: &Actor,
        scope: &Scope,
    ) -> Result<Vec<InvitationRecord>, Error> {
        let tx = self.store().read().await?;
        self.manages(&tx, actor, scope).await?;
        Ok(records::in_scope(&tx, &scope.to_string(), LISTED_MAX).await?)
    }

    /// Takes an invitation back: its link works no more.
    ///
    /// # Errors
    /// When there is none that the actor may take back, or somebody has accepted it.
    pub async fn revoke_invitation(&self, actor: &Actor, id: Uuid) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let nothing = || Error::NotFound("invitation");
        let invitation = records::by_id(&tx, id).await?.ok_or_else(nothing)?;
        let scope = granted(&invitation)?.scope;
        // Whoever may not invite there does not learn that somebody did.
        self.manages(&tx, actor, &scope).await.map_err(|error| match error {
            Error::Forbidden(_) | Error::NotFound(_) => nothing(),
            other => other,
        })?;
        if !records::revoke(&tx, id, self.now()).await? {
            return Err(Error::Conflict("it was accepted or revoked already".to_owned()));
        }
        self.audit_invitation(&tx, actor, ("invitation.revoke", &invitation)).await?;
        Ok(tx.commit().await?)
    }

    /// What the holder of a link is offered, changing nothing: scanners of mail open links too.
    ///
    /// # Errors
    /// When the link does not work (any more).
    pub async fn invitation_offer(&self, secret: &Secret) -> Result<Offer, Error> {
        let tx = self.store().read().await?;
        let invitation = self.opened_by(&tx, secret).await?;
        self.offer(&tx, &invitation).await
    }

    /// Accepts an invitation: the actor has the role from now on, and who invited them is told.
    ///
    /// # Errors
    /// When nobody is signed in, or the link does not work (any more).
    pub async fn accept_invitation(&self, actor: &Actor, secret: &Secret) -> Result<Grant, Error> {
        actor.may(Action::AcceptInvitation, &[])?;
        let person = actor.person_id()?;
        let tx = self.store().write().await?;
        let invitation = self.opened_by(&tx, secret).await?;
        if !records::accept(&tx, invitation.id, (person, self.now())).await? {
            return Err(unusable());
        }
        let grant = granted(&invitation)?;
        self.audit_invitation(&tx, actor, ("invitation.accept", &invitation)).await?;
        self.grant(&tx, actor, person, grant.clone()).await?;
        let who = people::by_id(&tx, person).await?.ok_or(Error::NotFound("account"))?;
        let news = PersonNews::InvitationAccepted {
            who: format!("{} ({})", who.name, who.email),
            role: grant.role,
            place: self.place_of(&tx, &grant.scope).await?,
        };
        self.tell(&tx, actor, &Notice::Person(invitation.invited_by, news)).await?;
        tx.commit().await?;
        Ok(grant)
    }

    /// The invitations whose letters are due, each with the secret of a link made for this letter.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn invitations_due(&self) -> Result<Vec<InvitationDue>, Error> {
        let now = self.now();
        let tx = self.store().read().await?;
        let due = records::due(&tx, now, TURN_MAX).await?;
        drop(tx);
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut letters = Vec::new();
        let tx = self.store().write().await?;
        for invitation in due {
            let secret = Secret::random("usine_invitation")?;
            records::set_hash(&tx, invitation.id, &secret.hash()).await?;
            let offer = self.offer(&tx, &invitation).await?;
            letters.push(InvitationDue { invitation, offer, secret });
        }
        tx.commit().await?;
        Ok(letters)
    }

    /// Enters that the letter of an invitation has left, or why it has not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_invitation(
        &self,
        invitation: &InvitationRecord,
        failure: Option<&Failure>,
    ) -> Result<(), Error> {
        let now = self.now();
        let attempts = invitation.letter.attempts.saturating_add(1);
        let due_at = match failure {
            Some(Failure { for_good: false, .. }) => again(attempts, now),
            _ => None,
        };
        let letter = InvitationLetter {
            due_at,
            attempts,
            error: failure.map(|failure| failure.text.clone()),
            sent_at: failure.is_none().then_some(now),
        };
        let tx = self.store().write().await?;
        records::set_letter(&tx, invitation.id, &letter).await?;
        Ok(tx.commit().await?)
    }

    /// Demands that the actor may invite to this role.
    async fn may_invite(&self, tx: &Tx, actor: &Actor, grant: &Grant) -> Result<(), Error> {
        self.manages(tx, actor, &grant.scope).await?;
        let allowed: &[Role] = match &grant.scope {
            Scope::Organisation(_) => &[Role::OrganisationRepresentative, Role::User],
            Scope::Project(_) => &[Role::ProjectManager, Role::User],
            Scope::Federation => &[Role::Administrator, Role::ProgrammeOfficer, Role::Reviewer],
            Scope::Factory(_) => &[Role::SiteOperator],
        };
        crate::organisations::fits(grant.role, allowed)
    }

    /// Demands that the actor may change who belongs to a place.
    async fn manages(&self, tx: &Tx, actor: &Actor, scope: &Scope) -> Result<(), Error> {
        match scope {
            Scope::Organisation(id) => {
                self.organisation_for(tx, actor, (Action::ManageOrganisation, *id)).await?;
            }
            Scope::Project(id) => {
                self.project_for(tx, actor, (Action::ManageProject, *id)).await?;
            }
            Scope::Federation | Scope::Factory(_) => actor.may(Action::GrantRoles, &[])?,
        }
        Ok(())
    }

    async fn opened_by(&self, tx: &Tx, secret: &Secret) -> Result<InvitationRecord, Error> {
        let found = records::by_hash(tx, &secret.hash()).await?;
        let open =
            |it: &InvitationRecord| InvitationState::of(it, self.now()) == InvitationState::Open;
        found.filter(open).ok_or_else(unusable)
    }

    async fn offer(&self, tx: &Tx, invitation: &InvitationRecord) -> Result<Offer, Error> {
        let Grant { role, scope } = granted(invitation)?;
        let by: PersonId = invitation.invited_by;
        let by = people::by_id(tx, by).await?.map(|person| person.name).unwrap_or_default();
        let place = self.place_of(tx, &scope).await?;
        Ok(Offer { by, role, place, expires_at: invitation.expires_at })
    }

    async fn audit_invitation(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, invitation): (&str, &InvitationRecord),
    ) -> Result<(), Error> {
        let InvitationRecord { email, role, scope, .. } = invitation;
        let entry = Entry {
            action,
            object: &format!("invitation:{}", invitation.id),
            rule: "invitations",
            detail: &format!("{email}: {role} in {scope}"),
        };
        self.audit(tx, actor, entry).await
    }
}

/// What an invitation offers.
fn granted(invitation: &InvitationRecord) -> Result<Grant, Error> {
    let damaged = |what: String| Error::Internal(format!("stored invitation: {what}"));
    Ok(Grant {
        role: invitation.role.parse().map_err(|error| damaged(format!("{error}")))?,
        scope: invitation.scope.parse().map_err(|error| damaged(format!("{error}")))?,
    })
}

fn unusable() -> Error {
    let text = "it was used, was taken back or has expired; ask for a new invitation";
    Error::Conflict(text.to_owned())
}

#[cfg(test)]
mod tests;
