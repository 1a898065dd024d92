//! What is asked and what became of it: calls, applications, reviews, verdicts, projects with hours.

use access::allocation::Allocation;
use access::application::{Check, Draft, Reason, State};
use access::call::Call;
use access::policy::RuleId;
use access::project::Project;
use access::review::Verdict;
use ledger::{Author, Stamp};
use store::Store;
use store::allocations::Share;
use store::applications::{self, Application};
use store::identity::grants;
use store::ledger::{Memo, Pen};
use store::pools::PoolRecord;
use store::reviews::{self, TechnicalCheck, Written};
use store::verdicts::{self, VerdictRecord};
use units::{
    AllocationId, ApplicationId, CallId, EntryId, PersonId, ProjectId, Shares, Timestamp, Work,
};

use crate::seeds::{Seeds, in_portions};
use crate::town::{Measure, Town, granted};

/// The calls with their applications, oldest first.
pub(crate) struct Cases {
    pub(crate) calls: Vec<Call>,
    pub(crate) applications: Vec<Application>,
}

impl Cases {
    /// The newest application to the call whose applications are being reviewed.
    pub(crate) fn being_reviewed(&self) -> &Application {
        let call = &self.calls[self.calls.len() - 2];
        self.applications.iter().rfind(|it| it.call == call.id).unwrap()
    }

    /// The call that takes applications.
    pub(crate) fn open(&self) -> &Call {
        &self.calls[self.calls.len() - 1]
    }
}

/// Fills `store`. Every call but the last two is decided; the last but one is being reviewed, and
/// the last is open. Hours come out of `pool`.
pub(crate) async fn fill(
    store: &Store,
    seeds: &mut Seeds,
    measure: Measure,
    (town, pool): (&Town, &PoolRecord),
) -> Cases {
    let count = measure.applications.div_ceil(measure.a_call);
    let calls: Vec<Call> = (0..count).map(|number| call(seeds, number, (count, pool))).collect();
    let at = seeds.at();
    in_portions(store, &calls, async |tx, call| {
        store::calls::insert(tx, call, "person:bench", at).await?;
        for person in &town.reviewers {
            reviews::add_to_pool(tx, (call.id, *person), (*person, at)).await?;
        }
        Ok(())
    })
    .await;
    let mut written = Vec::with_capacity(measure.applications);
    for number in 0..measure.applications {
        let place = number / measure.a_call;
        written.push(application(seeds, (&calls[place], count - place), town));
    }
    let as_draft = |it: &Application| match it.state {
        State::Draft => it.clone(),
        _ => Application { state: State::Submitted { at: it.state_at }, ..it.clone() },
    };
    in_portions(store, &written, async |tx, it| applications::insert(tx, &as_draft(it)).await)
        .await;
    reviewed(store, seeds, town, &written).await;
    decided(store, seeds, (&mut written, town), pool).await;
    Cases { calls, applications: written }
}

fn call(seeds: &mut Seeds, number: usize, (count, pool): (usize, &PoolRecord)) -> Call {
    let id = CallId::from_uuid(seeds.id());
    let from = "2025-12-01".parse().unwrap();
    let file = "policy/access-modes.toml".to_owned();
    let opens_at = seeds.at();
    let open = number + 1 == count;
    Call {
        id,
        key: format!("large-scale-{number}").parse().unwrap(),
        title: format!("Large Scale, cut-off {number}"),
        mode: "large-scale".parse().unwrap(),
        rule: RuleId { file, entry: "large-scale".to_owned(), from },
        partitions: vec![pool.partition.clone()],
        opens_at,
        closes_at: (!open).then(|| opens_at + jiff::SignedDuration::from_mins(1)),
    }
}

/// An application; `left` says how many calls follow, this one included.
fn application(seeds: &mut Seeds, (call, left): (&Call, usize), town: &Town) -> Application {
    let (writer, organisation) = *seeds.pick(&town.writers);
    let id = ApplicationId::from_uuid(seeds.id());
    let at = seeds.at();
    let state = match (left, seeds.below(20)) {
        (1, 0..=9) => State::Draft,
        (1 | 2, _) => State::Submitted { at },
        (_, 0) => State::Withdrawn { at },
        (_, 1..=10) => State::Refused { at, reasons: vec![refusal()] },
        _ => State::Awarded {
            at,
            project: ProjectId::from_uuid(seeds.id()),
            allocation: AllocationId::from_uuid(seeds.id()),
        },
    };
    let draft = Draft {
        project: None,
        title: format!("A model for {}", seeds.below(1_000_000)),
        purpose: "To learn whether a model of our own answers better. ".repeat(10),
        partition: call.partitions.first().cloned(),
        hours: Some(50_000),
        months: Some(6),
        duties_accepted: true,
        fields: vec!["pe6".parse().unwrap()],
        team: Vec::new(),
    };
    Application {
        id,
        call: call.id,
        organisation,
        created_by: writer,
        created_at: at,
        draft,
        version: 1,
        state,
        state_at: at,
    }
}

