//! What happens to an allocation, and who is told.

use access::allocation::Crossing;
use store::notices::Fact;
use units::{AllocationId, Meter, OrganisationId, ProjectId, Timestamp, Work};

use super::{Reader, Telling, officers, representatives};
use crate::{Role, Scope};

/// An allocation, as far as notices name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// Which.
    pub id: AllocationId,
    /// Whose.
    pub project: ProjectId,
    /// The organisation of the project.
    pub organisation: OrganisationId,
    /// The title of the project.
    pub title: String,
    /// On which partition, as SYSTEM.PARTITION.
    pub partition: String,
    /// What is counted there.
    pub meter: Meter,
}

/// What happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllocationNews {
    /// Nothing may be submitted against it for now.
    Suspended {
        /// Why.
        reason: String,
    },
    /// It may be used again.
    Resumed {
        /// Why.
        reason: String,
    },
    /// It has ended before its time.
    Terminated {
        /// Why.
        reason: String,
    },
    /// It lasts longer.
    Extended {
        /// When it ends now.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// It has more hours.
    Supplemented {
        /// How many more.
        work: Work,
        /// Why.
        reason: String,
    },
    /// Hours came to it or went from it otherwise.
    Moved {
        /// How.
        how: Moved,
        /// How many.
        work: Work,
        /// Why.
        reason: String,
    },
    /// Another award follows it.
    Renewed {
        /// Why.
        reason: String,
    },
    /// It crossed a threshold of policy.
    Crossed(Crossing),
    /// Its final report is due.
    ReportDue {
        /// Until when.
        until: Timestamp,
    },
    /// Its final report should have come.
    ReportOverdue {
        /// Since when.
        since: Timestamp,
    },
    /// Its final report came.
    ReportCame,
}

/// How hours came to an award or went from it after it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// To another award.
    Out,
    /// From another award.
    In,
    /// Those of later months were released.
    Advanced,
    /// They were not used, and were taken back.
    Cut,
}

impl Moved {
    const fn kind(self) -> &'static str {
        match self {
            Self::Out => "allocation.moved-out",
            Self::In => "allocation.moved-in",
            Self::Advanced => "allocation.advanced",
            Self::Cut => "allocation.cut",
        }
    }
}

/// How it is told.
pub(super) fn telling(award: &Award, news: &AllocationNews) -> Telling {
    let told = about(award, news).text("title", &award.title).text("partition", &award.partition);
    let project = [
        Reader::Holders(Role::ProjectManager, Scope::Project(award.project)),
        representatives(award.organisation),
    ];
    match news {
        AllocationNews::Suspended { .. }
        | AllocationNews::Resumed { .. }
        | AllocationNews::Terminated { .. } => {
            let users = Reader::Holders(Role::User, Scope::Project(award.project));
            told.to(project).to([users])
        }
        AllocationNews::Extended { .. }
        | AllocationNews::Supplemented { .. }
        | AllocationNews::Moved { .. }
        | AllocationNews::Renewed { .. }
        | AllocationNews::Crossed(_)
        | AllocationNews::ReportDue { .. } => told.to(project),
        AllocationNews::ReportOverdue { .. } => told.to(project).to([officers()]),
        AllocationNews::ReportCame => told.to([officers()]),
    }
}

/// The kind, the particulars and the way on, without the readers.
fn about(award: &Award, news: &AllocationNews) -> Telling {
    let told = |kind| Telling::of(kind, format!("/projects/{}", award.project));
    match news {
        AllocationNews::Suspended { reason } => told("allocation.suspended").text("reason", reason),
        AllocationNews::Resumed { reason } => told("allocation.resumed").text("reason", reason),
        AllocationNews::Terminated { reason } => {
            told("allocation.terminated").text("reason", reason)
        }
        AllocationNews::Extended { until, reason } => {
            told("allocation.extended").text("reason", reason).with("until", Fact::Day(*until))
        }
        AllocationNews::Supplemented { work, reason } => told("allocation.supplemented")
            .text("reason", reason)
            .with("hours", Fact::Amount(*work, award.meter)),
        AllocationNews::Moved { how, work, reason } => {
            told(how.kind()).text("reason", reason).with("hours", Fact::Amount(*work, award.meter))
        }
        AllocationNews::Renewed { reason } => told("allocation.renewed").text("reason", reason),
        AllocationNews::Crossed(Crossing::Used { percent, used }) => told("allocation.used")
            .with("percent", Fact::Share(*percent))
            .with("hours", Fact::Amount(*used, award.meter)),
        AllocationNews::Crossed(Crossing::RunsOutEarly { at }) => {
            told("allocation.runs-out").with("at", Fact::Day(*at))
        }
        AllocationNews::Crossed(Crossing::UnusedAtEnd { percent, left }) => {
            told("allocation.unused")
                .with("percent", Fact::Share(*percent))
                .with("hours", Fact::Amount(*left, award.meter))
        }
        AllocationNews::ReportDue { until } => told("report.due")
            .with("until", Fact::Day(*until))
            .once(format!("report.due:{}", award.id)),
        AllocationNews::ReportOverdue { since } => told("report.overdue")
            .with("since", Fact::Day(*since))
            .once(format!("report.overdue:{}", award.id)),
        AllocationNews::ReportCame => told("report.came"),
    }
}
