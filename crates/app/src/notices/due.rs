//! What is told because time passes: each once, however often it is looked for.

use access::allocation::ReportStage;
use jiff::SignedDuration;
use store::Tx;
use store::allocations::{self as allocations, ReportTold};
use units::Timestamp;

use super::{AllocationNews, ApplicationNews, CallNews, Notice, OpenCall};
use crate::{Actor, App, Error};

/// How long after its opening a call is still news: a hub that was down tells of it afterwards.
const CALL_NEWS: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How long before it closes those who have begun to write are reminded of a call.
const CALL_CLOSING: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long after it was asked for a reviewer is reminded of a review.
const REVIEW_REMINDER: SignedDuration = SignedDuration::from_hours(14 * 24);
/// The most missing reports that one turn takes up.
const REPORTS_MAX: u32 = 500;

impl App {
    /// Tells of calls that open and close, of reviews and final reports that are missing, of
    /// declarations that end; gives back how many notices there were.
    pub(crate) async fn tell_of_time(&self, now: Timestamp) -> Result<usize, Error> {
        let tx = self.store().write().await?;
        let mut told = self.tell_of_calls(&tx, now).await?;
        told = told.saturating_add(self.tell_of_missing_reviews(&tx, now).await?);
        told = told.saturating_add(self.tell_of_missing_reports(&tx, now).await?);
        told = told.saturating_add(self.tell_of_declarations(&tx, now).await?);
        tx.commit().await?;
        Ok(told)
    }

    async fn tell_of_calls(&self, tx: &Tx, now: Timestamp) -> Result<usize, Error> {
        let mut news = Vec::new();
        let since = now.saturating_sub(CALL_NEWS).unwrap_or(Timestamp::MIN);
        for call in store::calls::opened_between(tx, (since, now)).await? {
            let until = call.closes_at;
            news.push((OpenCall { id: call.id, title: call.title }, CallNews::Opened { until }));
        }
        let soon = now.saturating_add(CALL_CLOSING).unwrap_or(Timestamp::MAX);
        for call in store::calls::closing_between(tx, (now, soon)).await? {
            let Some(at) = call.closes_at.filter(|_| call.opens_at <= now) else { continue };
            let writers = store::applications::writers_of_drafts(tx, call.id).await?;
            let closing = CallNews::Closing { at, writers };
            news.push((OpenCall { id: call.id, title: call.title }, closing));
        }
        let mut told = 0_usize;
        for (call, news) in news {
            let fresh = self.tell(tx, &Actor::system(), &Notice::Call(call, news)).await?;
            told = told.saturating_add(usize::from(fresh));
        }
        Ok(told)
    }

    async fn tell_of_missing_reviews(&self, tx: &Tx, now: Timestamp) -> Result<usize, Error> {
        let to = now.saturating_sub(REVIEW_REMINDER).unwrap_or(Timestamp::MIN);
        let from = to.saturating_sub(CALL_NEWS).unwrap_or(Timestamp::MIN);
        let mut told = 0_usize;
        for review in store::reviews::missing(tx, (from, to)).await? {
            let Some(application) = store::applications::by_id(tx, review.application).await?
            else {
                continue;
            };
            let news = ApplicationNews::ReviewMissing {
                reviewer: review.reviewer,
                since: review.assigned_at,
            };
            let notice = Notice::Application(self.case_of(&application), news);
            let fresh = self.tell(tx, &Actor::system(), &notice).await?;
            told = told.saturating_add(usize::from(fresh));
        }
        Ok(told)
    }

    async fn tell_of_missing_reports(&self, tx: &Tx, now: Timestamp) -> Result<usize, Error> {
        let mut told = 0_usize;
        for (allocation, before) in allocations::to_tell_of(tx, now, REPORTS_MAX).await? {
            let (after, news) = match self.report_stage_of(tx, &allocation).await? {
                ReportStage::Overdue { since } => {
                    (ReportTold::Overdue, Some(AllocationNews::ReportOverdue { since }))
                }
                ReportStage::Due { due: Some(until) } => {
                    (ReportTold::Due, Some(AllocationNews::ReportDue { until }))
                }
                // Nobody knows when it is due, or it came: nothing is ever told of it.
                ReportStage::Due { due: None } | ReportStage::HandedIn { .. } => {
                    (ReportTold::Overdue, None)
                }
                ReportStage::Later { .. } => continue,
            };
            if after == before {
                continue;
            }
            allocations::set_report_told(tx, allocation.id, after).await?;
            if let Some(news) = news {
                let notice = Notice::Allocation(self.award_of(tx, &allocation).await?, news);
                let fresh = self.tell(tx, &Actor::system(), &notice).await?;
                told = told.saturating_add(usize::from(fresh));
            }
        }
        Ok(told)
    }
}
