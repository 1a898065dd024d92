//! Reads the document of a factory.

use units::{PartitionKey, Slug};

use super::{Deployment, Factory, Partition, System, SystemKind};
use crate::agreement;
use crate::document::{Figure, Place, Table, Value};
use crate::policy::Caps;

/// A factory as read, with the places that faults between documents point at.
pub(super) struct Described {
    pub(super) factory: Factory,
    pub(super) key_at: Place,
    pub(super) joined_at: Place,
    /// The line of each system's key, in the order of the systems.
    pub(super) systems_at: Vec<Place>,
}

/// A factory; `caps` is the law its agreements are held to.
pub(super) fn read(table: &Table<'_>, caps: &Caps) -> Option<Described> {
    let key = table.required("key", Value::parsed);
    let name = table.required("name", Value::text);
    let hosting_entity = table.required("hosting_entity", Value::text);
    let place = table.required("place", Value::text);
    let country = table.required("country", Value::parsed);
    let described_by = table.required("described_by", Value::source);
    let joined = table.required("joined", |value| value.figure(|it| it.list(Value::parsed)));
    let partners = table.required("partners", |value| value.figure(|it| it.list(Value::text)));
    let sectors = table.required("sectors", |value| value.figure(|it| it.list(Value::text)));
    let systems =
        table.tables("systems", |table| Some((table.place_of("key"), system(table, caps)?)));
    if systems.is_empty() {
        return table.fault_of("systems", "a factory has at least one system: write [[systems]]");
    }
    let (systems_at, systems) = systems.into_iter().unzip();
    let factory = Factory {
        key: key?,
        name: name?,
        hosting_entity: hosting_entity?,
        place: place?,
        country: country?,
        described_by: described_by?,
        joined: joined?,
        partners: partners?,
        sectors: sectors?,
        systems,
    };
    Some(Described {
        factory,
        key_at: table.place_of("key"),
        joined_at: table.place_of("joined"),
        systems_at,
    })
}

fn system(table: &Table<'_>, caps: &Caps) -> Option<System> {
    let key: Option<Slug> = table.required("key", Value::parsed);
    let name = table.required("name", Value::text);
    let kind = table.required("kind", |value| value.choice(&SystemKind::WORDS));
    let deployment = table
        .required("deployment", |value| value.figure(|value| value.choice(&Deployment::WORDS)));
    let expected = table.optional("expected", |value| value.figure(Value::text));
    let vendor = table.required("vendor", |value| value.figure(Value::text));
    let agreement =
        table.optional("agreement", |value| value.table(|table| agreement::read(table, caps)));
    let partitions = table.tables("partitions", |table| partition(table, key.as_ref()));
    Some(System {
        key: key?,
        name: name?,
        kind: kind?,
        deployment: deployment?,
        expected,
        vendor: vendor?,
        agreement,
        partitions,
    })
}

fn partition(table: &Table<'_>, system: Option<&Slug>) -> Option<Partition> {
    let count = |key| table.required(key, |value| value.figure(Value::count));
    let key: Option<Slug> = table.required("key", Value::parsed);
    let name = table.required("name", Value::text);
    let nodes = count("nodes");
    let devices_per_node = table.required("devices_per_node", |value| value.figure(Value::number));
    let devices = table.optional("devices", |value| value.figure(Value::number));
    let device = table.required("device", |value| value.figure(Value::text));
    let cores_per_node = count("cores_per_node");
    let memory_per_node_gb = count("memory_per_node_gb");
    let meter = table.required("meter", Value::parsed);
    let charge_rule = table.required("charge_rule", |value| value.figure(Value::parsed));
    let (nodes, devices_per_node) = (nodes?, devices_per_node?);
    let devices = total_devices(table, &nodes, &devices_per_node, devices)?;
    let devices_at_least = at_least(table, &devices);
    Some(Partition {
        key: PartitionKey { system: system?.clone(), partition: key? },
        name: name?,
        nodes,
        devices_per_node,
        devices,
        devices_at_least,
        device: device?,
        cores_per_node: cores_per_node?,
        memory_per_node_gb: memory_per_node_gb?,
        meter: meter?,
        charge_rule: charge_rule?,
    })
}

/// The least number of devices, which only stands where the exact one is unknown.
fn at_least(table: &Table<'_>, devices: &Figure<u32>) -> Option<Figure<u32>> {
    let stated = table.optional("devices_at_least", |value| value.figure(Value::count));
    if stated.is_some() && devices.known().is_some() {
        return table.fault_of("devices_at_least", "stands beside the exact number; leave one out");
    }
    stated
}

/// The stated total, held against nodes times devices per node; or that product.
fn total_devices(
    table: &Table<'_>,
    nodes: &Figure<u32>,
    per_node: &Figure<u32>,
    stated: Option<Figure<u32>>,
) -> Option<Figure<u32>> {
    let product = match (nodes, per_node) {
        (Figure::Known(nodes, evidence), Figure::Known(per_node, _)) => {
            let Some(product) = nodes.checked_mul(*per_node) else {
                return table.fault_of("nodes", "nodes times devices per node is too large");
            };
            Some(Figure::Known(product, evidence.clone()))
        }
        _ => None,
    };
    match (stated, product) {
        (None, Some(product)) => Some(product),
        (None, None) => Some(Figure::Unknown(
            "it follows from nodes and devices per node, which are not both known".to_owned(),
        )),
        (Some(stated), product) => {
            let other = product.as_ref().and_then(Figure::known);
            match (stated.known(), other) {
                (Some(total), Some(other)) if total != other => table.fault_of(
                    "devices",
                    format!("is {total}, but nodes times devices per node is {other}"),
                ),
                _ => Some(stated),
            }
        }
    }
}
