//! Who calls, and whether a README can be read.

use app::{Ability, App};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Refused;
use crate::Actor;
use crate::auth::Credential;

/// The account behind the token, and its projects: they own repositories as organisations do.
pub(super) async fn whoami(
    State(app): State<App>,
    actor: Actor,
    by: Credential,
) -> Result<Json<Value>, Refused> {
    let account = app.me(&actor).await?;
    let token = match by.secret() {
        Some(secret) => app.authenticate(secret).await?.token.to_string(),
        None => String::new(),
    };
    let writes = actor.abilities().iter().any(|ability| ability == Ability::Data);
    let orgs: Vec<Value> = app
        .own_projects(&actor)
        .await?
        .into_iter()
        .map(|owned| {
            json!({
                "type": "org",
                "id": owned.project.to_string(),
                "name": owned.handle.to_string(),
                "fullname": owned.title,
            })
        })
        .collect();
    Ok(Json(json!({
        "type": "user",
        "id": account.id.to_string(),
        "name": account.email,
        "fullname": account.name,
        "email": account.email,
        "emailVerified": false,
        "isPro": false,
        "orgs": orgs,
        "auth": {
            "type": "access_token",
            "accessToken": {
                "displayName": format!("usine-{token}"),
                "role": if writes { "write" } else { "read" },
            },
        },
    })))
}

/// A README that a client is about to send.
#[derive(Deserialize)]
pub(super) struct Card {
    content: String,
}

/// Finds fault with a README whose head was begun and not ended; what the head says is the
/// repository's own business.
pub(super) async fn validate_card(Json(card): Json<Card>) -> Json<Value> {
    let mut lines = card.content.lines();
    let begun = lines.next().is_some_and(|line| line.trim_end() == "---");
    let errors = if begun && !lines.any(|line| line.trim_end() == "---") {
        vec![json!({ "message": "the head begins with --- and does not end with ---" })]
    } else {
        vec![]
    };
    Json(json!({ "errors": errors, "warnings": [] }))
}
