//! The network: requests and answers are lost, late, doubled and out of order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::HeaderName;
use bytes::Bytes;
use engine::slurm::modelled::Dice;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::{Request, Response};
use site::client::{Error, Wire};
use tokio::time::{Instant, sleep, timeout_at};

use crate::hub::{Answer, Hub, Message, Outcome};
use crate::trace::Trace;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a request that waits for orders is looked at even if nobody rang.
const GLANCE: Duration = Duration::from_secs(5);

/// How often things go wrong, in a thousand times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// The request is lost.
    pub(crate) lost_there: u32,
    /// The answer is lost.
    pub(crate) lost_back: u32,
    /// Another copy of the request arrives within two minutes.
    pub(crate) doubled: u32,
    /// A request or an answer takes up to twenty seconds.
    pub(crate) slow: u32,
    /// Nothing goes through.
    pub(crate) cut: bool,
}

/// The way of one user to the hub.
#[derive(Clone)]
pub(crate) struct Link {
    name: String,
    hub: Hub,
    trace: Trace,
    inner: Arc<Mutex<Inner>>,
    alive: Arc<AtomicBool>,
    /// Whether it takes the keys of requests away: to see that the run finds it out.
    strips_keys: bool,
}

struct Inner {
    dice: Dice,
    faults: Faults,
}

impl Link {
    pub(crate) fn new(name: &str, hub: &Hub, seed: u64, trace: &Trace) -> Self {
        let inner = Inner { dice: Dice::new(seed), faults: Faults::default() };
        Self {
            name: name.to_owned(),
            hub: hub.clone(),
            trace: trace.clone(),
            inner: Arc::new(Mutex::new(inner)),
            alive: Arc::new(AtomicBool::new(true)),
            strips_keys: false,
        }
    }

    /// The same for a process that is there as long as `alive` says so.
    pub(crate) fn seen_by(&self, alive: Arc<AtomicBool>) -> Self {
        Self { alive, ..self.clone() }
    }

