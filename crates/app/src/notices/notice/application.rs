//! What happens to an application, and who is told.

use store::notices::Fact;
use units::{ApplicationId, Meter, OrganisationId, PersonId, ProjectId, Timestamp, Work};

use super::{Reader, Telling, officers, representatives};
use crate::{Role, Scope};

/// An application, as far as notices name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Which.
    pub id: ApplicationId,
    /// Who applies.
    pub organisation: OrganisationId,
    /// Its title.
    pub title: String,
    /// The factory whose machine is asked for.
    pub factory: Option<Scope>,
}

/// What happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplicationNews {
    /// It was submitted and waits for people: a receipt.
    Received,
    /// The same, for those who are to work on it.
    Arrived,
    /// It was taken back after people had begun.
    Withdrawn,
    /// The factory has said whether its machine can do it.
    Checked {
        /// What it said.
        feasible: bool,
        /// In its words.
        remark: String,
    },
    /// Somebody is asked to judge it.
    ReviewAsked {
        /// Who.
        reviewer: PersonId,
    },
    /// A review that was asked for has not come.
    ReviewMissing {
        /// From whom.
        reviewer: PersonId,
        /// Since when it is asked for.
        since: Timestamp,
    },
    /// A reviewer may not judge it.
    ConflictDeclared,
    /// The applicant may answer the reviews.
    ReviewsShown {
        /// Until when.
        until: Timestamp,
    },
    /// The applicant has answered them.
    ReviewsAnswered,
    /// A verdict is proposed: a second person adopts it.
    VerdictProposed,
    /// A verdict is adopted and can be published.
    VerdictAdopted,
    /// A verdict was sent back.
    VerdictReturned {
        /// Why.
        remark: String,
    },
    /// Hours were granted.
    Awarded {
        /// To which project.
        project: ProjectId,
        /// How many, of which unit.
        amount: (Work, Meter),
        /// When they end.
        until: Timestamp,
    },
    /// It was refused.
    Refused {
        /// Why, one reason a line.
        reasons: String,
    },
    /// The applicant appeals against a refusal.
    Appealed,
    /// Somebody has decided on the appeal.
    AppealDecided {
        /// Whether it was right.
        upheld: bool,
        /// The answer.
        answer: String,
    },
}

/// How it is told.
pub(super) fn telling(case: &Case, news: &ApplicationNews) -> Telling {
    let told = about(case, news).text("title", &case.title);
    match news {
        ApplicationNews::Received
        | ApplicationNews::Withdrawn
        | ApplicationNews::ReviewsShown { .. }
        | ApplicationNews::Awarded { .. }
        | ApplicationNews::Refused { .. }
        | ApplicationNews::AppealDecided { .. } => told.to([representatives(case.organisation)]),
        ApplicationNews::Arrived => told.to([officers()]).to(operators(case)),
        ApplicationNews::Checked { .. }
        | ApplicationNews::ConflictDeclared
        | ApplicationNews::ReviewsAnswered
        | ApplicationNews::VerdictProposed
        | ApplicationNews::VerdictAdopted
        | ApplicationNews::VerdictReturned { .. }
        | ApplicationNews::Appealed => told.to([officers()]),
        ApplicationNews::ReviewAsked { reviewer }
        | ApplicationNews::ReviewMissing { reviewer, .. } => told.to([Reader::Person(*reviewer)]),
    }
}

/// The kind, the particulars and the way on, without the readers.
fn about(case: &Case, news: &ApplicationNews) -> Telling {
    let page = || format!("/applications/{}", case.id);
    let file = || format!("/applications/{}/case", case.id);
    let review = || format!("/applications/{}/review", case.id);
    match news {
        ApplicationNews::Received => Telling::of("application.received", page()).receipt(),
        ApplicationNews::Arrived => Telling::of("application.arrived", file()),
        ApplicationNews::Withdrawn => Telling::of("application.withdrawn", page()).to([officers()]),
        ApplicationNews::Checked { feasible, remark } => {
            let kind = match feasible {
                true => "application.feasible",
                false => "application.not-feasible",
            };
            Telling::of(kind, file()).text("remark", remark)
        }
        ApplicationNews::ReviewAsked { .. } => Telling::of("review.asked", review()),
        ApplicationNews::ReviewMissing { reviewer, since } => {
            Telling::of("review.missing", review())
                .with("since", Fact::Day(*since))
                .once(format!("review.missing:{}:{reviewer}:{since}", case.id))
        }
        ApplicationNews::ConflictDeclared => Telling::of("review.conflict", file()),
        ApplicationNews::ReviewsShown { until } => {
            Telling::of("reviews.shown", file()).with("until", Fact::Minute(*until))
        }
        ApplicationNews::ReviewsAnswered => Telling::of("reviews.answered", file()),
        ApplicationNews::VerdictProposed => Telling::of("verdict.proposed", file()),
        ApplicationNews::VerdictAdopted => Telling::of("verdict.adopted", file()),
        ApplicationNews::VerdictReturned { remark } => {
            Telling::of("verdict.returned", file()).text("remark", remark)
        }
        ApplicationNews::Awarded { project, amount: (work, meter), until } => {
            Telling::of("application.awarded", format!("/projects/{project}"))
                .with("hours", Fact::Amount(*work, *meter))
                .with("until", Fact::Day(*until))
                .receipt()
        }
        ApplicationNews::Refused { reasons } => {
            Telling::of("application.refused", page()).text("reasons", reasons).receipt()
        }
        ApplicationNews::Appealed => Telling::of("appeal.made", file()),
        ApplicationNews::AppealDecided { upheld, answer } => {
            let kind = if *upheld { "appeal.upheld" } else { "appeal.rejected" };
            Telling::of(kind, page()).text("answer", answer)
        }
    }
}

/// Those who run the machine that is asked for.
fn operators(case: &Case) -> Option<Reader> {
    let factory = case.factory.clone()?;
    Some(Reader::Holders(Role::SiteOperator, factory))
}
