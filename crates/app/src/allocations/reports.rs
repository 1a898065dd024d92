//! Final reports: handed in by the project, missed by the officers.

use access::allocation::{Allocation, ReportStage, report_stage};
use store::Tx;
use store::allocations::{self as records, ReportRecord};
use units::AllocationId;

use crate::audit::Entry;
use crate::notices::{AllocationNews, Notice};
use crate::{Action, Actor, App, Error};

/// The longest report, in characters.
const CONTENT_LENGTH_MAX: usize = 50_000;
/// The most missing reports that are listed.
const MISSING_MAX: u32 = 1_000;

impl App {
    /// Takes in the final report of an award; a later one takes the place of an earlier.
    ///
    /// # Errors
    /// When the actor may not, or it says nothing or too much.
    pub async fn hand_in_report(
        &self,
        actor: &Actor,
        id: AllocationId,
        content: &str,
    ) -> Result<(), Error> {
        let length = content.trim().chars().count();
        if length == 0 || length > CONTENT_LENGTH_MAX {
            let allowed = format!("write 1 to {CONTENT_LENGTH_MAX} characters");
            return Err(Error::invalid("content", allowed));
        }
        let tx = self.store().write().await?;
        let allocation = self.allocation_for(&tx, actor, (Action::HandInReport, id)).await?;
        let (by, at) = (actor.subject().to_string(), self.now());
        let report = ReportRecord { content: content.trim().to_owned(), by, at };
        records::put_report(&tx, id, &report).await?;
        let entry = Entry {
            action: "allocation.report",
            object: &format!("allocation:{id}"),
            rule: &allocation.rule,
            detail: &format!("the final report of {length} characters came"),
        };
        self.audit(&tx, actor, entry).await?;
        let award = self.award_of(&tx, &allocation).await?;
        self.tell(&tx, actor, &Notice::Allocation(award, AllocationNews::ReportCame)).await?;
        Ok(tx.commit().await?)
    }

    /// The final report of an award, if it came.
    ///
    /// # Errors
    /// When there is no allocation that the actor may see.
    pub async fn report(
        &self,
        actor: &Actor,
        id: AllocationId,
    ) -> Result<Option<ReportRecord>, Error> {
        let tx = self.store().read().await?;
        self.allocation_for(&tx, actor, (Action::ViewProject, id)).await?;
        Ok(records::report(&tx, id).await?)
    }

    /// The awards that are over and have no report, with when it is or was due.
    ///
    /// # Errors
    /// When the actor may not see them.
    pub async fn missing_reports(
        &self,
        actor: &Actor,
    ) -> Result<Vec<(Allocation, ReportStage)>, Error> {
        actor.may(Action::ViewReports, &[])?;
        let tx = self.store().read().await?;
        let mut missing = Vec::new();
        for allocation in records::without_report(&tx, self.now(), MISSING_MAX).await? {
            let stage = self.report_stage_of(&tx, &allocation).await?;
            missing.push((allocation, stage));
        }
        Ok(missing)
    }

    /// Where the final report of an award stands.
    pub(crate) async fn report_stage_of(
        &self,
        tx: &Tx,
        allocation: &Allocation,
    ) -> Result<ReportStage, Error> {
        let application = store::applications::by_id(tx, allocation.application).await?;
        let application = application.ok_or(Error::NotFound("application"))?;
        let call = store::calls::by_id(tx, application.call).await?;
        let call = call.ok_or(Error::NotFound("call"))?;
        let handed_in = records::report(tx, allocation.id).await?.map(|report| report.at);
        let months = &self.mode_of(&call)?.says.final_report_months;
        Ok(report_stage(allocation, months, handed_in, self.now()))
    }
}