    /// The same, without the keys by which the hub knows a repeated request.
    pub(crate) fn stripping_keys(self, strips_keys: bool) -> Self {
        Self { strips_keys, ..self }
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.inner().faults = faults;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hits(&self, chances: impl FnOnce(Faults) -> u32) -> bool {
        let mut inner = self.inner();
        let chances = chances(inner.faults);
        inner.dice.hits(chances)
    }

    fn is_cut(&self) -> bool {
        self.inner().faults.cut
    }

    fn delay(&self) -> Duration {
        const QUICK_MILLISECONDS: u64 = 30;
        const SLOW_MILLISECONDS: u64 = 20_000;
        let mut inner = self.inner();
        let slow = inner.faults.slow;
        match inner.dice.hits(slow) {
            true => inner.dice.up_to(SLOW_MILLISECONDS),
            false => inner.dice.up_to(QUICK_MILLISECONDS),
        }
    }

    /// Lets time pass; for one that has died meanwhile, for ever.
    async fn pass(&self, length: Duration) {
        sleep(length).await;
        if !self.alive.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    async fn send(&self, mut message: Message) -> Result<Answer, Error> {
        if self.strips_keys {
            message.headers.remove(HeaderName::from_static("idempotency-key"));
        }
        let what = format!("{} {}", message.method, shortened(message.uri.path()));
        let begun = Instant::now();
        self.pass(self.delay()).await;
        if self.is_cut() || self.hits(|faults| faults.lost_there) {
            self.trace.tell(&self.name, format!("{what}: lost on its way"));
            self.pass(self.delay()).await;
            return Err(Error::Cut("the request was lost"));
        }
        if self.hits(|faults| faults.doubled) {
            self.double(&what, message.clone());
        }
        let answer = match waits(&message) {
            Some((message, wait)) => self.wait_for_orders(message, wait).await,
            None => self.hub.serve(message),
        };
        let told = match &answer {
            Outcome::Answered(answer) => answer.status.as_u16().to_string(),
            Outcome::Dropped => "cut".to_owned(),
            Outcome::Down => "nobody there".to_owned(),
        };
        self.trace.tell(&self.name, format!("{what}: {told}"));
        self.pass(self.delay()).await;
        let Outcome::Answered(answer) = answer else {
            return Err(Error::Cut("the connection broke"));
        };
        if self.is_cut() || self.hits(|faults| faults.lost_back) {
            self.trace.tell(&self.name, format!("{what}: the answer is lost"));
            return Err(Error::Cut("the answer was lost"));
        }
        if begun.elapsed() > PATIENCE {
            return Err(Error::Cut("no answer in time"));
        }
        Ok(answer)
    }

    /// Another copy of a request arrives later, whoever sent it.
    fn double(&self, what: &str, message: Message) {
        const LATEST_MILLISECONDS: u64 = 120_000;
        let late = self.inner().dice.up_to(LATEST_MILLISECONDS);
        let (hub, trace) = (self.hub.clone(), self.trace.clone());
        let (name, what) = (self.name.clone(), what.to_owned());
        tokio::spawn(async move {
            sleep(late).await;
            let message = waits(&message).map_or(message, |(message, _)| message);
            let told = match hub.serve(message) {
                Outcome::Answered(answer) => answer.status.as_u16(),
                Outcome::Dropped | Outcome::Down => 0,
            };
            trace.tell(&name, format!("{what}: a second copy arrives: {told}"));
        });
    }

    /// What the hub does with a request that waits: it answers once there is an order, and with none
    /// when the time is over.
    async fn wait_for_orders(&self, message: Message, wait: Duration) -> Outcome {
        let deadline = Instant::now() + wait;
        let deaths = self.hub.deaths();
        loop {
            let rung = self.hub.rung();
            let outcome = self.hub.serve(message.clone());
            let has_none = match &outcome {
                Outcome::Answered(answer) => {
                    answer.status.is_success() && answer.body.ends_with(b"\"orders\":[]}")
                }
                Outcome::Dropped | Outcome::Down => false,
            };
            if !has_none || Instant::now() >= deadline {
                return outcome;
            }
            let glance = deadline.min(Instant::now() + GLANCE);
            let _rung = timeout_at(glance, rung).await;
            if !self.alive.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            if self.hub.deaths() != deaths || self.is_cut() {
                return Outcome::Dropped;
            }
        }
    }
}

impl Wire for Link {
    fn carry(&self, request: Request) -> BoxFuture<'static, Result<Response, Error>> {
        let link = self.clone();
        async move {
            let message = message(&request).ok_or(Error::Cut("no request"))?;
            let Answer { status, headers, body } = link.send(message).await?;
            let mut response = axum::http::Response::new(body);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok(Response::from(response))
        }
        .boxed()
    }
}

fn message(request: &Request) -> Option<Message> {
    let url = request.url();
    let uri = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let body = match request.body() {
        Some(body) => Bytes::copy_from_slice(body.as_bytes()?),
        None => Bytes::new(),
    };
    let headers = request.headers().clone();
    Some(Message { method: request.method().clone(), uri: uri.parse().ok()?, headers, body })
}

/// A request for orders that waits, as one that does not, and for how long.
fn waits(message: &Message) -> Option<(Message, Duration)> {
    let (rest, wait) = message.uri.path_and_query()?.as_str().split_once("&wait_seconds=")?;
    let wait = Duration::from_secs(wait.parse().ok()?);
    Some((Message { uri: rest.parse().ok()?, ..message.clone() }, wait))
}

/// A path with its ids cut to what tells them apart.
pub(crate) fn shortened(path: &str) -> String {
    let short = |part: &str| match part.len() == 36 {
        true => part.chars().skip(28).collect(),
        false => part.to_owned(),
    };
    path.split('/').map(short).collect::<Vec<_>>().join("/")
}
