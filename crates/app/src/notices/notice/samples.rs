//! One notice of each kind, for tests of the texts.

use access::allocation::Crossing;
use jiff::civil::date;
use units::{
    AllocationId, ApplicationId, CallId, Meter, OrganisationId, PartsPerMillion, PersonId,
    ProjectId, Timestamp, Work,
};
use uuid::Uuid;

use super::*;

/// One notice of each kind.
pub fn samples() -> Vec<Notice> {
    let mut all = Vec::new();
    all.extend(of_applications().map(|news| Notice::Application(case(), news)));
    all.extend(of_allocations().map(|news| Notice::Allocation(award(), news)));
    all.extend(of_organisations().map(|news| Notice::Organisation(house(), news)));
    let call = || OpenCall { id: CallId::from_uuid(ID), title: "Fast Lane".to_owned() };
    let opened = |until| Notice::Call(call(), CallNews::Opened { until });
    let closing = CallNews::Closing { at: at(), writers: vec![person()] };
    all.extend([opened(None), opened(Some(at())), Notice::Call(call(), closing)]);
    let place = |name: Option<&str>| Place {
        scope: Scope::Organisation(OrganisationId::from_uuid(ID)),
        name: name.map(str::to_owned),
    };
    let url = "https://example.org/hook".to_owned();
    let of_person = [
        PersonNews::RoleGiven(Role::User, place(Some("Aurore"))),
        PersonNews::RoleTaken(Role::Reviewer, place(None)),
        PersonNews::InvitationAccepted {
            who: "Grace (grace@example.org)".to_owned(),
            role: Role::User,
            place: place(Some("Aurore")),
        },
        PersonNews::WebhookDisabled { url, since: at() },
        PersonNews::WebhookTested,
    ];
    all.extend(of_person.map(|news| Notice::Person(person(), news)));
    all
}

const ID: Uuid = Uuid::from_u128(0x018f_2a6e_7c2b_7d1e_9a51_0b7c_2f6f_9a10);

fn at() -> Timestamp {
    Timestamp::from_second(1_795_251_600).unwrap_or_default()
}

const fn person() -> PersonId {
    PersonId::from_uuid(ID)
}

fn case() -> Case {
    Case {
        id: ApplicationId::from_uuid(ID),
        organisation: OrganisationId::from_uuid(ID),
        title: "Words of the sea".to_owned(),
        factory: None,
    }
}

fn of_applications() -> [ApplicationNews; 18] {
    let (reviewer, remark) = (person(), "Fits on one node.".to_owned());
    let answer = "The second review overlooked the annex.".to_owned();
    [
        ApplicationNews::Received,
        ApplicationNews::Arrived,
        ApplicationNews::Withdrawn,
        ApplicationNews::Checked { feasible: true, remark: remark.clone() },
        ApplicationNews::Checked { feasible: false, remark: remark.clone() },
        ApplicationNews::ReviewAsked { reviewer },
        ApplicationNews::ReviewMissing { reviewer, since: at() },
        ApplicationNews::ConflictDeclared,
        ApplicationNews::ReviewsShown { until: at() },
        ApplicationNews::ReviewsAnswered,
        ApplicationNews::VerdictProposed,
        ApplicationNews::VerdictAdopted,
        ApplicationNews::VerdictReturned { remark },
        ApplicationNews::Awarded {
            project: ProjectId::from_uuid(ID),
            amount: (Work::seconds(18_000_000), Meter::Gpu),
            until: at(),
        },
        ApplicationNews::Refused { reasons: "one award is held already".to_owned() },
        ApplicationNews::Appealed,
        ApplicationNews::AppealDecided { upheld: true, answer: answer.clone() },
        ApplicationNews::AppealDecided { upheld: false, answer },
    ]
}

fn award() -> Award {
    Award {
        id: AllocationId::from_uuid(ID),
        project: ProjectId::from_uuid(ID),
        organisation: OrganisationId::from_uuid(ID),
        title: "Words of the sea".to_owned(),
        partition: "meluxina-ai.gpu".to_owned(),
        meter: Meter::Gpu,
    }
}

fn of_allocations() -> [AllocationNews; 16] {
    let reason = || "the report is overdue".to_owned();
    let (percent, hours) = (PartsPerMillion::new(750_000), Work::seconds(3_600));
    [
        AllocationNews::Suspended { reason: reason() },
        AllocationNews::Resumed { reason: reason() },
        AllocationNews::Terminated { reason: reason() },
        AllocationNews::Extended { until: at(), reason: reason() },
        AllocationNews::Supplemented { work: hours, reason: reason() },
        AllocationNews::Moved { how: Moved::Out, work: hours, reason: reason() },
        AllocationNews::Moved { how: Moved::In, work: hours, reason: reason() },
        AllocationNews::Moved { how: Moved::Advanced, work: hours, reason: reason() },
        AllocationNews::Moved { how: Moved::Cut, work: hours, reason: reason() },
        AllocationNews::Renewed { reason: reason() },
        AllocationNews::Crossed(Crossing::Used { percent, used: hours }),
        AllocationNews::Crossed(Crossing::RunsOutEarly { at: at() }),
        AllocationNews::Crossed(Crossing::UnusedAtEnd { percent, left: hours }),
        AllocationNews::ReportDue { until: at() },
        AllocationNews::ReportOverdue { since: at() },
        AllocationNews::ReportCame,
    ]
}

fn house() -> House {
    House { id: OrganisationId::from_uuid(ID), name: "Aurore".to_owned() }
}

fn of_organisations() -> [OrganisationNews; 4] {
    let until = date(2027, 11, 20);
    [
        OrganisationNews::Verified { subject: "size".to_owned() },
        OrganisationNews::DeclarationEnds { declaration: ID, until, days: 60 },
        OrganisationNews::DeclarationEnded { declaration: ID, until },
        OrganisationNews::ClassChanged { before: "small".to_owned(), after: "medium".to_owned() },
    ]
}
