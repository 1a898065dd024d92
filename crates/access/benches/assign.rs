//! How long it takes to assign reviewers: 500 applications and 300 reviewers, and how that grows.
//!
//! `cargo xtask bench review`. `--peer PYTHON SCRIPT` has the same problem solved by another solver,
//! whose cost must be the same. `--quick` takes one small problem once.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use access::document::Document;
use access::policy::{Field, Policy, Procedure};
use access::review::{Affinity, Assignment, Candidate, Reviewer, assign, conflicts};
use units::Slug;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().collect();
    let quick = words.iter().any(|word| word == "--quick");
    let peer = words.iter().position(|word| word == "--peer");
    let peer = peer.and_then(|place| Some((words.get(place + 1)?, words.get(place + 2)?)));
    let policy = policy()?;
    let day = "2026-11-22".parse()?;
    let procedure = &policy.procedure(&"regular".parse()?, day).ok_or("no procedure")?.says;
    let fields = policy.fields(day);
    let sizes: &[(usize, usize)] =
        if quick { &[(50, 30)] } else { &[(125, 75), (250, 150), (500, 300), (1_000, 600)] };
    println!("applications  reviewers  reviews  short  cost      median ms  fastest  slowest");
    for (applications, reviewers) in sizes {
        let problem = Problem::new((*applications, *reviewers), &fields)?;
        let runs = if quick { 1 } else { 5 };
        let (assignment, times) = problem.solve(runs, (procedure, &fields));
        let cost = problem.cost(&assignment, procedure);
        println!(
            "{applications:>12}  {reviewers:>9}  {:>7}  {:>5}  {cost:<8}  {}",
            assignment.pairs.len(),
            assignment.short.len(),
            shown(&times),
        );
        if let (Some((python, script)), true) = (peer, (*applications, *reviewers) == (500, 300)) {
            beside(&problem, (procedure, &fields), (python, script), (cost, &times))?;
        }
    }
    Ok(())
}

/// The policy of the project.
fn policy() -> Outcome<Policy> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy");
    let read = |file: &&str| {
        let text = std::fs::read_to_string(format!("{root}/{file}"))?;
        Ok::<_, std::io::Error>(Document::new(format!("policy/{file}"), text))
    };
    let documents: Vec<Document> = Policy::FILES.iter().map(read).collect::<Result<_, _>>()?;
    Policy::parse(&documents).map_err(|faults| faults.to_string().into())
}

/// Applications and reviewers, made up from one seed.
struct Problem {
    pool: Vec<Reviewer>,
    candidates: Vec<Candidate>,
}

