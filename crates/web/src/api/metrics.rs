//! Figures for the monitoring of an operations team, in the text format of OpenMetrics 1.0.

use std::sync::atomic::AtomicU64;

use app::App;
use app::sites::{Load, SiteHealth};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use jobs::readiness::Takes;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use units::Timestamp;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Actor;
use crate::problem::{Kind, Problem};

/// The type of the answer, as OpenMetrics demands it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// A site and what it serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    site: String,
    partition: String,
}

/// Something of a site, by its state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Part {
    site: String,
    state: String,
}

/// A count of each site.
type Counts = Family<Place, Gauge>;
/// A length of time of each site.
type Times = Family<Place, Gauge<f64, AtomicU64>>;

/// Figures of the sites that the caller may see, in the format of OpenMetrics.
#[utoipa::path(
    get, path = "/metrics", tag = "sites",
    responses((status = 200, body = String, description = "The figures",
        content_type = "application/openmetrics-text")),
)]
async fn metrics(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let sites = app.sites_health(&actor).await?;
    let text = exposition(&sites, app.now()).map_err(|error| {
        tracing::error!(%error, "the figures cannot be written");
        Problem::new(Kind::Internal)
    })?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// All figures as text. What is not known of a site is left out for it.
fn exposition(sites: &[SiteHealth], now: Timestamp) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("usine");
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("program", "The program that answers", version);

    let takes = Counts::default();
    let backlog = Counts::default();
    let (silence, clock) = (Times::default(), Times::default());
    let (nodes, queue) = (Family::<Part, Gauge>::default(), Family::<Part, Gauge>::default());
    let jobs = Family::<Part, Gauge>::default();
    for site in sites {
        let name = site.settings.name.to_string();
        let place = Place { site: name.clone(), partition: site.settings.partition.to_string() };
        let part = |state: &str| Part { site: name.clone(), state: state.to_owned() };
        let is_open = site.readiness.takes() != Takes::Nothing;
        takes.get_or_create(&place).set(i64::from(is_open));
        if let Some(records) = site.accounting_backlog {
            backlog.get_or_create(&place).set(i64::try_from(records).unwrap_or(i64::MAX));
        }
        if let Some(seen_at) = site.known.as_ref().and_then(|known| known.seen_at) {
            silence.get_or_create(&place).set(now.duration_since(seen_at).as_secs_f64());
        }
        if let Some(ahead) = site.known.as_ref().and_then(|known| known.clock_ahead_milliseconds) {
            clock.get_or_create(&place).set(SignedDuration::from_millis(ahead).as_secs_f64());
        }
        if let Some(Load { nodes: all, nodes_up, running, waiting, .. }) = site.load {
            nodes.get_or_create(&part("up")).set(nodes_up);
            nodes.get_or_create(&part("away")).set(all.saturating_sub(nodes_up));
            queue.get_or_create(&part("running")).set(running);
            queue.get_or_create(&part("waiting")).set(waiting);
        }
        for (state, count) in &site.jobs {
            jobs.get_or_create(&part(state)).set(*count);
        }
    }
    registry.register("site_takes_work", "Whether jobs can start there: 1 or 0", takes);
    registry.register("site_nodes", "Nodes, by whether jobs can start on them", nodes);
    registry.register("site_queue_jobs", "Jobs of everybody at the site, by state", queue);
    registry.register("site_hub_jobs", "Jobs of this hub that have not ended, by state", jobs);
    let help = "Records that the accounting of the site has not taken yet";
    registry.register("site_accounting_backlog_records", help, backlog);
    let help = "Time since the agent of the site last called";
    registry.register_with_unit("site_agent_silence", help, Unit::Seconds, silence);
    let help = "How far the clock of the site is ahead of the hub's";
    registry.register_with_unit("site_clock_ahead", help, Unit::Seconds, clock);

    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}
