//! Tells the hub what a job writes: its logs and its metrics.

use engine::Engine;
use serde::Deserialize;
use units::JobId;

use super::journal::Entry;
use super::{Error, Shared, key};
use crate::protocol::{Event, EventBody, MetricPoint, Stream};

const CHUNK_BYTES: usize = 64 * 1024;
/// While so much waits for a hub that does not answer, logs stay where they are.
const WAITING_BYTES_MAX: u64 = 64 << 20;

/// Reads on where the journal says that reading stopped.
pub(super) struct Teller<'a, E> {
    shared: &'a Shared<E>,
    job: JobId,
}

/// What became of one attempt to read on.
#[derive(PartialEq, Eq)]
enum Step {
    /// There was something, and there may be more.
    Told,
    /// There is nothing more yet.
    UpToDate,
}

/// A line of the metrics file.
#[derive(Deserialize)]
struct Line {
    step: u64,
    name: String,
    value: f64,
}

impl<'a, E: Engine> Teller<'a, E> {
    pub(super) const fn new(shared: &'a Shared<E>, job: JobId) -> Self {
        Self { shared, job }
    }

    /// Tells what is new, unless too much waits already.
    pub(super) async fn tell_new(&mut self) -> Result<(), Error> {
        if self.shared.journal.waiting_bytes() < WAITING_BYTES_MAX {
            self.tell(Lines::Whole).await?;
        }
        Ok(())
    }

    /// Tells all that a job which has ended left untold.
    pub(super) async fn tell_rest(&mut self) -> Result<(), Error> {
        let mut changes = self.shared.journal.departures();
        while self.shared.journal.waiting_bytes() >= WAITING_BYTES_MAX {
            changes.heard().await;
        }
        self.tell(Lines::LastMayBeCut).await
    }

    async fn tell(&mut self, lines: Lines) -> Result<(), Error> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            while self.tell_log(stream).await? == Step::Told {}
        }
        while self.tell_metrics(lines).await? == Step::Told {}
        Ok(())
    }

    async fn tell_log(&self, stream: Stream) -> Result<Step, Error> {
        let mark = self.shared.journal.mark(self.job);
        let (source, name, offset) = match stream {
            Stream::Stdout => (engine::Stream::Stdout, "stdout", mark.stdout_bytes),
            Stream::Stderr => (engine::Stream::Stderr, "stderr", mark.stderr_bytes),
        };
        let most = self.shared.settings.log_bytes_max;
        if offset > most {
            return Ok(Step::UpToDate);
        }
        let mut bytes = self.shared.engine.read(self.job, source, offset, CHUNK_BYTES).await?;
        if bytes.is_empty() {
            return Ok(Step::UpToDate);
        }
        if offset == most {
            bytes =
                format!("\n[the rest of this log is not kept: more than {most} bytes]\n").into();
        } else {
            let room = usize::try_from(most.saturating_sub(offset)).unwrap_or(usize::MAX);
            bytes.truncate(room);
        }
        self.append(&format!("log/{name}/{offset}"), EventBody::Log { stream, offset, bytes }, None)
    }

    async fn tell_metrics(&self, lines: Lines) -> Result<Step, Error> {
        let offset = self.shared.journal.mark(self.job).metrics_bytes;
        let read = self.shared.engine.read(self.job, engine::Stream::Metrics, offset, CHUNK_BYTES);
        let bytes = match read.await {
            Ok(bytes) => bytes,
            Err(error) => {
                // The file is the job's own: when it is a link or a pipe, there are no metrics.
                tracing::debug!(job = %self.job, %error, "the metrics of a job cannot be read");
                return Ok(Step::UpToDate);
            }
        };
        let length = lines.complete(&bytes);
        let Some(complete) = bytes.get(..length).filter(|bytes| !bytes.is_empty()) else {
            return Ok(Step::UpToDate);
        };
        let points = complete.split(|byte| *byte == b'\n').filter_map(point).collect();
        let end = offset.saturating_add(u64::try_from(length).unwrap_or_default());
        self.append(&format!("metrics/{offset}"), EventBody::Metrics { points }, Some(end))
    }

    fn append(&self, what: &str, body: EventBody, end: Option<u64>) -> Result<Step, Error> {
        let at = self.shared.now();
        let event = Event { key: key::event(self.job, what), job: self.job, at, body };
        self.shared
            .journal
            .append(vec![Entry { event, metrics_bytes: end }])
            .map_err(Error::folder("write its journal"))?;
        Ok(Step::Told)
    }
}

/// Which lines of the metrics file count.
#[derive(Clone, Copy)]
enum Lines {
    /// Those with their end, because the job is still writing.
    Whole,
    /// All, because nothing will be added.
    LastMayBeCut,
}

impl Lines {
    /// How many of `bytes` make up the lines that count; a line that fills them all counts as it
    /// is, so that reading goes on behind it.
    fn complete(self, bytes: &[u8]) -> usize {
        let ended = bytes.iter().rposition(|byte| *byte == b'\n').map(|at| at.saturating_add(1));
        match (self, ended) {
            (_, Some(length)) => length,
            (Self::LastMayBeCut, None) => bytes.len(),
            (Self::Whole, None) if bytes.len() >= CHUNK_BYTES => bytes.len(),
            (Self::Whole, None) => 0,
        }
    }
}

/// The point on a line; `None` for what is not one.
fn point(line: &[u8]) -> Option<MetricPoint> {
    let Line { step, name, value } = serde_json::from_slice(line).ok()?;
    value.is_finite().then_some(MetricPoint { step, name, value })
}
