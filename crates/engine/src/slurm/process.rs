//! Running other programs, without a shell between.

use std::borrow::Cow;
use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::settings::Settings;
use crate::Error;

/// One run of one program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) program: Cow<'static, str>,
    pub(super) arguments: Vec<String>,
    pub(super) input: Vec<u8>,
    /// The person as whom it runs; the agent itself when absent.
    pub(super) person: Option<String>,
    /// Whether it changes what is on the accounting's books.
    pub(super) keeps_books: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

impl Invocation {
    pub(super) fn new<S: Into<String>>(
        program: impl Into<Cow<'static, str>>,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { program: program.into(), arguments, ..Self::default() }
    }

    pub(super) fn by(self, person: Option<&str>) -> Self {
        Self { person: person.map(str::to_owned), ..self }
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// [`Error::Unclear`] when it cannot be started or takes too long; what it had done by then is
    /// not known.
    pub(super) async fn run(self, settings: &Settings) -> Result<Output, Error> {
        let asked = self.program.clone();
        let unclear = |error: std::io::Error| Error::Unclear {
            asked: asked.clone(),
            answer: error.to_string(),
        };
        let mut child = self.command(settings).spawn().map_err(unclear)?;
        let stdin = child.stdin.take();
        let input = self.input;
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read to the end says why itself.
                let _ = stdin.write_all(&input).await;
            }
        };
        let both = async { tokio::join!(feed, child.wait_with_output()).1 };
        let Ok(output) = tokio::time::timeout(settings.patience, both).await else {
            let answer = format!("nothing within {} s", settings.patience.as_secs());
            return Err(Error::Unclear { asked: asked.clone(), answer });
        };
        output.map(Output::from).map_err(unclear)
    }

    /// The same, for what only reads: a failure tells that there is no answer.
    ///
    /// # Errors
    /// [`Error::Unclear`], also when it says that it failed.
    pub(super) async fn ask(self, settings: &Settings) -> Result<Vec<u8>, Error> {
        let asked = self.program.clone();
        let output = self.run(settings).await?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(Error::Unclear { asked, answer: output.complaint() })
    }

    /// The command, with nothing of this process's environment but what programs need.
    pub(super) fn command(&self, settings: &Settings) -> Command {
        let program = settings.program(&self.program);
        let prefix = match self.person.as_deref() {
            Some(user) => settings.prefix(user),
            None if self.keeps_books => settings.keeper.clone(),
            None => Vec::new(),
        };
        let mut command = match prefix.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        command.args(&self.arguments).env_clear().current_dir("/");
        for (name, value) in environment(settings) {
            command.env(name, value);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        Self {
            status: output.status,
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }
    }
}

impl Output {
    /// What it says went wrong, in a line.
    pub(super) fn complaint(&self) -> String {
        if self.stderr.is_empty() {
            return self.status.to_string();
        }
        self.stderr.lines().map(str::trim).collect::<Vec<_>>().join("; ")
    }
}

/// Runs two programs, the second reading what the first writes, for as long as it takes: that depends
/// on how much there is.
///
/// # Errors
/// When one of them cannot be started.
pub(super) async fn pipe(
    settings: &Settings,
    from: &Invocation,
    to: &Invocation,
) -> Result<(Output, Output), Error> {
    let start = || Error::system("start `tar`");
    let mut giver = from.command(settings);
    let mut giver = giver.stdin(Stdio::null()).spawn().map_err(start())?;
    let between = giver.stdout.take().ok_or(io::ErrorKind::BrokenPipe.into()).map_err(start())?;
    let between: Stdio = between.try_into().map_err(start())?;
    let taker = to.command(settings).stdin(between).spawn().map_err(start())?;
    let (given, taken) = tokio::join!(giver.wait_with_output(), taker.wait_with_output());
    let output = |output: io::Result<std::process::Output>| {
        output.map(Output::from).map_err(Error::system("wait for `tar`"))
    };
    Ok((output(given)?, output(taken)?))
}

/// Demands that a command that reaches a job's folder succeeded.
///
/// # Errors
/// [`Error::Unclear`] when it did not.
pub(super) fn settled(output: &Output) -> Result<(), Error> {
    if output.status.success() {
        return Ok(());
    }
    let answer = output.complaint();
    Err(Error::Unclear { asked: "the command that reaches the job's folder".into(), answer })
}

/// The login of this process.
pub(super) async fn own_login(settings: &Settings) -> Result<String, Error> {
    let printed = Invocation::new("id", ["-u", "-n"]).ask(settings).await?;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}

/// Instants come as seconds, and nothing of the agent's own environment changes what is asked.
fn environment(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin".to_owned()),
        ("TZ", "UTC".to_owned()),
        ("LC_ALL", "C".to_owned()),
        ("SLURM_TIME_FORMAT", "%s".to_owned()),
    ];
    if let Some(conf) = &settings.conf {
        all.push(("SLURM_CONF", conf.display().to_string()));
    }
    all
}
