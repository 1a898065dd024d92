//! One's notices, how one is told, and how letters and webhooks fare.

use app::notices::{
    ByMail, DeliveryState, InboxRecord, Letters, NoticeSettings, PostHealth, Webhook,
};
use app::{Action, FieldError};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::form::Form;
use super::tongue::{Told, Tongue};
use super::visit::{Frame, Visit, local, on_to, page};
use crate::extract::{Path, Query};
use crate::problem::Problem;

/// How many notices one page shows.
const LISTED: u32 = 50;

#[derive(Template)]
#[template(path = "notices.html")]
struct InboxPage {
    frame: Frame,
    items: Vec<Item>,
    older: Option<String>,
    sees_post: bool,
}

/// A notice as the page shows it.
struct Item {
    id: String,
    told: Told,
    at: String,
    unread: bool,
    link: String,
}

/// Where the list begins.
#[derive(Deserialize)]
pub(crate) struct Before {
    before: Option<Uuid>,
}

/// `GET /notices`.
pub(crate) async fn list(visit: Visit, Query(q): Query<Before>) -> Result<Response, Problem> {
    visit.signed_in()?;
    let found = visit.app.inbox(&visit.actor, (false, q.before), LISTED).await?;
    let full = u32::try_from(found.len()).is_ok_and(|count| count >= LISTED);
    let older = found.last().filter(|_| full).map(|it| it.notice.id.to_string());
    let t = visit.t();
    let item = |it: InboxRecord| Item {
        id: it.notice.id.to_string(),
        told: Told::of(t, &it.notice),
        at: t.minute(it.notice.told_at),
        unread: it.read_at.is_none(),
        link: it.notice.link,
    };
    page(&InboxPage {
        items: found.into_iter().map(item).collect(),
        older,
        sees_post: visit.actor.can(Action::ViewPost, &[]),
        frame: visit.frame,
    })
}

/// `POST /notices/read`: marks one as read, or all, and goes where the notice leads.
pub(crate) async fn read(visit: Visit, form: Form) -> Result<Response, Problem> {
    let which = match form.text("id") {
        "" => None,
        id => Some(id.parse().map_err(|_| Problem::field("id", "is no notice"))?),
    };
    visit.app.read_notices(&visit.actor, which).await?;
    let to = form.text("to");
    Ok(on_to(if to.is_empty() { "/notices" } else { local(to) }))
}

