//! A program asks for a token: the person types its code, sees what asks, and says yes or no.

use app::identity::DeviceRequest;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::form::Form;
use super::visit::{Frame, Visit, page};
use crate::extract::Query;
use crate::problem::Problem;

/// How far the person has come.
enum Step {
    /// They type the code; perhaps not for the first time.
    Code { unknown: bool },
    /// They see what asks.
    Asks(DeviceRequest),
    /// They have answered.
    Answered { yes: bool },
}

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage {
    frame: Frame,
    code: String,
    step: Step,
}

/// The code, when the program has put it into the address.
#[derive(Deserialize)]
pub(crate) struct Typed {
    code: Option<String>,
}

/// `GET /device`.
pub(crate) async fn show(visit: Visit, Query(typed): Query<Typed>) -> Result<Response, Problem> {
    visit.signed_in()?;
    match typed.code {
        Some(code) => asks(visit, code).await,
        None => {
            let step = Step::Code { unknown: false };
            page(&DevicePage { frame: visit.frame, code: String::new(), step })
        }
    }
}

/// `POST /device`: the person says yes or no.
pub(crate) async fn answer(visit: Visit, form: Form) -> Result<Response, Problem> {
    visit.signed_in()?;
    let code = form.text("code").to_owned();
    let yes = form.text("answer") == "yes";
    match visit.app.answer_device(&visit.actor, &code, yes).await {
        Ok(()) => page(&DevicePage { frame: visit.frame, code, step: Step::Answered { yes } }),
        Err(app::Error::NotFound(_)) => unknown(visit, code),
        Err(error) => Err(error.into()),
    }
}

async fn asks(visit: Visit, code: String) -> Result<Response, Problem> {
    match visit.app.device_waiting(&visit.actor, &code).await {
        Ok(request) => page(&DevicePage { frame: visit.frame, code, step: Step::Asks(request) }),
        Err(app::Error::NotFound(_)) => unknown(visit, code),
        Err(error) => Err(error.into()),
    }
}

fn unknown(visit: Visit, code: String) -> Result<Response, Problem> {
    let step = Step::Code { unknown: true };
    let again = page(&DevicePage { frame: visit.frame, code, step })?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
}
