//! The folder of one job on the cluster: the person's own, and touched as the person.
//!
//! A hostile user owns all that lies in it and may change it at any moment. Whatever writes there,
//! or lists, runs as that user and can do no more than the user could; what this process reads by
//! itself it opens without following a link, from a folder on that only the administrator writes.

use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use units::JobId;

use super::modelled::Modelled;
use super::process::{Invocation, pipe, settled};
use super::script::{BEGUN, STDERR, STDOUT, STOPPED, WORK, begun};
use super::settings::{Reading, Settings};
use super::transport::SlurmId;
use crate::job::{Spec, Stream, is_elsewhere, is_inside};
use crate::{Error, beneath, run_blocking};

/// Where a job's files lie, and whose they are.
#[derive(Clone, Debug)]
pub(super) struct Folder<'s> {
    settings: &'s Settings,
    /// Where it lies instead of on a file system.
    shelf: Option<&'s Modelled>,
    job: JobId,
    user: Option<String>,
    /// Above what the person could have changed.
    trusted: PathBuf,
    /// From there to the job's folder.
    inside: String,
}

impl<'s> Folder<'s> {
    pub(super) fn new(
        settings: &'s Settings,
        shelf: Option<&'s Modelled>,
        user: Option<&str>,
        job: JobId,
    ) -> Result<Self, Error> {
        let (trusted, jobs) = settings.jobs_of(user)?;
        let inside = if jobs.is_empty() { job.to_string() } else { format!("{jobs}/{job}") };
        Ok(Self { settings, shelf, job, user: user.map(str::to_owned), trusted, inside })
    }

    /// Its path on every node.
    pub(super) fn path(&self) -> String {
        self.trusted.join(&self.inside).display().to_string()
    }

    /// The attempt and the number under which the script began, if it did.
    pub(super) async fn begun(&self) -> Result<Option<(u32, u32)>, Error> {
        if let Some(shelf) = self.shelf {
            return shelf.begun(self.job).await;
        }
        let bytes = self.read_file(BEGUN, 0, 64).await?;
        Ok(begun(&String::from_utf8_lossy(&bytes)))
    }

    /// Whether the fence stopped a copy of this number.
    pub(super) async fn was_stopped(&self, id: SlurmId) -> Result<bool, Error> {
        if let Some(shelf) = self.shelf {
            return shelf.was_stopped(self.job, id).await;
        }
        Ok(!self.read_file(&format!("{STOPPED}.{}", id.0), 0, 1).await?.is_empty())
    }

    /// Up to `length_max` bytes of what the job wrote, from `offset` on; none when there is no such
    /// file.
    pub(super) async fn read(
        &self,
        stream: Stream,
        offset: u64,
        length_max: usize,
    ) -> Result<Vec<u8>, Error> {
        if let Some(shelf) = self.shelf {
            return shelf.read(self.job, stream, offset, length_max).await;
        }
        let name = match stream {
            Stream::Stdout => STDOUT.to_owned(),
            Stream::Stderr => STDERR.to_owned(),
            Stream::Metrics => format!("{WORK}/metrics.jsonl"),
        };
        self.read_file(&name, offset, length_max).await
    }

