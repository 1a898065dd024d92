//! Who may call what: every operation of the OpenAPI document, for every role of an organisation,
//! for a stranger from another one, for a token that may only read, for a site and for nobody.
//!
//! An operation enters by being declared. Its requests are made from its schema and from the
//! things of [`World`]; a cell is `yes` when the caller was let in, whatever came of it, and
//! otherwise the status that kept them out.

mod sample;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::body::Body;
use axum::http::Method;
use serde_json::Value;

use sample::Sampler;

use super::world::{self, World};

/// An operation of the document.
struct Operation<'a> {
    method: Method,
    path: &'a str,
    declared: &'a Value,
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, declared) in item.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            all.push(Operation { method, path, declared });
        }
    }
    all
}

#[tokio::test]
async fn every_operation_lets_in_whom_the_table_says() {
    let document = crate::api::document();
    let original = World::new().await;
    let mut world = original.copy().await;
    let mut table = String::new();
    let mut row = |name: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cells: String = cells.map(|cell| format!(" {cell:>5}")).collect();
        writeln!(table, "{name:<66}{cells}").unwrap();
    };
    row("", &mut world::CALLERS.iter().map(|(short, _)| *short));
    for operation in operations(&document) {
        let mut cells = BTreeMap::new();
        for (column, (_, caller)) in world::CALLERS.iter().enumerate() {
            let (cell, changed) = cell(&document, &operation, &world, *caller).await;
            cells.insert(column, cell);
            if changed {
                // A change must not reach the next caller's cell.
                world = original.copy().await;
            }
        }
        let name = format!("{} {}", operation.method, operation.path);
        row(&name, &mut cells.values().map(String::as_str));
    }
    insta::assert_snapshot!(table);
}

/// Whether one caller is let in, and whether the call may have changed the world.
async fn cell(
    document: &Value,
    operation: &Operation<'_>,
    world: &World,
    caller: world::Caller,
) -> (String, bool) {
    let sampler = Sampler { document, world };
    let path = sampler.path(operation.path, operation.declared);
    let (headers, body) = sampler.body(operation.path, operation.declared);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let client = world.client(caller);
    let method = operation.method.clone();
    let status = client.start(method, &path, &headers, Body::from(body)).await;
    let declared = &operation.declared["responses"];
    assert!(
        !declared[status.as_str()].is_null(),
        "{} {path} answered {status} to {caller:?}, which it does not declare",
        operation.method,
    );
    assert!(!status.is_server_error(), "{} {path}: {status}", operation.method);
    let cell = match status.as_u16() {
        refused @ (401 | 403 | 404) => refused.to_string(),
        _ => "yes".to_owned(),
    };
    (cell, status.is_success() && operation.method != Method::GET)
}
