//! The places where a job could run, over the wire.

use app::App;
use app::jobs::{Limits, Offer, Offers, Submission, Terms};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use units::ProjectId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::outlook::ExpectedOut;
use super::submission::{SubmissionIn, parsed};
use crate::Actor;
use crate::api::wire::{Amount, Instant};
use crate::extract::{Json, Path};
use crate::portal::jobs::offers as words;
use crate::portal::tongue::Tongue;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(offers))
}

/// What a place must have to be considered at all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsIn {
    /// Only in these countries, as two letters; in any when none is named.
    #[serde(default)]
    #[schema(example = json!(["LU", "FI"]))]
    countries: Vec<String>,
    /// Only with GPUs whose model name holds this text.
    #[schema(max_length = 64, example = "h100")]
    gpu: Option<String>,
    /// Only on nodes with as much memory.
    memory_mb_per_node: Option<u64>,
}

impl TryFrom<LimitsIn> for Limits {
    type Error = Problem;

    fn try_from(limits: LimitsIn) -> Result<Self, Problem> {
        let countries = limits.countries.iter().map(|text| parsed("anywhere.countries", text));
        Ok(Self {
            countries: countries.collect::<Result<_, Problem>>()?,
            gpu: limits.gpu.filter(|text| !text.is_empty()),
            memory_mb_per_node: limits.memory_mb_per_node,
        })
    }
}

/// Something that speaks against a place.
#[derive(Serialize, ToSchema)]
struct TermOut {
    /// `wait`, `doubt`, `transfer`, `hours`, `keeping`, `payer`, `energy` or `carbon`.
    #[schema(example = "wait")]
    term: String,
    /// What it is worth, in seconds of waiting.
    seconds: u64,
}

/// What running at a place would mean.
#[derive(Serialize, ToSchema)]
struct TermsOut {
    /// When the job would start, where the site shows what runs there.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<ExpectedOut>,
    /// The most hours that it would use.
    held: Amount,
    /// What the allocation has left before that.
    available: Amount,
    /// Who pays: `union`, `commercial`, `state:LU`, `volunteered:LU`.
    payers: Vec<String>,
    /// What must be moved there.
    transfer_bytes: u64,
    /// How long that takes, where the link is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer_seconds: Option<u64>,
    /// The most energy, where the power of a unit is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    watt_hours: Option<u64>,
    /// The most carbon dioxide, where its intensity is known too.
    #[serde(skip_serializing_if = "Option::is_none")]
    carbon_grams: Option<u64>,
    /// What speaks against the place; the least altogether is best.
    against: Vec<TermOut>,
    /// All of that together, in seconds of waiting.
    score_seconds: u64,
}

/// A place where the project has hours that can be used now.
#[derive(Serialize, ToSchema)]
struct OfferOut {
    allocation: Uuid,
    #[schema(example = "meluxina-ai.gpu")]
    partition: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    factory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "LU")]
    country: Option<String>,
    /// Until when the allocation may be used.
    ends_at: Instant,
    /// What running there would mean; absent where the job cannot run.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<TermsOut>,
    /// Why it cannot run there.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// Every place, best first, then those where the job cannot run.
#[derive(Serialize, ToSchema)]
pub(super) struct OffersOut {
    offers: Vec<OfferOut>,
    /// What speaks most for the first place over the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    /// Whose weights decided.
    policy: String,
}

impl From<&Terms> for TermsOut {
    fn from(terms: &Terms) -> Self {
        let against = terms.score.terms.iter();
        let against =
            against.map(|(term, seconds)| TermOut { term: term.to_string(), seconds: *seconds });
        Self {
            expected: terms.expected.map(Into::into),
            held: Amount::of(terms.held, terms.meter),
            available: Amount::of(terms.available, terms.meter),
            payers: terms.payers.iter().map(ToString::to_string).collect(),
            transfer_bytes: terms.transfer_bytes,
            transfer_seconds: terms.transfer_seconds,
            watt_hours: terms.watt_hours,
            carbon_grams: terms.carbon_grams,
            against: against.collect(),
            score_seconds: terms.score.total(),
        }
    }
}

impl From<&Offer> for OfferOut {
    fn from(offer: &Offer) -> Self {
        let (factory, country) = offer.place.clone().unzip();
        Self {
            allocation: offer.allocation.id.uuid(),
            partition: offer.allocation.partition.to_string(),
            factory: factory.map(|key| key.to_string()),
            country: country.map(|code| code.to_string()),
            ends_at: offer.allocation.period.end().into(),
            terms: offer.terms.as_ref().ok().map(Into::into),
            refused: offer.terms.as_ref().err().cloned(),
        }
    }
}

impl From<Offers> for OffersOut {
    fn from(offers: Offers) -> Self {
        Self {
            offers: offers.offers.iter().map(Into::into).collect(),
            because: offers.because.map(|because| words::advantage(Tongue::English, because)),
            policy: offers.policy,
        }
    }
}

/// Compare all places where a job could run on the project's hours, by the weights of policy.
/// Nothing is submitted. `anywhere` sets limits; `allocation` is not looked at.
#[utoipa::path(
    post, path = "/projects/{id}/offers", tag = "jobs",
    params(("id" = Uuid, Path, description = "The project")),
    request_body = SubmissionIn,
    responses((status = 200, body = OffersOut, description = "Best first")),
)]
async fn offers(
    State(app): State<App>,
    actor: Actor,
    Path(project): Path<ProjectId>,
    Json(new): Json<SubmissionIn>,
) -> Result<Json<OffersOut>, Problem> {
    let new: Submission = new.try_into()?;
    let limits = new.anywhere.clone().unwrap_or_default();
    Ok(Json(app.job_offers(&actor, project, &new, &limits).await?.into()))
}
