//! What happens to an organisation, and who is told.

use jiff::civil::Date;
use store::notices::Fact;
use units::{OrganisationId, Timestamp};
use uuid::Uuid;

use super::{Telling, representatives};

/// An organisation, as far as notices name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct House {
    /// Which.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
}

/// What happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrganisationNews {
    /// Somebody has verified something of it.
    Verified {
        /// What: `identity`, for one.
        subject: String,
    },
    /// Its declaration will soon be relied on no more.
    DeclarationEnds {
        /// Which.
        declaration: Uuid,
        /// The last day on which it is relied on.
        until: Date,
        /// In so many days.
        days: i64,
    },
    /// Its declaration is relied on no more.
    DeclarationEnded {
        /// Which.
        declaration: Uuid,
        /// The last day on which it was.
        until: Date,
    },
    /// Another assessment of the figures on record has changed its class.
    ClassChanged {
        /// What it was.
        before: String,
        /// What it is.
        after: String,
    },
}

/// How it is told.
pub(super) fn telling(house: &House, news: &OrganisationNews) -> Telling {
    about(house, news).text("name", &house.name).to([representatives(house.id)])
}

fn about(house: &House, news: &OrganisationNews) -> Telling {
    let page = || format!("/organisations/{}", house.id);
    let form = || format!("/organisations/{}/declaration", house.id);
    match news {
        OrganisationNews::Verified { subject } => Telling::of("organisation.verified", page())
            .with("subject", Fact::Word(format!("verified-{subject}"))),
        OrganisationNews::DeclarationEnds { declaration, until, days } => {
            Telling::of("declaration.ends", form())
                .with("until", day(*until))
                .with("days", Fact::Count(*days))
                .once(format!("declaration.ends:{declaration}:{days}"))
        }
        OrganisationNews::DeclarationEnded { declaration, until } => {
            Telling::of("declaration.ended", form())
                .with("until", day(*until))
                .once(format!("declaration.ended:{declaration}"))
        }
        OrganisationNews::ClassChanged { before, after } => {
            Telling::of("organisation.class", page())
                .with("before", Fact::Word(format!("class-{before}")))
                .with("after", Fact::Word(format!("class-{after}")))
        }
    }
}

/// A day of the calendar as notices keep days.
fn day(date: Date) -> Fact {
    let at = date.to_zoned(jiff::tz::TimeZone::UTC).map(|it| it.timestamp());
    Fact::Day(at.unwrap_or(Timestamp::UNIX_EPOCH))
}
