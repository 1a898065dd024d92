//! An assessment for people, as tables and sentences, and for programs, as JSON.

use access::sme::{Addend, Line, Relation, Size};
use serde_json::{Value, json};
use units::PartsPerMillion;

use super::Assessed;
use crate::output::{right, table};

/// The figures of one line, by the names of the fields.
fn figures(size: &Size) -> [(&'static str, i64); 3] {
    [
        ("headcount_awu", i64::from(size.headcount.count())),
        ("turnover_eur", size.turnover.count()),
        ("balance_sheet_eur", size.balance_sheet.count()),
    ]
}

/// How somebody stands to the enterprise.
pub(super) fn relation(addend: &Addend) -> String {
    addend.relation.map_or_else(|| "own".to_owned(), |it| it.to_string())
}

/// The lines that make the figures of the latest period.
pub(super) fn addends<'a>(
    assessed: &'a Assessed<'_>,
) -> impl Iterator<Item = (&'a Line, &'a Addend)> {
    let latest = assessed.assessment.periods.last().map(|period| period.closed_on);
    let lines = assessed.assessment.lines.iter();
    lines
        .filter_map(|line| Some((line, line.addend.as_ref()?)))
        .filter(move |(_, addend)| Some(addend.period) == latest)
}

/// Everything, for programs.
pub(super) fn as_json(assessed: &Assessed<'_>) -> Value {
    let result = &assessed.assessment;
    let sized = |size: &Size, mut value: Value| {
        if let Some(fields) = value.as_object_mut() {
            let figures = figures(size).into_iter();
            fields.extend(figures.map(|(figure, count)| (figure.to_owned(), decimal(count, 2))));
        }
        value
    };
    let lines = addends(assessed).flat_map(|(line, addend)| {
        let size = line.size.unwrap_or_default();
        let both = figures(&addend.whole).into_iter().zip(figures(&size));
        both.map(|((figure, whole), (_, amount))| {
            json!({
                "whose": addend.member.as_str(),
                "name": addend.name,
                "relation": relation(addend),
                "figure": figure,
                "whole": decimal(whole, 2),
                "share": share(line.share.unwrap_or(PartsPerMillion::ONE)),
                "amount": decimal(amount, 2),
                "article": line.article,
                "accounts_of": addend.accounts_of.to_string(),
                "what": line.what,
            })
        })
    });
    let reasons = result.lines.iter().filter(|line| line.addend.is_none()).map(|line| {
        json!({
            "what": line.what, "share": line.share.map(share), "article": line.article,
        })
    });
    let periods = result.periods.iter().map(|period| {
        let known = json!({
            "closed_on": period.closed_on.to_string(), "class": period.class.to_string(),
        });
        sized(&period.size, known)
    });
    let young = assessed
        .start_up
        .as_ref()
        .map(|it| json!({ "holds": it.holds, "reasons": it.reasons, "rule": it.rule.to_string() }));
    let growing = assessed
        .scale_up
        .as_ref()
        .map(|it| json!({ "holds": it.holds, "reasons": it.reasons, "rule": it.rule.to_string() }));
    let known = json!({
        "enterprise": assessed.name(),
        "class": result.class.to_string(),
        "sme": result.class.is_sme(),
        "relation": result.relation.to_string(),
        "public_share": share(result.public_share),
        "lines": lines.collect::<Vec<_>>(),
        "reasons": reasons.collect::<Vec<_>>(),
        "periods": periods.collect::<Vec<_>>(),
        "start_up": young,
        "scale_up": growing,
        "rule": result.rule.to_string(),
    });
    sized(&result.size, known)
}

