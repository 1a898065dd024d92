//! The agent of a site, as a process beside a factory that counts on it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::factory::Client;
use crate::story::text;

/// A folder whose factory serves `meluxina-ai.gpu` by the remote site `afar`.
pub(crate) fn with_remote_site(folder: &Path) {
    let config = "[site]\nserves = \"meluxina.gpu\"\ncores = 1\nmemory_mb = 1000\n\
        [[remote_sites]]\nname = \"afar\"\nserves = \"meluxina-ai.gpu\"\n\
        charge_rule = \"embedded\"\nstands_in = true\n";
    fs::write(folder.join("usine.toml"), config).unwrap();
}

/// An agent that works in a process of its own, until the value is dropped.
pub(crate) struct AgentProcess {
    process: Child,
    log: Arc<Mutex<String>>,
}

impl AgentProcess {
    /// Starts the agent that `config` describes.
    pub(crate) fn start(config: &Path) -> Self {
        let mut process = agent(&[], config).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(process.stderr.take().unwrap()).lines(), log.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { process, log }
    }

    /// Its number among the processes of this machine.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks it to stop, as a service manager does.
    pub(crate) fn stop(mut self) -> std::process::ExitStatus {
        let pid = self.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap()
    }
}

impl Drop for AgentProcess {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `usine agent WORDS --config …` with nothing of this test's own environment.
pub(crate) fn agent(words: &[&str], config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usine"));
    command.arg("agent").args(words).arg("--config").arg(config);
    command.current_dir(config.parent().unwrap());
    for variable in ["USINE_HUB", "USINE_CA", "USINE_LOG", "USINE_AGENT_CODE"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Enrols the agent of `config` by a code of the hub's administrator.
pub(crate) async fn enrolled(administrator: &Client, config: &Path) {
    let code = text(&administrator.post("/sites/afar/code", json!({})).await, "code");
    let file = config.with_file_name("code");
    fs::write(&file, format!("{code}\n")).unwrap();
    let output = agent(&["enrol"], config).arg("--code-file").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Asks until the answer is as it should be.
pub(crate) async fn until(client: &Client, path: &str, is: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        last = client.get(path).await;
        if is(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} stays {last}")
}
