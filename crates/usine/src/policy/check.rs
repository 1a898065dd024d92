//! `usine policy check`: every file, read as the hub reads it.

use std::path::Path;

use ::jobs::charge::ChargeRules;
use ::jobs::placement::Weights;
use access::document::{Diagnostic, Diagnostics, Document, Figure};
use access::policy::{AccessMode, Entry, Policy};
use anyhow::Result;
use app::{Clock as _, SystemClock};
use jiff::civil::Date;
use serde_json::{Value, json};
use units::Timestamp;

use crate::output::{Audience, table};
use crate::{faults, folders};

/// A policy without faults.
struct Sound {
    access: Policy,
    charge_rules: usize,
    files: Vec<String>,
}

/// Reads the folder and says what is wrong with it, or what holds.
pub(super) fn run(folder: Option<&Path>, audience: Audience) -> Result<()> {
    let documents = folders::policy(folder)?;
    let now = SystemClock.now();
    match sound(&documents, access::day_in_brussels(now)) {
        Ok(policy) => audience.show(&as_json(&policy, now), |_| tell(&policy, now)),
        Err(faults) => faults::refuse(&faults, audience),
    }
}

/// All faults of all files, whoever reads them.
fn sound(documents: &[Document], today: Date) -> Result<Sound, Diagnostics> {
    let mut found = Vec::new();
    let mut keep = |faults: Diagnostics| found.extend(faults.0);
    let (of_access, others): (Vec<Document>, Vec<Document>) =
        documents.iter().cloned().partition(folders::is_access_policy);
    let access = Policy::parse(&of_access).and_then(|it| it.caps_in_force(today).map(|_| it));
    let access = access.map_err(&mut keep).ok();
    let mut charge_rules = None;
    for document in &others {
        let fault =
            |(offset, message)| Diagnostics(vec![Diagnostic::at_offset(document, offset, message)]);
        match document.name.rsplit('/').next().unwrap_or_default() {
            folders::CHARGE_RULES => {
                let read = ChargeRules::parse(&document.text);
                let read = read.map_err(|error| fault(error.fault_in(&document.text)));
                charge_rules = read.map_err(&mut keep).ok().map(|rules| rules.iter().count());
            }
            folders::PLACEMENT => {
                let read = Weights::parse(&document.text).map_err(|error| fault(error.fault()));
                let _ = read.map_err(&mut keep);
            }
            folders::WHAT_IF => {
                let _ = twin::award::Settings::parse(document).map_err(&mut keep);
            }
            _ => keep(fault((0, "is not a policy file; nothing reads it".to_owned()))),
        }
    }
    for file in [folders::CHARGE_RULES, folders::PLACEMENT, folders::WHAT_IF] {
        if !others.iter().any(|it| it.name.rsplit('/').next() == Some(file)) {
            let missing = Document::new(file, "");
            keep(Diagnostics(vec![Diagnostic::at_offset(&missing, 0, "this file is missing")]));
        }
    }
    found.sort();
    let files = documents.iter().map(|document| document.name.clone()).collect();
    match (access, charge_rules) {
        (Some(access), Some(charge_rules)) if found.is_empty() => {
            Ok(Sound { access, charge_rules, files })
        }
        _ => Err(Diagnostics(found)),
    }
}

fn tell(policy: &Sound, now: Timestamp) {
    let today = access::day_in_brussels(now);
    let header = ["mode", "version", "hours", "months", "decided by", "next cut-off"];
    let rows = policy.access.modes(today).map(|mode| {
        let says = &mode.says;
        [
            says.name.clone(),
            mode.rule.from.to_string(),
            format!("{} to {} {}", says.hours_min, says.hours_max, says.meter.hour_name()),
            says.months.map(|months| listed(months)).to_string(),
            decided_by(says).to_owned(),
            next_cut_off(says, now)
                .unwrap_or_else(|| says.cut_offs.map(ToString::to_string).to_string()),
        ]
    });
    println!("{}", table(header, rows));
    for share in policy.access.mode_shares(today) {
        let of = listed(&share.says.modes);
        println!("{}: at most {} of the Union's time ({})", of, share.says.limit, share.rule);
    }
    let later = policy.access.modes_later(today).map(|mode| mode.rule.to_string());
    for rule in later {
        println!("not in force yet: {rule}");
    }
    println!(
        "{} files and {} charge rules are sound; this is what holds on {today}",
        policy.files.len(),
        policy.charge_rules
    );
}

fn as_json(policy: &Sound, now: Timestamp) -> Value {
    let today = access::day_in_brussels(now);
    let mode = |mode: &Entry<AccessMode>| {
        let says = &mode.says;
        json!({
            "rule": mode.rule.to_string(),
            "name": says.name,
            "unit": says.meter.to_string(),
            "hours_min": says.hours_min.known(),
            "hours_max": says.hours_max.known(),
            "months": says.months.known(),
            "decided_by": decided_by(says),
            "cut_offs": says.cut_offs.known().map(ToString::to_string),
            "next_cut_off": next_cut_off(says, now),
            "final_report_months": says.final_report_months.known(),
        })
    };
    let later = policy.access.modes_later(today).map(|mode| mode.rule.to_string());
    json!({
        "valid": true,
        "on": today.to_string(),
        "files": policy.files,
        "modes": policy.access.modes(today).map(mode).collect::<Vec<_>>(),
        "modes_later": later.collect::<Vec<_>>(),
        "shares": policy.access.mode_shares(today).map(|share| json!({
            "rule": share.rule.to_string(),
            "modes": share.says.modes.iter().map(|key| key.as_str()).collect::<Vec<_>>(),
            "limit_parts_per_million": share.says.limit.parts(),
        })).collect::<Vec<_>>(),
        "charge_rules": policy.charge_rules,
    })
}

fn decided_by(mode: &AccessMode) -> &'static str {
    access::document::word(&access::policy::DecidedBy::WORDS, &mode.decided_by)
}

fn next_cut_off(mode: &AccessMode, now: Timestamp) -> Option<String> {
    let Figure::Known(cut_offs, _) = &mode.cut_offs else { return None };
    cut_offs.next(now).map(|at| at.to_string())
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
