//! The OpenAPI document: what the handlers declare, plus what holds for every operation alike.
//!
//! A handler declares its path, its parameters and its answers when all is well. The problems that
//! any operation of its kind can answer, and the `Idempotency-Key`, are added here once.

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::problem::Kind;

/// The document as JSON, complete.
pub(crate) fn document(declared: &OpenApi) -> Value {
    let mut document = serde_json::to_value(declared).unwrap_or_default();
    let head = json!({
        "title": "Usine",
        "version": "1",
        "description": "An AI factory: from the funding decision to the trained model. \
            Instants are RFC 3339 in UTC; amounts of work are integers of unit-seconds beside \
            their unit; lists come in pages with a cursor; errors are problem details (RFC 9457).",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    set(&mut document, "info", head);
    set(&mut document, "security", json!([{ "token": [] }, { "session": [] }]));
    set(&mut document, "servers", json!([{ "url": "/" }]));
    if let Some(components) = document.get_mut("components") {
        set(components, "securitySchemes", schemes());
        set(components, "responses", responses());
    }
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        for (path, item) in paths.iter_mut() {
            complete(path, item);
        }
        // The router's `{*path}` takes the rest of an address; in the document it is a parameter.
        let named = std::mem::take(paths).into_iter();
        *paths = named.map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    }
    document
}

fn set(value: &mut Value, key: &str, content: Value) {
    if let Value::Object(map) = value {
        map.insert(key.to_owned(), content);
    }
}

fn schemes() -> Value {
    json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token: scoped, expiring, shown once (POST /api/v1/tokens).",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": crate::auth::COOKIE_PLAIN,
            "description": "A browser's session. Unsafe calls also need X-CSRF-Token.",
        },
    })
}

/// One shared answer for each status that problems have.
fn responses() -> Value {
    let mut map = Map::new();
    for kind in Kind::ALL {
        let (status, title) = (kind.status(), kind.title());
        let entry = map.entry(format!("Problem{}", status.as_u16())).or_insert_with(|| {
            json!({
                "description": "",
                "content": {
                    crate::problem::MEDIA_TYPE: {
                        "schema": { "$ref": "#/components/schemas/Problem" }
                    }
                }
            })
        });
        let line = format!("`/problems/{}`: {title}.", kind.slug());
        let before = entry.get("description").and_then(Value::as_str).unwrap_or_default();
        let text = if before.is_empty() { line } else { format!("{before}\n{line}") };
        set(entry, "description", Value::String(text));
    }
    Value::Object(map)
}

/// Declares on each operation of `item` what its kind can answer.
fn complete(path: &str, item: &mut Value) {
    let Value::Object(methods) = item else { return };
    for (method, operation) in methods.iter_mut() {
        name(path, operation);
        let statuses = statuses(path, method, operation);
        let unsafe_call = matches!(method.as_str(), "post" | "put" | "patch" | "delete");
        if let Some(Value::Object(answers)) = operation.get_mut("responses") {
            for status in statuses {
                let reference = format!("#/components/responses/Problem{status}");
                answers.entry(status.to_string()).or_insert_with(|| json!({ "$ref": reference }));
            }
        }
        if unsafe_call {
            add_parameter(operation, idempotency_key());
        } else {
            add_parameter(operation, if_none_match());
            if let Some(responses) = operation.get_mut("responses") {
                set(responses, "304", json!({ "description": "It is as the client has it" }));
            }
        }
    }
}

/// Gives the operation a name of its own: what it is about, and what its handler is called.
fn name(path: &str, operation: &mut Value) {
    let handler = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let nouns = path.split('/').filter(|part| !part.is_empty() && !part.starts_with('{'));
    let nouns = nouns.filter(|part| !matches!(*part, "api" | "v1"));
    let name: Vec<_> = nouns.chain([handler]).collect();
    let name = name.join("_");
    set(operation, "operationId", Value::String(name));
}

/// The statuses of the problems that an operation of this shape can answer.
fn statuses(path: &str, method: &str, operation: &Value) -> Vec<u16> {
    let open = operation.get("security").and_then(Value::as_array).is_some_and(|schemes| {
        schemes.is_empty() || schemes.iter().all(|scheme| scheme == &json!({}))
    });
    let has_body = operation.get("requestBody").is_some();
    let has_parameters = operation.get("parameters").is_some();
    // A token that does not work is refused even where none is needed.
    let mut statuses = vec![401, 429, 500, 503];
    if !open {
        statuses.push(403);
    }
    if path.contains('{') {
        statuses.push(404);
    }
    if has_body {
        statuses.extend([413, 415, 422]);
    }
    if method == "get" {
        if has_parameters {
            statuses.push(400);
        }
    } else {
        // Even a call without a body can carry a malformed or reused `Idempotency-Key`.
        statuses.extend([400, 403, 409, 422]);
    }
    statuses
}

fn add_parameter(operation: &mut Value, parameter: Value) {
    let Value::Object(operation) = operation else { return };
    let list = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Value::Array(list) = list {
        list.push(parameter);
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "Names this request, so that sending it again gives the same answer and \
            does nothing twice. Kept for 24 hours.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
    })
}

fn if_none_match() -> Value {
    json!({
        "name": "If-None-Match",
        "in": "header",
        "required": false,
        "description": "The ETag of the state that the client has; answered 304 if it still holds.",
        "schema": { "type": "string" },
    })
}
