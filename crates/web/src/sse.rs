//! Server-sent events: what a page or a program follows while a job runs.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

/// One event: its name, its data as JSON, and the id from which a client goes on after a break.
#[derive(Clone, Debug)]
pub struct Message<T> {
    /// The event's name, as in `addEventListener`.
    pub name: &'static str,
    /// What a client sends back as `Last-Event-ID`, if it can go on from here.
    pub id: Option<String>,
    /// The data.
    pub data: T,
}

/// What the document says of each event: its fields as they stand in the stream.
#[derive(Clone, Copy, Debug)]
pub struct EventFields;

impl utoipa::PartialSchema for EventFields {
    fn schema() -> RefOr<Schema> {
        let text = |says| ObjectBuilder::new().schema_type(Type::String).description(Some(says));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("event", text("What kind of event it is."))
            .property("id", text("What to send as `Last-Event-ID` to go on after it."))
            .property(
                "data",
                text("The event itself, as JSON.").content_media_type("application/json"),
            )
            .required("event")
            .required("data")
            .into()
    }
}

impl utoipa::ToSchema for EventFields {}

/// Answers with `messages` as they come, and a comment every 15 seconds in between.
pub fn stream<T: Serialize>(messages: impl Stream<Item = Message<T>> + Send + 'static) -> Response {
    let events = messages.map(|message| Ok::<_, Infallible>(event(&message)));
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    let headers = response.headers_mut();
    // Proxies must neither keep nor collect a stream.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

fn event<T: Serialize>(message: &Message<T>) -> Event {
    let data = serde_json::to_string(&message.data).unwrap_or_default();
    let event = Event::default().event(message.name).data(data);
    match &message.id {
        Some(id) => event.id(id),
        None => event,
    }
}
