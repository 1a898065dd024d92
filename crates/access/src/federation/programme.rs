//! Reads the document of the programme.

use super::Programme;
use crate::document::{Table, Value};

/// The programme, as `federation.toml` describes it.
pub(super) fn read(table: &Table<'_>) -> Option<Programme> {
    let text = |key| table.required(key, |value| value.figure(Value::text));
    let name = table.required("name", Value::text);
    let investment = table.required("investment_eur", |value| value.figure(Value::euros));
    let union_part = table.required("union_part", |value| value.figure(Value::percent));
    let infrastructure_paid_by = text("infrastructure_paid_by");
    let services_paid_by = text("services_paid_by");
    let member_states = table.required("member_states", |value| value.figure(Value::count));
    let other_states = table.required("other_states", |value| value.figure(Value::number));
    let capacity = text("capacity");
    let deployment = text("deployment");
    let next_cut_off = table.required("next_cut_off", |value| value.figure(Value::date));
    let sectors = table.required("sectors", |value| value.figure(|value| value.list(Value::text)));
    let devices = super::devices::read(table);
    Some(Programme {
        name: name?,
        investment: investment?,
        union_part: union_part?,
        infrastructure_paid_by: infrastructure_paid_by?,
        services_paid_by: services_paid_by?,
        member_states: member_states?,
        other_states: other_states?,
        capacity: capacity?,
        deployment: deployment?,
        next_cut_off: next_cut_off?,
        sectors: sectors?,
        devices,
    })
}
