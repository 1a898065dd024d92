//! Who judges what: conflicts found over all that is on record, and reviews spread by the rules.

use std::collections::{BTreeMap, BTreeSet};

use access::application::Member;
use access::policy::Procedure;
use access::review::{Applying, Assignment, Candidate, MailDomain, Reviewer, assign};
use store::Tx;
use store::reviews as records;
use units::{ApplicationId, CallId, PersonId};

use crate::applications::Application;
use crate::notices::ApplicationNews;
use crate::{Action, Actor, App, Error};

/// Who is asked to judge what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arranged {
    /// What is new, and what could not be found.
    pub assignment: Assignment,
    /// How the people are called.
    pub names: BTreeMap<PersonId, String>,
    /// What the applications are called.
    pub titles: BTreeMap<ApplicationId, String>,
    /// The rule that it follows.
    pub rule: String,
}

impl App {
    /// Asks reviewers of the pool for the reviews that applications to a call still lack. With
    /// `dry_run` nothing is changed. `progress` hears how many are found, and how many are sought.
    ///
    /// # Errors
    /// When the actor may not arrange reviews, there is no such call, or peers do not review there.
    pub async fn arrange_reviews(
        &self,
        actor: &Actor,
        (call, dry_run): (CallId, bool),
        mut progress: impl FnMut(u32, u32) + Send + 'static,
    ) -> Result<Arranged, Error> {
        let tx = self.store().read().await?;
        let call = self.call_for(&tx, actor, (Action::ArrangeReview, call)).await?;
        let procedure = self.peers_of(&call)?;
        let pool = self.rated_pool(&tx, call.id, &procedure.says).await?;
        let applications = store::applications::undecided(&tx, call.id).await?;
        let candidates = self.candidates(&tx, call.id, &applications).await?;
        let names = records::pool(&tx, call.id).await?;
        drop(tx);
        let (says, fields) = (procedure.says.clone(), self.known_fields());
        let public = self.rules().policy.public_mail(access::day_in_brussels(self.now()));
        let search = move || spread((&pool, &candidates), (&says, &fields, &public), &mut progress);
        let assignment = tokio::task::spawn_blocking(search);
        let assignment = assignment.await.map_err(|error| Error::Internal(error.to_string()))?;
        if !dry_run {
            self.ask(actor, (call.id, &procedure.rule.to_string()), &assignment).await?;
        }
        Ok(Arranged {
            assignment,
            names: names.into_iter().map(|member| (member.person, member.name)).collect(),
            titles: applications.into_iter().map(|it| (it.id, it.draft.title)).collect(),
            rule: procedure.rule.to_string(),
        })
    }

    /// Enters who is asked; what was decided or judged meanwhile stays as it is.
    async fn ask(
        &self,
        actor: &Actor,
        (call, rule): (CallId, &str),
        assignment: &Assignment,
    ) -> Result<(), Error> {
        let by = (actor.person_id()?, self.now());
        let tx = self.store().write().await?;
        let open = store::applications::undecided(&tx, call).await?;
        let open: BTreeMap<ApplicationId, &Application> =
            open.iter().map(|application| (application.id, application)).collect();
        for pair in &assignment.pairs {
            let Some(application) = open.get(&pair.application) else { continue };
            let who = (pair.application, pair.reviewer);
            if records::assign(&tx, who, by, &pair.to_string()).await? {
                let news = ApplicationNews::ReviewAsked { reviewer: pair.reviewer };
                self.tell_of(&tx, actor, application, news).await?;
            }
        }
        let detail = format!("{} reviews asked for", assignment.pairs.len());
        let what = ("reviews.arrange", format!("call:{call}"));
        self.audit_review(&tx, actor, what, (rule, &detail)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The applications as the rules see them.
    async fn candidates(
        &self,
        tx: &Tx,
        call: CallId,
        applications: &[Application],
    ) -> Result<Vec<Candidate>, Error> {
        let writers = store::applications::writers(tx, call).await?;
        let pool = records::pool(tx, call).await?;
        let accounts: BTreeMap<&str, PersonId> =
            pool.iter().map(|member| (member.email.as_str(), member.person)).collect();
        let mut declared = BTreeMap::<_, BTreeMap<_, _>>::new();
        for conflict in records::declared_conflicts(tx, call).await? {
            let of = declared.entry(conflict.application).or_default();
            of.insert(conflict.person, conflict.text);
        }
        let mut judged = BTreeMap::<_, BTreeSet<_>>::new();
        for review in records::of_call(tx, call).await? {
            judged.entry(review.application).or_default().insert(review.reviewer);
        }
        let asking = applications.iter().map(|application| application.organisation).collect();
        let undertakings = self.undertakings(tx, &asking).await?;
        let mut candidates = Vec::with_capacity(applications.len());
        for application in applications {
            let organisation = application.organisation;
            let mut team: Vec<Applying> =
                application.draft.team.iter().map(|it| applying(it, &accounts)).collect();
            team.extend(writers.get(&application.created_by).map(|(name, email)| Applying {
                person: Some(application.created_by),
                name: name.clone(),
                mail: email.parse().ok(),
            }));
            candidates.push(Candidate {
                application: application.id,
                organisation,
                undertaking: undertakings.get(&organisation).cloned().unwrap_or_default(),
                team,
                fields: application.draft.fields.iter().cloned().collect(),
                declared: declared.remove(&application.id).unwrap_or_default(),
                judged_by: judged.remove(&application.id).unwrap_or_default(),
            });
        }
        Ok(candidates)
    }
}

fn applying(member: &Member, accounts: &BTreeMap<&str, PersonId>) -> Applying {
    let email = member.email.trim().to_lowercase();
    Applying {
        person: accounts.get(email.as_str()).copied(),
        name: member.name.clone(),
        mail: email.parse().ok(),
    }
}

fn spread(
    (pool, candidates): (&[Reviewer], &[Candidate]),
    (procedure, fields, public): (&Procedure, &[access::policy::Field], &[MailDomain]),
    progress: &mut impl FnMut(u32, u32),
) -> Assignment {
    assign((pool, candidates), (procedure, fields, public), progress)
}
