//! People: they submit, are patient, and cancel what would never end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use engine::Clock;
use engine::slurm::modelled::Dice;
use serde_json::{Value, json};
use site::client::{Client, Error, Key, Patience};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::sleep;
use uuid::Uuid;

use crate::hub::Hub;
use crate::network::Link;
use crate::story::{self, SITES, StartUp};
use crate::trace::Trace;

/// The longest pause between two submissions.
const PAUSE_MILLISECONDS: u64 = 16_000;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Play {
    /// Something short, that exits with this.
    Short { exit: u8 },
    /// Nothing that ends by itself before its limit, a day later; it is always cancelled.
    Endless,
}

/// What became of a submission, as its person knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Still asked for.
    Asked,
    /// The hub said that it has it.
    Acknowledged,
    /// The hub said no.
    Refused,
}

/// One submission.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) name: String,
    /// Which of [`SITES`].
    pub(crate) site: usize,
    pub(crate) play: Play,
    /// How long a short one runs.
    seconds: u64,
    /// Whether it may be put back in line.
    requeues: bool,
    pub(crate) fate: Fate,
    /// Whether the hub said that it will be ended.
    pub(crate) cancelled: bool,
    /// Whether the person asked for that, or will.
    pub(crate) wants_cancel: bool,
}

/// All submissions. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diary(Arc<Mutex<Vec<Asked>>>);

impl Diary {
    pub(crate) fn all(&self) -> Vec<Asked> {
        self.entries().clone()
    }

    /// Whether nothing is under way any more.
    pub(crate) fn is_settled(&self) -> bool {
        let entries = self.entries();
        entries.iter().all(|asked| match asked.fate {
            Fate::Asked => false,
            Fate::Acknowledged => asked.cancelled || !asked.wants_cancel,
            Fate::Refused => true,
        })
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, number: usize, change: impl FnOnce(&mut Asked)) {
        if let Some(asked) = self.entries().get_mut(number) {
            change(asked);
        }
    }
}

/// Everything that people need. Clones share it.
#[derive(Clone)]
pub(crate) struct People {
    link: Link,
    clock: Clock,
    trace: Trace,
    start_up: StartUp,
    pub(crate) diary: Diary,
    dice: Arc<Mutex<Dice>>,
    /// The session of everybody, renewed when it is over.
    token: Arc<AsyncMutex<Option<String>>>,
}

impl People {
    pub(crate) fn new(
        hub: &Hub,
        trace: &Trace,
        clock: Clock,
        (seed, strips_keys): (u64, bool),
        start_up: StartUp,
    ) -> Self {
        Self {
            link: Link::new("people", hub, seed ^ 1, trace).stripping_keys(strips_keys),
            clock,
            trace: trace.clone(),
            start_up,
            diary: Diary::default(),
            dice: Arc::new(Mutex::new(Dice::new(seed))),
            token: Arc::default(),
        }
    }

    pub(crate) const fn link(&self) -> &Link {
        &self.link
    }

    /// Submits now and then, for ever.
    pub(crate) async fn live(self) {
        loop {
            sleep(self.roll(|dice| dice.up_to(PAUSE_MILLISECONDS))).await;
            let number = self.diary.entries().len();
            let asked = self.roll(|dice| asked(dice, number));
            self.diary.entries().push(asked.clone());
            tokio::spawn(self.clone().see_through(number, asked));
        }
    }

    /// One submission, until the hub has answered it, and its cancellation.
    async fn see_through(self, number: usize, asked: Asked) {
        let key = self.roll(|dice| {
            let (high, low) = (dice.roll(), dice.roll());
            Uuid::from_u64_pair(high, low)
        });
        let mut failures = 0;
        let job = loop {
            match self.submit(&asked, Key::of(key)).await {
                Ok(Some(job)) => break job,
                Ok(None) => {
                    self.diary.change(number, |asked| asked.fate = Fate::Refused);
                    self.trace.tell("people", format!("{} is refused", asked.name));
                    return;
                }
                Err(_) => self.wait(&mut failures).await,
            }
        };
        self.diary.change(number, |asked| asked.fate = Fate::Acknowledged);
        let shown = crate::network::shortened(&job);
        self.trace.tell("people", format!("{} is job {shown}", asked.name));
        if !asked.wants_cancel {
            return;
        }
        sleep(self.roll(|dice| match dice.hits(300) {
            true => dice.up_to(5_000),
            false => dice.up_to(600_000),
        }))
        .await;
        let key = self.roll(|dice| Uuid::from_u64_pair(dice.roll(), number as u64));
        while self.cancel(&job, Key::of(key)).await.is_err() {
            self.wait(&mut failures).await;
        }
        self.diary.change(number, |asked| asked.cancelled = true);
        self.trace.tell("people", format!("{} is to end", asked.name));
    }

