//! A hub for tests: fresh databases and a clock that stands at a known instant.

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

use ::jobs::charge::ChargeRules;
use ::jobs::placement::Weights;
use ::jobs::template::Template;
use access::document::Document;
use access::policy::Policy;
use jiff::SignedDuration;

use store::{Store, testing::TestDatabase};
use units::{PersonId, Timestamp};

use crate::{
    Actor, App, Grant, MovableClock, Parts, Role, Scope, data::Data, federation::Rules,
    identity::NewAccount, jobs,
};

/// A hub over a fresh database.
pub struct TestHub {
    /// The hub.
    pub app: App,
    /// Its clock, standing at 2026-11-21T09:00:00Z.
    pub clock: Arc<MovableClock>,
    /// Keeps the database alive.
    pub database: TestDatabase,
}

/// The password of everybody in tests.
pub const PASSWORD: &str = "correct horse battery";

impl TestHub {
    /// A hub on SQLite.
    pub async fn new() -> Self {
        Self::over(store::testing::sqlite().await)
    }

    /// A hub on each kind of database that can be had.
    pub async fn each() -> Vec<Self> {
        store::testing::databases().await.into_iter().map(Self::over).collect()
    }

    /// A hub with the same records in a database of its own (SQLite only).
    pub async fn copy(&self) -> Self {
        let database = store::testing::copied(&self.database).await;
        let parts = Parts { store: database.store.clone(), ..(*self.app.parts).clone() };
        Self { app: App::new(parts), clock: Arc::clone(&self.clock), database }
    }

    fn over(database: TestDatabase) -> Self {
        let clock = Arc::new(MovableClock::starting(start()));
        let app = App::new(parts(database.store.clone(), clock.clone()));
        Self { app, clock, database }
    }

