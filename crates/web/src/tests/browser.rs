//! The portal in a real browser, held to the accessibility rules of axe.
//!
//! `cargo xtask test` installs the browser and names it; without one there is nothing to try.

use std::path::Path;

use app::testing::PASSWORD;
use app::{Role, Scope};
use serde_json::json;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::pages::pages;
use super::review::large_scale;
use super::world::{Caller, World, address};

#[tokio::test]
async fn axe_finds_no_fault_with_any_page() {
    let Ok(chromium) = std::env::var("USINE_TEST_CHROMIUM") else {
        eprintln!("not tried: USINE_TEST_CHROMIUM names no browser");
        return;
    };
    let world = World::new().await;
    let served = Served::new(&world).await;
    for (visitor, paths) in walks(&world) {
        walk(&chromium, &served.base, visitor, &paths).await;
    }
    served.stop().await;
}

#[tokio::test]
async fn an_application_goes_from_its_draft_to_its_verdict_by_clicking() {
    let Ok(chromium) = std::env::var("USINE_TEST_CHROMIUM") else {
        eprintln!("not tried: USINE_TEST_CHROMIUM names no browser");
        return;
    };
    let world = World::new().await;
    let call = large_scale(&world).await;
    world.web.signed_in("second", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    let reviewers = ["ben", "cleo", "dan"].map(|name| format!("{name}@judges.example.net"));
    for email in &reviewers {
        let reviewer = [(Role::Reviewer, Scope::Federation)];
        let (_, secret) = world.web.signed_in(email, &reviewer).await;
        let profile = json!({ "fields": ["pe6"] });
        world.web.bearer(&secret).put("/api/v1/reviewer", &profile).await.expect(200);
    }
    let of = |role: Role| format!("{}@example.org", address(Caller::Holds(role)));
    let people = json!({
        "applicant": of(Role::OrganisationRepresentative),
        "operator": of(Role::SiteOperator),
        "officer": of(Role::ProgrammeOfficer),
        "second": "second@example.org",
        "reviewers": reviewers,
    });
    let people = people.to_string();
    let served = Served::new(&world).await;
    let arguments = [served.base.as_str(), PASSWORD, &call, &people];
    run(&chromium, "story.mjs", arguments).await;
    served.stop().await;
}

/// The world behind a port of this machine.
struct Served {
    base: String,
    end: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Served {
    async fn new(world: &World) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (end, ended) = oneshot::channel();
        let server = tokio::spawn(crate::serve(listener, None, world.web.router(), async {
            let _ = ended.await;
        }));
        Self { base, end, server }
    }

    async fn stop(self) {
        self.end.send(()).unwrap();
        self.server.await.unwrap();
    }
}

/// Who walks which pages: staff those of theirs, and all others somebody who sees most.
fn walks(world: &World) -> Vec<(Caller, Vec<String>)> {
    let doors = ["/", "/sign-in", "/register"];
    let mut walks: Vec<(Caller, Vec<String>)> = Vec::new();
    for (_, caller, path) in pages(world) {
        if doors.iter().any(|door| path == *door) {
            continue;
        }
        let visitor = match caller {
            Caller::Holds(
                Role::ProgrammeOfficer | Role::SiteOperator | Role::Reviewer | Role::Administrator,
            ) => caller,
            _ => Caller::Holds(Role::OrganisationRepresentative),
        };
        match walks.iter_mut().find(|(other, _)| *other == visitor) {
            Some((_, paths)) => paths.push(path),
            None => walks.push((visitor, vec![path])),
        }
    }
    walks
}

async fn walk(chromium: &str, base: &str, visitor: Caller, paths: &[String]) {
    let email = format!("{}@example.org", address(visitor));
    let first = [base, &email, PASSWORD];
    run(chromium, "axe.mjs", first.into_iter().chain(paths.iter().map(String::as_str))).await;
}

/// Runs a walk of `tests/portal`, which must find no fault.
async fn run<'a>(chromium: &str, script: &str, arguments: impl IntoIterator<Item = &'a str>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/portal");
    let walked = Command::new("node")
        .current_dir(folder)
        .env("CHROMIUM", chromium)
        .arg(script)
        .args(arguments)
        .output()
        .await
        .expect("node runs");
    let (out, wrong) =
        (String::from_utf8_lossy(&walked.stdout), String::from_utf8_lossy(&walked.stderr));
    assert!(walked.status.success(), "{wrong}{out}");
}
