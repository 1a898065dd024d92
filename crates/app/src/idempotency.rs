//! Answers remembered by idempotency key, for a day.
//!
//! The key is reserved before the request is carried out, so two copies of a request at the same
//! time cannot both be. The change itself marks the key as done, in its own transaction. A process
//! that dies in between leaves the key reserved: if the change was not made, the next start frees
//! the key and the repeat is carried out; if it was, the repeat is told so. Nothing is done twice.

use jiff::SignedDuration;
use store::Tx;
use store::identity::idempotency;
use units::Timestamp;

pub use idempotency::{Answer, Remembered};

use crate::{App, Error, Subject};

/// How long an answer is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// No request is carried out for longer: the hub gives each up after a minute at most.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(2);

/// A request that carries an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// Who sends it; keys of different callers are different keys.
    pub caller: Subject,
    /// The key they chose.
    pub key: String,
    /// A hash of everything that makes it this request.
    pub request: String,
}

tokio::task_local! {
    /// The request that this task carries out, if it has a key.
    static CARRIED_OUT: Keyed;
}

impl App {
    /// Reserves the key for this request, or says what is known of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reserve_key(&self, keyed: &Keyed) -> Result<Remembered, Error> {
        let now = self.now();
        let expired = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        let caller = keyed.caller.to_string();
        let tx = self.store().write().await?;
        idempotency::forget_before(&tx, expired).await?;
        let times = (now, now.saturating_sub(UNDER_WAY).unwrap_or(Timestamp::MIN));
        let known = idempotency::reserve(&tx, &caller, &keyed.key, &keyed.request, times).await?;
        tx.commit().await?;
        Ok(known)
    }

    /// Carries out the request of a reserved key: the change it makes marks the key as done.
    pub async fn carry_out<T>(&self, keyed: Keyed, request: impl Future<Output = T>) -> T {
        CARRIED_OUT.scope(keyed, request).await
    }

    /// Marks the key of the request that is carried out, if it has one, with the change it makes.
    pub(crate) async fn mark_done(&self, tx: &Tx) -> Result<(), Error> {
        let Ok(keyed) = CARRIED_OUT.try_with(Clone::clone) else { return Ok(()) };
        Ok(idempotency::done(tx, &keyed.caller.to_string(), &keyed.key).await?)
    }

    /// Frees the keys of requests that an earlier process did not live to carry out. To be called
    /// before the hub takes requests.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn free_unfinished_keys(&self) -> Result<u64, Error> {
        let tx = self.store().write().await?;
        let freed = idempotency::forget_unfinished(&tx).await?;
        tx.commit().await?;
        Ok(freed)
    }

    /// Remembers the answer to a reserved key; without one, forgets the reservation, so that the
    /// request may be tried again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_key(&self, keyed: &Keyed, answer: Option<&Answer>) -> Result<(), Error> {
        let caller = keyed.caller.to_string();
        let tx = self.store().write().await?;
        match answer {
            Some(answer) => idempotency::answer(&tx, &caller, &keyed.key, answer).await?,
            None => idempotency::forget(&tx, &caller, &keyed.key).await?,
        }
        Ok(tx.commit().await?)
    }

    /// Whether the hub can reach its records.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn health(&self) -> Result<(), Error> {
        self.store().read().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::NewAccount;
    use crate::testing::{PASSWORD, TestHub};
    use crate::{Actor, Role, Scope};

    fn keyed(key: &str) -> Keyed {
        Keyed {
            caller: Subject::Anonymous,
            key: key.to_owned(),
            request: "POST /people".to_owned(),
        }
    }

    /// What a process leaves that is killed with a request in hand: before its change, or after.
    #[tokio::test]
    async fn a_request_that_was_cut_off_is_repeated_unless_its_change_was_made() {
        for hub in TestHub::each().await {
            let before = keyed("before");
            assert_eq!(hub.app.reserve_key(&before).await.unwrap(), Remembered::New);
            let after = keyed("after");
            assert_eq!(hub.app.reserve_key(&after).await.unwrap(), Remembered::New);
            let new = NewAccount {
                email: "ada@example.org".to_owned(),
                name: "Ada".to_owned(),
                password: PASSWORD.to_owned(),
            };
            let anonymous = Actor::anonymous();
            let change = hub.app.register(&anonymous, new);
            hub.app.carry_out(after.clone(), change).await.unwrap();

            assert_eq!(hub.app.reserve_key(&before).await.unwrap(), Remembered::Pending);
            assert_eq!(hub.app.free_unfinished_keys().await.unwrap(), 1);
            assert_eq!(hub.app.reserve_key(&before).await.unwrap(), Remembered::New);
            assert_eq!(hub.app.reserve_key(&after).await.unwrap(), Remembered::Done);
        }
    }

    /// A connection that breaks takes the request along that came over it, but not its key.
    #[tokio::test]
    async fn a_request_that_broke_off_may_be_repeated_once_it_cannot_be_under_way() {
        for hub in TestHub::each().await {
            let broken = keyed("broken");
            assert_eq!(hub.app.reserve_key(&broken).await.unwrap(), Remembered::New);
            hub.clock.advance(SignedDuration::from_secs(60));
            assert_eq!(hub.app.reserve_key(&broken).await.unwrap(), Remembered::Pending);
            hub.clock.advance(SignedDuration::from_secs(61));
            assert_eq!(hub.app.reserve_key(&broken).await.unwrap(), Remembered::New);
            assert_eq!(hub.app.reserve_key(&broken).await.unwrap(), Remembered::Pending);
        }
    }

    #[tokio::test]
    async fn the_key_of_a_change_that_was_made_is_kept_though_its_answer_failed() {
        for hub in TestHub::each().await {
            let made = keyed("made");
            assert_eq!(hub.app.reserve_key(&made).await.unwrap(), Remembered::New);
            let tx = hub.app.store().write().await.unwrap();
            hub.app.carry_out(made.clone(), hub.app.mark_done(&tx)).await.unwrap();
            tx.commit().await.unwrap();
            hub.app.settle_key(&made, None).await.unwrap();
            hub.clock.advance(SignedDuration::from_hours(1));
            assert_eq!(hub.app.reserve_key(&made).await.unwrap(), Remembered::Done);
        }
    }

    #[tokio::test]
    async fn a_request_that_was_refused_leaves_its_key_undone() {
        let hub = TestHub::new().await;
        let (_, root) = hub.person("root", &[(Role::Administrator, Scope::Federation)]).await;
        let refused = keyed("refused");
        hub.app.reserve_key(&refused).await.unwrap();
        let nobody = units::PersonId::from_uuid(uuid::Uuid::from_u128(1));
        let close = hub.app.set_access(&root, nobody, crate::identity::Access::Closed);
        hub.app.carry_out(refused.clone(), close).await.unwrap_err();
        assert_eq!(hub.app.reserve_key(&refused).await.unwrap(), Remembered::Pending);
    }
}
