//! Everything that a job printed, as plain text.

use std::io;

use app::jobs::{LogSlice, Stream};
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use units::JobId;

use crate::extract::Path;
use crate::portal::visit::Visit;
use crate::problem::{Kind, Problem};

/// `GET /jobs/{id}/log/{stream}`.
pub(crate) async fn whole(
    visit: Visit,
    Path((id, name)): Path<(JobId, String)>,
) -> Result<Response, Problem> {
    let stream = [Stream::Stdout, Stream::Stderr].into_iter().find(|it| it.name() == name);
    let stream = stream.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let first = visit.app.job_log(&visit.actor, id, stream, 0).await?;
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((headers, Body::from_stream(slices(visit, (id, stream), first))).into_response())
}

/// The text from its first slice on, as long as there is more.
fn slices(
    visit: Visit,
    (id, stream): (JobId, Stream),
    first: LogSlice,
) -> impl stream::Stream<Item = Result<Bytes, io::Error>> {
    stream::try_unfold((visit, first), move |(visit, slice)| async move {
        if slice.bytes.is_empty() {
            return Ok(None);
        }
        let length = u64::try_from(slice.bytes.len()).unwrap_or_default();
        let offset = slice.offset.saturating_add(length);
        let next = visit.app.job_log(&visit.actor, id, stream, offset).await;
        let next = next.map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Some((Bytes::from(slice.bytes), (visit, next))))
    })
}