    /// The job that came of it; `None` when the hub does not want it.
    async fn submit(&self, asked: &Asked, key: Key) -> Result<Option<String>> {
        let script = match asked.play {
            Play::Short { exit } => {
                format!("echo ran\nsleep {}\nexit {exit}", asked.seconds)
            }
            Play::Endless => "echo ran\nsleep 500000".to_owned(),
        };
        let limit = match asked.play {
            Play::Short { .. } => "10",
            Play::Endless => "1-00:00:00",
        };
        let allocation = self.start_up.allocations.get(asked.site).map(ToString::to_string);
        let (name, time) = (format!("--job-name={}", asked.name), format!("--time={limit}"));
        let mut options = vec![&name, &time, "--ntasks=1", "--cpus-per-task=8", "--mem=1G"];
        options.extend(asked.requeues.then_some("--requeue"));
        let body = json!({
            "script": format!("#!/bin/sh\n{script}\n"),
            "allocation": allocation,
            "options": options,
        });
        let client = self.client().await?;
        let path = format!("/projects/{}/jobs", self.start_up.project);
        let answer = client.post::<_, Value>(&path, &body, key).await;
        match self.heard(answer).await {
            Ok(submitted) => Ok(submitted.get("id").and_then(Value::as_str).map(str::to_owned)),
            // It was done, or is being done: the answer is lost, so look for what came of it.
            Err(error) if error.status() == Some(409) => Ok(Some(self.find(&asked.name).await?)),
            Err(error) if error.status() == Some(422) => {
                self.trace.tell("hub", format!("refuses {}: {error}", asked.name));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The job of this name.
    async fn find(&self, name: &str) -> Result<String> {
        let client = self.client().await?;
        let mut path = format!("/projects/{}/jobs?limit=200", self.start_up.project);
        loop {
            let page: Value = self.heard(client.get(&path).await).await?;
            let items = page.get("items").and_then(Value::as_array);
            let is_it = |job: &&Value| job.get("name").and_then(Value::as_str) == Some(name);
            let found = items.and_then(|items| items.iter().find(is_it));
            if let Some(id) = found.and_then(|job| job.get("id")).and_then(Value::as_str) {
                return Ok(id.to_owned());
            }
            let Some(next) = page.get("next").and_then(Value::as_str) else {
                anyhow::bail!("no job is called {name}");
            };
            path = format!("/projects/{}/jobs?limit=200&cursor={next}", self.start_up.project);
        }
    }

    async fn cancel(&self, job: &str, key: Key) -> Result<()> {
        let client = self.client().await?;
        let answer = client.post::<_, Value>(&format!("/jobs/{job}/cancel"), &json!({}), key).await;
        match self.heard(answer).await {
            Ok(_) => Ok(()),
            // Done or being done, as for a submission; the job itself tells.
            Err(error) if error.status() == Some(409) => {
                let job: Value = self.heard(client.get(&format!("/jobs/{job}")).await).await?;
                let asked = job.get("cancel_asked").and_then(Value::as_bool).unwrap_or_default();
                let ended = job.get("state").and_then(Value::as_str) == Some("ended");
                anyhow::ensure!(asked || ended, "its end was not asked for");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn client(&self) -> Result<Client> {
        let anybody = Client::new("http://hub.sim", None)?
            .over(Arc::new(self.link.clone()), self.clock)
            .with_patience(Patience::NONE);
        let mut token = self.token.lock().await;
        let current = match token.clone() {
            Some(current) => current,
            None => token.insert(story::sign_in(&anybody).await?).clone(),
        };
        let client = Client::new("http://hub.sim", Some(current))?;
        Ok(client.over(Arc::new(self.link.clone()), self.clock).with_patience(Patience::NONE))
    }

    /// An answer; where the session is over, the next call opens another.
    async fn heard<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        if answer.as_ref().is_err_and(|error| error.status() == Some(401)) {
            *self.token.lock().await = None;
        }
        answer
    }

    async fn wait(&self, failures: &mut u32) {
        const LONGEST: Duration = Duration::from_secs(60);
        *failures = failures.saturating_add(1);
        let pause = Duration::from_secs(1).saturating_mul(1 << (*failures).min(6));
        sleep(pause.min(LONGEST)).await;
    }

    fn roll<T>(&self, roll: impl FnOnce(&mut Dice) -> T) -> T {
        roll(&mut self.dice.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn asked(dice: &mut Dice, number: usize) -> Asked {
    let play = match dice.below(10) {
        0 | 1 => Play::Endless,
        2 => Play::Short { exit: 3 },
        _ => Play::Short { exit: 0 },
    };
    let sites = u64::try_from(SITES.len()).unwrap_or_default();
    Asked {
        name: format!("j{number}"),
        site: usize::try_from(dice.below(sites)).unwrap_or_default(),
        play,
        seconds: dice.below(90),
        requeues: dice.hits(200),
        fate: Fate::Asked,
        cancelled: false,
        wants_cancel: play == Play::Endless || dice.hits(80),
    }
}
