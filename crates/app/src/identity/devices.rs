//! A program without a browser gets a token when a person says yes in theirs: the device flow of
//! RFC 8628, as far as the hub itself is the server.
//!
//! The program keeps a secret and shows a short code; the person, signed in by whatever way, types
//! the code and sees what asks, from where and since when. Both are stored as hashes; the code's is
//! made with a key of the hub, because it is short.

use jiff::SignedDuration;
use store::Tx;
use store::identity::{devices, keys, people};
use units::{PersonId, Timestamp};

use super::tokens::{ApiToken, NewToken};
use crate::audit::Entry;
use crate::permission::Abilities;
use crate::{Ability, Action, Actor, App, Error, Secret, Subject};

pub use store::identity::devices::DeviceRequest;

/// How long a program may wait for its answer.
const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// How long a program must wait between two questions, and what asking too soon adds.
const INTERVAL_SECONDS: i64 = 2;
const SLOWER_SECONDS: i64 = 5;
/// How long its token lasts.
const TOKEN_DAYS: u32 = 30;
/// What codes are made of: no vowels, so no words, and nothing that looks like another (RFC 8628,
/// section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many letters a code has.
const CODE_LETTERS: usize = 8;
/// What the key is for, in the hub's records.
const PURPOSE: &str = "device-codes";

/// A program that has begun to ask.
#[derive(Clone, Debug)]
pub struct Asked {
    /// By what it asks again.
    pub device: Secret,
    /// What the person types, as `WDJB-MJHT`.
    pub code: String,
    /// Until when it may be answered.
    pub expires_at: Timestamp,
    /// How long to wait between two questions.
    pub interval_seconds: i64,
}

impl App {
    /// Begins to wait for a person's yes. `name` is what the program calls itself, `address` where
    /// it calls from.
    ///
    /// # Errors
    /// When the name is not printable, or the store fails.
    pub async fn ask_for_device(&self, name: &str, address: &str) -> Result<Asked, Error> {
        let name = name.trim();
        let length = name.chars().count();
        if !(1..=80).contains(&length) || name.chars().any(char::is_control) {
            return Err(Error::invalid("name", "must be 1 to 80 printable characters"));
        }
        let device = Secret::random("usine_device")?;
        let now = self.now();
        let expires_at = now.saturating_add(LASTS).unwrap_or(Timestamp::MAX);
        let tx = self.store().write().await?;
        let letters = letters()?;
        let request = DeviceRequest {
            device: device.hash(),
            code: self.code_hash(&tx, &letters).await?,
            name: name.to_owned(),
            address: address.to_owned(),
            asked_at: now,
            expires_at,
            interval_seconds: INTERVAL_SECONDS,
            polled_at: None,
            person: None,
            refused: false,
        };
        devices::insert(&tx, &request, now).await?;
        tx.commit().await?;
        let (first, second) = letters.split_at(CODE_LETTERS / 2);
        let code = format!("{first}-{second}");
        Ok(Asked { device, code, expires_at, interval_seconds: INTERVAL_SECONDS })
    }

    /// What waits with this code for the actor to say yes.
    ///
    /// # Errors
    /// When nobody is signed in, or nothing waits with it.
    pub async fn device_waiting(&self, actor: &Actor, code: &str) -> Result<DeviceRequest, Error> {
        may_answer(actor)?;
        let tx = self.store().write().await?;
        let kept = self.code_hash(&tx, &plain(code)).await?;
        let found = devices::waiting(&tx, &kept, self.now()).await?;
        tx.commit().await?;
        found.ok_or(Error::NotFound("code; it may have expired or been answered"))
    }

