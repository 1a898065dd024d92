//! What happens to a call, and who is told.

use store::notices::Fact;
use units::{CallId, PersonId, Timestamp};

use super::{Reader, Telling};

/// A call, as far as notices name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// Which.
    pub id: CallId,
    /// Its title.
    pub title: String,
}

/// What happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallNews {
    /// It takes applications from now on.
    Opened {
        /// Until when; none while it is open without end.
        until: Option<Timestamp>,
    },
    /// It soon takes no more.
    Closing {
        /// When.
        at: Timestamp,
        /// Who has written a draft that is not submitted yet.
        writers: Vec<PersonId>,
    },
}

/// How it is told.
pub(super) fn telling(call: &OpenCall, news: &CallNews) -> Telling {
    let told = |kind: &'static str| {
        Telling::of(kind, format!("/calls/{}", call.id))
            .text("title", &call.title)
            .to([Reader::Followers])
            .once(format!("{kind}:{}", call.id))
    };
    match news {
        CallNews::Opened { until: Some(until) } => {
            told("call.opened").with("until", Fact::Minute(*until))
        }
        CallNews::Opened { until: None } => told("call.open-always"),
        CallNews::Closing { at, writers } => told("call.closing")
            .with("at", Fact::Minute(*at))
            .to(writers.iter().copied().map(Reader::Person)),
    }
}