    /// The directory with what the job left in `outputs`: its own, where it is this process's too,
    /// otherwise a copy at `back`.
    pub(super) async fn left(&self, outputs: &[String], back: PathBuf) -> Result<PathBuf, Error> {
        if self.user.is_none() {
            return Ok(self.trusted.join(&self.inside).join(WORK));
        }
        let draft = back.with_extension("draft");
        if !back.exists() {
            let make = Error::system("make a folder for what a job left");
            match std::fs::remove_dir_all(&draft) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(make(error)),
                _ => std::fs::create_dir_all(&draft).map_err(make)?,
            }
            for output in outputs.iter().filter(|output| is_inside(output)) {
                self.bring(output, &draft).await?;
            }
            std::fs::rename(&draft, &back).map_err(Error::system("keep what a job left"))?;
        }
        Ok(back)
    }

    /// Makes files of their own of the logs that the person named elsewhere, where those are only
    /// links to the ones in here. What the person has done away with meanwhile is not made again.
    pub(super) async fn leave_logs(&self, spec: &Spec) {
        for (log, name) in [(STDOUT, &spec.stdout), (STDERR, &spec.stderr)] {
            let Some(name) = name.as_deref().filter(|name| is_elsewhere(name)) else { continue };
            let link = format!("{}/{log}", self.path());
            if let Err(error) = self.leave_log(&link, name).await {
                tracing::warn!(name, %error, "a log stays behind where its person named it");
            }
        }
    }

    async fn leave_log(&self, log: &str, name: &str) -> Result<(), Error> {
        let (from, follow_none) = (format!("if={name}"), "iflag=nofollow");
        let opened =
            self.call("dd", [from.as_str(), "of=/dev/null", follow_none, "count=0", "status=none"]);
        if opened.run(self.settings).await?.status.success() {
            return Ok(());
        }
        // It is a link, or gone. `tar` shows a link as one, with where it leads.
        let look = ["--create", "--file=-", "--absolute-names", "--", name];
        let list = Invocation::new("tar", ["--list", "--verbose", "--absolute-names", "--file=-"]);
        let (_, listed) = pipe(self.settings, &self.call("tar", look), &list).await?;
        let shown = String::from_utf8_lossy(&listed.stdout);
        if !shown.lines().any(|line| line.starts_with('l') && line.ends_with(&format!("-> {log}")))
        {
            return Ok(());
        }
        self.call("rm", ["-f", "--", name]).ask(self.settings).await?;
        let (from, to) = (format!("if={log}"), format!("of={name}"));
        let copy = [from.as_str(), &to, "bs=64K", "conv=excl", "status=none"];
        self.call("dd", copy).ask(self.settings).await.map(drop)
    }

    /// Deletes it.
    pub(super) async fn remove(&self) -> Result<(), Error> {
        if let Some(shelf) = self.shelf {
            return shelf.remove(self.job).await;
        }
        let path = self.path();
        self.call("rm", ["-r", "-f", "--", &path]).ask(self.settings).await.map(drop)
    }

    /// Copies one output, if there is one.
    async fn bring(&self, output: &str, to: &Path) -> Result<(), Error> {
        let from = format!("{}/{WORK}", self.path());
        let to = to.display().to_string();
        let give = self.call("tar", ["--create", "--file=-", "-C", &from, "--", output]);
        let flags = ["--no-same-owner", "--no-same-permissions"];
        let take = ["--extract", "--file=-", "-C", &to].into_iter().chain(flags);
        let (given, taken) = pipe(self.settings, &give, &Invocation::new("tar", take)).await?;
        let absent = given.stderr.contains("No such file or directory");
        // One stands for a file that changed meanwhile; it is taken as it was.
        if !absent && given.status.code() != Some(1) {
            settled(&given)?;
        }
        if absent { Ok(()) } else { settled(&taken) }
    }

    async fn read_file(&self, name: &str, offset: u64, most: usize) -> Result<Vec<u8>, Error> {
        if self.user.is_none() || self.settings.reading == Reading::Directly {
            let (trusted, path) = (self.trusted.clone(), format!("{}/{name}", self.inside));
            return run_blocking(move || {
                read_beneath(&trusted, &path, offset, most)
                    .map_err(Error::system("read what a job wrote"))
            })
            .await;
        }
        let from = format!("if={}/{name}", self.path());
        let (skip, count) = (format!("skip={offset}"), format!("count={most}"));
        let how = "iflag=skip_bytes,count_bytes,fullblock,nonblock,nofollow";
        let arguments = [from.as_str(), how, &skip, &count, "bs=64K", "status=none"];
        let output = self.call("dd", arguments).run(self.settings).await?;
        if output.stderr.contains("No such file or directory") {
            return Ok(Vec::new());
        }
        settled(&output)?;
        Ok(output.stdout)
    }

    fn call<'a>(
        &self,
        program: &'static str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Invocation {
        Invocation::new(program, arguments).by(self.user.as_deref())
    }
}

fn read_beneath(trusted: &Path, path: &str, offset: u64, most: usize) -> io::Result<Vec<u8>> {
    let mut file = match beneath::open(trusted, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    file.seek(io::SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
