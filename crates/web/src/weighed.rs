//! What was weighed of a call, as API and portal tell it: line by line, and in sentences.

use app::calls::{AssumedLoad, Earlier, PartitionWhatIf, PoolWhatIf, Waits};
use twin::award::Answer;
use twin::comparison::Verdict;
use twin::results::{Figure, Results, Scope};
use twin::statistics::Estimate;
use units::{Meter, Work};

/// How long some jobs would wait.
pub(crate) struct Wait<'a> {
    /// `all`, a class of organisation, or `applicants` for the jobs that the awards would bring.
    pub(crate) whom: &'a str,
    /// `mean`, `median` or `95th`, the wait that nineteen of twenty do not exceed.
    pub(crate) figure: &'static str,
    /// As it is, in seconds; absent of jobs that there would be only then.
    pub(crate) before: Option<Estimate>,
    /// With what is asked granted.
    pub(crate) after: Estimate,
    /// The second less the first, from pairs of repetitions with the same load.
    pub(crate) difference: Option<Estimate>,
    /// `better`, `worse`, or `indistinguishable` from chance; absent without a difference.
    pub(crate) verdict: Option<&'static str>,
}

/// The figures that are told, by their names.
const FIGURES: [(&str, Figure); 3] = [
    ("mean", Figure::WaitSecondsMean),
    ("median", Figure::WaitSecondsMedian),
    ("95th", Figure::WaitSeconds95th),
];

/// How long all, each class, and those that would come would wait.
pub(crate) fn waits(answer: &Answer) -> Vec<Wait<'_>> {
    let mut waits = Vec::new();
    for line in answer.after.lines.iter().filter(|line| line.figure == Figure::WaitSecondsMean) {
        let whom = match &line.scope {
            Scope::All => "all",
            Scope::Class(class) => class.as_str(),
            Scope::Size(_) | Scope::Sessions | Scope::Machine(_) | Scope::Pool(..) => continue,
        };
        waits.extend(FIGURES.iter().filter_map(|it| wait(answer, (&line.scope, whom), *it)));
    }
    waits
}

fn wait<'a>(
    answer: &Answer,
    (scope, whom): (&Scope, &'a str),
    (name, figure): (&'static str, Figure),
) -> Option<Wait<'a>> {
    let line = |results: &Results| results.line(scope, figure).map(|line| line.estimate);
    let mut changes = answer.comparison.changes.iter();
    let change = changes.find(|it| it.scope == *scope && it.figure == figure);
    Some(Wait {
        whom,
        figure: name,
        before: line(&answer.before),
        after: line(&answer.after)?,
        difference: change.map(|change| change.difference),
        verdict: change.map(|change| word(change.verdict)),
    })
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Indistinguishable | Verdict::Neutral => "indistinguishable",
    }
}

/// All of it in plain sentences.
pub(crate) fn sentences(weighed: &PartitionWhatIf) -> Vec<String> {
    let beyond = weighed.pools.iter().filter_map(|pool| beyond(pool, weighed.meter));
    let waits = weighed.waits.iter().flatten().flat_map(|it| it.answer.comparison.sentences());
    beyond.chain(waits).collect()
}

/// What is asked of a pool beyond what it has, in a sentence.
fn beyond(pool: &PoolWhatIf, meter: Meter) -> Option<String> {
    (pool.left < Work::ZERO).then(|| {
        let over = Work::seconds(pool.left.count().saturating_neg());
        format!("The pool of {} would be over-granted by {}.", pool.payer, over.display(meter))
    })
}

/// Whose load was assumed, and what was added to it.
pub(crate) fn load(waits: &Waits, meter: Meter) -> String {
    let base = match &waits.load {
        AssumedLoad::History { weeks, jobs } => {
            format!("the partition's own history: {jobs} jobs in {weeks} weeks")
        }
        AssumedLoad::Population { busy, jobs, weeks } => format!(
            "a described population that keeps {busy} of the machine busy, for the history is too \
             short ({jobs} jobs in {weeks} weeks that the machine could run)"
        ),
    };
    match waits.earlier {
        Earlier { allocations: 0, .. } => {
            format!("{base}; hours granted earlier and not used yet are no more than it brings")
        }
        Earlier { allocations, per_day } => format!(
            "{base}; beyond it, {} a day granted earlier and not used yet, of {allocations} {}",
            per_day.display(meter),
            if allocations == 1 { "allocation" } else { "allocations" },
        ),
    }
}
