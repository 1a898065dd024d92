//! The newest declaration of an enterprise as a page to print, to date and to sign, in the order of
//! the Commission's model (2003/C 118/03).

use access::organisation::Organisation;
use askama::Template;
use axum::response::Response;
use units::OrganisationId;

use super::{Assessed, assessed};
use crate::extract::Path;
use crate::portal::visit::{Frame, Visit, page};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "declaration_print.html")]
struct PrintedPage {
    frame: Frame,
    organisation: Organisation,
    it: Assessed,
}

/// `GET /organisations/{id}/declaration/print`.
pub(crate) async fn print(
    visit: Visit,
    Path(id): Path<OrganisationId>,
) -> Result<Response, Problem> {
    let organisation = visit.app.organisation(&visit.actor, id).await?;
    let declaration = visit.app.assessment(&visit.actor, id).await?;
    let it = assessed(visit.t(), declaration, None);
    page(&PrintedPage { frame: visit.frame, organisation, it })
}
