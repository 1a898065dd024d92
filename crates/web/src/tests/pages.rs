//! The portal's pages as their visitors receive them.

use app::Role;
use axum::body::Body;
use axum::http::Method;

use super::world::{Caller, World};

/// The page with everything that differs from run to run named by its order.
fn settled(html: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while !rest.is_empty() {
        let run = rest.find(|c: char| !c.is_ascii_hexdigit() && c != '-').unwrap_or(rest.len());
        let (word, tail) = rest.split_at(run);
        let is_id = word.len() == 36 && word.matches('-').count() == 4;
        let is_hash = word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let digits_only = word.bytes().all(|byte| byte.is_ascii_digit());
        if is_id {
            let known = names.iter().position(|name| name == word);
            let index = known.unwrap_or_else(|| {
                names.push(word.to_owned());
                names.len() - 1
            });
            text.push_str(&format!("id-{}", index + 1));
        } else if is_hash && !digits_only {
            text.push_str("hash");
        } else {
            text.push_str(word);
        }
        let next = tail.chars().next();
        text.extend(next);
        rest = next.map_or("", |c| &tail[c.len_utf8()..]);
    }
    text
}

/// What holds for every page: no inline style or script, no id twice, a heading, a language.
pub(super) fn sound(path: &str, html: &str) {
    assert!(!html.contains(" style="), "{path} has an inline style");
    assert!(!html.contains("<script>") && !html.contains(" onclick"), "{path} has inline script");
    assert_eq!(html.matches("<h1").count(), 1, "{path} has one main heading");
    let mut ids: Vec<&str> =
        html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "{path} has an id twice");
    for rest in html.split(" for=\"").skip(1) {
        let target = rest.split('"').next().unwrap();
        assert!(ids.binary_search(&target).is_ok(), "{path} labels {target}, which is not there");
    }
    assert!(!html.contains("nav-main"), "{path} shows the key of a message");
}

async fn page(world: &World, caller: Caller, language: &str, path: &str) -> String {
    let language = [("accept-language", language)];
    let client = world.browser(caller);
    let answer = client.send(Method::GET, path, &language, Body::empty()).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
    let html = answer.text();
    sound(path, &html);
    html
}

