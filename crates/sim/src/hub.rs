//! The hub, in a thread of its own with a runtime of its own: one request at a time, while virtual
//! time stands still. So the threads of its database cannot change the order of anything.
//!
//! It dies between two statements of a transaction: what was committed stays, the rest never was. The
//! next one begins as `usine up` does, over the same database.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use app::{App, Parts, Topic};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use bytes::Bytes;
use engine::Clock;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use store::testing::Fuse;
use tokio::sync::Notify;
use tower::ServiceExt as _;

use crate::clock::HubClock;
use crate::trace::{Steps, Trace};

/// A request, to be delivered once or more.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What the hub answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Answered(Answer),
    /// The connection broke while the hub was at work, which it then gave up; it lives on.
    Dropped,
    /// It is not there, or died over this request.
    Down,
}

/// What is asked of the hub's thread.
enum Call {
    Serve(Box<Message>),
    Start,
    Stop,
    Ask(Box<dyn FnOnce(App) -> BoxFuture<'static, ()> + Send>),
}

/// What comes back, and whether some site has new orders.
struct Reply {
    outcome: Outcome,
    ordered: bool,
}

/// What a fuse that blows stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    /// The hub is killed.
    Death,
    /// The connection of the request breaks.
    Cut,
}

/// The hub, for everybody in a run. Clones share it.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Shared>);

struct Shared {
    calls: mpsc::Sender<(Call, mpsc::SyncSender<Reply>)>,
    fuse: Fuse,
    clock: Clock,
    hub_clock: Arc<HubClock>,
    trace: Trace,
    state: Mutex<State>,
    /// Rung when a site has new orders, or the hub died.
    bell: Notify,
}

struct State {
    up: bool,
    /// How often it died: whoever waits for an answer of the one before waits in vain.
    deaths: u64,
    blow: Option<Blow>,
}

impl Hub {
    /// A hub over fresh records.
    pub(crate) fn start(
        parts: Parts,
        clock: Clock,
        hub_clock: Arc<HubClock>,
        trace: Trace,
    ) -> Result<Self> {
        let fuse = parts.store.fuse().clone();
        let (calls, asked) = mpsc::channel();
        let inner = fuse.clone();
        thread::Builder::new().name("hub".to_owned()).spawn(move || work(parts, &inner, &asked))?;
        let state = State { up: false, deaths: 0, blow: None };
        let hub = Self(Arc::new(Shared {
            calls,
            fuse,
            clock,
            hub_clock,
            trace,
            state: Mutex::new(state),
            bell: Notify::new(),
        }));
        hub.revive()?;
        Ok(hub)
    }

    /// Carries one request out, or as much of it as the hub lives to do.
    pub(crate) fn serve(&self, message: Message) -> Outcome {
        if !self.with(|state| state.up) {
            return Outcome::Down;
        }
        let Ok(reply) = self.call(Call::Serve(Box::new(message))) else { return Outcome::Down };
        match (&reply.outcome, self.with(|state| state.blow)) {
            (Outcome::Dropped, Some(Blow::Cut)) => {
                self.0.trace.tell("hub", "a connection breaks while it works");
                self.with(|state| state.blow = None);
                self.0.fuse.mend();
                self.0.bell.notify_waiters();
                Outcome::Dropped
            }
            (Outcome::Dropped, _) => {
                self.died("killed while it works");
                Outcome::Down
            }
            _ => {
                if reply.ordered {
                    self.0.bell.notify_waiters();
                }
                reply.outcome
            }
        }
    }

    /// Kills it where it stands.
    pub(crate) fn kill(&self) {
        if self.with(|state| state.up) {
            let _stopped = self.call(Call::Stop);
            self.died("killed");
        }
    }

    /// Lets a fuse blow within the next `statements` statements.
    pub(crate) fn blow_within(&self, blow: Blow, statements: u64) {
        self.with(|state| state.blow = Some(blow));
        self.0.fuse.set(statements);
    }