impl Problem {
    fn new((applications, reviewers): (usize, usize), fields: &[Field]) -> Outcome<Self> {
        let mut state = 1_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap_or(0) % below
        };
        let mut known = |most: usize| -> BTreeSet<Slug> {
            let count = 1 + draw(most);
            (0..count).filter_map(|_| Some(fields.get(draw(fields.len()))?.key.clone())).collect()
        };
        let houses = applications / 2 + 1;
        let mut pool = Vec::new();
        for number in 0..reviewers {
            pool.push(Reviewer {
                person: id(1, number)?,
                organisations: [id(2, number % houses)?].into(),
                mail: None,
                fields: known(3),
                published_with: Vec::new(),
                load_max: 8,
            });
        }
        let mut candidates = Vec::new();
        for number in 0..applications {
            candidates.push(Candidate {
                application: id(3, number)?,
                organisation: id(2, number % houses)?,
                undertaking: BTreeSet::new(),
                team: Vec::new(),
                fields: known(2),
                declared: BTreeMap::new(),
                judged_by: BTreeSet::new(),
            });
        }
        Ok(Self { pool, candidates })
    }

    fn solve(
        &self,
        runs: usize,
        (procedure, fields): (&Procedure, &[Field]),
    ) -> (Assignment, Vec<Duration>) {
        let mut times = Vec::new();
        let mut found = Assignment::default();
        for _ in 0..runs {
            let start = Instant::now();
            let rules = (procedure, fields, &[][..]);
            found = assign((&self.pool, &self.candidates), rules, &mut |_, _| {});
            times.push(start.elapsed());
        }
        times.sort();
        (found, times)
    }

    /// What an assignment costs: the distance of fields, and what each further application adds.
    fn cost(&self, assignment: &Assignment, procedure: &Procedure) -> u64 {
        let mut loads: BTreeMap<_, u64> = BTreeMap::new();
        let mut cost = 0;
        for pair in &assignment.pairs {
            let load = loads.entry(pair.reviewer).or_default();
            cost += *load + u64::from(distance(pair.affinity, procedure));
            *load += 1;
        }
        cost
    }

    /// The same problem as lines: `reviews`, one `load` a reviewer, one `pair` a possible choice.
    fn written(&self, (procedure, fields): (&Procedure, &[Field])) -> Outcome<String> {
        let mut text = format!("reviews {} {}\n", procedure.reviewers, self.candidates.len());
        for reviewer in &self.pool {
            writeln!(text, "load {}", reviewer.load_max)?;
        }
        let domain = |key: &Slug| fields.iter().find(|it| it.key == *key).map(|it| &it.domain);
        for (asking, candidate) in self.candidates.iter().enumerate() {
            let domains: BTreeSet<_> = candidate.fields.iter().filter_map(domain).collect();
            for (judging, reviewer) in self.pool.iter().enumerate() {
                if !conflicts(reviewer, candidate, &[]).is_empty() {
                    continue;
                }
                let near = reviewer.fields.iter().filter_map(domain).any(|it| domains.contains(it));
                let affinity = match reviewer.fields.is_disjoint(&candidate.fields) {
                    false => Affinity::Field,
                    true if near => Affinity::Domain,
                    true => Affinity::Other,
                };
                writeln!(text, "pair {asking} {judging} {}", distance(affinity, procedure))?;
            }
        }
        Ok(text)
    }
}

fn distance(affinity: Affinity, procedure: &Procedure) -> u32 {
    match affinity {
        Affinity::Field => 0,
        Affinity::Domain => procedure.cost_of_domain,
        Affinity::Other => procedure.cost_of_other,
    }
}

fn id<T: std::str::FromStr<Err: Error + 'static>>(kind: u32, number: usize) -> Outcome<T> {
    Ok(format!("{kind:08x}-0000-0000-0000-{number:012}").parse()?)
}

fn shown(times: &[Duration]) -> String {
    let millis = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let middle = times.get(times.len() / 2);
    format!(
        "{:>9.1}  {:>7.1}  {:>7.1}",
        millis(middle),
        millis(times.first()),
        millis(times.last())
    )
}

/// Has the same problem solved by the peer, which prints its cost and its milliseconds.
fn beside(
    problem: &Problem,
    rules: (&Procedure, &[Field]),
    (python, script): (&str, &str),
    (cost, times): (u64, &[Duration]),
) -> Outcome<()> {
    let file = std::env::temp_dir().join(format!("usine-bench-assign-{}", std::process::id()));
    std::fs::write(&file, problem.written(rules)?)?;
    let output = Command::new(python).arg(script).arg(&file).output();
    std::fs::remove_file(&file)?;
    let output = output?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.split_whitespace();
    let (Some(theirs), Some(millis)) = (words.next(), words.next()) else {
        return Err(format!("the peer said {}", String::from_utf8_lossy(&output.stderr)).into());
    };
    if theirs.parse() != Ok(cost) {
        return Err(format!("the peer's assignment costs {theirs}, ours {cost}").into());
    }
    let ours = times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let ratio = ours / millis.parse::<f64>()?;
    println!("OR-Tools, same cost: {millis} ms; ours takes {ratio:.2} times as long");
    Ok(())
}