/// Everything, for people.
pub(super) fn tell(assessed: &Assessed<'_>) {
    let result = &assessed.assessment;
    let sme = if result.class.is_sme() { "an SME" } else { "not an SME" };
    println!("{}: {}, {} ({sme})", assessed.name(), result.class, result.relation);
    if let Some(period) = result.periods.last() {
        println!("\nFigures for the period closed on {}:", period.closed_on);
        println!("{}", calculation(assessed));
    }
    println!("\nEach period by itself, all figures together (Article 2):");
    let header = ["closed on", "headcount (AWU)", "turnover (EUR)", "balance sheet (EUR)", "class"];
    let mut periods = table(
        header,
        result.periods.iter().map(|period| {
            let [awu, turnover, balance] = plain(&period.size);
            [period.closed_on.to_string(), awu, turnover, balance, period.class.to_string()]
        }),
    );
    right(&mut periods, &[1, 2, 3]);
    println!("{periods}");
    println!("\nWhy:");
    for line in result.lines.iter().filter(|line| line.addend.is_none()) {
        let share = line.share.map_or_else(String::new, |share| format!(" [{share}]"));
        println!("  - {}{share} ({})", line.what, line.article);
    }
    let both = [
        ("start-up", assessed.start_up.as_ref().map(|it| (it.holds, &it.reasons, &it.rule))),
        ("scale-up", assessed.scale_up.as_ref().map(|it| (it.holds, &it.reasons, &it.rule))),
    ];
    for (what, (holds, reasons, rule)) in both.into_iter().filter_map(|(a, b)| Some((a, b?))) {
        let not = if holds { "" } else { "not " };
        println!("\n{not}a {what}, by {rule}:");
        for reason in reasons {
            println!("  - {reason}");
        }
    }
    let source = &assessed.definition.source;
    println!("\nby {}: {source}", result.rule);
}

/// Who counts for how much, and the sum, as a table.
pub(super) fn calculation(assessed: &Assessed<'_>) -> comfy_table::Table {
    let rows = addends(assessed).map(|(line, addend)| {
        let [awu, turnover, balance] = plain(&line.size.unwrap_or_default());
        [
            addend.name.clone(),
            relation(addend),
            addend.accounts_of.to_string(),
            line.share.map_or_else(String::new, |share| share.to_string()),
            awu,
            turnover,
            balance,
            line.article.to_string(),
        ]
    });
    let [awu, turnover, balance] = plain(&assessed.assessment.size);
    let empty = String::new;
    let sum = ["together".to_owned(), empty(), empty(), empty(), awu, turnover, balance, empty()];
    let header = [
        "enterprise",
        "relation",
        "accounts of",
        "share",
        "headcount (AWU)",
        "turnover (EUR)",
        "balance sheet (EUR)",
        "article",
    ];
    let mut table = table(header, rows.chain([sum]));
    right(&mut table, &[3, 4, 5, 6]);
    table
}

/// The three figures without their units.
pub(super) fn plain(size: &Size) -> [String; 3] {
    let bare = |text: String, unit: &str| text.replace(unit, "").trim().to_owned();
    [
        bare(size.headcount.to_string(), "AWU"),
        bare(size.turnover.to_string(), "EUR"),
        bare(size.balance_sheet.to_string(), "EUR"),
    ]
}

/// A part of the whole, of which the whole is 1.
fn share(share: PartsPerMillion) -> Value {
    decimal(i64::from(share.parts()), 6)
}

/// `count` of the smallest unit, of which ten to the power of `places` make a whole one, as a
/// number.
fn decimal(count: i64, places: usize) -> Value {
    let digits = format!("{count:0>width$}", width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    if rest.bytes().all(|byte| byte == b'0') {
        return whole.parse::<i64>().map_or(Value::Null, Value::from);
    }
    format!("{whole}.{rest}").parse::<f64>().map_or(Value::Null, Value::from)
}

/// Whether somebody is a partner or linked.
pub(super) fn is(addend: &Addend, relation: Relation) -> bool {
    addend.relation == Some(relation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_where_they_can_be() {
        assert_eq!(decimal(1_250, 2), json!(12.5));
        assert_eq!(decimal(1_200, 2), json!(12));
        assert_eq!(decimal(7, 2), json!(0.07));
        assert_eq!(decimal(300_000, 6), json!(0.3));
        assert_eq!(decimal(1_000_000, 6), json!(1));
        assert_eq!(decimal(0, 2), json!(0));
    }
}
