//! The report that a programme officer reads: one page that needs nothing else, without scripts.

use std::fmt::{self, Write as _};

use super::chart::{self, Row};
use super::style::STYLE;
use super::told::{Told, scope_in_words};
use crate::comparison::{Change, Comparison, Verdict, compare};
use crate::results::{Figure, Results, Scope};

/// Text that is safe in HTML and SVG.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mark in self.0.chars() {
            match mark {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                mark => f.write_char(mark)?,
            }
        }
        Ok(())
    }
}

/// A page about one scenario, or about several beside the first.
pub fn html(results: &[Results]) -> String {
    let mut page = String::new();
    // Writing to a `String` does not fail.
    let _ = write(&mut page, results);
    page
}

fn write(page: &mut String, results: &[Results]) -> fmt::Result {
    let names: Vec<&str> = results.iter().map(|it| it.name.as_str()).collect();
    let title = names.join(" · ");
    let title = Escaped(&title);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main>\
         <p class=\"soft\">Digital twin</p><h1>{title}</h1>"
    )?;
    let comparisons = compare(results);
    questions(page, results)?;
    headline(page, results, &comparisons)?;
    waits(page, results)?;
    changes(page, &comparisons)?;
    machines(page, results)?;
    for results in results {
        tables(page, results)?;
    }
    method(page, results)?;
    page.write_str("</main></body></html>\n")
}

fn questions(page: &mut String, results: &[Results]) -> fmt::Result {
    for (index, results) in results.iter().enumerate() {
        let (name, question) = (Escaped(&results.name), Escaped(&results.question));
        write!(
            page,
            "<p><span class=\"key k{}\"></span><strong>{name}</strong> {question}</p>",
            chart::key(index)
        )?;
    }
    Ok(())
}

/// The answer in plain words.
fn headline(page: &mut String, results: &[Results], comparisons: &[Comparison]) -> fmt::Result {
    page.write_str("<h2>In short</h2><ul class=\"say\">")?;
    for results in results {
        write!(page, "<li>{}</li>", Escaped(&summary(results)))?;
    }
    for sentence in comparisons.iter().flat_map(Comparison::sentences) {
        write!(page, "<li>{}</li>", Escaped(&sentence))?;
    }
    page.write_str("</ul>")
}

/// One scenario in a sentence or two.
fn summary(results: &Results) -> String {
    let all = |figure| {
        let line = results.line(&Scope::All, figure)?;
        Some(Told(figure).value(line.estimate.mean))
    };
    let said = |figure| all(figure).unwrap_or_else(|| "an unknown amount".to_owned());
    let mut words = format!(
        "“{}”: a job waits {} on average, half of them at most {}, one in twenty more than {}; \
         the machines are busy for {} of their time.",
        results.name,
        said(Figure::WaitSecondsMean),
        said(Figure::WaitSecondsMedian),
        said(Figure::WaitSeconds95th),
        said(Figure::Utilisation)
    );
    let not_run = results.line(&Scope::All, Figure::JobsNotRun).map(|line| line.estimate.mean);
    if not_run.is_some_and(|count| count > 0.0) {
        words += &format!(" {} jobs found no machine large enough.", said(Figure::JobsNotRun));
    }
    if let Some(lost) = all(Figure::LostHours) {
        words += &format!(" Failures cost {lost} of work.");
    }
    words
}

/// Which scopes a drawing shows.
type Wanted = fn(&Scope) -> bool;

fn waits(page: &mut String, results: &[Results]) -> fmt::Result {
    let kinds: [(&str, Wanted); 3] = [
        ("Who waits how long", |it| matches!(it, Scope::All | Scope::Class(_) | Scope::Sessions)),
        ("By size", |it| matches!(it, Scope::Size(_))),
        ("By machine", |it| matches!(it, Scope::Machine(_))),
    ];
    for (title, wanted) in kinds {
        let rows = wait_rows(results, wanted);
        if rows.is_empty() {
            continue;
        }
        write!(
            page,
            "<h2>{title}</h2><figure>{}<figcaption>Mean time from submission to start. The line \
             through the end of a bar is the range of 95 % confidence.\
             </figcaption></figure>",
            chart::waits(title, &rows)
        )?;
    }
    Ok(())
}

fn wait_rows(results: &[Results], wanted: Wanted) -> Vec<Row> {
    let mut scopes: Vec<Scope> = results.iter().flat_map(Results::scopes).filter(wanted).collect();
    scopes.sort();
    scopes.dedup();
    let mut rows = Vec::new();
    for scope in scopes {
        let before = rows.len();
        for (scenario, results) in results.iter().enumerate() {
            let Some(line) = results.line(&scope, Figure::WaitSecondsMean) else { continue };
            let first = rows.len() == before;
            let label = if first { scope_in_words(&scope) } else { String::new() };
            rows.push(Row { label, scenario, estimate: line.estimate });
        }
    }
    rows
}

const COMPARED: [Figure; 4] = [
    Figure::WaitSecondsMean,
    Figure::WaitSeconds95th,
    Figure::BoundedSlowdown,
    Figure::Utilisation,
];

