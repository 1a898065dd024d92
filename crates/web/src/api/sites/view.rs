//! A site as staff see it.

use app::jobs::AgentKind;
use app::sites::{AgentState, SiteDetail};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::wire::Instant;

/// What a site has for jobs.
#[derive(Serialize, ToSchema)]
struct InventoryOut {
    /// When it was reported.
    at: Instant,
    host: String,
    /// The version of its agent.
    agent: String,
    /// What carries jobs out there.
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<String>,
    nodes: i64,
    /// Over all nodes.
    cores: i64,
    memory_mb: i64,
    /// Model names.
    gpus: Vec<String>,
    /// What keeps jobs apart and within their limits.
    isolation: Vec<String>,
}

/// The agent of a site.
#[derive(Serialize, ToSchema)]
struct AgentOut {
    /// `embedded` in the hub, or `remote`.
    #[schema(example = "remote")]
    kind: &'static str,
    /// `not-enrolled`, `silent` (has not called yet), `present`, `away` or `dismissed`.
    #[schema(example = "present")]
    state: &'static str,
    /// Since when it is away or dismissed.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Instant>,
    /// The key that lets it in: the beginning of its SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Since when that is its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_since: Option<Instant>,
    /// The version of the protocol that it speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<i64>,
    /// How far its clock was ahead of the hub's when it was let in last.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_ahead_milliseconds: Option<i64>,
}

/// A site.
#[derive(Serialize, ToSchema)]
pub(super) struct SiteOut {
    name: String,
    factory: String,
    /// The partition whose hours its jobs use.
    partition: String,
    /// The rule by which they are charged.
    charge_rule: String,
    /// Whether it only stands in for the partition: its machine is another one.
    stands_in: bool,
    agent: AgentOut,
    /// When its agent last called.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<InventoryOut>,
}

/// The name of a state, and since when it holds.
pub(crate) fn state(agent: AgentState) -> (&'static str, Option<jiff::Timestamp>) {
    match agent {
        AgentState::NotEnrolled => ("not-enrolled", None),
        AgentState::Silent => ("silent", None),
        AgentState::Present => ("present", None),
        AgentState::Away { since } => ("away", Some(since)),
        AgentState::Dismissed { since } => ("dismissed", Some(since)),
    }
}

impl From<SiteDetail> for SiteOut {
    fn from(detail: SiteDetail) -> Self {
        let known = detail.known.as_ref();
        let seen_at = known.and_then(|site| site.seen_at).map(Into::into);
        let (state, since) = state(detail.agent);
        let agent = AgentOut {
            kind: match detail.settings.agent {
                AgentKind::Embedded => "embedded",
                AgentKind::Remote => "remote",
            },
            state,
            since: since.map(Into::into),
            key: detail.key.as_ref().map(|key| key.fingerprint.clone()),
            key_since: detail.key.as_ref().map(|key| key.since.into()),
            protocol: known.and_then(|site| site.protocol),
            clock_ahead_milliseconds: known.and_then(|site| site.clock_ahead_milliseconds),
        };
        let inventory = detail.known.and_then(|site| site.inventory);
        let settings = detail.settings;
        Self {
            name: settings.name.to_string(),
            factory: settings.factory.to_string(),
            partition: settings.partition.to_string(),
            charge_rule: settings.charge_rule.to_string(),
            stands_in: settings.stands_in,
            agent,
            seen_at,
            inventory: inventory.map(|inventory| InventoryOut {
                at: inventory.at.into(),
                host: inventory.host,
                agent: inventory.agent,
                engine: inventory.engine,
                nodes: inventory.nodes,
                cores: inventory.cores,
                memory_mb: inventory.memory_mb,
                gpus: inventory.gpus,
                isolation: inventory.isolation,
            }),
        }
    }
}
