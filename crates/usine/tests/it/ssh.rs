//! A hub's certificates before a real `sshd` that trusts them.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::agent::with_remote_site;
use crate::factory::{Client, Factory};
use crate::story::{StartUp, text};

/// Where `sshd` is, which `cargo xtask test` installs.
const SSHD: &str = "USINE_TEST_SSHD";
const USINE: &str = env!("CARGO_BIN_EXE_usine");
/// Logins that `cargo xtask test` makes.
const ANN: &str = "usine-ann";
const BEN: &str = "usine-ben";

/// A host of the site `afar`.
struct Host {
    /// `sshd` takes commands only from folders that root alone can write to, so not below `/tmp`.
    folder: tempfile::TempDir,
    port: u16,
    sshd: Option<Child>,
}

impl Host {
    /// `None`, said aloud, where there is no `sshd`.
    fn start(url: &str, address: &str) -> Option<Self> {
        let Some(sshd) = std::env::var_os(SSHD) else {
            println!("skipped: {SSHD} names no sshd; `cargo xtask test` installs one");
            return None;
        };
        let folder = tempfile::tempdir_in("/var/lib").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let usine = folder.path().join("usine");
        if fs::hard_link(USINE, &usine).is_err() {
            fs::copy(USINE, &usine).unwrap();
        }
        let config = folder.path().join("agent.toml");
        fs::write(&config, agent_config(url, address, "localhost")).unwrap();
        let key = folder.path().join("host_key");
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
        for login in [ANN, BEN] {
            // Without a password of any kind an account counts as locked.
            run(Command::new("usermod").args(["-p", "*", login]));
        }
        fs::create_dir_all("/run/sshd").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let here = folder.path().display();
        let text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {here}/host_key\nPidFile none\n\
             UsePAM no\nPasswordAuthentication no\nAuthorizedKeysFile none\nLogLevel VERBOSE\n\
             TrustedUserCAKeys {here}/trust/authority.pub\nRevokedKeys {here}/trust/revoked\n\
             AuthorizedPrincipalsCommand {here}/usine agent principals --config {here}/agent.toml %u %k\n\
             AuthorizedPrincipalsCommandUser nobody\n"
        );
        let file = folder.path().join("sshd_config");
        fs::write(&file, text).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut host = Self { port, folder, sshd: None };
        host.fetch_trust();
        let mut daemon = Command::new(sshd);
        let daemon = daemon.args(["-D", "-e", "-f"]).arg(file).stderr(log);
        host.sshd = Some(daemon.spawn().unwrap());
        Some(host)
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("agent.toml")
    }

    /// What the site's administrator has a timer do.
    fn fetch_trust(&self) {
        let mut fetch = Command::new(USINE);
        fetch.args(["agent", "ssh-trust", "--config"]).arg(self.config());
        run(fetch.arg("--folder").arg(self.folder.path().join("trust")));
    }

    /// What `sshd` wrote.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Options for this host alone.
    fn options(&self) -> Vec<String> {
        let port = format!("-p{}", self.port);
        let plain =
            ["-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oBatchMode=yes"];
        plain
            .map(str::to_owned)
            .into_iter()
            .chain([port, "-oConnectionAttempts=20".to_owned()])
            .collect()
    }

    /// Runs `id -un` there by `usine ssh`; what it printed, and the code.
    fn visit(&self, person: &Client, url: &str, login: &str) -> (String, Option<i32>) {
        let mut visit = usine(person, url);
        visit.args(["ssh", "afar", "--login", login, "--"]).args(self.options());
        let output = visit.args(["id", "-un"]).output().unwrap();
        (String::from_utf8(output.stdout).unwrap().trim().to_owned(), output.status.code())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(mut sshd) = self.sshd.take() {
            sshd.kill().unwrap();
            sshd.wait().unwrap();
        }
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn usine(person: &Client, url: &str) -> Command {
    let mut command = Command::new(USINE);
    command.env("USINE_HUB", url).env("USINE_TOKEN", person.token.clone().unwrap());
    command.stdin(Stdio::null());
    command
}

fn agent_config(url: &str, address: &str, host: &str) -> String {
    format!(
        "hub = \"{url}\"\nsite = \"afar\"\nengine = \"slurm\"\n[ssh]\nhosts = [\"{host}\"]\n\
         [slurm]\njobs = \"/scratch/{{user}}\"\n[slurm.persons]\n\"{address}\" = \"{ANN}\"\n"
    )
}

fn with_door(folder: &Path) {
    with_remote_site(folder);
    let file = folder.join("usine.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{config}ssh_hosts = [\"localhost\"]\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_opens_the_door_of_its_site_to_its_person_alone_until_it_is_revoked() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    with_door(folder.path());
    let factory = Factory::start_in(Arc::clone(&folder));
    let administrator = factory.administrator().await;
    let start_up = StartUp::with_hours(&factory, 100).await;
    let (ada, url) = (&start_up.founder, factory.url.as_str());
    let Some(host) = Host::start(url, &start_up.email) else { return };

    let (name, code) = host.visit(ada, url, ANN);
    assert_eq!((name.as_str(), code), (ANN, Some(0)), "{}", host.log());
    assert!(host.log().contains(&start_up.email), "the log names whose certificate it was");
    assert_eq!(host.visit(ada, url, BEN).1, Some(255), "the login is somebody else's");
    let refused = usine(&administrator, url).args(["ssh", "afar"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(3), "who has no hours there gets no certificate");

    // A host that the certificate does not name lets nobody in.
    fs::write(host.config(), agent_config(url, &start_up.email, "login.other.eu")).unwrap();
    assert_eq!(host.visit(ada, url, ANN).1, Some(255));
    fs::write(host.config(), agent_config(url, &start_up.email, "localhost")).unwrap();

    let key = folder.path().join("kept");
    let save = key.display().to_string();
    run(usine(ada, url).args(["ssh", "afar", "--save", &save]));
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = run(Command::new("ssh-keygen").args(["-L", "-f"]).arg(format!("{save}-cert.pub")));
    // An SSH string of a compact JSON array: four bytes of length before it.
    let grant: String = b"[\"localhost\"]".iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(shown.contains("ssh-domain-grant@core.aai.geant.org"), "{shown}");
    assert!(shown.contains(&format!("0000000d{grant}")), "{shown}");
    let login = || {
        let mut ssh = Command::new("ssh");
        ssh.args(host.options()).arg("-i").arg(&key).args(["-l", ANN, "localhost", "true"]);
        ssh.output().unwrap().status.code()
    };
    assert_eq!(login(), Some(0));
    let serial = text(&ada.get("/ssh/certificates").await["items"][0], "serial");
    run(usine(ada, url).args(["ssh", "--revoke", &serial]));
    host.fetch_trust();
    assert_eq!(login(), Some(255), "{}", host.log());
    assert!(host.log().contains("revoked"), "{}", host.log());

    let trail = administrator.get("/audit?limit=200").await;
    let count = |action: &str| {
        let entries = trail["items"].as_array().unwrap();
        entries.iter().filter(|entry| entry["action"] == action).count()
    };
    assert_eq!((count("ssh.issue"), count("ssh.revoke")), (4, 1));
}