    /// Nothing will befall it any more.
    pub(crate) fn spare(&self) {
        self.with(|state| state.blow = None);
        self.0.fuse.mend();
    }

    pub(crate) fn is_up(&self) -> bool {
        self.with(|state| state.up)
    }

    /// Starts it again.
    pub(crate) fn revive(&self) -> Result<()> {
        self.0.fuse.mend();
        self.call(Call::Start)?;
        self.with(|state| (state.up, state.blow) = (true, None));
        self.0.trace.tell("hub", "up");
        Ok(())
    }

    pub(crate) fn deaths(&self) -> u64 {
        self.with(|state| state.deaths)
    }

    /// Returns when some site has new orders, or the hub died; may return without either.
    pub(crate) async fn rung(&self) {
        self.0.bell.notified().await;
    }

    /// Asks the use cases themselves, which may be done while the hub takes no requests.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(App) -> BoxFuture<'static, T> + Send + 'static,
    ) -> Result<T> {
        let (put, got) = mpsc::sync_channel(1);
        let ask = move |app| {
            async move {
                // The other side waits for it.
                let _put = put.send(question(app).await);
            }
            .boxed()
        };
        self.call(Call::Ask(Box::new(ask)))?;
        got.recv().context("the hub gave no answer")
    }

    fn died(&self, how: &str) {
        self.0.trace.tell("hub", how);
        self.with(|state| {
            state.up = false;
            state.deaths += 1;
            state.blow = None;
        });
        self.0.fuse.mend();
        self.0.bell.notify_waiters();
    }

    fn call(&self, call: Call) -> Result<Reply> {
        self.0.hub_clock.set(self.0.clock.now());
        let before = self.0.fuse.passed();
        let (reply, replied) = mpsc::sync_channel(1);
        self.0.calls.send((call, reply)).map_err(|_| anyhow!("the hub's thread is gone"))?;
        let reply = replied.recv().context("the hub's thread is gone")?;
        let statements = self.0.fuse.passed().saturating_sub(before);
        self.0.trace.count(Steps { statements, ..Steps::default() });
        Ok(reply)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The hub's thread.
fn work(parts: Parts, fuse: &Fuse, calls: &mpsc::Receiver<(Call, mpsc::SyncSender<Reply>)>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let mut app = App::new(parts.clone());
    let mut router = None;
    while let Ok((call, reply)) = calls.recv() {
        let mut listener = app.announcements().listen();
        let outcome = runtime.block_on(async {
            match call {
                Call::Serve(message) => serve(router.clone(), *message, fuse).await,
                Call::Ask(question) => {
                    question(app.clone()).await;
                    Outcome::Down
                }
                Call::Stop => {
                    router = None;
                    Outcome::Down
                }
                Call::Start => {
                    app = App::new(parts.clone());
                    // As a hub does before it takes requests.
                    let _freed = app.free_unfinished_keys().await;
                    let _kept = app.keep_house().await;
                    router = Some(web::router(app.clone(), web::testing::settings()));
                    Outcome::Down
                }
            }
        });
        let ordered = Cell::new(false);
        let note = |topic: &Topic| {
            ordered.set(ordered.get() || matches!(topic, Topic::Orders(_)));
            false
        };
        // Takes in all that was announced, and waits for no more.
        let _never = listener.heard(note).now_or_never();
        let _gone = reply.send(Reply { outcome, ordered: ordered.get() });
    }
}

async fn serve(router: Option<axum::Router>, message: Message, fuse: &Fuse) -> Outcome {
    let Some(router) = router else { return Outcome::Down };
    let mut request = Request::new(Body::from(message.body));
    *request.method_mut() = message.method;
    *request.uri_mut() = message.uri;
    *request.headers_mut() = message.headers;
    let answer = async {
        let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, body }
    };
    tokio::select! {
        biased;
        () = fuse.blown() => Outcome::Dropped,
        answer = answer => Outcome::Answered(answer),
    }
}