#[derive(Template)]
#[template(path = "notice_settings.html")]
struct SettingsPage {
    frame: Frame,
    settings: NoticeSettings,
    tongues: [Tongue; 2],
    mails: [(&'static str, ByMail); 3],
    webhooks: Vec<Hook>,
    wrong: Vec<FieldError>,
    /// The secret of the webhook just added, shown only now.
    secret: Option<String>,
}

/// A webhook as the page shows it.
struct Hook {
    id: String,
    url: String,
    state: String,
    class: &'static str,
    deliveries: Vec<Sent>,
}

/// A delivery as the page shows it.
struct Sent {
    subject: String,
    at: String,
    state: String,
    class: &'static str,
    attempts: u32,
    answer: String,
}

/// `GET /settings/notices`.
pub(crate) async fn settings(visit: Visit) -> Result<Response, Problem> {
    render(visit, Vec::new(), None).await
}

async fn render(
    visit: Visit,
    wrong: Vec<FieldError>,
    secret: Option<String>,
) -> Result<Response, Problem> {
    visit.signed_in()?;
    let mut webhooks = Vec::new();
    for webhook in visit.app.webhooks(&visit.actor).await? {
        webhooks.push(hook(&visit, webhook).await?);
    }
    page(&SettingsPage {
        settings: visit.app.notice_settings(&visit.actor).await?,
        frame: visit.frame,
        tongues: Tongue::ALL,
        mails: ByMail::WORDS,
        webhooks,
        wrong,
        secret,
    })
}

async fn hook(visit: &Visit, webhook: Webhook) -> Result<Hook, Problem> {
    let t = visit.t();
    let deliveries = visit.app.deliveries(&visit.actor, webhook.id).await?;
    let sent = |it: app::notices::Delivery| Sent {
        subject: Told::of(t, &it.notice).subject,
        at: t.minute(it.notice.told_at),
        state: t.sub("webhooks-delivery-", it.state.word()),
        class: match it.state {
            DeliveryState::Delivered => "good",
            DeliveryState::Due => "wait",
            DeliveryState::GivenUp => "bad",
        },
        attempts: it.attempts,
        answer: match (it.status, it.error) {
            (_, Some(error)) => error,
            (Some(status), None) => status.to_string(),
            (None, None) => "–".to_owned(),
        },
    };
    let (state, class) = match (webhook.disabled_at, webhook.failing_since) {
        (Some(at), _) => (t.fill("webhooks-disabled", &[("at", &t.minute(at))]), "bad"),
        (None, Some(at)) => (t.fill("webhooks-failing", &[("at", &t.minute(at))]), "wait"),
        (None, None) => (t.say("webhooks-works"), "good"),
    };
    let deliveries = deliveries.into_iter().map(sent).collect();
    Ok(Hook { id: webhook.id.to_string(), url: webhook.url, state, class, deliveries })
}

/// `POST /settings/notices`.
pub(crate) async fn keep(visit: Visit, form: Form) -> Result<Response, Problem> {
    let language = Tongue::chosen(form.text("language"));
    let language = language.ok_or_else(|| Problem::field("language", "is not one of ours"))?;
    let mail = ByMail::WORDS.iter().find(|(word, _)| *word == form.text("mail"));
    let (_, mail) = mail.ok_or_else(|| Problem::field("mail", "choose one"))?;
    let settings = NoticeSettings {
        language: language.code().to_owned(),
        mail: *mail,
        calls: !form.text("calls").is_empty(),
    };
    visit.app.set_notice_settings(&visit.actor, &settings).await?;
    Ok(on_to("/settings/notices"))
}

/// `POST /settings/webhooks`: adds one and shows its secret this once.
pub(crate) async fn add_webhook(visit: Visit, form: Form) -> Result<Response, Problem> {
    match visit.app.add_webhook(&visit.actor, form.text("url")).await {
        Ok((_, secret)) => render(visit, Vec::new(), Some(secret)).await,
        Err(app::Error::Invalid(wrong)) => {
            let again = render(visit, wrong, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/webhooks/{id}/test`.
pub(crate) async fn test_webhook(
    visit: Visit,
    Path(id): Path<Uuid>,
    _form: Form,
) -> Result<Response, Problem> {
    visit.app.test_webhook(&visit.actor, id).await?;
    Ok(on_to("/settings/notices#webhooks"))
}

/// `POST /settings/webhooks/{id}/delete`.
pub(crate) async fn delete_webhook(
    visit: Visit,
    Path(id): Path<Uuid>,
    _form: Form,
) -> Result<Response, Problem> {
    visit.app.delete_webhook(&visit.actor, id).await?;
    Ok(on_to("/settings/notices#webhooks"))
}

#[derive(Template)]
#[template(path = "post.html")]
struct PostPage {
    frame: Frame,
    server: Option<String>,
    letters: Letters,
    webhooks: (i64, i64),
    unsent: Vec<Unsent>,
}

/// A letter given up, as the page shows it.
struct Unsent {
    to: String,
    subject: String,
    at: String,
    why: String,
}

/// `GET /post`.
pub(crate) async fn post(visit: Visit) -> Result<Response, Problem> {
    visit.signed_in()?;
    let t = visit.t();
    let PostHealth { mail_server, letters, unsent, webhooks } =
        visit.app.post_health(&visit.actor).await?;
    let unsent = unsent.into_iter().map(|it| Unsent {
        subject: Told::of(t, &it.item.notice).subject,
        at: t.minute(it.ended_at),
        to: it.email,
        why: it.error,
    });
    let unsent = unsent.collect();
    page(&PostPage { frame: visit.frame, server: mail_server, letters, webhooks, unsent })
}