fn refusal() -> Reason {
    Reason {
        rule: "policy/review.toml#competitive@2025-12-01".to_owned(),
        check: Check::Review,
        found: "8.5 of 15 points".to_owned(),
        allowed: "10 or more".to_owned(),
        fits: None,
    }
}

/// The factory's word on everything that was submitted, and three reviews of each.
async fn reviewed(store: &Store, seeds: &mut Seeds, town: &Town, written: &[Application]) {
    let asked: Vec<(ApplicationId, [PersonId; 3])> = written
        .iter()
        .filter(|it| it.state != State::Draft)
        .map(|it| {
            let first = seeds.below(town.reviewers.len());
            let judge = |next: usize| town.reviewers[(first + next * 7) % town.reviewers.len()];
            (it.id, [judge(0), judge(1), judge(2)])
        })
        .collect();
    let at = seeds.at();
    let keys = ["excellence", "innovation-and-impact", "implementation"];
    let says = Written {
        scores: keys.map(|key| (key.parse().unwrap(), "4".parse().unwrap())).into(),
        to_applicant: "Clear, feasible, and well founded. ".repeat(20),
        confidential: "I know the field well.".to_owned(),
    };
    in_portions(store, &asked, async |tx, (application, judges)| {
        let (feasible, remark) = (true, "it fits the machine".to_owned());
        let check = TechnicalCheck { feasible, remark, checked_by: judges[0], checked_at: at };
        reviews::check_technically(tx, *application, &check).await?;
        for judge in judges {
            let who = (*application, *judge);
            reviews::assign(tx, who, (*judge, at), "knows pe6").await?;
            reviews::write(tx, who, &says, Some(at)).await?;
        }
        Ok(())
    })
    .await;
}

/// What became of the applications that are decided: a verdict, and of awards a project with hours.
async fn decided(
    store: &Store,
    seeds: &mut Seeds,
    (written, town): (&mut [Application], &Town),
    pool: &PoolRecord,
) {
    let officers = [town.reviewers[0], town.reviewers[1]];
    for portion in written.chunks_mut(1_000) {
        let tx = store.write().await.unwrap();
        let mut pen = Pen::take(&tx, &[]).await.unwrap();
        let mut last = None;
        for it in portion.iter_mut() {
            let verdict = match &it.state {
                State::Awarded { project, allocation, .. } => {
                    let entry = EntryId::from_uuid(seeds.id());
                    let stamp = Stamp::new(entry, pool.opened_at, Author::Hub);
                    let memo = Memo { stamp, reason: it.draft.title.clone() };
                    let shares = Shares::sole(pool.id);
                    let entered = pen.grant(memo, *allocation, &shares, amount()).await.unwrap();
                    last = Some(entered.unwrap());
                    started(&tx, it, (*project, *allocation), pool).await;
                    Verdict::Award { hours: 50 }
                }
                State::Refused { .. } => Verdict::Refuse,
                State::Draft | State::Submitted { .. } | State::Withdrawn { .. } => continue,
            };
            let record = record(seeds, it.id, (verdict, officers));
            verdicts::propose(&tx, &record).await.unwrap();
            verdicts::adopt(&tx, record.id, (officers[1], record.proposed_at), None).await.unwrap();
            verdicts::publish(&tx, record.id, record.proposed_at).await.unwrap();
            let moved = applications::advance(&tx, it.id, "submitted", &it.state, it.state_at);
            assert!(moved.await.unwrap(), "it was submitted");
            it.version += 1;
        }
        if let Some(last) = last {
            pen.write(Ok(last)).await.unwrap().unwrap();
        }
        tx.commit().await.unwrap();
    }
}

fn amount() -> Work {
    Work::hours(50).unwrap()
}

fn record(
    seeds: &mut Seeds,
    application: ApplicationId,
    (verdict, officers): (Verdict, [PersonId; 2]),
) -> VerdictRecord {
    VerdictRecord {
        id: seeds.id(),
        application,
        verdict,
        remark: "by the order of the reviews".to_owned(),
        proposed_by: officers[0],
        proposed_at: seeds.at(),
        adopted: None,
        published_at: None,
    }
}

/// The project of an award, with its manager and its hours.
async fn started(
    tx: &store::Tx,
    it: &Application,
    (project, allocation): (ProjectId, AllocationId),
    pool: &PoolRecord,
) {
    let at: Timestamp = it.state_at;
    let new = Project {
        id: project,
        organisation: it.organisation,
        title: it.draft.title.clone(),
        purpose: it.draft.purpose.clone(),
        created_at: at,
    };
    store::projects::insert(tx, &new).await.unwrap();
    let manager = granted(it.created_by, "project-manager", &format!("project:{project}"), at);
    grants::insert(tx, &manager).await.unwrap();
    let granted = Allocation {
        id: allocation,
        project,
        application: it.id,
        partition: pool.partition.clone(),
        meter: pool.meter,
        amount: amount(),
        period: pool.period,
        rule: "policy/access-modes.toml#large-scale@2025-12-01".to_owned(),
        granted_at: at,
        closed_at: None,
        suspended: None,
    };
    let share = Share { pool: pool.id, payer: pool.payer, amount: amount() };
    store::allocations::insert(tx, &granted, &[share]).await.unwrap();
}
