//! Server-sent events, read as they come.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use reqwest::{Method, RequestBuilder, header};
use serde::de::DeserializeOwned;

use super::retry::Attempts;
use super::{Client, Error};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerEvent {
    /// Its name; `message` when the hub gave none.
    pub name: String,
    /// From where to go on after a break.
    pub id: Option<String>,
    /// Its data.
    pub data: String,
}

impl ServerEvent {
    /// The data as JSON.
    ///
    /// # Errors
    /// When it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.data).map_err(Error::Malformed)
    }
}

/// Events as they come; goes on by itself after a broken connection, from the last event seen.
pub struct EventStream {
    client: Client,
    path: String,
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    parser: Parser,
    last_id: Option<String>,
    attempts: Attempts,
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Client {
    /// Follows the events of `path`.
    ///
    /// # Errors
    /// What the hub answers instead, or that it cannot be reached.
    pub async fn follow(&self, path: &str) -> Result<EventStream, Error> {
        let response = self.carry(|| ask(self, path, None)).await?;
        Ok(EventStream {
            client: self.clone(),
            path: path.to_owned(),
            bytes: response.bytes_stream().boxed(),
            parser: Parser::default(),
            last_id: None,
            attempts: self.patience.attempts(),
        })
    }
}

fn ask(client: &Client, path: &str, last_id: Option<&str>) -> RequestBuilder {
    let request = client.request(Method::GET, path).header(header::ACCEPT, "text/event-stream");
    match last_id {
        Some(id) => request.header("last-event-id", id),
        None => request,
    }
}

impl EventStream {
    /// The next event; `None` when the hub has closed the stream.
    ///
    /// # Errors
    /// When the connection broke and cannot be made again.
    pub async fn next(&mut self) -> Result<Option<ServerEvent>, Error> {
        loop {
            if let Some(event) = self.parser.next_event() {
                self.last_id = event.id.clone().or(self.last_id.take());
                self.attempts = self.client.patience.attempts();
                return Ok(Some(event));
            }
            match self.bytes.next().await {
                None => return Ok(None),
                Some(Ok(bytes)) => self.parser.feed(&bytes),
                Some(Err(error)) => self.reconnect(Error::Interrupted(error)).await?,
            }
        }
    }

    async fn reconnect(&mut self, error: Error) -> Result<(), Error> {
        let Some(pause) = self.attempts.pause_after(&error) else { return Err(error) };
        tokio::time::sleep(pause).await;
        let last_id = self.last_id.clone();
        let request = || ask(&self.client, &self.path, last_id.as_deref());
        let response = self.client.carry(request).await?;
        self.parser = Parser::default();
        self.bytes = response.bytes_stream().boxed();
        Ok(())
    }
}

/// The part of the format that hubs use: lines of `event`, `id` and `data`, comments, and an empty
/// line after each event.
///
/// Source: HTML Living Standard, 9.2.6 "Interpreting an event stream".
#[derive(Debug, Default)]
pub(super) struct Parser {
    bytes: Vec<u8>,
}

impl Parser {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn next_event(&mut self) -> Option<ServerEvent> {
        loop {
            let text = std::str::from_utf8(&self.bytes).unwrap_or_else(|error| {
                let valid = self.bytes.get(..error.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            });
            let (length, block) = first_block(text)?;
            let event = parse(block);
            self.bytes.drain(..length);
            if event.is_some() {
                return event;
            }
        }
    }
}

/// The text up to the first empty line, and how many bytes it takes with that line.
fn first_block(text: &str) -> Option<(usize, &str)> {
    let ends = ["\n\n", "\r\n\r\n"].map(|end| text.find(end).map(|at| (at, end.len())));
    let (at, length) = ends.into_iter().flatten().min()?;
    Some((at.saturating_add(length), text.get(..at)?))
}

fn parse(block: &str) -> Option<ServerEvent> {
    let (mut name, mut id, mut data) = (String::from("message"), None, Vec::new());
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "id" => id = Some(value.to_owned()),
            "data" => data.push(value),
            _ => {}
        }
    }
    (!data.is_empty()).then(|| ServerEvent { name, id, data: data.join("\n") })
}
