//! How reviews read.

use anyhow::Result;
use serde_json::Value;

use crate::output::{Audience, entries, text, when};

/// A list of texts in one line.
fn words(value: &Value, pointer: &str) -> String {
    entries(value, pointer).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn truth(value: &Value, pointer: &str) -> Option<bool> {
    value.pointer(pointer).and_then(Value::as_bool)
}

pub(super) fn fields(audience: Audience, fields: &[Value]) -> Result<()> {
    let header = ["key", "field"];
    audience.list(fields, "no fields are set", header, |field| {
        [text(field, "/key"), text(field, "/name")]
    })
}

pub(super) fn profile(profile: &Value) {
    let fields = words(profile, "/fields");
    if fields.is_empty() {
        println!("you have stated nothing yet: usine review profile --field pe6");
        return;
    }
    println!("  {:<16}{fields}", "knows");
    println!("  {:<16}{}", "published with", words(profile, "/published_with"));
    let most = text(profile, "/load_max");
    let most = if most.is_empty() { "as many as the procedure says".to_owned() } else { most };
    println!("  {:<16}{most}", "takes");
}

pub(super) fn own(audience: Audience, own: &[Value]) -> Result<()> {
    let header = ["application", "title", "asked", "why you", "handed in"];
    audience.list(own, "you were asked for no review", header, |one| {
        [
            text(one, "/application"),
            text(one, "/title"),
            when(one, "/assigned_at"),
            text(one, "/reason"),
            when(one, "/submitted_at"),
        ]
    })
}

pub(super) fn dossier(dossier: &Value) {
    println!(
        "{}\n  {} · {}\n",
        text(dossier, "/title"),
        text(dossier, "/organisation"),
        text(dossier, "/call")
    );
    println!("{}\n", text(dossier, "/purpose"));
    println!(
        "  {} hours on {} for {} months; {}",
        text(dossier, "/hours"),
        text(dossier, "/partition"),
        text(dossier, "/months"),
        words(dossier, "/fields")
    );
    for member in entries(dossier, "/team") {
        println!("  with {} ({})", text(member, "/name"), text(member, "/organisation"));
    }
    println!("\npoints from 0 to {} in halves:", text(dossier, "/scale"));
    for criterion in entries(dossier, "/criteria") {
        println!("  {:<24}{}", text(criterion, "/key"), text(criterion, "/question"));
    }
    println!("  by {}\n\nyour review:", text(dossier, "/rule"));
    if let Some(own) = dossier.pointer("/review") {
        review(own);
    }
}

pub(super) fn review(review: &Value) {
    let at = when(review, "/submitted_at");
    let state = if at.is_empty() { "not handed in".to_owned() } else { format!("handed in {at}") };
    println!("  {state}");
    let scores = review.pointer("/scores").and_then(Value::as_object);
    for (criterion, points) in scores.into_iter().flatten() {
        println!("  {criterion:<24}{}", points.as_str().unwrap_or_default());
    }
    for (name, key) in [("to the applicant", "/to_applicant"), ("confidential", "/confidential")] {
        let said = text(review, key);
        if !said.is_empty() {
            println!("  {name}: {said}");
        }
    }
}

pub(super) fn pool(audience: Audience, pool: &[Value]) -> Result<()> {
    let header = ["name", "address", "knows", "asked", "handed in"];
    audience.list(pool, "the pool is empty: usine review pool CALL --add ADDRESS", header, |one| {
        [
            text(one, "/name"),
            text(one, "/email"),
            words(one, "/fields"),
            text(one, "/asked"),
            text(one, "/handed_in"),
        ]
    })
}

pub(super) fn arranged(arranged: &Value, dry_run: bool) {
    let pairs = entries(arranged, "/pairs");
    let verb = if dry_run { "would be asked for" } else { "are asked for" };
    println!("{} reviews {verb}, by {}", pairs.len(), text(arranged, "/rule"));
    for pair in pairs {
        let of = |key: &str| text(pair, key);
        println!("  {} ← {}: {}", of("/title"), of("/name"), of("/reason"));
    }
    for short in entries(arranged, "/short") {
        let of = |key: &str| text(short, key);
        let conflicts = short.pointer("/conflicts").and_then(Value::as_object);
        let conflicts: Vec<String> = conflicts
            .into_iter()
            .flatten()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        let conflicts =
            if conflicts.is_empty() { "no conflicts".to_owned() } else { conflicts.join(", ") };
        println!(
            "  ✗ {}: {} of {} found; {conflicts}; {} take no more",
            of("/title"),
            of("/found"),
            of("/wanted"),
            of("/full")
        );
    }
}

pub(super) fn ranking(audience: Audience, judged: &[Value]) -> Result<()> {
    let header = [
        "place",
        "application",
        "title",
        "hours",
        "feasible",
        "reviews",
        "points",
        "standing",
        "verdict",
    ];
    audience.list(judged, "no application waits for a decision", header, |one| {
        let place = text(one, "/place");
        let tied = truth(one, "/tied") == Some(true);
        let feasible = truth(one, "/feasible").map_or("?", |it| if it { "yes" } else { "no" });
        [
            if tied { format!("{place}=") } else { place },
            text(one, "/application"),
            text(one, "/title"),
            text(one, "/hours"),
            feasible.to_owned(),
            format!("{}/{}", text(one, "/handed_in"), text(one, "/asked")),
            text(one, "/evaluation/total"),
            text(one, "/evaluation/standing"),
            verdict(one.pointer("/verdict")),
        ]
    })
}

/// A verdict in a few words.
pub(in crate::command) fn verdict(verdict: Option<&Value>) -> String {
    let Some(verdict) = verdict.filter(|verdict| !verdict.is_null()) else {
        return String::new();
    };
    let hours = text(verdict, "/hours");
    let what = if hours.is_empty() { "refuse".to_owned() } else { format!("award {hours} hours") };
    let step = if !when(verdict, "/published_at").is_empty() {
        "published"
    } else if !when(verdict, "/adopted_at").is_empty() {
        "adopted"
    } else {
        "proposed"
    };
    format!("{what}, {step}")
}

pub(super) fn case(case: &Value) {
    println!("application {}: {}", text(case, "/application"), text(case, "/state"));
    if let Some(feasible) = truth(case, "/technical/feasible") {
        let mark = if feasible { "✓ feasible" } else { "✗ not feasible" };
        println!("  {mark}: {}", text(case, "/technical/remark"));
    }
    for criterion in entries(case, "/evaluation/criteria") {
        let of = |key: &str| text(criterion, key);
        let mark = if truth(criterion, "/below") == Some(true) { "✗" } else { "✓" };
        println!(
            "  {mark} {:<24}{} ({} to {})",
            of("/criterion"),
            of("/points"),
            of("/spread/0"),
            of("/spread/1")
        );
    }
    let total = text(case, "/evaluation/total");
    if !total.is_empty() {
        println!("  in all {total}: {}", text(case, "/evaluation/standing"));
    }
    for one in entries(case, "/reviews") {
        println!("  review {}", text(one, "/name"));
        review(one);
    }
    let answer = text(case, "/rebuttal/text");
    let until = when(case, "/rebuttal/closes_at");
    if !answer.is_empty() {
        println!("  the applicant answered: {answer}");
    } else if !until.is_empty() {
        println!("  the applicant may answer until {until}");
    }
    let standing = verdict(case.pointer("/verdict"));
    if !standing.is_empty() {
        println!("  verdict: {standing}: {}", text(case, "/verdict/remark"));
    }
    let appeal = text(case, "/appeal/text");
    if !appeal.is_empty() {
        println!("  appeal: {appeal}");
    }
    for (name, key) in [("an award", "/against_award"), ("a refusal", "/against_refusal")] {
        for obstacle in entries(case, key).iter().filter_map(Value::as_str) {
            println!("  before {name}: {obstacle}");
        }
    }
}
