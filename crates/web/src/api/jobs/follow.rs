//! Following a job live: its state, what it writes, what it measures.

use std::collections::VecDeque;
use std::time::Duration;

use app::App;
use app::announce::{Listener, Topic};
use app::jobs::{Cursor, News};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::{Stream, stream};
use jobs::life::Life;
use serde::Serialize;
use units::JobId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::dto::{JobOut, LogOut, MetricOut};
use crate::Actor;
use crate::extract::JobPath;
use crate::problem::{Kind, Problem};
use crate::sse::{self, EventFields, Message};

/// How long to wait for an announcement before looking again: one may be missed.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(follow))
}

/// What one event carries.
#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    State(Box<JobOut>),
    Log(LogOut),
    Metric(MetricOut),
}

/// Follow a job: events `state` (the job), `log` (a part of what it wrote) and `metric` (a measured
/// value), each with JSON as its data. `Last-Event-ID` goes on after a break. The stream ends when
/// the job has ended and everything was sent.
#[utoipa::path(
    get, path = "/jobs/{id}/stream", tag = "jobs",
    params(
        ("id" = String, Path, description = "The job: its id, or its number"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that came"),
    ),
    responses((status = 200, content_type = "text/event-stream", body = inline(EventFields),
        description = "Events as they come")),
)]
async fn follow(
    State(app): State<App>,
    actor: Actor,
    JobPath(id): JobPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let cursor = match headers.get("last-event-id").map(|value| value.to_str()) {
        None => Cursor::default(),
        Some(text) => text.ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Problem::with(Kind::BadRequest, "Last-Event-ID is not one that this stream gave")
        })?,
    };
    let listener = app.announcements().listen();
    let news = app.job_news(&actor, id, cursor).await?;
    let mut watch = Watch { app, actor, id, listener, seen: None, cursor, queue: VecDeque::new() };
    let over = watch.take(news);
    Ok(sse::stream(messages(watch, over)))
}

/// One follower of one job.
struct Watch {
    app: App,
    actor: Actor,
    id: JobId,
    listener: Listener,
    /// The state that was last sent.
    seen: Option<Life>,
    cursor: Cursor,
    queue: VecDeque<Message<Data>>,
}

impl Watch {
    /// Queues what is new. Whether nothing more will come.
    fn take(&mut self, news: News) -> bool {
        let is_final = news.job.life.state.is_final();
        let moved = news.cursor != self.cursor;
        self.cursor = news.cursor;
        for (stream, slice) in &news.logs {
            self.send("log", Data::Log(LogOut::new(*stream, slice)));
        }
        for metric in news.metrics {
            self.send("metric", Data::Metric(metric.into()));
        }
        // The end is told last, after everything that the job wrote.
        if self.seen != Some(news.job.life) && !(is_final && moved) {
            self.seen = Some(news.job.life);
            let meter = self.app.meter_of(&news.job);
            self.send("state", Data::State(Box::new((news.job, meter).into())));
        }
        is_final && !moved
    }

    fn send(&mut self, name: &'static str, data: Data) {
        let id = Some(self.cursor.to_string());
        self.queue.push_back(Message { name, id, data });
    }

    /// Waits for news. Whether nothing more will come.
    async fn look(&mut self) -> bool {
        let id = self.id;
        if self.seen.is_some_and(|life| !life.state.is_final()) {
            let heard = self.listener.heard(|topic| *topic == Topic::Job(id));
            // Nothing heard is fine: it is looked at anyway.
            let _ = tokio::time::timeout(LOOK_AGAIN, heard).await;
        }
        match self.app.job_news(&self.actor, id, self.cursor).await {
            Ok(news) => self.take(news),
            // The follower reconnects and is told why.
            Err(_) => true,
        }
    }
}

fn messages(watch: Watch, over: bool) -> impl Stream<Item = Message<Data>> + Send {
    stream::unfold((watch, over), |(mut watch, mut over)| async move {
        loop {
            if let Some(message) = watch.queue.pop_front() {
                return Some((message, (watch, over)));
            }
            if over {
                return None;
            }
            over = watch.look().await;
        }
    })
}
