//! The steps of jobs, as their sites tell them.

use std::collections::BTreeMap;

use site::protocol::{
    JobSteps, STEP_JOBS_MAX, STEPS_MAX, Step, Steps, StepsReceipt, VERSION, apart,
};
use store::jobs as records;
use units::{JobId, Slug};

use super::events::shortened;
use crate::{Actor, App, Error, Topic};

impl App {
    /// Takes in what a site tells of the steps of its jobs; of each job the latest counts. What is
    /// told of jobs that are not the site's is passed over.
    ///
    /// # Errors
    /// When the actor is not the agent of that site, or the message is longer than it may be.
    pub async fn take_steps(
        &self,
        actor: &Actor,
        site: &Slug,
        told: Steps,
    ) -> Result<StepsReceipt, Error> {
        self.serves(actor, site)?;
        if let Some(why) = apart(("hub", VERSION), ("agent", told.version)) {
            return Err(Error::Conflict(why));
        }
        if told.jobs.len() > STEP_JOBS_MAX {
            let text = format!("one message has at most {STEP_JOBS_MAX}");
            return Err(Error::invalid("jobs", text));
        }
        self.note_call(site).await?;
        let mut jobs = BTreeMap::new();
        for steps in told.jobs {
            jobs.insert(steps.job, sound(steps)?);
        }
        let (mut topics, mut taken) = (Vec::new(), 0);
        let tx = self.store().write().await?;
        for (id, steps) in jobs {
            let Some(job) = records::by_id(&tx, id).await? else { continue };
            if job.place.site != *site {
                continue;
            }
            let text = serde_json::to_string(&steps);
            let text = text.map_err(|error| Error::Internal(error.to_string()))?;
            records::keep_steps(&tx, id, &text).await?;
            topics.push(Topic::Job(id));
            taken += 1;
        }
        tx.commit().await?;
        for topic in topics {
            self.announcements().tell(topic);
        }
        Ok(StepsReceipt { taken })
    }

    /// The steps of a job, as far as its site told.
    pub(crate) async fn steps_of(
        &self,
        tx: &store::Tx,
        job: JobId,
    ) -> Result<Option<JobSteps>, Error> {
        let Some(text) = records::steps(tx, job).await? else { return Ok(None) };
        let steps = serde_json::from_str(&text);
        steps.map_err(|error| Error::Internal(format!("steps of {job}: {error}")))
    }
}

/// The steps of a job, with texts of a length that people can read.
fn sound(told: JobSteps) -> Result<JobSteps, Error> {
    if told.steps.len() > STEPS_MAX {
        let text = format!("of each job at most {STEPS_MAX} are told");
        return Err(Error::invalid("jobs.steps", text));
    }
    let short = |step: Step| Step {
        id: shortened(step.id),
        name: shortened(step.name),
        state: shortened(step.state),
        ..step
    };
    Ok(JobSteps { steps: told.steps.into_iter().map(short).collect(), ..told })
}
