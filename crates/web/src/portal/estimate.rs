//! How many hours work on a model takes, for people who have not measured.

use access::estimate::{Count, Estimate, Plan};
use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use super::visit::{Frame, Visit, page};
use crate::extract::Query;
use crate::problem::Problem;

/// What was filled in, as it was written.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    work: String,
    parameters: String,
    tokens: String,
    partition: String,
    devices: String,
}

#[derive(Template)]
#[template(path = "estimate.html")]
struct EstimatePage {
    frame: Frame,
    works: Vec<String>,
    partitions: Vec<String>,
    asked: Asked,
    found: Option<Estimate>,
    wrong: Option<String>,
}

impl Asked {
    fn plan(&self) -> Result<Plan, String> {
        let count = |text: &str| text.parse::<Count>().map_err(|error| error.to_string());
        let devices = match self.devices.trim() {
            "" => None,
            text => Some(text.parse::<u32>().map_err(|error| format!("`{text}`: {error}"))?),
        };
        let (parameters, tokens) = (count(&self.parameters)?, count(&self.tokens)?);
        Ok(Plan { work: self.work.clone(), parameters, tokens, devices })
    }
}

/// `GET /estimate`.
pub(crate) async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let (works, partitions) = visit.app.estimable();
    let (mut found, mut wrong) = (None, None);
    if !asked.work.is_empty() {
        let guess = || {
            let partition = asked.partition.parse();
            let partition = partition.map_err(|error: units::NotAKey| error.to_string())?;
            visit.app.estimate(&asked.plan()?, &partition).map_err(|why| why.to_string())
        };
        match guess() {
            Ok(estimate) => found = Some(estimate),
            Err(text) => wrong = Some(text),
        }
    }
    let partitions = partitions.iter().map(ToString::to_string).collect();
    page(&EstimatePage { frame: visit.frame, works, partitions, asked, found, wrong })
}

impl EstimatePage {
    /// What to ask for, in words.
    fn to_ask(&self, found: &Estimate) -> String {
        let t = self.frame.t;
        let count = |count: u64| t.number(i64::try_from(count).unwrap_or(i64::MAX));
        let (hours, devices) = (count(found.hours), count(found.devices));
        let elapsed = count(found.elapsed_hours);
        let said = [
            ("hours", hours.as_str()),
            ("unit", found.meter.hour_name()),
            ("devices", &devices),
            ("device", &found.device),
            ("elapsed", &elapsed),
        ];
        t.fill("estimate-found", &said)
    }
}
