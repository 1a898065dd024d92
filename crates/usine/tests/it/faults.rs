//! Hub and agent, two processes, and between them a network that delays, cuts, repeats and reorders
//! what they say. `USINE_CRASH_SEED` repeats a run.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::agent::{AgentProcess, configured, enrolled, until, with_remote_site};
use crate::crash::{Afterwards, Dice, Project, Trial, check, check_books};
use crate::factory::{Client, Factory};

const JOBS: u64 = 18;

/// What becomes of one request and its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The hub never hears it.
    Unheard,
    /// The hub hears it, the agent hears nothing.
    Unanswered,
    /// The reply breaks off in the middle.
    Broken,
    /// The reply takes its time.
    Late,
    /// The hub hears it twice; the second reply counts.
    Twice,
    /// The hub hears it again when others have come since.
    Again,
    /// All is well.
    Well,
}

impl Fate {
    fn cast(dice: &mut Dice) -> Self {
        match dice.roll(12) {
            0 => Self::Unheard,
            1 => Self::Unanswered,
            2 => Self::Broken,
            3 => Self::Late,
            4 => Self::Twice,
            5 => Self::Again,
            _ => Self::Well,
        }
    }
}

/// A network that carries requests to a hub, badly.
pub(crate) struct BadNetwork {
    pub(crate) url: String,
    fates: Arc<Mutex<Vec<Fate>>>,
    way: Arc<Mutex<Way>>,
}

/// Where it leads, and how.
#[derive(Clone, Copy, Debug)]
struct Way {
    hub: SocketAddr,
    is_cut: bool,
    is_good: bool,
}

impl BadNetwork {
    pub(crate) async fn before(hub: &str, mut dice: Dice) -> Self {
        let way = Way { hub: address(hub), is_cut: false, is_good: false };
        let way = Arc::new(Mutex::new(way));
        let leads = Arc::clone(&way);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fates = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&fates);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (mut fate, pause) = (Fate::cast(&mut dice), dice.roll(600));
                let Way { hub, is_cut, is_good } = *leads.lock().unwrap();
                if is_good {
                    fate = Fate::Well;
                }
                if is_cut {
                    fate = Fate::Unheard;
                }
                seen.lock().unwrap().push(fate);
                tokio::spawn(async move {
                    // A connection that breaks is what this is about.
                    let _ = carry(stream, hub, fate, Duration::from_millis(pause)).await;
                });
            }
        });
        Self { url, fates, way }
    }

    /// The hub is somewhere else now.
    pub(crate) fn lead_to(&self, hub: &str) {
        self.way.lock().unwrap().hub = address(hub);
    }

    /// Nothing goes through until this is taken back.
    pub(crate) fn cut(&self, is_cut: bool) {
        self.way.lock().unwrap().is_cut = is_cut;
    }

    /// Everything goes through from now on.
    pub(crate) fn mend(&self) {
        self.way.lock().unwrap().is_good = true;
    }
}

fn address(hub: &str) -> SocketAddr {
    hub.trim_start_matches("http://").parse().unwrap()
}

/// Carries one request to the hub and its reply back, as `fate` has it.
async fn carry(
    mut agent: TcpStream,
    hub: SocketAddr,
    fate: Fate,
    pause: Duration,
) -> std::io::Result<()> {
    let request = request_of(&mut agent).await?;
    if fate == Fate::Unheard {
        return Ok(());
    }
    let mut reply = reply_to(&request, hub).await?;
    match fate {
        Fate::Unanswered => return Ok(()),
        Fate::Broken => reply.truncate(reply.len() / 2),
        Fate::Late => tokio::time::sleep(pause).await,
        Fate::Twice => reply = reply_to(&request, hub).await?,
        Fate::Again => {
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                let _ = reply_to(&request, hub).await;
            });
        }
        Fate::Unheard | Fate::Well => {}
    }
    agent.write_all(&reply).await
}

/// One request, whole, asking the hub to end the connection behind its reply.
async fn request_of(agent: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let head = loop {
        if agent.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    assert!(!text.contains("transfer-encoding"), "this network reads lengths only: {text}");
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let whole = head + length.map_or(0, |length| length.trim().parse::<usize>().unwrap());
    while bytes.len() < whole {
        if agent.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let line = bytes.windows(2).position(|window| window == b"\r\n").unwrap() + 2;
    bytes.splice(line..line, *b"connection: close\r\n");
    Ok(bytes)
}

async fn reply_to(request: &[u8], hub: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(hub).await?;
    stream.write_all(request).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    Ok(reply)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_network_loses_no_job_and_doubles_nothing() {
    let mut dice = Dice::new();
    let folder = Arc::new(tempfile::tempdir().unwrap());
    with_remote_site(folder.path());
    let factory = Factory::start_in(Arc::clone(&folder));
    let administrator = factory.administrator().await;
    let project = Project::new(&factory).await;
    let config = configured(folder.path(), &factory.url);
    enrolled(&administrator, &config).await;
    let network = BadNetwork::before(&factory.url, dice.another()).await;
    let config = configured(folder.path(), &network.url);

    let mut agent = AgentProcess::start(&config);
    until(&administrator, "/sites/afar", |site| site["inventory"].is_object()).await;
    let mut trials = Vec::new();
    for number in 0..JOBS {
        let mut trial = Trial::new(number, &mut dice);
        trial.submit(&project, &factory.url).await;
        tokio::time::sleep(Duration::from_millis(dice.roll(400))).await;
        if number % 4 == 3 {
            trial.cancel(&project, &factory.url).await;
        }
        if number % 6 == 5 {
            agent.kill();
            agent = AgentProcess::start(&config);
        }
        trials.push(trial);
    }
    let client = project.client(&factory);
    for trial in &trials {
        check(&client, trial).await;
    }
    let auditor = Client::anonymous(&factory.url).with(&administrator.token.unwrap());
    check_books(&client, &auditor, (&project, &trials), Afterwards::Nothing).await;
    let fates = network.fates.lock().unwrap().clone();
    for fate in [Fate::Unheard, Fate::Unanswered, Fate::Broken, Fate::Twice, Fate::Again] {
        assert!(fates.contains(&fate), "{fate:?} never came about in {} requests", fates.len());
    }
    println!("{} requests", fates.len());
}
