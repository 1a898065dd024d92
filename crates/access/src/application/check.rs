//! What is checked, one finding each, whether the draft is finished or not.

use std::fmt;

use units::{Meter, Work};

use super::state_aid::state_aid;
use super::{Draft, Reason, Situation};
use crate::call::Stage;
use crate::document::{Figure, word};
use crate::organisation::OrganisationKind;
use crate::policy::Review;

/// The checks of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The call takes applications.
    CallOpen,
    /// The title is there.
    Title,
    /// The purpose is there.
    Purpose,
    /// The mode is for organisations of this kind and size.
    Audience,
    /// The hours are free of charge for it.
    Free,
    /// Its state is among those that may ask.
    Country,
    /// The partition is one of the call's, counted in the mode's unit.
    Partition,
    /// The hours lie within the bounds.
    Hours,
    /// The length is one of those allowed.
    Months,
    /// It has not too many awards already.
    OpenAwards,
    /// The duties are accepted.
    Duties,
    /// The pool still has the hours.
    Pool,
    /// No more is promised than the pool's payer can deliver in that time.
    Commitment,
    /// The modes that share a part of the Union's time have not used it up.
    ModeShare,
    /// State aid stays within the ceiling.
    StateAid,
    /// The mode is decided by the rules, and the partition can do it in time.
    Technical,
    /// It says what it is about, where peers review.
    Fields,
    /// People have decided.
    Review,
}

impl Check {
    /// The checks, by name.
    pub const WORDS: [(&str, Self); 18] = [
        ("call-open", Self::CallOpen),
        ("title", Self::Title),
        ("purpose", Self::Purpose),
        ("audience", Self::Audience),
        ("free", Self::Free),
        ("country", Self::Country),
        ("partition", Self::Partition),
        ("hours", Self::Hours),
        ("months", Self::Months),
        ("open-awards", Self::OpenAwards),
        ("duties", Self::Duties),
        ("pool", Self::Pool),
        ("commitment", Self::Commitment),
        ("mode-share", Self::ModeShare),
        ("state-aid", Self::StateAid),
        ("technical", Self::Technical),
        ("fields", Self::Fields),
        ("review", Self::Review),
    ];
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// How a check came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Fulfilled; the text says by what.
    Passed(String),
    /// Something is still to be written or declared; the text says what.
    Open(String),
    /// Not fulfilled.
    Failed(Reason),
}

/// One check and how it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// How it came out.
    pub outcome: Outcome,
}

impl Finding {
    /// Whether it is fulfilled.
    pub const fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed(_))
    }
}