fn changes(page: &mut String, comparisons: &[Comparison]) -> fmt::Result {
    for comparison in comparisons {
        write!(
            page,
            "<h2>“{}” against “{}”</h2><div class=\"scroll\"><table><tr><th></th>",
            Escaped(&comparison.other),
            Escaped(&comparison.base)
        )?;
        for figure in COMPARED {
            write!(page, "<th>{}</th>", Told(figure).name())?;
        }
        page.write_str("</tr>")?;
        let mut scopes: Vec<&Scope> = comparison.changes.iter().map(|it| &it.scope).collect();
        scopes.dedup();
        for scope in scopes {
            let of = |figure| {
                comparison.changes.iter().find(|it| it.scope == *scope && it.figure == figure)
            };
            if COMPARED.iter().all(|figure| of(*figure).is_none()) {
                continue;
            }
            write!(page, "<tr><td>{}</td>", Escaped(&scope_in_words(scope)))?;
            for figure in COMPARED {
                change_cell(page, of(figure))?;
            }
            page.write_str("</tr>")?;
        }
        page.write_str(
            "</table></div><p class=\"soft\">▲ better, ▼ worse, with the range in which the \
             difference lies at 95 % confidence; pale: not to be told from chance.</p>",
        )?;
    }
    Ok(())
}

fn change_cell(page: &mut String, change: Option<&Change>) -> fmt::Result {
    let Some(change) = change else { return page.write_str("<td></td>") };
    let class = match change.verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Indistinguishable | Verdict::Neutral => "indistinguishable",
    };
    let told = Told(change.figure).change(&change.difference);
    write!(page, "<td class=\"{class}\">{}</td>", Escaped(&told))
}

fn machines(page: &mut String, results: &[Results]) -> fmt::Result {
    page.write_str("<h2>The machines, day by day</h2>")?;
    for (scenario, results) in results.iter().enumerate() {
        for days in &results.days {
            let title = format!("{}: {}", results.name, days.machine);
            write!(
                page,
                "<h3>{}</h3><figure>{}</figure>",
                Escaped(&title),
                chart::days(&title, days, scenario)
            )?;
        }
    }
    page.write_str(
        "<p class=\"soft\">Full colour: the part of the machine that is busy, on average over the \
         day. Pale, on top: what waits for it, as a part of another such machine. The first seed.</p>",
    )
}

const WAITS: [Figure; 5] = [
    Figure::Jobs,
    Figure::WaitSecondsMean,
    Figure::WaitSecondsMedian,
    Figure::WaitSeconds95th,
    Figure::BoundedSlowdown,
];
const USE: [Figure; 4] =
    [Figure::Utilisation, Figure::LostHours, Figure::EnergyKwh, Figure::CarbonKg];
const POOLS: [Figure; 4] =
    [Figure::PoolHours, Figure::UsedHours, Figure::UnusedHours, Figure::OverGrantedHours];

fn tables(page: &mut String, results: &Results) -> fmt::Result {
    write!(page, "<h2>All figures of “{}”</h2>", Escaped(&results.name))?;
    table(page, results, "Waits", &WAITS)?;
    table(page, results, "Use", &USE)?;
    table(page, results, "Pools", &POOLS)?;
    table(page, results, "Fairness", &[Figure::Fairness])
}

/// The rows that have any of the figures, and the figures that any row has.
fn table(page: &mut String, results: &Results, title: &str, figures: &[Figure]) -> fmt::Result {
    let scopes = results.scopes();
    let has = |scope: &Scope, figure: &Figure| results.line(scope, *figure).is_some();
    let figures: Vec<Figure> =
        figures.iter().copied().filter(|it| scopes.iter().any(|scope| has(scope, it))).collect();
    let rows: Vec<&Scope> =
        scopes.iter().filter(|scope| figures.iter().any(|figure| has(scope, figure))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    write!(page, "<div class=\"scroll\"><table><caption>{title}</caption><tr><th></th>")?;
    for figure in &figures {
        write!(page, "<th>{}</th>", Told(*figure).name())?;
    }
    page.write_str("</tr>")?;
    for scope in rows {
        write!(page, "<tr><td>{}</td>", Escaped(&scope_in_words(scope)))?;
        for figure in &figures {
            let line = results.line(scope, *figure);
            let told = line.map(|line| Told(*figure).estimate(&line.estimate));
            write!(page, "<td>{}</td>", Escaped(&told.unwrap_or_default()))?;
        }
        page.write_str("</tr>")?;
    }
    page.write_str("</table></div>")
}

fn method(page: &mut String, results: &[Results]) -> fmt::Result {
    page.write_str("<h2>How this was found</h2>")?;
    for results in results {
        write!(page, "<h3>{}</h3><dl>", Escaped(&results.name))?;
        for (name, words) in &results.described {
            write!(page, "<dt>{}</dt><dd>{}</dd>", Escaped(name), Escaped(words))?;
        }
        let seeds = results.seeds.len();
        write!(page, "<dt>repetitions</dt><dd>{seeds}, each with jobs drawn anew</dd></dl>")?;
    }
    page.write_str(DEFINITIONS)
}

const DEFINITIONS: &str = "<h3>What the words mean</h3><dl>\
    <dt>wait</dt><dd>from submission to the start, the transfer of data included; after a failure, to the start that counted</dd>\
    <dt>bounded slowdown</dt><dd>(wait + run) / run, where runs below 10 s count as 10 s; 1 is no wait at all</dd>\
    <dt>utilisation</dt><dd>what jobs held of what the machine offered, over the measured days</dd>\
    <dt>pool</dt><dd>a payer’s share of what a machine offers; unused is what its users did not ask for, over-granted what they asked beyond it</dd>\
    <dt>fairness</dt><dd>Jain’s index of used over due hours, where due is the pool or what was asked, if that is less: 1 when all payers are served alike, 1/n when one of n has all</dd>\
    <dt>±</dt><dd>half the width of the interval of 95 % confidence, from the repetitions, by Student’s distribution</dd></dl>";
