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
    let doors = ["/", "/sign-in", "/register"];
    let paths = pages(&world).into_iter().map(|(_, _, path)| path);
    let paths = paths.filter(|path| !doors.iter().any(|door| path == door));
    let speaker = address(Caller::Holds(Role::OrganisationRepresentative));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/portal");
    let walked = Command::new("node")
        .current_dir(folder)
        .env("CHROMIUM", chromium)
        .args(["axe.mjs", &base, &format!("{speaker}@example.org"), PASSWORD])
        .args(paths)
        .output()
        .await
        .expect("node runs");
    end.send(()).unwrap();
    server.await.unwrap();
    let (out, wrong) =
        (String::from_utf8_lossy(&walked.stdout), String::from_utf8_lossy(&walked.stderr));
    assert!(walked.status.success(), "{wrong}{out}");
}