/// The name of a page's snapshot, who looks at it, and where it is.
type Look = (&'static str, Caller, String);

/// Every page.
pub(super) fn pages(world: &World) -> Vec<Look> {
    [of_the_federation(world), of_people(world), of_organisations(world), of_projects(world)]
        .concat()
}

/// What the federation offers.
fn of_the_federation(world: &World) -> Vec<Look> {
    let speaker = Caller::Holds(Role::OrganisationRepresentative);
    let operator = Caller::Holds(Role::SiteOperator);
    let officer = Caller::Holds(Role::ProgrammeOfficer);
    let thing = |noun: &str| world.thing(noun);
    vec![
        ("federation", Caller::Nobody, "/".to_owned()),
        ("dashboard", Caller::Nobody, "/dashboard".to_owned()),
        ("factory", Caller::Nobody, "/factories/meluxina-ai".to_owned()),
        ("factory-staff", operator, "/factories/meluxina-ai".to_owned()),
        ("status", Caller::Nobody, "/status".to_owned()),
        ("estimate", Caller::Nobody, "/estimate".to_owned()),
        (
            "estimate-found",
            Caller::Nobody,
            "/estimate?work=pretrain&parameters=70B&tokens=1.4T&partition=meluxina-ai.gpu"
                .to_owned(),
        ),
        (
            "estimate-wrong",
            Caller::Nobody,
            "/estimate?work=adapt&parameters=many&tokens=1B&partition=meluxina-ai.gpu".to_owned(),
        ),
        ("sites", operator, "/sites".to_owned()),
        ("site", operator, "/sites/afar".to_owned()),
        ("calls", Caller::Nobody, "/calls".to_owned()),
        ("call", Caller::Nobody, format!("/calls/{}", thing("calls"))),
        ("call-speaker", speaker, format!("/calls/{}", thing("calls"))),
        ("call-what-if", officer, format!("/calls/{}/what-if", thing("calls"))),
    ]
}

/// What a person sees of themselves.
fn of_people(world: &World) -> Vec<Look> {
    let manager = Caller::Holds(Role::ProjectManager);
    let speaker = Caller::Holds(Role::OrganisationRepresentative);
    let thing = |noun: &str| world.thing(noun);
    vec![
        ("sign-in", Caller::Nobody, "/sign-in?to=/projects".to_owned()),
        ("register", Caller::Nobody, "/register".to_owned()),
        ("welcome", Caller::Nobody, format!("{}usine_link_1", crate::SIGN_IN_LINK)),
        ("problem", Caller::Nobody, "/problems/refused".to_owned()),
        ("settings", manager, "/settings".to_owned()),
        ("device", manager, "/device".to_owned()),
        ("notices", manager, "/notices".to_owned()),
        (
            "invitations",
            speaker,
            format!("/invitations?scope=organisation:{}", thing("organisations")),
        ),
        ("invitation", Caller::Nobody, format!("{}usine_invitation_1", crate::INVITATION_LINK)),
        ("notice-settings", manager, "/settings/notices".to_owned()),
        ("post", Caller::Holds(Role::Administrator), "/post".to_owned()),
    ]
}

/// Organisations, and what they ask for.
fn of_organisations(world: &World) -> Vec<Look> {
    let speaker = Caller::Holds(Role::OrganisationRepresentative);
    let officer = Caller::Holds(Role::ProgrammeOfficer);
    let thing = |noun: &str| world.thing(noun);
    vec![
        ("organisations", speaker, "/organisations".to_owned()),
        ("organisations-search", speaker, "/organisations?name=nobody".to_owned()),
        ("organisation-new", speaker, "/organisations/new".to_owned()),
        ("organisation", speaker, format!("/organisations/{}", thing("organisations"))),
        ("aid", speaker, format!("/organisations/{}/aid", thing("organisations"))),
        ("aid-register", officer, "/state-aid".to_owned()),
        ("declaration", speaker, format!("/organisations/{}/declaration", thing("organisations"))),
        (
            "declaration-print",
            speaker,
            format!("/organisations/{}/declaration/print", thing("organisations")),
        ),
        ("applications", speaker, "/applications".to_owned()),
        ("application-draft", speaker, format!("/applications/{}", thing("applications"))),
        ("application", speaker, format!("/applications/{}", thing("granted"))),
        ("application-case", speaker, format!("/applications/{}/case", thing("granted"))),
        ("call-review", officer, format!("/calls/{}/review", thing("calls"))),
        ("reviews", Caller::Holds(Role::Reviewer), "/reviews".to_owned()),
    ]
}

/// Projects, and what they do.
fn of_projects(world: &World) -> Vec<Look> {
    let manager = Caller::Holds(Role::ProjectManager);
    let thing = |noun: &str| world.thing(noun);
    vec![
        ("projects", manager, "/projects".to_owned()),
        ("project", manager, format!("/projects/{}", thing("projects"))),
        ("statement", manager, format!("/projects/{}/statement", thing("projects"))),
        ("job-new", manager, format!("/projects/{}/jobs/new", thing("projects"))),
        ("service", manager, format!("/projects/{}/jobs/new?service=train-lm", thing("projects"))),
        ("jobs", manager, "/jobs".to_owned()),
        ("job-running", manager, format!("/jobs/{}", thing("jobs"))),
        ("job-ended", manager, format!("/jobs/{}", thing("trained"))),
        ("data", manager, "/data".to_owned()),
        ("repository", manager, format!("/data/{}", thing("model"))),
        ("revision", manager, format!("/data/{}/revisions/main", thing("model"))),
    ]
}

#[tokio::test]
async fn every_page_looks_as_agreed_in_english_and_stands_in_french() {
    let world = World::new().await;
    for (name, caller, path) in pages(&world) {
        let english = page(&world, caller, "en", &path).await;
        insta::assert_snapshot!(format!("page-{name}"), settled(&english));
        let french = page(&world, caller, "fr", &path).await;
        assert!(french.contains("<html lang=\"fr\">"), "{path}");
        assert!(french.contains("Aller au contenu"), "{path}");
    }
}

#[tokio::test]
async fn a_stranger_finds_no_page_of_others() {
    let world = World::new().await;
    let stranger = world.browser(Caller::Stranger);
    let others = pages(&world).into_iter().filter(|(_, caller, path)| {
        *caller != Caller::Nobody && path.matches('/').count() > 1 && !path.ends_with("/new")
    });
    let mut seen = 0;
    let open_to_all = ["call-speaker", "factory-staff"];
    for (name, _, path) in others.filter(|(name, _, _)| !open_to_all.contains(name)) {
        // Whoever may see the call may know that it is weighed and reviewed, and not how.
        let expected = match name {
            "call-what-if" | "call-review" => 403,
            // Their own.
            "notice-settings" => 200,
            _ => 404,
        };
        assert_eq!(stranger.get(&path).await.status.as_u16(), expected, "{name}");
        seen += 1;
    }
    assert!(seen > 8, "{seen}");
}

#[tokio::test]
async fn whoever_must_sign_in_is_led_to_the_door_and_back() {
    let world = World::new().await;
    let nobody = world.browser(Caller::Nobody);
    let led = nobody.get("/projects").await.expect(303);
    assert_eq!(led.header("location"), "/sign-in?to=%2Fprojects");
    let fields = [
        ("email", "project-manager@example.org"),
        ("password", app::testing::PASSWORD),
        ("to", "/projects"),
    ];
    let signed_in = nobody.form("/sign-in", &fields).await.expect(303);
    assert_eq!(signed_in.header("location"), "/projects");
    assert!(signed_in.header("set-cookie").contains("HttpOnly; SameSite=Lax"));
    let wrong = [("email", "project-manager@example.org"), ("password", "no")];
    let refused = nobody.form("/sign-in", &wrong).await.expect(422);
    assert!(refused.text().contains("The address or the password is wrong."));
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let world = World::new().await;
    let manager = world.browser(Caller::Holds(Role::ProjectManager));
    let fields = [("name", "x"), ("abilities", "read"), ("days", "3")];
    let refused = manager.form("/settings/tokens", &fields).await.expect(403);
    assert!(refused.text().contains("The form is out of date"), "{}", refused.text());
    let html = manager.get("/settings").await.expect(200).text();
    let token = html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let with = [("csrf", token), ("name", "x"), ("abilities", "read"), ("days", "3")];
    let made = manager.form("/settings/tokens", &with).await.expect(200);
    assert!(made.text().contains("usine_api_"), "the secret is shown once");
    assert!(!manager.get("/settings").await.text().contains("usine_api_"));
}

#[tokio::test]
async fn errors_are_pages_in_the_portal_and_problems_in_the_api() {
    let world = World::new().await;
    let nobody = world.browser(Caller::Nobody);
    let page = nobody.get("/nowhere").await.expect(404);
    assert!(page.text().contains("There is nothing here"), "{}", page.text());
    assert!(page.header("content-type").starts_with("text/html"));
    sound("/nowhere", &page.text());
    let method = nobody.form("/calls", &[]).await.expect(405);
    assert!(method.text().contains("does not work that way"), "{}", method.text());
    assert_eq!(nobody.get("/api/nowhere").await.expect(404).at("/type"), "/problems/not-found");
}

#[tokio::test]
async fn a_draft_is_saved_and_checked_as_one_types_and_then_submitted() {
    let world = World::new().await;
    let speaker = world.browser(Caller::Holds(Role::OrganisationRepresentative));
    let path = format!("/applications/{}", world.thing("applications"));
    let html = speaker.get(&path).await.expect(200).text();
    let field = |html: &str, name: &str| {
        let rest = html.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().to_owned();
        rest.split('"').next().unwrap().to_owned()
    };
    let (csrf, version) = (field(&html, "csrf"), field(&html, "version"));
    let typed =
        [("csrf", csrf.as_str()), ("version", version.as_str()), ("title", "A second model")];
    let part = speaker.form(&format!("{path}/checks"), &typed).await.expect(200).text();
    assert!(part.starts_with("<input type=\"hidden\" name=\"version\""), "{part}");
    assert!(part.contains("Awards held already"), "{part}");
    speaker.form(&format!("{path}/checks"), &typed).await.expect(409);
    let version = field(&part, "version");
    let submit =
        [("csrf", csrf.as_str()), ("version", version.as_str()), ("title", "B"), ("do", "submit")];
    let refused = speaker.form(&path, &submit).await.expect(422).text();
    assert!(refused.contains("It was not submitted"), "{refused}");
    assert!(refused.contains("value=\"B\""), "what was written is kept");
}
