//! The API keeps what its document promises, whoever asks: schemathesis, once per role.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::factory::{Client, Factory};
use crate::story::{StartUp, person, text};

/// Requests tried per operation and phase.
const EXAMPLES: &str = "10";

/// How thoroughly a caller's answers are looked at.
#[derive(Clone, Copy)]
enum Depth {
    /// Every limit and every malformed form of every parameter too: for callers who get past the
    /// question whether they may.
    Systematic,
    /// Requests by chance, and their sequels: for callers who are mostly refused, which happens
    /// before a body is looked at.
    ByChance,
}

impl Depth {
    fn phases(self) -> &'static str {
        match self {
            Self::Systematic => "examples,coverage,fuzzing,stateful",
            Self::ByChance => "examples,fuzzing,stateful",
        }
    }
}

/// How often a request is about something that is there, rather than about an invented identifier.
const KNOWN_SHARE: &str = "0.7";

/// A factory with something in every list, and what the things are called.
struct World {
    factory: Factory,
    administrator: Client,
    start_up: StartUp,
    /// By the first word of the path, the identifiers below it.
    known: Vec<(&'static str, String)>,
}

impl World {
    async fn new() -> Self {
        let factory = Factory::start();
        let administrator = factory.administrator().await;
        let start_up = StartUp::with_hours(&factory, 100).await;
        let founder = &start_up.founder;
        let project = &start_up.project;
        let script = "#!/bin/sh\n#SBATCH --job-name=hello --time=2\necho hello\n";
        let jobs = format!("/projects/{project}/jobs");
        let job = founder.post(&jobs, json!({ "script": script })).await;
        let dataset = json!({
            "kind": "dataset", "name": "texts", "title": "Texts", "licence": "CC-BY-4.0",
            "sensitivity": "open",
        });
        let repositories = format!("/projects/{project}/repositories");
        let repository = founder.post(&repositories, dataset).await;
        let allocations = founder.get(&format!("/projects/{project}/allocations")).await;
        let known = vec![
            ("organisations", first(&founder.get("/organisations").await)),
            ("applications", first(&founder.get("/applications").await)),
            ("calls", first(&founder.get("/calls").await)),
            ("projects", project.clone()),
            ("allocations", first(&allocations)),
            ("jobs", text(&job["jobs"][0], "id")),
            ("repositories", text(&repository, "id")),
        ];
        Self { factory, administrator, start_up, known }
    }

    /// Somebody to whom the administrator has given a role.
    async fn staff(&self, role: &str, scope: &str) -> Client {
        let client = person(&self.factory, &format!("{role}@example.org")).await;
        let id = text(&client.get("/me").await, "id");
        let grant = json!({ "person": id, "role": role, "scope": scope });
        self.administrator.post("/grants", grant).await;
        client
    }

    /// Somebody whom the founder has taken into the project.
    async fn member(&self, role: &str) -> Client {
        let email = format!("{role}@example.org");
        let client = person(&self.factory, &email).await;
        let members = format!("/projects/{}/members", self.start_up.project);
        self.start_up.founder.post(&members, json!({ "email": email, "role": role })).await;
        client
    }

    /// What the tester is told: where the things are that it is to ask for.
    fn configuration(&self) -> String {
        let mut text = String::new();
        for (noun, id) in &self.known {
            let _ = writeln!(text, "[dictionaries.{noun}]\nvalues = [\"{id}\"]");
        }
        for (noun, _) in &self.known {
            let _ = writeln!(
                text,
                "[[operations]]\ninclude-path-regex = \"^/api/v1/{noun}/\"\nparameters = \
                 {{ \"path.id\" = {{ dictionary = \"{noun}\", probability = {KNOWN_SHARE} }} }}",
            );
        }
        text
    }

    /// Runs the tester against every operation but those that would end its own sign-in.
    fn check(&self, who: &Client, name: &str, depth: Depth) {
        let python = std::env::var_os("USINE_TEST_SCHEMATHESIS")
            .expect("cargo xtask test installs schemathesis and says where");
        let folder = self.factory.data();
        std::fs::write(folder.join("schemathesis.toml"), self.configuration()).unwrap();
        let mut command = Command::new(python);
        command
            .args(["-m", "schemathesis.cli", "run", "--no-color", "--checks", "all"])
            // What the document cannot express is refused all the same: a key used before, an end
            // that lies before its start, a cursor of another list.
            .args(["--exclude-checks", "positive_data_acceptance"])
            .args(["--phases", depth.phases()])
            .args(["--max-examples", EXAMPLES, "--seed", "1", "--continue-on-failure"])
            .args(["--request-timeout", "60", "--warnings", "off"])
            .args(["--exclude-operation-id", "session_sign_out"])
            .args(["--exclude-operation-id", "me_password_set_password"])
            .arg("--report-dir")
            .arg(folder.join("reports"))
            .current_dir(&folder);
        if let Some(token) = &who.token {
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        let output = command.arg(format!("{}/api/v1/openapi.json", self.factory.url)).output();
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "as {name}:\n{text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(text.contains("Tested:"), "as {name} nothing was tested:\n{text}");
    }
}

/// The identifier of the first of a list.
fn first(list: &Value) -> String {
    text(&list["items"][0], "id")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_nobody_in_particular() {
    let world = World::new().await;
    world.check(&Client::anonymous(&world.factory.url), "nobody", Depth::ByChance);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_a_stranger() {
    let world = World::new().await;
    let stranger = person(&world.factory, "stranger@example.org").await;
    world.check(&stranger, "a stranger", Depth::ByChance);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_a_user() {
    let world = World::new().await;
    world.check(&world.member("user").await, "a user of the project", Depth::ByChance);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_a_project_manager() {
    let world = World::new().await;
    world.check(
        &world.member("project-manager").await,
        "a manager of the project",
        Depth::ByChance,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_an_organisation_representative() {
    let world = World::new().await;
    world.check(&world.start_up.founder, "the organisation's representative", Depth::Systematic);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_a_reviewer() {
    let world = World::new().await;
    world.check(&world.staff("reviewer", "federation").await, "a reviewer", Depth::ByChance);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_a_site_operator() {
    let world = World::new().await;
    let operator = world.staff("site-operator", "factory:meluxina-ai").await;
    world.check(&operator, "the operator of the site", Depth::Systematic);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_a_programme_officer() {
    let world = World::new().await;
    world.check(
        &world.staff("programme-officer", "federation").await,
        "a programme officer",
        Depth::Systematic,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_an_administrator() {
    let world = World::new().await;
    world.check(&world.administrator, "an administrator", Depth::Systematic);
}
