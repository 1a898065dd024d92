//! Files that are sent by a ticket. Clients of large files first ask where to send each, and send
//! without their token then: what they send with is the ticket, good for one person, one repository
//! and one file, and for a few hours.

use bytes::Bytes;
use futures_util::Stream;
use jiff::SignedDuration;
use store::{blobs, identity::keys, repositories as records};
use tokio::sync::OnceCell;
use units::{PersonId, RepositoryId, Timestamp};
use uuid::Uuid;
use vault::{Blob, Parcel, Sha256};

use super::files::holder;
use crate::{Ability, Actor, App, Error, permission::Abilities};

/// How long a ticket is good.
const TICKET_HOURS: i64 = 12;
/// What the key is for, in the hub's records.
const PURPOSE: &str = "upload-tickets";
/// The bytes that say what a ticket is good for, and those that prove it.
const CLAIM_BYTES: usize = 56;
const PROOF_BYTES: usize = 32;

/// The key that proves tickets, read when it is first needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tickets(std::sync::Arc<OnceCell<[u8; 32]>>);

/// Leave to send one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    repository: RepositoryId,
    person: PersonId,
    size_bytes: u64,
    part_bytes: u64,
    expires_at: i64,
}

/// What becomes of a file that a client wants to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It need not be sent: the project has it, or it was sent already.
    Present,
    /// It may be sent in one piece, by this ticket.
    Whole(String),
    /// It may be sent in so many parts of so many bytes, by this ticket.
    Parts {
        /// The ticket.
        ticket: String,
        /// How many.
        count: u64,
        /// How long each is, but for the last.
        bytes: u64,
    },
    /// It may not be sent.
    Refused(String),
}

impl Ticket {
    fn claim(&self) -> [u8; CLAIM_BYTES] {
        let mut claim = [0; CLAIM_BYTES];
        let parts = [
            &self.repository.uuid().into_bytes()[..],
            &self.person.uuid().into_bytes(),
            &self.size_bytes.to_be_bytes(),
            &self.part_bytes.to_be_bytes(),
            &self.expires_at.to_be_bytes(),
        ];
        let bytes = parts.into_iter().flatten().copied();
        claim.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        claim
    }

    fn text(&self, key: &[u8; 32], sha256: Sha256) -> String {
        let claim = self.claim();
        hex::encode(claim) + &hex::encode(proof(key, &claim, sha256).as_bytes())
    }

    /// The ticket that `text` is, if this hub made it for `sha256`.
    fn read(text: &str, key: &[u8; 32], sha256: Sha256) -> Option<Self> {
        let mut bytes = [0; CLAIM_BYTES + PROOF_BYTES];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let (claim, shown) = bytes.split_first_chunk::<CLAIM_BYTES>()?;
        let shown = blake3::Hash::from_bytes(shown.try_into().ok()?);
        // Equality of BLAKE3 hashes is constant in time.
        if proof(key, claim, sha256) != shown {
            return None;
        }
        let (repository, rest) = claim.split_first_chunk::<16>()?;
        let (person, rest) = rest.split_first_chunk::<16>()?;
        let (size_bytes, rest) = rest.split_first_chunk::<8>()?;
        let (part_bytes, rest) = rest.split_first_chunk::<8>()?;
        Some(Self {
            repository: RepositoryId::from_uuid(Uuid::from_bytes(*repository)),
            person: PersonId::from_uuid(Uuid::from_bytes(*person)),
            size_bytes: u64::from_be_bytes(*size_bytes),
            part_bytes: u64::from_be_bytes(*part_bytes),
            expires_at: i64::from_be_bytes(rest.try_into().ok()?),
        })
    }

    fn parcel(&self, sha256: Sha256) -> Parcel {
        Parcel {
            holder: self.repository.to_string(),
            sha256,
            size_bytes: self.size_bytes,
            part_bytes: self.part_bytes,
        }
    }
}

fn proof(key: &[u8; 32], claim: &[u8], sha256: Sha256) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(claim).update(sha256.bytes());
    hasher.finalize()
}

impl App {
    /// What becomes of files that the actor wants to send to a repository.
    ///
    /// # Errors
    /// When the actor may not write there.
    pub async fn offer_uploads(
        &self,
        actor: &Actor,
        repository: RepositoryId,
        files: &[(Sha256, u64)],
    ) -> Result<Vec<Offer>, Error> {
        let person = actor.person_id()?;
        let key = self.ticket_key().await?;
        let tx = self.store().read().await?;
        let found = self.writable(&tx, actor, repository).await?;
        let lasts = SignedDuration::from_hours(TICKET_HOURS);
        let expires_at = self.now().saturating_add(lasts).unwrap_or(Timestamp::MAX).as_second();
        let part_bytes = self.data().part_bytes.max(1);
        let mut offers = Vec::with_capacity(files.len());
        for (sha256, size_bytes) in files {
            let ticket =
                Ticket { repository, person, size_bytes: *size_bytes, part_bytes, expires_at };
            let known = records::held(&tx, found.project, *sha256).await?.is_some()
                || blobs::uploaded(&tx, &holder(repository), *sha256).await?.is_some();
            let limit = self.data().file_bytes_max;
            offers.push(match ticket.parcel(*sha256).parts() {
                _ if known => Offer::Present,
                _ if *size_bytes > limit => Offer::Refused(format!(
                    "the file is larger than the {limit} bytes allowed here"
                )),
                0 | 1 => Offer::Whole(ticket.text(&key, *sha256)),
                count => {
                    Offer::Parts { ticket: ticket.text(&key, *sha256), count, bytes: part_bytes }
                }
            });
        }
        Ok(offers)
    }

