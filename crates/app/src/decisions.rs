//! Decisions on record: with the facts they rested on, recomputed, and held against other policies.

use access::application::{Decision, Facts, compared};
use access::document::Document;
use access::policy::{Line, Policy};
use store::Tx;
use store::decisions as records;
use units::ApplicationId;

pub use store::decisions::DecisionRecord;

use crate::applications::{Application, no_answer};
use crate::{Action, Actor, App, Error};

/// How many applications are held against a policy at once.
const PAGE: u32 = 200;

/// A decision, recomputed from its record.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The record.
    pub record: DecisionRecord,
    /// The facts, as they are kept.
    pub facts: String,
    /// What the rules say of these facts by the policy of that day.
    pub told: Vec<(String, String)>,
    /// Where that is not what was decided.
    pub differences: Vec<Line>,
    /// Whether the policy of that day is the one in force now.
    pub policy_in_force: bool,
}

/// An open application that another policy would decide otherwise.
#[derive(Clone, Debug)]
pub struct Otherwise {
    /// Which.
    pub application: Application,
    /// What differs, and why.
    pub lines: Vec<Line>,
}

/// The digest of the texts of a policy, in the order of their names. Folders do not matter.
pub(crate) fn digest(texts: &[Document]) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        let name = text.name.rsplit('/').next().unwrap_or_default();
        for part in [name, &text.text] {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

impl App {
    /// Puts a decision on record, with everything that it follows from.
    pub(crate) async fn record_decision(
        &self,
        tx: &Tx,
        (application, facts): (&Application, &Facts),
        decision: &Decision,
    ) -> Result<(), Error> {
        let rules = self.rules();
        if !records::has_policy(tx, &rules.digest).await? {
            records::keep_policy(tx, &rules.digest, (&rules.texts, facts.now)).await?;
        }
        let record = DecisionRecord {
            id: self.clock().mint(),
            application: application.id,
            decided_at: facts.now,
            policy: rules.digest.to_string(),
            facts: facts.clone(),
            told: decision.told(),
        };
        Ok(records::insert(tx, &record).await?)
    }

    /// Recomputes the newest decision on an application from its record alone: the facts of that
    /// instant, and the texts of the policy of that day.
    ///
    /// # Errors
    /// When the actor may not, or nothing is on record.
    pub async fn replay_decision(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<Replayed, Error> {
        actor.may(Action::ReplayDecision, &[])?;
        let tx = self.store().read().await?;
        let record = records::latest(&tx, id).await?.ok_or(Error::NotFound("decision"))?;
        let texts = records::policy(&tx, &record.policy).await?;
        let texts = texts.ok_or_else(|| Error::Internal("the policy's texts are gone".into()))?;
        let policy = Policy::parse(&texts).map_err(|faults| {
            Error::Internal(format!("the policy's texts are damaged: {faults}"))
        })?;
        let told = record.facts.under(&policy).map_err(no_answer)?.answer().told();
        let mut differences = compared(&record.told, &told);
        let found = digest(&texts);
        if found != record.policy {
            let (what, before) = ("digest of the policy".to_owned(), Some(record.policy.clone()));
            differences.push(Line { what, before, after: Some(found) });
        }
        Ok(Replayed {
            facts: records::written(&record.facts)?,
            policy_in_force: *record.policy == *self.rules().digest,
            record,
            told,
            differences,
        })
    }

    /// Which of the open applications, drafts included, `after` would decide otherwise than
    /// `before`, each by itself if it were submitted now; and how many are open. For the operator
    /// of this process, who may read every record anyway.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decided_otherwise(
        &self,
        before: &Policy,
        after: &Policy,
    ) -> Result<(usize, Vec<Otherwise>), Error> {
        let tx = self.store().read().await?;
        let (mut seen, mut found, mut last) = (0_usize, Vec::new(), None);
        loop {
            let page = store::applications::open(&tx, last, PAGE).await?;
            let Some(oldest) = page.last() else { return Ok((seen, found)) };
            last = Some(oldest.id);
            seen = seen.saturating_add(page.len());
            for application in page {
                let facts = self.load(&tx, &application, self.now()).await?.facts;
                let lines = compared(&answer(&facts, before), &answer(&facts, after));
                if !lines.is_empty() {
                    found.push(Otherwise { application, lines });
                }
            }
        }
    }
}

/// What a policy says of an application, or that it has nothing to say.
fn answer(facts: &Facts, policy: &Policy) -> Vec<(String, String)> {
    match facts.under(policy) {
        Ok(case) => case.answer().told(),
        Err(why) => vec![("outcome".to_owned(), format!("none: {why}"))],
    }
}

#[cfg(test)]
mod tests;
