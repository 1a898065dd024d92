//! Puts the folders of jobs where they run, those of one person that wait for it with one command: to
//! become a person is dear, and many jobs come at once.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use units::JobId;

use super::book::HAND;
use super::process::{Invocation, pipe, settled};
use super::settings::{Reading, Settings};
use crate::Error;

/// The most folders that one command puts down.
const TOGETHER_MAX: usize = 64;

/// Who waits for what, by person.
#[derive(Debug, Default)]
pub(super) struct Porter(Mutex<BTreeMap<Option<String>, Arc<Person>>>);

/// The folders of one person.
#[derive(Debug, Default)]
struct Person {
    /// Held by whoever puts folders down, for all that wait.
    turn: tokio::sync::Mutex<()>,
    waiting: Mutex<Vec<Load>>,
}

/// A folder, and who is to hear whether it was put down.
#[derive(Debug)]
struct Load {
    job: JobId,
    placed: oneshot::Sender<bool>,
}

impl Porter {
    /// Makes the folder of a job, and puts there what was put together for it below the records.
    ///
    /// # Errors
    /// When a command fails; some of it may be there.
    pub(super) async fn place(
        &self,
        settings: &Settings,
        user: Option<&str>,
        job: JobId,
    ) -> Result<(), Error> {
        let person = self.person(user);
        let (placed, mut hears) = oneshot::channel();
        person.waiting().push(Load { job, placed });
        loop {
            let _turn = person.turn.lock().await;
            match hears.try_recv() {
                Ok(true) => return Ok(()),
                // One of those together with it failed, or whoever had the turn has gone.
                Ok(false) | Err(TryRecvError::Closed) => {
                    return bring(settings, user, &[job]).await;
                }
                Err(TryRecvError::Empty) => {}
            }
            let together = person.some();
            let jobs: Vec<JobId> = together.iter().map(|load| load.job).collect();
            let brought = bring(settings, user, &jobs).await;
            if let Err(error) = &brought {
                tracing::warn!(%error, jobs = jobs.len(), "folders of jobs could not be put down");
            }
            for load in together {
                // Who is gone needs no answer.
                let _gone = load.placed.send(brought.is_ok());
            }
        }
    }

    fn person(&self, user: Option<&str>) -> Arc<Person> {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(people.entry(user.map(str::to_owned)).or_default())
    }
}

impl Person {
    fn waiting(&self) -> MutexGuard<'_, Vec<Load>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first that wait.
    fn some(&self) -> Vec<Load> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(TOGETHER_MAX);
        waiting.drain(..count).collect()
    }
}

/// One command of ours and one of the person's, whatever the number of jobs.
async fn bring(settings: &Settings, user: Option<&str>, jobs: &[JobId]) -> Result<(), Error> {
    let (trusted, jobs_of_person) = settings.jobs_of(user)?;
    let mode = match settings.reading {
        Reading::AsPerson => 0o700,
        Reading::Directly => 0o750,
    };
    for job in jobs {
        let hand = settings.records.join(job.to_string()).join(HAND);
        let ready = fs::set_permissions(hand, Permissions::from_mode(mode));
        ready.map_err(Error::system("set who may read a job's folder"))?;
    }
    if user.is_none() {
        fs::create_dir_all(&trusted).map_err(Error::system("make the folder for jobs"))?;
    }
    let give = give(&settings.records, &jobs_of_person, jobs);
    let trusted = trusted.display().to_string();
    // A folder that is there already keeps its mode; a new one has that of ours, whatever the person's
    // mask is.
    let take = ["--extract", "--file=-", "--preserve-permissions", "--no-same-owner"];
    let take = take.into_iter().chain(["--no-overwrite-dir", "-C", &trusted]);
    let (given, taken) = pipe(settings, &give, &Invocation::new("tar", take).by(user)).await?;
    settled(&given)?;
    settled(&taken)
}

/// Packs what lies in `JOB/hand` as `JOB` below the person's folder for jobs.
fn give(records: &Path, jobs_of_person: &str, jobs: &[JobId]) -> Invocation {
    let below = if jobs_of_person.is_empty() { "." } else { jobs_of_person };
    // Links lead where they led.
    let names = format!("--transform=s,^\\([^/]*\\)/{HAND},{below}/\\1,S");
    let flags = ["--create".to_owned(), "--file=-".to_owned(), names];
    let from = ["-C".to_owned(), records.display().to_string(), "--".to_owned()];
    let jobs = jobs.iter().map(|job| format!("{job}/{HAND}"));
    Invocation::new("tar", flags.into_iter().chain(from).chain(jobs))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn job(number: u32) -> JobId {
        format!("0189abcd-0000-7000-8000-{number:012}").parse().unwrap()
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    /// Records of jobs beside a folder for jobs, and how to get from one to the other.
    struct Site {
        folder: tempfile::TempDir,
        settings: Settings,
        porter: Porter,
    }

    impl Site {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let jobs = folder.path().join("scratch/jobs");
            let records = folder.path().join("records");
            let settings = Settings::new(records, jobs.display().to_string());
            Self { folder, settings, porter: Porter::default() }
        }

        fn hand(&self, number: u32) -> std::path::PathBuf {
            let hand = self.settings.records.join(job(number).to_string()).join(HAND);
            fs::create_dir_all(hand.join("work")).unwrap();
            fs::write(hand.join("script"), number.to_string()).unwrap();
            hand
        }

        fn placed(&self, number: u32) -> std::path::PathBuf {
            self.folder.path().join("scratch/jobs").join(job(number).to_string())
        }

        async fn place(&self, number: u32) -> Result<(), Error> {
            self.porter.place(&self.settings, None, job(number)).await
        }
    }

    #[tokio::test]
    async fn folders_that_come_at_once_are_all_put_down_with_what_is_in_them() {
        let site = Arc::new(Site::new());
        let mut all = tokio::task::JoinSet::new();
        for number in 0..150 {
            site.hand(number);
            let site = Arc::clone(&site);
            all.spawn(async move { site.place(number).await });
        }
        for placed in all.join_all().await {
            placed.unwrap();
        }
        for number in 0..150 {
            let placed = site.placed(number);
            assert_eq!(fs::read_to_string(placed.join("script")).unwrap(), number.to_string());
            assert!(placed.join("work").is_dir());
            assert_eq!(mode(&placed), 0o700);
        }
    }

    #[tokio::test]
    async fn one_that_cannot_be_put_down_keeps_no_other_back() {
        let site = Site::new();
        site.hand(1);
        site.hand(3);
        let (first, second, third) = tokio::join!(site.place(1), site.place(2), site.place(3));
        assert!(first.is_ok() && third.is_ok(), "{first:?} {third:?}");
        assert!(second.is_err(), "nothing was put together for it");
        assert!(site.placed(1).is_dir() && site.placed(3).is_dir());
    }

    #[tokio::test]
    async fn a_folder_is_put_down_again_and_links_lead_where_they_led() {
        let mut site = Site::new();
        site.settings.reading = Reading::Directly;
        symlink("work/hand/x", site.hand(1).join("link")).unwrap();
        site.place(1).await.unwrap();
        fs::write(site.placed(1).join("begun"), "1 7").unwrap();
        site.place(1).await.unwrap();
        assert_eq!(fs::read_link(site.placed(1).join("link")).unwrap(), Path::new("work/hand/x"));
        assert_eq!(fs::read_to_string(site.placed(1).join("begun")).unwrap(), "1 7");
        assert_eq!(mode(&site.placed(1)), 0o750);
    }
}
