//! The lines of the calculation: what was done, for whom, by which article.

use std::borrow::Cow;

use jiff::civil::Date;
use units::{PartsPerMillion, Slug};

use super::counted::Counted;
use super::links::Links;
use super::{AccountingPeriod, Group, Relation, Size};
use crate::policy::SmeDefinition;

/// One line of the calculation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What is done here, and for whom.
    pub what: String,
    /// The figures that this line adds or arrives at.
    pub size: Option<Size>,
    /// The part of somebody's figures, or of a holding, that it is about.
    pub share: Option<PartsPerMillion>,
    /// The article of the Recommendation's annex.
    pub article: Cow<'static, str>,
    /// Whose figures the line adds, when it adds any.
    pub addend: Option<Addend>,
}

/// Figures that count in one period: `size` of the line is `share` of `whole`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addend {
    /// The period of the enterprise that is assessed.
    pub period: Date,
    /// Whose figures they are.
    pub member: Slug,
    /// Its name.
    pub name: String,
    /// How it stands to the enterprise; nothing for the enterprise itself.
    pub relation: Option<Relation>,
    /// The accounts that they were taken from.
    pub accounts_of: Date,
    /// All its figures.
    pub whole: Size,
}

impl Line {
    /// A line in words, with the figures that it arrives at.
    pub(super) fn told(what: String, size: Option<Size>, article: &'static str) -> Self {
        Self { what, size, share: None, article: article.into(), addend: None }
    }

    fn shared(what: String, share: PartsPerMillion, article: &'static str) -> Self {
        Self { what, size: None, share: Some(share), article: article.into(), addend: None }
    }
}

/// Who counts for how much, and which holdings do not matter.
pub(super) fn relations(
    group: &Group,
    links: &Links<'_>,
    counted: &[Counted],
    says: &SmeDefinition,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for it in counted {
        let how = match it.relation {
            Relation::Linked => "linked, its figures count in full",
            _ => "counts with a partner, in proportion to the holding",
        };
        let what = format!("{}: {how}; {}", group.name_of(&it.key), it.why);
        lines.push(Line::shared(what, it.share, it.article));
    }
    let exempt = group.exempt(links, says);
    for (holder, held, share) in &exempt {
        let (holder, held) = (group.name_of(holder), group.name_of(held));
        let what = format!(
            "{holder} in {held}: an investor who may hold up to {} and makes no partner",
            says.investor_up_to
        );
        lines.push(Line::shared(what, *share, "Article 3(2), second subparagraph"));
    }
    let counts = |key: &Slug| *key == group.subject || counted.iter().any(|it| it.key == *key);
    for holding in &group.holdings {
        let told = exempt.iter().any(|it| it.0 == holding.holder && it.1 == holding.held);
        let counted = counts(&holding.holder) && counts(&holding.held);
        if !told && !counted {
            let (holder, held) = (group.name_of(&holding.holder), group.name_of(&holding.held));
            let what = format!("{holder} in {held}: nobody's figures count through this holding");
            lines.push(Line::shared(what, holding.capital.max(holding.voting), "Article 3(1)"));
        }
    }
    if counted.is_empty() {
        let what = "neither partners nor linked enterprises: autonomous".to_owned();
        lines.push(Line::told(what, None, "Article 3(1)"));
    }
    lines.sort_by(|a, b| a.article.cmp(&b.article).reverse().then(a.what.cmp(&b.what)));
    lines
}

/// The figures of the whole group for the period closed on `day`, with a line for each addend.
pub(super) fn combined(group: &Group, counted: &[Counted], day: Date) -> (Size, Vec<Line>) {
    let mut lines = Vec::new();
    let mut total = Size::default();
    let mut add = |key: &Slug, share: PartsPerMillion, relation: Option<Relation>| {
        let Some(member) = group.members.get(key) else { return };
        let Some(accounts) = accounts_at(&member.periods, day) else { return };
        let size = accounts.size.part(share);
        total = total.plus(size);
        let name = &member.name;
        let estimate = if accounts.estimated { "estimate in good faith" } else { "accounts" };
        let what = match relation {
            None => format!("{day}: {estimate} of {name}"),
            Some(_) => format!("{day}: plus {name}, {estimate} of {}", accounts.closed_on),
        };
        let article = match relation {
            _ if accounts.estimated => "Article 4(3)",
            None => "Article 4(1)",
            Some(Relation::Linked) => "Article 6(2), third subparagraph",
            Some(_) => "Article 6(2), second subparagraph",
        };
        let addend = Addend {
            period: day,
            member: key.clone(),
            name: name.clone(),
            relation,
            accounts_of: accounts.closed_on,
            whole: accounts.size,
        };
        let (size, share, addend) = (Some(size), Some(share), Some(addend));
        lines.push(Line { what, size, share, article: article.into(), addend });
    };
    let consolidating = group.consolidating(counted);
    if consolidating.is_none() {
        add(&group.subject, PartsPerMillion::ONE, None);
    }
    for it in counted.iter().filter(|it| it.included_in.is_none()) {
        add(&it.key, it.share, Some(it.relation));
    }
    let included = counted.iter().filter_map(|it| Some((&it.key, it.included_in.as_ref()?)));
    for (key, by) in included.chain(consolidating.iter().map(|by| (&group.subject, by))) {
        let (name, by) = (group.name_of(key), group.name_of(by));
        let what = format!("{day}: {name} is included in the consolidated accounts of {by}");
        lines.push(Line::told(what, None, "Article 6(2) and (3)"));
    }
    (total, lines)
}

/// What public bodies hold, and whether it excludes the class.
pub(super) fn public(share: PartsPerMillion, says: &SmeDefinition) -> Line {
    let limit = says.public_from;
    let what = if share >= limit {
        format!("public bodies hold {share}, at least {limit}: no small or medium-sized enterprise")
    } else {
        format!("public bodies hold {share}, less than {limit}")
    };
    Line::shared(what, share, "Article 3(4)")
}

/// The accounts that go with a period closed on `day`: the latest closed by then, or else the
/// earliest there are.
fn accounts_at(periods: &[AccountingPeriod], day: Date) -> Option<AccountingPeriod> {
    let sorted = super::assess::oldest_first(periods);
    let closed = sorted.iter().rev().find(|period| period.closed_on <= day);
    closed.or_else(|| sorted.first()).copied()
}
