//! A running factory: `usine up` on a free port, in a folder of its own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A process that ends with the value.
pub(crate) struct Factory {
    process: Child,
    /// How to reach it, without a slash at the end.
    pub(crate) url: String,
    /// The secret of the first administrator's link, at the first start.
    pub(crate) link: Option<String>,
    folder: Arc<TempDir>,
}

impl Factory {
    /// Starts a factory in a new folder.
    pub(crate) fn start() -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// Starts a factory in a folder that may have been used before.
    pub(crate) fn start_in(folder: Arc<TempDir>) -> Self {
        let mut process = Self::command(&folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (mut url, mut link) = (None, None);
        for line in lines.by_ref() {
            let line = line.unwrap();
            let words: Vec<_> = line.split_whitespace().collect();
            match words.as_slice() {
                ["portal", at] => url = Some(at.trim_end_matches('/').to_owned()),
                [at] if at.contains("/sign-in/link/") => {
                    link = at.rsplit('/').next().map(str::to_owned);
                }
                ["stop", ..] => break,
                _ => {}
            }
        }
        // Keep reading, so that the factory never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url: url.expect("the factory says where it listens"), link, folder }
    }

    /// Starts a factory and kills it after a while, in whatever it is doing by then.
    pub(crate) fn start_and_kill(folder: Arc<TempDir>, after: Duration) {
        let mut process = Self::command(&folder).stdout(Stdio::null()).spawn().unwrap();
        std::thread::park_timeout(after);
        process.kill().unwrap();
        process.wait().unwrap();
    }

    fn command(folder: &TempDir) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_usine"));
        command
            .args(["up", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .current_dir(folder.path())
            // Tests ask faster than people do.
            .env("USINE_WEB__REQUESTS_PER_MINUTE", "10000000")
            .env("USINE_WEB__SIGN_INS_PER_MINUTE", "10000000")
            .stdin(Stdio::null());
        command
    }

    /// The folder around the data folder, for a restart with [`Factory::start_in`].
    pub(crate) fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.folder)
    }

    /// The factory's data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Asks it to stop, as Ctrl-C does, and waits until it has.
    pub(crate) fn stop(mut self) -> std::process::ExitStatus {
        let stop =
            Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(stop.success());
        self.process.wait().unwrap()
    }

    /// Kills it on the spot.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The memory that the process holds of its own. The pages of its code are not among them: those
    /// of a program that is not optimised are several times those of a released one, whose whole
    /// memory the benchmark `start` reads.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Signs in with the first administrator's link.
    pub(crate) async fn administrator(&self) -> Client {
        let link = self.link.clone().expect("a first start");
        let anonymous = Client::anonymous(&self.url);
        let (status, session) =
            anonymous.send(Method::POST, "/session", Some(json!({ "link": link }))).await;
        assert_eq!(status, StatusCode::CREATED, "{session}");
        anonymous.with(session["token"].as_str().unwrap())
    }
}

impl Drop for Factory {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client of whatever stands at `url`.
pub(crate) fn http(url: &str) -> reqwest::Client {
    let builder = site::client::tls::builder(&url.parse().unwrap(), &Default::default());
    builder.unwrap().build().unwrap()
}

/// Somebody who speaks to the API.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    /// The bearer token, for handing on to other programs.
    pub(crate) token: Option<String>,
}

impl Client {
    /// Nobody in particular.
    pub(crate) fn anonymous(url: &str) -> Self {
        Self { http: http(url), url: url.to_owned(), token: None }
    }

    /// The holder of `token`.
    pub(crate) fn with(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Makes a call; unsafe ones carry a key of their own.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Reads something that must be there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    /// Puts something that must be taken.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(Method::PUT, path, Some(body)).await;
        assert!(status.is_success(), "PUT {path}: {status} {answer}");
        answer
    }

    /// Makes something that must be made.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "POST {path}: {status} {answer}");
        answer
    }
}
