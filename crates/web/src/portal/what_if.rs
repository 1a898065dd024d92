//! What granting all that a call is asked would mean, before anybody decides.
//!
//! Pools are looked at at once; waits are simulated for one partition when they are asked for, since
//! that takes a while.

use access::organisation::Class;
use app::calls::{PartitionWhatIf, PoolWhatIf, Simulate};
use askama::Template;
use axum::response::Response;
use serde::Deserialize;
use twin::statistics::Estimate;
use units::{CallId, Meter, PartitionKey, Work};

use super::chart::{Bar, Part};
use super::hours;
use super::tongue::Tongue;
use super::visit::{Frame, Visit, page};
use crate::extract::{Path, Query};
use crate::problem::Problem;
use crate::weighed::{self, Wait};

/// Of which partition waits are wanted.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    partition: Option<String>,
}

#[derive(Template)]
#[template(path = "call_what_if.html")]
struct WhatIfPage {
    frame: Frame,
    call: String,
    title: String,
    places: Vec<Place>,
    assumptions: String,
    rule: String,
}

/// What would come of it on one partition.
struct Place {
    key: String,
    applications: usize,
    pools: Vec<Pool>,
    waits: Option<Result<Waits, String>>,
    sentences: Vec<String>,
}

/// One payer's hours of this quarter, drawn and in words.
struct Pool {
    payer: String,
    bar: Bar,
    hours: String,
    over: bool,
}

/// What would become of waits.
struct Waits {
    load: String,
    groups: Vec<Group>,
}

/// How long somebody's jobs would wait.
struct Group {
    whom: String,
    rows: Vec<Row>,
}

/// One figure of it, in words.
struct Row {
    figure: String,
    before: String,
    after: String,
    difference: String,
    verdict: Option<&'static str>,
}

/// `GET /calls/{id}/what-if`.
pub(crate) async fn show(
    visit: Visit,
    Path(id): Path<CallId>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let only = wanted.partition.map(|key| key.parse::<PartitionKey>()).transpose();
    let only = only.map_err(|error| Problem::field("partition", error.to_string()))?;
    let simulate = only.as_ref().map_or(Simulate::Nothing, Simulate::Only);
    let weighed = visit.app.what_if(&visit.actor, id, simulate).await?;
    let (call, _) = visit.app.call(&visit.actor, id).await?;
    let t = visit.t();
    page(&WhatIfPage {
        call: call.id.to_string(),
        title: call.title,
        places: weighed.partitions.iter().map(|it| place(t, it)).collect(),
        assumptions: weighed.assumptions,
        rule: weighed.rule,
        frame: visit.frame,
    })
}

fn place(t: Tongue, weighed: &PartitionWhatIf) -> Place {
    let waits = weighed.waits.as_ref().map(|known| {
        known.as_ref().map_err(Clone::clone).map(|waits| Waits {
            load: weighed::load(waits, weighed.meter),
            groups: weighed::waits(&waits.answer)
                .chunk_by(|one, next| one.whom == next.whom)
                .filter_map(|waits| group(t, waits))
                .collect(),
        })
    });
    Place {
        key: weighed.partition.to_string(),
        applications: weighed.applications,
        pools: weighed.pools.iter().map(|it| pool(t, it, weighed.meter)).collect(),
        waits,
        sentences: weighed::sentences(weighed),
    }
}

fn pool(t: Tongue, pool: &PoolWhatIf, meter: Meter) -> Pool {
    let part = |class, label: String, work: Work| Part {
        class,
        label,
        value: work.count(),
        text: t.work(work, meter),
    };
    let payer = hours::payer(t, pool.payer);
    let over = pool.left < Work::ZERO;
    let last = if over {
        let beyond = Work::seconds(pool.left.count().saturating_neg());
        // It is part of what is asked, and has no room of its own on the bar.
        Part { value: 0, ..part("over", t.say("what-if-over"), beyond) }
    } else {
        part("rest", t.say("what-if-left"), pool.left)
    };
    let parts = vec![
        part("used", t.say("what-if-granted"), pool.granted),
        part("left", t.say("what-if-asked"), pool.asked),
        last,
    ];
    let whole = pool.hours.count().max(pool.granted.count().saturating_add(pool.asked.count()));
    let bar = Bar { title: payer.clone(), parts, whole };
    Pool { payer, bar, hours: t.work(pool.hours, meter), over }
}

fn group(t: Tongue, waits: &[Wait<'_>]) -> Option<Group> {
    let whom = match waits.first()?.whom {
        "all" => t.say("what-if-all"),
        twin::award::APPLICANTS => t.say("what-if-applicants"),
        class if Class::WORDS.iter().any(|(word, _)| *word == class) => t.sub("holder-", class),
        // A class that only the assumed population knows.
        class => class.to_owned(),
    };
    Some(Group { whom, rows: waits.iter().map(|wait| row(t, wait)).collect() })
}

fn row(t: Tongue, wait: &Wait<'_>) -> Row {
    let known = |estimate: &Option<Estimate>| {
        estimate.as_ref().map_or_else(String::new, |estimate| told(t, estimate))
    };
    Row {
        figure: t.sub("what-if-figure-", wait.figure),
        before: known(&wait.before),
        after: told(t, &wait.after),
        difference: known(&wait.difference),
        verdict: wait.verdict,
    }
}

/// A length of time with its margin; a difference may be below nothing.
fn told(t: Tongue, estimate: &Estimate) -> String {
    let whole = |seconds: f64| seconds.round() as i64;
    let seconds = whole(estimate.mean);
    let sign = if seconds < 0 { "−" } else { "" };
    let length = t.seconds(seconds.saturating_abs());
    match estimate.margin {
        Some(margin) => format!("{sign}{length} ± {}", t.seconds(whole(margin))),
        None => format!("{sign}{length}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_which_way_it_goes_and_how_sure_it_is() {
        let told = |mean, margin| super::told(Tongue::English, &Estimate { mean, margin });
        assert_eq!(told(-125.4, Some(61.0)), "−2\u{a0}min 05\u{a0}s ± 1\u{a0}min 01\u{a0}s");
        assert_eq!(told(0.3, None), "0\u{a0}s");
    }

    #[test]
    fn hours_asked_beyond_a_pool_are_named_and_the_bar_holds_all_that_is_asked() {
        let hours = |count| Work::hours(count).unwrap();
        let asked = PoolWhatIf {
            payer: units::Payer::Union,
            hours: hours(100),
            granted: hours(60),
            asked: hours(90),
            left: Work::seconds(-50 * 3_600),
        };
        let drawn = pool(Tongue::English, &asked, Meter::Gpu);
        assert!(drawn.over);
        assert_eq!(drawn.bar.whole, 150 * 3_600);
        assert!(drawn.bar.key().contains("beyond the pool <strong>50.00"), "{}", drawn.bar.key());
        let fits = PoolWhatIf { asked: hours(10), left: hours(30), ..asked };
        let drawn = pool(Tongue::English, &fits, Meter::Gpu);
        assert!(!drawn.over && drawn.bar.whole == 100 * 3_600);
    }
}