/// Where `draft` stands: every check, in the order in which people fill in the form.
pub fn check(draft: &Draft, situation: &Situation<'_>) -> Vec<Finding> {
    type Run = fn(&Draft, &Situation<'_>) -> Outcome;
    let checks: [(Check, Run); 16] = [
        (Check::CallOpen, call_open),
        (Check::Country, country),
        (Check::Audience, audience),
        (Check::Free, free),
        (Check::OpenAwards, open_awards),
        (Check::Title, title),
        (Check::Purpose, purpose),
        (Check::Fields, fields),
        (Check::Partition, partition),
        (Check::Hours, hours),
        (Check::Months, months),
        (Check::Duties, duties),
        (Check::Pool, pool),
        (Check::Commitment, commitment),
        (Check::ModeShare, mode_share),
        (Check::StateAid, state_aid),
    ];
    let peers = situation.mode.says.reviews.contains(&Review::Peer);
    checks
        .into_iter()
        .filter(|(check, _)| peers || *check != Check::Fields)
        .map(|(check, run)| Finding { check, outcome: run(draft, situation) })
        .collect()
}

fn call_open(_: &Draft, situation: &Situation<'_>) -> Outcome {
    let failed = |found: String| failed(situation, Check::CallOpen, found, "it must be open");
    match situation.call.stage(situation.now) {
        Stage::Open { closes_at: None } => Outcome::Passed("the call is always open".to_owned()),
        Stage::Open { closes_at: Some(at) } => {
            Outcome::Passed(format!("the call is open until {at}"))
        }
        Stage::Planned { opens_at } => failed(format!("the call opens on {opens_at}")),
        Stage::Closed { closed_at } => failed(format!("the call closed on {closed_at}")),
    }
}

fn country(_: &Draft, situation: &Situation<'_>) -> Outcome {
    let (mode, country) = (&situation.mode.says, situation.applicant.country);
    match situation.policy.group_of(country, &mode.countries, situation.today()) {
        Some(group) => Outcome::Passed(format!("{country}: {} ({})", group.says.name, group.rule)),
        None => failed(
            situation,
            Check::Country,
            format!("the organisation is established in {country}"),
            "it must be established in a member state or a state that takes part",
        ),
    }
}

fn audience(_: &Draft, situation: &Situation<'_>) -> Outcome {
    let mode = &situation.mode.says;
    let audiences = situation.applicant.audiences();
    if let Some(found) = mode.who.iter().find(|who| audiences.contains(who)) {
        return Outcome::Passed(format!("open to {found}"));
    }
    if undeclared(situation) {
        return Outcome::Open(
            "declare the enterprise's data, which hold for a year, so that its size can be assessed"
                .to_owned(),
        );
    }
    let allowed = format!("{} is for {}", mode.name, list(&mode.who));
    failed(situation, Check::Audience, format!("the organisation is {}", list(&audiences)), allowed)
}

fn free(_: &Draft, situation: &Situation<'_>) -> Outcome {
    let free_for = match &situation.mode.says.free_for {
        Figure::Known(free_for, _) => free_for,
        Figure::Unknown(note) => {
            let found = format!("it is unknown for whom the hours are free ({note})");
            return failed(situation, Check::Free, found, "people must decide");
        }
    };
    let audiences = situation.applicant.audiences();
    if let Some(found) = free_for.iter().find(|who| audiences.contains(who)) {
        return Outcome::Passed(format!("free of charge for {found}"));
    }
    if undeclared(situation) {
        return Outcome::Open(
            "declare the enterprise's data: the hours are free of charge for small and \
             medium-sized enterprises and start-ups"
                .to_owned(),
        );
    }
    failed(
        situation,
        Check::Free,
        format!("the hours would have to be paid for: the organisation is {}", list(&audiences)),
        format!("they are free of charge for {}, and no price is set", list(free_for)),
    )
}

fn open_awards(_: &Draft, situation: &Situation<'_>) -> Outcome {
    let open = situation.open_awards;
    match &situation.mode.says.open_awards_max {
        Figure::Known(max, _) if open >= *max => failed(
            situation,
            Check::OpenAwards,
            format!("the organisation holds {open} awards of this mode that have not ended"),
            format!("at most {max} at a time"),
        ),
        Figure::Known(max, _) => Outcome::Passed(format!("{open} of at most {max} open awards")),
        Figure::Unknown(_) => Outcome::Passed(format!("{open} open awards, no limit is known")),
    }
}

fn title(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    written(situation, Check::Title, &draft.title, Draft::TITLE_LENGTH_MAX)
}

fn purpose(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    written(situation, Check::Purpose, &draft.purpose, Draft::PURPOSE_LENGTH_MAX)
}

fn fields(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    let known = situation.policy.fields(situation.today());
    let unknown = draft.fields.iter().find(|key| !known.iter().any(|field| field.key == **key));
    if let Some(key) = unknown {
        let found = format!("`{key}` is no field of knowledge");
        let keys: Vec<_> = known.into_iter().map(|field| field.key).collect();
        return failed(situation, Check::Fields, found, list(&keys));
    }
    match draft.fields.len() {
        0 => Outcome::Open("say what it is about, so that those who know it review it".to_owned()),
        _ => Outcome::Passed(list(&draft.fields)),
    }
}

fn partition(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    let offered = list(&situation.call.partitions);
    let Some(asked) = &draft.partition else {
        return Outcome::Open(format!("choose a partition: {offered}"));
    };
    if !situation.call.partitions.contains(asked) {
        let found = format!("{asked} is not offered in this call");
        return failed(situation, Check::Partition, found, format!("it offers {offered}"));
    }
    let meter = situation.mode.says.meter;
    match situation.offer {
        Some(offer) if offer.meter != meter => failed(
            situation,
            Check::Partition,
            format!("{asked} is counted in {}", offer.meter.hour_name()),
            format!("{} counts {}", situation.mode.says.name, meter.hour_name()),
        ),
        _ => Outcome::Passed(format!("{asked} is offered")),
    }
}

fn hours(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    let mode = &situation.mode.says;
    let unit = mode.meter.hour_name();
    let range = format!("{} to {} {unit}", mode.hours_min, mode.hours_max);
    let Some(asked) = draft.hours else {
        return Outcome::Open(format!("say how many hours: {range}"));
    };
    let low = mode.hours_min.known().filter(|min| asked < **min);
    let high = mode.hours_max.known().filter(|max| asked > **max);
    match low.or(high) {
        None => Outcome::Passed(format!("{asked} {unit}, within {range}")),
        Some(bound) => Outcome::Failed(Reason {
            fits: Some(format!("{bound} {unit}")),
            ..reason(situation, Check::Hours, format!("{asked} {unit} are asked"), range)
        }),
    }
}

fn months(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    let Some(allowed) = situation.mode.says.months.known() else {
        return Outcome::Passed("the length is for people to decide".to_owned());
    };
    let choices = format!("{} months are possible", list(allowed));
    match draft.months {
        None => Outcome::Open(format!("say for how long: {choices}")),
        Some(months) if allowed.contains(&months) => Outcome::Passed(format!("{months} months")),
        Some(months) => Outcome::Failed(Reason {
            fits: allowed.iter().min_by_key(|it| it.abs_diff(months)).map(|it| format!("{it}")),
            ..reason(situation, Check::Months, format!("{months} months are asked"), choices)
        }),
    }
}

fn duties(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    let duties = situation.mode.says.duties.known().map_or_else(String::new, |it| list(it));
    if draft.duties_accepted {
        Outcome::Passed(format!("accepted: {duties}"))
    } else {
        Outcome::Open(format!("accept the duties: {duties}"))
    }
}

fn pool(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    let (Some(hours), Some(partition)) = (draft.hours, &draft.partition) else {
        return Outcome::Open("choose partition and hours to see what is left".to_owned());
    };
    let Some(offer) = situation.offer else {
        let found = format!("{partition} has no pool that this mode draws on in this period");
        let allowed = format!("the hours come from the pool `{}`", situation.mode.says.draws_on);
        return failed(situation, Check::Pool, found, allowed);
    };
    let left = shown(offer.remaining, offer.meter);
    let asked = Work::hours(i64::from(hours)).unwrap_or(Work::seconds(i64::MAX));
    if asked <= offer.remaining {
        return Outcome::Passed(format!("{left} are left"));
    }
    let whole_hours = offer.remaining.count().div_euclid(3_600);
    let found = format!("{} are asked", shown(asked, offer.meter));
    Outcome::Failed(Reason {
        fits: (whole_hours > 0).then(|| format!("{whole_hours} {}", offer.meter.hour_name())),
        ..reason(situation, Check::Pool, found, format!("{left} are left in this period"))
    })
}

fn commitment(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    let (Some(hours), Some(_)) = (draft.hours, draft.months) else {
        return Outcome::Open("say how many hours and for how long".to_owned());
    };
    let asked = Work::hours(i64::from(hours)).unwrap_or(Work::seconds(i64::MAX));
    match (beyond_commitment(asked, situation), situation.commitment) {
        (Some(reason), _) => Outcome::Failed(reason),
        (None, Some((rule, promised))) => Outcome::Passed(format!(
            "{} can be promised for that time ({})",
            shown(promised.left(rule.says.factor), situation.mode.says.meter),
            rule.rule
        )),
        (None, None) => Outcome::Passed("no bound is set on what is promised".to_owned()),
    }
}

/// Why `asked` would promise more than the pool's payer delivers in that time.
pub(super) fn beyond_commitment(asked: Work, situation: &Situation<'_>) -> Option<Reason> {
    let meter = situation.mode.says.meter;
    let (rule, promised) = situation.commitment?;
    let left = promised.left(rule.says.factor);
    if asked <= left {
        return None;
    }
    let whole_hours = left.count().div_euclid(3_600);
    let found = format!("{} are asked", shown(asked, meter));
    let allowed = format!(
        "{} can be promised: {} of the {} that its part delivers in that time, less the {} that \
         open awards are likely to use",
        shown(left, meter),
        rule.says.factor,
        shown(promised.delivered, meter),
        shown(promised.likely, meter),
    );
    Some(Reason {
        rule: rule.rule.to_string(),
        fits: (whole_hours > 0).then(|| format!("{whole_hours} {}", meter.hour_name())),
        ..reason(situation, Check::Commitment, found, allowed)
    })
}

fn mode_share(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    let Some(hours) = draft.hours else {
        return Outcome::Open(
            "say how many hours to see what is left of the mode's share".to_owned(),
        );
    };
    let asked = Work::hours(i64::from(hours)).unwrap_or(Work::seconds(i64::MAX));
    match beyond_share(asked, situation) {
        Some(reason) => Outcome::Failed(reason),
        None => Outcome::Passed(match situation.shares.iter().min_by_key(|it| it.remaining) {
            Some(tightest) => format!(
                "{} are left of {} of the Union's time ({})",
                shown(tightest.remaining, situation.mode.says.meter),
                tightest.limit,
                tightest.rule
            ),
            None => "no share of the Union's time is set for this mode".to_owned(),
        }),
    }
}

/// Why `asked` would take more than a share of the Union's time allows.
pub(super) fn beyond_share(asked: Work, situation: &Situation<'_>) -> Option<Reason> {
    let meter = situation.mode.says.meter;
    let broken = situation.shares.iter().find(|share| asked > share.remaining)?;
    let whole_hours = broken.remaining.count().div_euclid(3_600);
    let found = format!("{} are asked", shown(asked, meter));
    let allowed = format!(
        "{} are left of {} of the Union's time",
        shown(broken.remaining, meter),
        broken.limit
    );
    Some(Reason {
        rule: broken.rule.to_string(),
        fits: (whole_hours > 0).then(|| format!("{whole_hours} {}", meter.hour_name())),
        ..reason(situation, Check::ModeShare, found, allowed)
    })
}

/// Whether an enterprise has not declared its data yet.
fn undeclared(situation: &Situation<'_>) -> bool {
    situation.applicant.kind == OrganisationKind::Enterprise
        && situation.applicant.assessment.is_none()
}

fn written(situation: &Situation<'_>, check: Check, text: &str, max: usize) -> Outcome {
    let length = text.chars().count();
    match length {
        _ if text.trim().is_empty() => Outcome::Open(format!("write the {check}")),
        _ if length > max => {
            let found = format!("the {check} has {length} characters");
            failed(situation, check, found, format!("at most {max}"))
        }
        _ => Outcome::Passed(format!("{length} characters")),
    }
}

/// A refusal under the mode's entry of policy.
pub(super) fn reason(
    situation: &Situation<'_>,
    check: Check,
    found: impl Into<String>,
    allowed: impl Into<String>,
) -> Reason {
    let rule = situation.mode.rule.to_string();
    Reason { rule, check, found: found.into(), allowed: allowed.into(), fits: None }
}

fn failed(
    situation: &Situation<'_>,
    check: Check,
    found: impl Into<String>,
    allowed: impl Into<String>,
) -> Outcome {
    Outcome::Failed(reason(situation, check, found, allowed))
}

fn shown(work: Work, meter: Meter) -> String {
    work.display(meter).to_string()
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

impl Situation<'_> {
    /// The day in Brussels, on which policy turns.
    pub(super) fn today(&self) -> jiff::civil::Date {
        crate::day_in_brussels(self.now)
    }
}