    /// Takes in a file that is sent by a ticket, in one piece.
    ///
    /// # Errors
    /// When the ticket is not good (any more), or the bytes are not those it is for.
    pub async fn receive_file<S, E>(
        &self,
        sha256: Sha256,
        ticket: &str,
        body: S,
    ) -> Result<Blob, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (actor, ticket) = self.redeem(sha256, ticket).await?;
        self.upload(&actor, ticket.repository, (sha256, Some(ticket.size_bytes)), body).await
    }

    /// Takes in one part of a file that is sent by a ticket.
    ///
    /// # Errors
    /// When the ticket is not good (any more), or the part has not the length it must have.
    pub async fn receive_part<S, E>(
        &self,
        (sha256, part): (Sha256, u64),
        ticket: &str,
        body: S,
    ) -> Result<(), Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (_, ticket) = self.redeem(sha256, ticket).await?;
        Ok(self.data().vault.put_part(&ticket.parcel(sha256), part, body).await?)
    }

    /// Puts the parts of a file together. Doing it again is harmless.
    ///
    /// # Errors
    /// When the ticket is not good (any more), a part is missing, or the whole is not the file that
    /// the ticket is for.
    pub async fn finish_parts(&self, sha256: Sha256, ticket: &str) -> Result<(), Error> {
        let (_, ticket) = self.redeem(sha256, ticket).await?;
        let name = holder(ticket.repository);
        if self.was_sent(&name, sha256).await? {
            return Ok(());
        }
        let parcel = ticket.parcel(sha256);
        let id = self.clock().mint();
        self.begin_upload(id, &name, sha256).await?;
        let stored = self.data().vault.assemble(&parcel).await;
        self.end_upload(id, stored).await.map(drop)
    }

    /// Whether the actor has sent all of a file to a repository, or its project has it.
    ///
    /// # Errors
    /// When the actor may not write there.
    pub async fn has_file(
        &self,
        actor: &Actor,
        repository: RepositoryId,
        sha256: Sha256,
    ) -> Result<bool, Error> {
        let tx = self.store().read().await?;
        let found = self.writable(&tx, actor, repository).await?;
        let held = records::held(&tx, found.project, sha256).await?.is_some();
        Ok(held || blobs::uploaded(&tx, &holder(repository), sha256).await?.is_some())
    }

    async fn was_sent(&self, holder: &str, sha256: Sha256) -> Result<bool, Error> {
        let tx = self.store().read().await?;
        Ok(blobs::uploaded(&tx, holder, sha256).await?.is_some())
    }

    /// Who sends by a ticket; what they may do is asked anew.
    async fn redeem(&self, sha256: Sha256, text: &str) -> Result<(Actor, Ticket), Error> {
        let refused = || Error::BadCredentials("the ticket is unknown or expired: ask for another");
        let key = self.ticket_key().await?;
        let ticket = Ticket::read(text, &key, sha256).ok_or_else(refused)?;
        if ticket.expires_at <= self.now().as_second() {
            return Err(refused());
        }
        let tx = self.store().read().await?;
        let abilities = Abilities::of([Ability::Read, Ability::Data]);
        let actor = self.person_as(&tx, ticket.person, abilities).await?.ok_or_else(refused)?;
        self.writable(&tx, &actor, ticket.repository).await?;
        Ok((actor, ticket))
    }

    async fn ticket_key(&self) -> Result<[u8; 32], Error> {
        let kept = self.tickets.0.get_or_try_init(async || {
            let mut fresh = [0; 32];
            getrandom::fill(&mut fresh)
                .map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
            let tx = self.store().write().await?;
            let key = keys::keep(&tx, PURPOSE, fresh, self.now()).await?;
            tx.commit().await?;
            Ok::<_, Error>(key)
        });
        kept.await.copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_for_what_it_says_and_nothing_else() {
        let ticket = Ticket {
            repository: RepositoryId::from_uuid(Uuid::from_u128(1)),
            person: PersonId::from_uuid(Uuid::from_u128(2)),
            size_bytes: 3,
            part_bytes: 4,
            expires_at: 5,
        };
        let (key, file) = ([7; 32], Sha256::of(b"a"));
        let text = ticket.text(&key, file);
        assert_eq!(Ticket::read(&text, &key, file), Some(ticket));
        assert_eq!(Ticket::read(&text, &key, Sha256::of(b"b")), None);
        assert_eq!(Ticket::read(&text, &[8; 32], file), None);
        assert_eq!(Ticket::read("", &key, file), None);
        for at in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(Ticket::read(&forged, &key, file), None, "digit {at} changed");
        }
    }
}
