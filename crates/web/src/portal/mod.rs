//! The portal: pages rendered here, working without scripts, in English and French.
//!
//! A page's handler asks use cases of `app`, puts what they answer into a template and renders it.
//! Not here: decisions, and any way to the records but through `app`.

mod aid;
mod applications;
mod assets;
mod awards;
mod calls;
mod capacity;
mod case;
mod chart;
mod dashboard;
mod data;
mod device;
mod error;
mod estimate;
mod factory;
mod federation;
mod form;
mod hours;
mod invitations;
pub(crate) mod jobs;
mod notices;
mod organisations;
mod paging;
mod projects;
mod provider;
mod review;
mod settings;
mod sign_in;
mod sites;
mod statement;
mod status;
pub(crate) mod tongue;
mod visit;
mod what_if;

use app::App;
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::oidc::{Providers, WAY_BACK, WAY_OUT};
use crate::settings::Scheme;

pub(crate) use error::for_people;

/// Every page.
pub(crate) fn router(scheme: Scheme, providers: Providers) -> Router<App> {
    Router::new()
        .merge(account())
        .merge(access())
        .merge(work())
        .route("/", get(federation::show))
        .route("/dashboard", get(dashboard::show))
        .route("/factories/{key}", get(factory::show))
        .route("/sites", get(sites::list))
        .route("/sites/{name}", get(sites::show))
        .route("/sites/{name}/code", post(sites::offer))
        .route("/sites/{name}/revoke", post(sites::revoke))
        .route("/sites/{name}/drain", post(sites::drain))
        .route("/sites/{name}/resume", post(sites::resume))
        .route("/sites/{name}/accounts", post(sites::agree))
        .route("/status", get(status::show))
        .route("/estimate", get(estimate::show))
        .route("/problems/{slug}", get(error::explain))
        .route("/assets/{version}/{name}", get(assets::serve))
        .layer(Extension(scheme))
        .layer(Extension(providers))
}

/// From a call to its decision.
fn access() -> Router<App> {
    Router::new()
        .route("/calls", get(calls::list))
        .route("/calls/{id}", get(calls::show))
        .route("/calls/{id}/apply", post(calls::apply))
        .route("/calls/{id}/what-if", get(what_if::show))
        .route("/applications", get(applications::list))
        .route("/applications/{id}", get(applications::show).post(applications::save))
        .route("/applications/{id}/checks", post(applications::save_and_check))
        .route("/applications/{id}/withdraw", post(applications::withdraw))
        .route("/applications/{id}/case", get(case::show).post(case::act))
        .route("/applications/{id}/review", get(review::dossier).post(review::write))
        .route("/calls/{id}/review", get(review::of_call).post(review::arrange))
        .route("/reviews", get(review::own))
        .route("/organisations", get(organisations::list))
        .route("/organisations/new", get(organisations::registration).post(organisations::register))
        .route("/organisations/{id}", get(organisations::show))
        .route("/organisations/{id}/members", post(organisations::add_member))
        .route("/organisations/{id}/verifications", post(organisations::verify))
        .route("/organisations/{id}/aid", get(aid::show).post(aid::declare))
        .route("/state-aid", get(aid::register))
        .route(
            "/organisations/{id}/declaration",
            get(organisations::show_form).post(organisations::declare),
        )
        .route("/organisations/{id}/declaration/print", get(organisations::print))
}

/// What a project does with its hours.
fn work() -> Router<App> {
    Router::new()
        .route("/projects", get(projects::list))
        .route("/projects/{id}", get(projects::show))
        .route("/allocations/{id}/changes", post(awards::change))
        .route("/allocations/{id}/report", post(awards::hand_in))
        .route("/projects/{id}/members", post(projects::add_member))
        .route("/projects/{id}/members/{person}/remove", post(projects::remove_member))
        .route("/projects/{id}/jobs/new", get(jobs::submission).post(jobs::submit))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::show))
        .route("/jobs/{id}/parts/standing", get(jobs::standing_part))
        .route("/jobs/{id}/parts/figures", get(jobs::figures_part))
        .route("/jobs/{id}/log/{stream}", get(jobs::whole_log))
        .route("/jobs/{id}/cancel", post(jobs::cancel))
        .route("/jobs/{id}/move", post(jobs::run_elsewhere))
        .route("/projects/{id}/statement", get(statement::show))
        .route("/data", get(data::list))
        .route("/data/{id}", get(data::repository))
        .route("/data/{id}/revisions/{revision}", get(data::revision))
}

/// Doors and one's own account.
fn account() -> Router<App> {
    let link = get(sign_in::welcome).post(sign_in::redeem);
    Router::new()
        .route("/sign-in", get(sign_in::door).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/register", get(sign_in::registration).post(sign_in::register))
        .route(&format!("{}{{secret}}", crate::SIGN_IN_LINK), link)
        .route(&format!("{WAY_OUT}{{provider}}"), get(provider::go))
        .route(&format!("{WAY_BACK}{{provider}}"), get(provider::back))
        .route("/language", post(sign_in::language))
        .route("/settings", get(settings::show))
        .route("/settings/tokens", post(settings::create_token))
        .route("/settings/tokens/{id}/revoke", post(settings::revoke_token))
        .route("/settings/password", post(settings::set_password))
        .route("/settings/sessions/{id}/end", post(settings::revoke_token))
        .route(crate::DEVICE, get(device::show).post(device::answer))
        .route("/settings/identities", post(provider::add))
        .route("/settings/identities/{id}/remove", post(settings::unlink))
        .route("/invitations", get(invitations::list).post(invitations::send))
        .route("/invitations/{id}/revoke", post(invitations::revoke))
        .route(
            &format!("{}{{secret}}", crate::INVITATION_LINK),
            get(invitations::show).post(invitations::accept),
        )
        .route("/notices", get(notices::list))
        .route("/notices/read", post(notices::read))
        .route("/settings/notices", get(notices::settings).post(notices::keep))
        .route("/settings/webhooks", post(notices::add_webhook))
        .route("/settings/webhooks/{id}/test", post(notices::test_webhook))
        .route("/settings/webhooks/{id}/delete", post(notices::delete_webhook))
        .route("/post", get(notices::post))
}
