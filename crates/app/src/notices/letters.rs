//! Letters: what is to leave by e-mail, to whom, and what became of it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use store::notices::post::{self, Letters, Outcome, Unsent};
use store::notices::{self as records, ByMail, NoticeRecord};
use units::{PersonId, Timestamp};

use super::retry;
use crate::{Action, Actor, App, Error};

/// The hour of Brussels at which the letters of a day leave.
const DAILY_HOUR: i8 = 7;
/// The most notices that one turn takes up.
const TURN_MAX: u32 = 500;
/// How far back the operator looks.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 30);
/// The most letters given up that the operator is shown.
const UNSENT_MAX: u32 = 100;

/// One e-mail: a notice, or all those of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// To whom.
    pub person: PersonId,
    /// Their address.
    pub email: String,
    /// How they are called.
    pub name: String,
    /// The code of their language.
    pub language: String,
    /// Whether it gathers what came in a day.
    pub daily: bool,
    /// What it tells, oldest first; never empty.
    pub notices: Vec<NoticeRecord>,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// Why a letter did not leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the server said, or why it could not be reached.
    pub text: String,
    /// Whether it would be the same the next time.
    pub for_good: bool,
}

/// How letters and webhooks fare, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostHealth {
    /// The mail server; none when notices stay in the inbox.
    pub mail_server: Option<String>,
    /// The letters of the last thirty days.
    pub letters: Letters,
    /// Those that were given up, newest first.
    pub unsent: Vec<Unsent>,
    /// How many webhooks there are, and how many of them fail or are disabled.
    pub webhooks: (i64, i64),
}

/// When a notice told at `now` leaves by e-mail, if it does.
pub(super) fn due_at(mail: ByMail, now: Timestamp) -> Option<Timestamp> {
    match mail {
        ByMail::AtOnce => Some(now),
        ByMail::No => None,
        ByMail::Daily => Some(next_daily(now).unwrap_or(now)),
    }
}

/// The next instant at which the letters of a day leave.
fn next_daily(now: Timestamp) -> Option<Timestamp> {
    let zone = TimeZone::get("Europe/Brussels").unwrap_or(TimeZone::UTC);
    let here = now.to_zoned(zone.clone());
    let at = |day: jiff::civil::Date| {
        Some(day.at(DAILY_HOUR, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp())
    };
    let today = at(here.date())?;
    if today > now { Some(today) } else { at(here.date().checked_add(1.day()).ok()?) }
}

impl App {
    /// The letters that are due, in the order of their readers. Without a mail server there are
    /// none: what would leave stays in the inbox, and the operator can see that.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn letters_due(&self) -> Result<Vec<Letter>, Error> {
        let now = self.now();
        if self.parts.post.mail_server.is_none() {
            let tx = self.store().write().await?;
            post::give_up_due(&tx, "no mail server is configured", now).await?;
            tx.commit().await?;
            return Ok(Vec::new());
        }
        let tx = self.store().read().await?;
        let due = post::due(&tx, now, TURN_MAX).await?;
        let people: Vec<PersonId> = due.iter().map(|it| it.person).collect();
        let settings = records::settings(&tx, &people).await?;
        let mut letters: Vec<Letter> = Vec::new();
        for post::Due { person, email, name, notice, mail, attempts } in due {
            let daily = mail == ByMail::Daily;
            if let Some(last) = letters.last_mut()
                && daily
                && last.daily
                && last.person == person
            {
                last.attempts = last.attempts.max(attempts);
                last.notices.push(notice);
                continue;
            }
            let language = settings.get(&person).cloned().unwrap_or_default().language;
            let notices = vec![notice];
            letters.push(Letter { person, email, name, language, daily, notices, attempts });
        }
        Ok(letters)
    }

    /// Enters that a letter has left, or why it has not: it is tried again later, or given up.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_letter(
        &self,
        letter: &Letter,
        failure: Option<&Failure>,
    ) -> Result<(), Error> {
        let now = self.now();
        let outcome = match failure {
            None => Outcome::Sent,
            Some(Failure { text, for_good: true }) => Outcome::GivenUp(text),
            Some(Failure { text, .. }) => {
                match retry::again(letter.attempts.saturating_add(1), now) {
                    Some(at) => Outcome::Again(at, text),
                    None => Outcome::GivenUp(text),
                }
            }
        };
        let tx = self.store().write().await?;
        for notice in &letter.notices {
            post::settle(&tx, (letter.person, notice.id), outcome, now).await?;
        }
        Ok(tx.commit().await?)
    }

    /// How letters and webhooks fare.
    ///
    /// # Errors
    /// When the actor may not see it.
    pub async fn post_health(&self, actor: &Actor) -> Result<PostHealth, Error> {
        actor.may(Action::ViewPost, &[])?;
        let since = self.now().saturating_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
        let tx = self.store().read().await?;
        Ok(PostHealth {
            mail_server: self.parts.post.mail_server.clone(),
            letters: post::letters(&tx, since).await?,
            unsent: post::unsent(&tx, since, UNSENT_MAX).await?,
            webhooks: records::webhooks::count(&tx).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_a_day_leave_at_seven_in_brussels_whatever_the_season() {
        for (now, next) in [
            ("2026-11-21T09:00:00Z", "2026-11-22T06:00:00Z"),
            ("2026-11-21T05:59:59Z", "2026-11-21T06:00:00Z"),
            ("2026-11-21T06:00:00Z", "2026-11-22T06:00:00Z"),
            ("2027-03-27T12:00:00Z", "2027-03-28T05:00:00Z"),
        ] {
            let due = due_at(ByMail::Daily, now.parse().unwrap()).unwrap();
            assert_eq!(due.to_string(), next, "after {now}");
        }
    }
}