    /// A registered person holding `grants`, as an actor with every ability. `name` may be an
    /// address; others have theirs at example.org.
    ///
    /// # Panics
    /// When the hub refuses: the test cannot go on.
    #[expect(clippy::expect_used, reason = "a test that cannot have its people must fail")]
    pub async fn person(&self, name: &str, grants: &[(Role, Scope)]) -> (PersonId, Actor) {
        let account = NewAccount {
            email: address(name),
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let account = self.app.register(&Actor::anonymous(), account).await.expect("an account");
        let tx = self.app.store().write().await.expect("a transaction");
        for (role, scope) in grants {
            let grant = Grant { role: *role, scope: scope.clone() };
            self.app.grant(&tx, &Actor::system(), account.id, grant).await.expect("a grant");
        }
        tx.commit().await.expect("a commit");
        (account.id, self.signed_in(account.id).await)
    }

    /// The same person with what they hold by now.
    ///
    /// # Panics
    /// When the actor is no person: the test cannot go on.
    #[expect(clippy::expect_used, reason = "a test that cannot have its people must fail")]
    pub async fn again(&self, actor: &Actor) -> Actor {
        self.signed_in(actor.person_id().expect("a person")).await
    }

    #[expect(clippy::expect_used, reason = "a test that cannot have its people must fail")]
    async fn signed_in(&self, person: PersonId) -> Actor {
        let link = self.app.sign_in_link(person).await.expect("a link");
        let opened = self.app.redeem_link(&link).await.expect("a session");
        self.app.authenticate(&opened.secret).await.expect("an actor").actor
    }
}

/// The address of somebody called `name`, or `name` when it is one.
pub fn address(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@example.org") }
}

/// When tests begin.
fn start() -> Timestamp {
    Timestamp::from_second(1_795_251_600).unwrap_or_default()
}

/// What the hub of tests is made of.
fn parts(store: Store, clock: Arc<MovableClock>) -> Parts {
    let data =
        Data { vault: vault::Vault::memory(), file_bytes_max: 1_000_000, part_bytes: 400_000 };
    Parts {
        store,
        clock,
        data,
        rules: rules(),
        jobs: work(),
        ssh: authority(),
        post: crate::notices::Outlets::default(),
        what_if: Arc::new(what_if()),
    }
}

/// An authority of tests.
///
/// # Panics
/// When it cannot be made: no test may pass then.
#[expect(clippy::expect_used, reason = "a test that cannot have its authority must fail")]
fn authority() -> Arc<site::ssh::Authority> {
    Arc::new(site::ssh::Authority::of_seed(&[9; 32]).expect("an authority"))
}

/// The project's own federation and policy, read once; `meluxina-ai.gpu` is served.
///
/// # Panics
/// When they are not valid: no test may pass then.
pub fn rules() -> Rules {
    static RULES: LazyLock<Rules> = LazyLock::new(|| rules_where(|_| {}));
    RULES.clone()
}

/// The same with files of the policy edited.
///
/// # Panics
/// When they are not valid then: the test cannot go on.
#[expect(clippy::expect_used, reason = "a test that cannot have its rules must fail")]
pub fn rules_where(edit: impl Fn(&mut Document)) -> Rules {
    let mut policy = folder("policy");
    policy.retain(|document| {
        Policy::FILES.iter().any(|file| document.name.ends_with(&format!("/{file}")))
    });
    policy.iter_mut().for_each(edit);
    let served = vec!["meluxina-ai.gpu".parse().expect("a partition")];
    Rules::read(&folder("federation"), &policy, served, start()).expect("valid rules")
}

/// The project's own services and charge rules, the site `here` in place of `meluxina-ai.gpu`, and
/// the remote site `afar` of the same factory.
///
/// # Panics
/// When they are not valid: no test may pass then.
#[expect(clippy::expect_used, reason = "a test that cannot have its services must fail")]
pub fn work() -> jobs::Settings {
    let read = |path: &str| {
        let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("a readable file")
    };
    let service = |name: &str| {
        let (description, script) = (format!("{name}/service.toml"), format!("{name}/run.sh"));
        Template::parse(&read(&description), read(&script).as_bytes()).expect("a service")
    };
    let seconds = |count| NonZeroU32::new(count).expect("a time limit");
    let here = jobs::SiteSettings {
        name: "here".parse().expect("a name"),
        factory: "meluxina-ai".parse().expect("a factory"),
        partition: "meluxina-ai.gpu".parse().expect("a partition"),
        charge_rule: "embedded".parse().expect("a rule"),
        agent: jobs::AgentKind::Embedded,
        stands_in: true,
        time_limit_default_seconds: seconds(3_600),
        time_limit_max_seconds: seconds(86_400),
        ssh_hosts: vec!["login.here.example".to_owned()].try_into().expect("hosts"),
        figures: jobs::Figures::default(),
    };
    let afar = jobs::SiteSettings {
        name: "afar".parse().expect("a name"),
        partition: "meluxina.gpu".parse().expect("a partition"),
        agent: jobs::AgentKind::Remote,
        stands_in: false,
        ssh_hosts: Default::default(),
        ..here.clone()
    };
    jobs::Settings {
        sites: vec![here, afar],
        services: ["services/generate-text", "services/train-lm"].map(service).into(),
        rules: ChargeRules::parse(&read("policy/charge-rules.toml")).expect("charge rules"),
        placement: Weights::parse(&read("policy/placement.toml")).expect("weights"),
        program: vault::Program { version: "0.0.0".to_owned(), commit: None },
        agents: jobs::AgentRules {
            code: SignedDuration::from_mins(30),
            session: SignedDuration::from_mins(15),
            clock: SignedDuration::from_secs(60),
            away: SignedDuration::from_secs(90),
        },
    }
}

/// The project's own assumptions about awards, over few days.
///
/// # Panics
/// When they are not valid: no test may pass then.
#[expect(clippy::expect_used, reason = "a test that cannot have its assumptions must fail")]
pub fn what_if() -> twin::award::Settings {
    let path = format!("{}/../../policy/what-if.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a readable file");
    let document = Document::new("policy/what-if.toml", text);
    let settings = twin::award::Settings::parse(&document).expect("valid assumptions");
    twin::award::Settings { days: 5, warm_up_days: 1, seeds: vec![1, 2], ..settings }
}

/// The TOML documents of a folder of the project.
#[expect(clippy::expect_used, reason = "a test that cannot have its rules must fail")]
fn folder(name: &str) -> Vec<Document> {
    let folder = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file"));
    let document = |file: std::fs::DirEntry| {
        let text = std::fs::read_to_string(file.path()).expect("a readable file");
        Document::new(format!("{name}/{}", file.file_name().display()), text)
    };
    files.map(document).collect()
}

/// The accounts of a small enterprise that stands alone, for declarations.
///
/// # Panics
/// When the hard-coded figures are not valid: no test may pass then.
#[expect(clippy::expect_used, reason = "a test that cannot have its figures must fail")]
pub fn small_enterprise() -> access::sme::Group {
    use access::sme::{AccountingPeriod, Awu, Enterprise, EnterpriseKind, Group, Size};
    let subject: units::Slug = "self".parse().expect("a key");
    let period = AccountingPeriod {
        closed_on: jiff::civil::date(2025, 12, 31),
        size: Size {
            headcount: Awu::hundredths(1_150),
            turnover: units::Cents::new(90_000_000),
            balance_sheet: units::Cents::new(60_000_000),
        },
        estimated: false,
    };
    let enterprise = Enterprise::new("Aurore", EnterpriseKind::Enterprise, vec![period]);
    Group { subject: subject.clone(), members: [(subject, enterprise)].into(), holdings: vec![] }
}
