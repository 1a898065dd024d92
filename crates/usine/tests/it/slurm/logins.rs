//! Logins that the agent's table does not name: by the form of an address, or by a command of the site.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Cluster, LOGIN};
use crate::agent::{AgentProcess, enrolled, until, with_remote_site};
use crate::factory::{Client, Factory};
use crate::story::{StartUp, person, text};

/// Whose address has the form of which the site makes the login.
const ANN: &str = "Ann@people.example";

/// Lets the agent of `config` find logins by `rule` instead of a table.
fn ruled(config: &Path, rule: &str) {
    let before = fs::read_to_string(config).unwrap();
    let (rest, _table) = before.split_once("[slurm.persons]").unwrap();
    fs::write(config, format!("{rest}[slurm.logins]\n{rule}")).unwrap();
}

/// A command of the site that knows one address.
fn command(folder: &Path, address: &str) -> PathBuf {
    let script = format!(
        "#!/bin/sh\nread -r address\n[ \"$address\" = {address} ] && echo {LOGIN}\nexit 0\n"
    );
    let file = folder.join("login-of");
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

/// What `who` gets for the question under which login jobs of theirs run.
async fn login_of(who: &Client, jobs: &str) -> Result<String, Value> {
    let script = json!({ "script": "#!/bin/sh\n#SBATCH --time=2 --mem=64M\nid -un\n" });
    let (status, answer) = who.send(Method::POST, jobs, Some(script)).await;
    if status == StatusCode::UNPROCESSABLE_ENTITY {
        return Err(answer);
    }
    let path = format!("/jobs/{}", text(&answer, "id"));
    let ended = until(who, &path, |job| job["state"] == "ended").await;
    assert_eq!(ended["end"], "completed", "{ended}");
    let log = who.get(&format!("{path}/log?stream=stdout")).await;
    Ok(text(&log, "text").trim().to_owned())
}

/// The same once the hub knows that they have one.
async fn login_in_the_end(who: &Client, jobs: &str) -> String {
    let begun = Instant::now();
    loop {
        match login_of(who, jobs).await {
            Ok(login) => return login,
            Err(refused) => assert!(begun.elapsed() < Duration::from_secs(40), "{refused}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_comes_of_the_form_of_an_address_or_of_a_command_of_the_site() {
    let Some(cluster) = Cluster::new() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    with_remote_site(folder.path());
    let factory = Factory::start_in(Arc::clone(&folder));
    let administrator = factory.administrator().await;
    let start_up = StartUp::with_hours(&factory, 100).await;
    let founder = &start_up.founder;
    let ann = person(&factory, ANN).await;
    let members = format!("/projects/{}/members", start_up.project);
    founder.post(&members, json!({ "email": ANN, "role": "user" })).await;
    let jobs = format!("/projects/{}/jobs", start_up.project);
    let configured = || cluster.configured(folder.path(), &factory.url, "nobody@example.org");

    let config = configured();
    ruled(&config, "domain = \"people.example\"\ntemplate = \"usine-{local_part}\"\n");
    enrolled(&administrator, &config).await;
    let mut agent = AgentProcess::start(&config);
    assert_eq!(login_in_the_end(&ann, &jobs).await, LOGIN);
    let refused = login_of(founder, &jobs).await.unwrap_err();
    assert!(refused.to_string().contains("you have no login there"), "{refused}");

    let command = command(folder.path(), &start_up.email);
    ruled(&configured(), &format!("command = [{command:?}]\n"));
    agent.kill();
    let _agent = AgentProcess::start(&config);
    assert_eq!(login_in_the_end(founder, &jobs).await, LOGIN);
    let refused = login_of(&ann, &jobs).await.unwrap_err();
    assert!(refused.to_string().contains("you have no login there"), "{refused}");
}
