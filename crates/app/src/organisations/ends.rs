//! Declarations that end: their representatives are told in time, and the figures on record are
//! assessed again by the rules of the day.

use access::policy::{Entry as PolicyEntry, SmeDefinition};
use jiff::SignedDuration;
use jiff::civil::Date;
use store::Tx;
use store::organisations::{self as records, Declaration, DeclarationTold};
use units::Timestamp;

use crate::audit::Entry;
use crate::notices::{Notice, OrganisationNews, house_of};
use crate::{Actor, App, Error};

/// So many days before its end representatives are told for the first time.
const SOON_DAYS: i64 = 60;
/// And so many for the second.
const VERY_SOON_DAYS: i64 = 14;
/// The most declarations of which one turn tells.
const TURN_MAX: u32 = 500;

impl App {
    /// Tells representatives of declarations that end or have ended; gives back how many notices
    /// there were.
    pub(crate) async fn tell_of_declarations(
        &self,
        tx: &Tx,
        now: Timestamp,
    ) -> Result<usize, Error> {
        let today = access::day_in_brussels(now);
        let Some(definition) = self.rules().policy.sme(today) else { return Ok(0) };
        let lasts = days_between(today, access::sme::valid_until(today, &definition.says));
        let mut told = 0_usize;
        for (before, days) in [
            (DeclarationTold::EndsVerySoon, 0),
            (DeclarationTold::EndsSoon, VERY_SOON_DAYS),
            (DeclarationTold::Nothing, SOON_DAYS),
        ] {
            // Three days more, for years and months of different lengths; each is looked at exactly.
            let age = SignedDuration::from_hours(24 * lasts.saturating_sub(days + 3).max(0));
            let made = now.saturating_sub(age).unwrap_or(Timestamp::MIN);
            for declaration in
                records::declarations_to_tell_of(tx, (before, made), TURN_MAX).await?
            {
                let fresh = self.tell_of_end(tx, (&declaration, before), definition, now).await?;
                told = told.saturating_add(usize::from(fresh));
            }
        }
        Ok(told)
    }

    /// Tells of one declaration, if its end has come nearer than what was told before.
    async fn tell_of_end(
        &self,
        tx: &Tx,
        (declaration, before): (&Declaration, DeclarationTold),
        definition: &PolicyEntry<SmeDefinition>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let declared = access::day_in_brussels(declaration.declared_at);
        let until = access::sme::valid_until(declared, &definition.says);
        let days = days_between(access::day_in_brussels(now), until);
        let stage = match days {
            ..0 => DeclarationTold::Ended,
            0..=VERY_SOON_DAYS => DeclarationTold::EndsVerySoon,
            15..=SOON_DAYS => DeclarationTold::EndsSoon,
            _ => return Ok(false),
        };
        if stage <= before {
            return Ok(false);
        }
        let organisation = records::by_id(tx, declaration.organisation).await?;
        let organisation = organisation.ok_or(Error::NotFound("organisation"))?;
        records::set_declaration_told(tx, declaration.id, stage).await?;
        let id = declaration.id;
        let news = match stage {
            DeclarationTold::Ended => OrganisationNews::DeclarationEnded { declaration: id, until },
            _ => OrganisationNews::DeclarationEnds { declaration: id, until, days },
        };
        let notice = Notice::Organisation(house_of(&organisation), news);
        let fresh = self.tell(tx, &Actor::system(), &notice).await?;
        self.assess_again(tx, (&organisation, declaration), definition).await?;
        Ok(fresh)
    }

    /// Assesses the figures on record by the rules of the day, and tells when they come to another
    /// class than they did when they were declared: the definition has changed, or the thresholds.
    async fn assess_again(
        &self,
        tx: &Tx,
        (organisation, declaration): (&access::organisation::Organisation, &Declaration),
        definition: &PolicyEntry<SmeDefinition>,
    ) -> Result<(), Error> {
        let before = &declaration.assessment;
        let Ok(after) = access::sme::assess(&declaration.group, definition) else { return Ok(()) };
        let system = Actor::system();
        let entry = Entry {
            action: "organisation.assess",
            object: &format!("organisation:{}", organisation.id),
            rule: &after.rule.to_string(),
            detail: &format!("the figures on record: {}, before {}", after.class, before.class),
        };
        self.audit(tx, &system, entry).await?;
        if after.class != before.class {
            let news = OrganisationNews::ClassChanged {
                before: before.class.to_string(),
                after: after.class.to_string(),
            };
            self.tell(tx, &system, &Notice::Organisation(house_of(organisation), news)).await?;
        }
        Ok(())
    }
}

/// How many days `to` lies after `from`; fewer than none when it lies before.
fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}