    /// Says yes or no to what waits with this code.
    ///
    /// # Errors
    /// When the actor's token is not good for everything that the program's would be, or nothing
    /// waits with this code any more.
    pub async fn answer_device(&self, actor: &Actor, code: &str, yes: bool) -> Result<(), Error> {
        may_answer(actor)?;
        let person = actor.person_id()?;
        let tx = self.store().write().await?;
        let kept = self.code_hash(&tx, &plain(code)).await?;
        let found = devices::waiting(&tx, &kept, self.now()).await?;
        let found = found.ok_or(Error::NotFound("code; it may have expired or been answered"))?;
        devices::answer(&tx, &kept, yes.then_some(person), self.now()).await?;
        let entry = Entry {
            action: if yes { "device.approve" } else { "device.refuse" },
            object: &Subject::Person(person).to_string(),
            rule: "ManageOwnTokens",
            detail: &format!("{} from {}", found.name, found.address),
        };
        self.audit(&tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }

    /// The token of a program whose person has said yes, once.
    ///
    /// # Errors
    /// By the rules of RFC 8628, section 3.5: `authorization_pending`, `slow_down`, `access_denied`,
    /// `expired_token`.
    pub async fn collect_device(&self, device: &Secret) -> Result<(ApiToken, Secret), Error> {
        let (tx, now) = (self.store().write().await?, self.now());
        let found = devices::take(&tx, &device.hash()).await?;
        let Some(found) = found.filter(|found| found.expires_at > now) else {
            let text = "the code has expired or its token was fetched before; begin again";
            return Err(Error::refused("expired_token", text));
        };
        if found.refused {
            devices::delete(&tx, &found.device).await?;
            tx.commit().await?;
            return Err(Error::refused("access_denied", "the person said no"));
        }
        let Some(person) = found.person else {
            let refused = self.not_yet(&tx, &found).await?;
            tx.commit().await?;
            return Err(refused);
        };
        devices::delete(&tx, &found.device).await?;
        let account = people::by_id(&tx, person).await?;
        if account.is_none_or(|account| account.disabled_at.is_some()) {
            tx.commit().await?;
            return Err(Error::refused("access_denied", "the account was closed"));
        }
        let made = self.device_token(&tx, person, found.name).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// That there is no answer yet; who asks too soon must wait longer from now on.
    async fn not_yet(&self, tx: &Tx, found: &DeviceRequest) -> Result<Error, Error> {
        let now = self.now();
        let soon = found.polled_at.is_some_and(|before| {
            now.duration_since(before) < SignedDuration::from_secs(found.interval_seconds)
        });
        let slower = if soon { SLOWER_SECONDS } else { 0 };
        let interval = found.interval_seconds.saturating_add(slower);
        devices::polled(tx, &found.device, interval, now).await?;
        Ok(if soon {
            Error::refused("slow_down", format!("wait {interval} s between two questions"))
        } else {
            Error::refused("authorization_pending", "nobody has answered yet")
        })
    }

    async fn device_token(
        &self,
        tx: &Tx,
        person: PersonId,
        name: String,
    ) -> Result<(ApiToken, Secret), Error> {
        let actor = Actor::person(person, Vec::new(), Abilities::ALL);
        let new = NewToken { name, abilities: Ability::ALL.to_vec(), days: TOKEN_DAYS };
        self.token_for(tx, &actor, new).await
    }

    /// The hash under which a code is kept.
    async fn code_hash(&self, tx: &Tx, letters: &str) -> Result<String, Error> {
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh)
            .map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
        let key = keys::keep(tx, PURPOSE, fresh, self.now()).await?;
        Ok(blake3::keyed_hash(&key, letters.as_bytes()).to_hex().to_string())
    }
}

/// Demands that the actor may give what the program will get: a token for everything.
fn may_answer(actor: &Actor) -> Result<(), Error> {
    actor.may(Action::ManageOwnTokens, &[])?;
    if Abilities::ALL.within(actor.abilities()) {
        Ok(())
    } else {
        Err(Error::Forbidden(Action::ManageOwnTokens))
    }
}

/// The letters of a new code, each as likely as any other.
fn letters() -> Result<String, Error> {
    let mut letters = String::with_capacity(CODE_LETTERS);
    while letters.len() < CODE_LETTERS {
        let mut byte = [0];
        getrandom::fill(&mut byte)
            .map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
        // The largest multiple of 20 that a byte reaches is 240.
        let [byte] = byte;
        if byte < 240
            && let Some(letter) = LETTERS.get(usize::from(byte) % LETTERS.len())
        {
            letters.push(char::from(*letter));
        }
    }
    Ok(letters)
}

/// The letters of a code as somebody typed it.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests;
