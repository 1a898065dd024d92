//! The portal in a real browser, held to the accessibility rules of axe.
//!
//! `cargo xtask test` installs the browser and names it; without one there is nothing to try.

use std::path::Path;

use app::Role;
use app::testing::PASSWORD;
use tokio::process::Command;

use super::pages::pages;
use super::world::{Caller, World, address};

#[tokio::test]
async fn axe_finds_no_fault_with_any_page() {
    let Ok(chromium) = std::env::var("USINE_TEST_CHROMIUM") else {
        eprintln!("not tried: USINE_TEST_CHROMIUM names no browser");
        return;
    };
    let world = World::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(crate::serve(listener, None, world.web.router(), async {
        let _ = ended.await;
    }));
    for (visitor, paths) in walks(&world) {
        walk(&chromium, &base, visitor, &paths).await;
    }
    end.send(()).unwrap();
    server.await.unwrap();
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
            Caller::Holds(Role::ProgrammeOfficer | Role::SiteOperator | Role::Reviewer) => caller,
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/portal");
    let walked = Command::new("node")
        .current_dir(folder)
        .env("CHROMIUM", chromium)
        .args(["axe.mjs", base, &format!("{}@example.org", address(visitor)), PASSWORD])
        .args(paths)
        .output()
        .await
        .expect("node runs");
    let (out, wrong) =
        (String::from_utf8_lossy(&walked.stdout), String::from_utf8_lossy(&walked.stderr));
    assert!(walked.status.success(), "{wrong}{out}");
}
