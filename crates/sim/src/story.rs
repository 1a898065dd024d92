//! What happens before a run begins: a start-up registers and is given hours at both sites, and the
//! agents are admitted.

use std::path::Path;

use anyhow::{Context as _, Result};
use app::{Actor, App, Parts};
use engine::Clock;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use site::client::{Client, Key};
use site::identity::{Identity, enrol};
use store::{Store, allocations};
use units::{AllocationId, EntryId, PartitionKey, ProjectId, Shares, Slug};

use crate::hub::Hub;
use crate::network::Link;
use crate::trace::Trace;

/// The sites, with the partitions of the federation that they are.
pub(crate) const SITES: [(&str, &str); 2] =
    [("alpha", "meluxina-ai.gpu"), ("beta", "meluxina.gpu")];
/// What is asked for at the first, and given at each.
const HOURS: u32 = 5_000;
const PASSWORD: &str = "correct horse battery";
/// The address of the only person.
pub(crate) const PERSON: &str = "founder@lumiere.example";

/// What the story leaves.
#[derive(Clone, Debug)]
pub(crate) struct StartUp {
    pub(crate) project: ProjectId,
    /// One for each of [`SITES`].
    pub(crate) allocations: Vec<AllocationId>,
}

/// What the hub is made of, with the sites of a run in place of the usual ones.
pub(crate) fn settings(parts: Parts) -> Result<Parts> {
    let mut jobs = parts.jobs.clone();
    let usual = jobs.sites.pop().context("no site to begin with")?;
    jobs.sites.clear();
    for (name, partition) in SITES {
        jobs.sites.push(app::jobs::SiteSettings {
            name: name.parse()?,
            partition: partition.parse()?,
            agent: app::jobs::AgentKind::Remote,
            ..usual.clone()
        });
    }
    Ok(Parts { jobs, ..parts })
}

/// A client that nothing befalls.
pub(crate) fn client(
    hub: &Hub,
    trace: &Trace,
    clock: Clock,
    token: Option<String>,
) -> Result<Client> {
    let link = Link::new("story", hub, 0, trace);
    Ok(Client::new("http://hub.sim", token)?.over(std::sync::Arc::new(link), clock))
}

/// Walks the way from registration to hours at both sites.
pub(crate) async fn tell(hub: &Hub, trace: &Trace, clock: Clock, store: &Store) -> Result<StartUp> {
    let anybody = client(hub, trace, clock, None)?;
    let account = json!({ "email": PERSON, "name": "Ada Founder", "password": PASSWORD });
    let _account: Value = anybody.post("/people", &account, Key::fresh()).await?;
    let founder = client(hub, trace, clock, Some(sign_in(&anybody).await?))?;
    let new = json!({
        "name": "Lumière Langue S.à r.l.", "kind": "enterprise", "country": "LU",
        "sector": "language technology", "registered_on": "2024-05-01",
    });
    let organisation = text(&founder.post("/organisations", &new, Key::fresh()).await?, "id")?;
    let size = json!({
        "headcount_hundredths": 1150, "turnover_cents": 90_000_000, "balance_sheet_cents": 60_000_000,
    });
    let accounts = json!({ "name": "Lumière Langue S.à r.l.",
        "periods": [{ "closed_on": "2025-12-31", "size": size }] });
    let path = format!("/organisations/{organisation}/declaration");
    let _assessment: Value = founder.put(&path, &accounts, Key::fresh()).await?;
    let calls: Value = founder.get("/calls").await?;
    let calls = calls.get("items").and_then(Value::as_array).context("no calls")?;
    let is_playground =
        |call: &&Value| call.pointer("/mode/key").and_then(Value::as_str) == Some("playground");
    let call = text(calls.iter().find(is_playground).context("no playground")?, "id")?;
    let draft = json!({
        "project": null, "title": "A small model of our own",
        "purpose": "To learn whether a model trained on our documents answers our customers.",
        "partition": SITES[0].1, "hours": HOURS, "months": 3, "duties_accepted": true,
    });
    let asked = json!({ "organisation": organisation, "draft": draft });
    let path = format!("/calls/{call}/applications");
    let drafted: Value = founder.post(&path, &asked, Key::fresh()).await?;
    let submit = format!("/applications/{}/submit", text(&drafted, "id")?);
    let decided: Value = founder.post(&submit, &json!({}), Key::fresh()).await?;
    let project = text(&decided, "project").with_context(|| decided.to_string())?.parse()?;
    let first: AllocationId = text(&decided, "allocation")?.parse()?;
    let mut allocations = vec![first];
    for (_, partition) in SITES.into_iter().skip(1) {
        let (store, partition) = (store.clone(), partition.parse()?);
        let more = move |app: App| -> BoxFuture<'static, _> {
            Box::pin(async move { one_more(&app, &store, first, partition).await })
        };
        allocations.push(hub.ask(more)??);
    }
    Ok(StartUp { project, allocations })
}

/// An allocation like `first`, on another partition; the books do not mind whose hours it spends.
async fn one_more(
    app: &App,
    store: &Store,
    first: AllocationId,
    partition: PartitionKey,
) -> Result<AllocationId> {
    let tx = store.write().await?;
    let first = allocations::by_id(&tx, first).await?.context("no first allocation")?;
    let shares = allocations::shares(&tx, first.id).await?;
    let share = shares.into_iter().next().context("an allocation without a share")?;
    let id = AllocationId::from_uuid(app.clock().mint());
    let pool = Shares::sole(share.pool);
    let amount = first.amount;
    let share = allocations::Share { amount, ..share };
    let allocation = access::allocation::Allocation { id, partition, ..first };
    allocations::insert(&tx, &allocation, &[share]).await?;
    let entry = EntryId::from_uuid(app.clock().mint());
    let stamp = ledger::Stamp::new(entry, app.now(), ledger::Author::Hub);
    let memo = store::ledger::Memo { stamp, reason: "hours at another site".to_owned() };
    store::ledger::grant(&tx, memo, id, &pool, amount).await??;
    tx.commit().await?;
    Ok(id)
}

/// A session of the only person.
pub(crate) async fn sign_in(client: &Client) -> Result<String> {
    let who = json!({ "email": PERSON, "password": PASSWORD });
    text(&client.post("/session", &who, Key::fresh()).await?, "token")
}

/// Lets the agent whose key lies in `folder` be the site's.
pub(crate) async fn admit(
    hub: &Hub,
    trace: &Trace,
    clock: Clock,
    (site, folder): (&Slug, &Path),
) -> Result<Identity> {
    let name = site.clone();
    let code = hub.ask(move |app| {
        Box::pin(async move { app.offer_site_code(&Actor::system(), &name).await })
    })?;
    let identity = Identity::in_folder(folder);
    let (code, _) = code?;
    let anybody = client(hub, trace, clock, None)?;
    enrol(&anybody, site, &identity, code.reveal()).await?;
    Ok(identity)
}

/// The text at a key that must be there.
fn text(value: &Value, key: &str) -> Result<String> {
    let text = value.get(key).and_then(Value::as_str);
    Ok(text.with_context(|| format!("no {key} in {value}"))?.to_owned())
}
