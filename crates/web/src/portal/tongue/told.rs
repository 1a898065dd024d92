//! Notices in words: what happened and why, and what to do next.

use app::notices::{Fact, Facts, NoticeRecord};
use fluent_bundle::{FluentArgs, FluentValue};

use super::Tongue;

/// A notice in the words of a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// What happened, in one line.
    pub(crate) subject: String,
    /// What happened and why.
    pub(crate) text: String,
    /// What to do next.
    pub(crate) next: String,
}

impl Told {
    /// What a notice says in a language.
    pub(crate) fn of(t: Tongue, notice: &NoticeRecord) -> Self {
        Self::new(t, &notice.kind, &notice.facts)
    }

    /// What notices of `kind` say about `facts`. One of a kind that this version does not know any
    /// more says its kind.
    pub(super) fn new(t: Tongue, kind: &str, facts: &Facts) -> Self {
        let args = gaps(t, facts);
        let key = format!("told-{}", kind.replace('.', "-"));
        let part = |end: &str| t.try_fill(&format!("{key}{end}"), &args);
        let line = part("").unwrap_or_else(|| kind.to_owned());
        Self {
            // What people have written may span lines; a subject does not.
            subject: line.split_whitespace().collect::<Vec<_>>().join(" "),
            text: part("-text").unwrap_or_default(),
            next: part("-next").unwrap_or_default(),
        }
    }
}

fn gaps<'a>(t: Tongue, facts: &'a Facts) -> FluentArgs<'a> {
    let mut args = FluentArgs::new();
    for (name, fact) in facts {
        let value: FluentValue<'a> = match fact {
            Fact::Text(text) => FluentValue::from(text.as_str()),
            Fact::Word(key) => FluentValue::from(t.say(key)),
            Fact::Count(count) => FluentValue::from(*count),
            Fact::Day(at) => FluentValue::from(t.day(at)),
            Fact::Minute(at) => FluentValue::from(t.minute(at)),
            Fact::Share(share) => FluentValue::from(t.percent(share)),
            Fact::Amount(work, meter) => FluentValue::from(t.work(work, meter)),
        };
        args.set(name.as_str(), value);
    }
    args
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use app::notices::{Notice, samples::samples};

    use super::super::{EN, FR};
    use super::*;

    /// The gaps of the messages of one kind.
    fn gaps_of(locale: &str, kind: &str) -> BTreeSet<String> {
        let key = format!("told-{}", kind.replace('.', "-"));
        let own = |line: &&str| {
            ["", "-text", "-next"].iter().any(|end| line.starts_with(&format!("{key}{end} =")))
        };
        let mut gaps = BTreeSet::new();
        let mut within = false;
        for line in locale.lines() {
            within = own(&line) || (within && line.starts_with(' '));
            if within {
                let found = line.split("{ $").skip(1).filter_map(|rest| rest.split(" }").next());
                gaps.extend(found.map(str::to_owned));
            }
        }
        gaps
    }

    #[test]
    fn every_notice_says_what_happened_and_what_is_next_with_all_that_it_knows() {
        let mut kinds = BTreeSet::new();
        for telling in samples().iter().map(Notice::telling) {
            kinds.insert(telling.kind);
            let known: BTreeSet<String> = telling.facts.keys().cloned().collect();
            for (t, locale) in [(Tongue::English, EN), (Tongue::French, FR)] {
                assert_eq!(gaps_of(locale, telling.kind), known, "{} {t:?}", telling.kind);
                let told = Told::new(t, telling.kind, &telling.facts);
                assert!(!told.text.is_empty() && !told.next.is_empty(), "{told:?}");
                assert!(!told.text.contains("{$"), "an unfilled gap: {told:?}");
                assert_ne!(told.subject, telling.kind, "{t:?} has no words for it");
            }
        }
        let written: BTreeSet<String> = EN
            .lines()
            .filter_map(|line| line.strip_prefix("told-")?.split(" =").next())
            .filter(|key| !key.ends_with("-text") && !key.ends_with("-next"))
            .map(str::to_owned)
            .collect();
        let told: BTreeSet<String> = kinds.iter().map(|kind| kind.replace('.', "-")).collect();
        assert_eq!(written, told, "each text has its notice");
    }

    #[test]
    fn a_subject_is_one_line_whatever_people_have_written() {
        let facts = Facts::from([("title".to_owned(), Fact::Text("a\r\nBcc: x\nb".to_owned()))]);
        let told = Told::new(Tongue::English, "application.arrived", &facts);
        assert_eq!(told.subject, "An application waits: “a Bcc: x b”");
    }
}
