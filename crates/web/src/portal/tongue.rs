//! What the portal says, in the visitor's language.
//!
//! Messages live in `locales/*.ftl`; a test compares their keys and looks up every key that a
//! template or handler names. Not here: what a rule says about a decision, which is English.

mod told;

use std::borrow::Borrow;
use std::sync::LazyLock;

use axum::http::{HeaderMap, header};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::tz::TimeZone;
pub(crate) use told::Told;
use unic_langid::LanguageIdentifier;
use units::{CountryCode, Meter, PartsPerMillion, Timestamp, Work};

/// The cookie that remembers a chosen language.
pub(crate) const COOKIE: &str = "usine_language";

/// A language of the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    /// English.
    English,
    /// French.
    French,
}

impl Tongue {
    /// Every language.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::French];

    /// The code in `lang` attributes and cookies.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// Its own name for itself.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
        }
    }

    fn of_code(code: &str) -> Option<Self> {
        let code = code.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|tongue| {
            code == tongue.code() || code.starts_with(&format!("{}-", tongue.code()))
        })
    }

    /// The language that a code names, exactly.
    pub(crate) fn chosen(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tongue| tongue.code() == code)
    }

    /// The language a request asks for: the chosen one, or the first we speak of those preferred.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        crate::auth::cookie(headers, COOKIE)
            .and_then(Self::chosen)
            .or_else(|| preferred(headers))
            .unwrap_or(Self::English)
    }

    /// The message `key`.
    pub(crate) fn say(self, key: &str) -> String {
        self.message(key, None)
    }

    /// The message of a family: `sub("role-", "user")` says `role-user`.
    pub(crate) fn sub(self, family: &str, member: &str) -> String {
        self.say(&format!("{family}{member}"))
    }

    /// The name of a state; its code when we have no name for it.
    pub(crate) fn country(self, code: impl Borrow<CountryCode>) -> String {
        let code = code.borrow();
        let key = format!("country-{code}");
        if self.bundle().has_message(&key) {
            self.sub("country-", code.as_str())
        } else {
            code.to_string()
        }
    }

    /// The message `key` about `count` things, in the right number.
    pub(crate) fn count(self, key: &str, count: impl Borrow<usize>) -> String {
        let mut args = FluentArgs::new();
        args.set("count", *count.borrow());
        self.message(key, Some(&args))
    }

    /// The message `key` with its gaps filled in.
    pub(crate) fn fill(self, key: &str, gaps: &[(&str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (name, text) in gaps {
            args.set(*name, FluentValue::from(*text));
        }
        self.message(key, Some(&args))
    }

    /// The message `key` with gaps for texts and numbers; `None` when there is no such message.
    fn try_fill(self, key: &str, args: &FluentArgs<'_>) -> Option<String> {
        self.bundle().has_message(key).then(|| self.message(key, Some(args)))
    }

    fn message(self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let bundle = self.bundle();
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, "the portal lacks a message");
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, args, &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, ?errors, "a message of the portal has an unfilled gap");
        }
        text
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        match self {
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
        }
    }

    /// An amount of work in hours, to two decimals: `5 000.00 GPU-h`, `5 000,00 h GPU`.
    pub(crate) fn work(self, work: impl Borrow<Work>, meter: impl Borrow<Meter>) -> String {
        let text = work.borrow().display(*meter.borrow()).to_string().replace(' ', "\u{a0}");
        match self {
            Self::English => text,
            Self::French => text.replace('.', ","),
        }
    }

    /// A percentage to one decimal: `12.5 %`, `12,5 %`.
    pub(crate) fn percent(self, share: impl Borrow<PartsPerMillion>) -> String {
        let tenths = share.borrow().parts().saturating_add(500) / 1_000;
        let (whole, rest) = (tenths / 10, tenths % 10);
        let point = match self {
            Self::English => '.',
            Self::French => ',',
        };
        if rest == 0 { format!("{whole}\u{a0}%") } else { format!("{whole}{point}{rest}\u{a0}%") }
    }

    /// A whole number with its thousands apart.
    pub(crate) fn number(self, number: impl Borrow<i64>) -> String {
        let number = *number.borrow();
        let digits = number.unsigned_abs().to_string();
        let mut text = String::from(if number < 0 { "−" } else { "" });
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push('\u{a0}');
            }
            text.push(digit);
        }
        text
    }

    /// A number of hundredths with its decimals, if it has any: `12.5`, `12,5`.
    pub(crate) fn hundredths(self, number: u32) -> String {
        let (whole, rest) = (i64::from(number / 100), number % 100);
        let whole = self.number(whole);
        if rest == 0 {
            return whole;
        }
        let point = if self == Self::French { ',' } else { '.' };
        format!("{whole}{point}{rest:02}").trim_end_matches('0').to_owned()
    }

    /// A day: `21 Nov 2026`, `21 nov. 2026`.
    pub(crate) fn day(self, at: impl Borrow<Timestamp>) -> String {
        let day = at.borrow().to_zoned(TimeZone::UTC).date();
        let month = self.sub("month-", &day.month().to_string());
        format!("{}\u{a0}{month} {}", day.day(), day.year())
    }

    /// An instant to the minute: `21 Nov 2026, 09:00 UTC`.
    pub(crate) fn minute(self, at: impl Borrow<Timestamp>) -> String {
        let at = *at.borrow();
        let time = at.to_zoned(TimeZone::UTC).time();
        format!("{}, {:02}:{:02}\u{a0}UTC", self.day(at), time.hour(), time.minute())
    }

    /// A length of time: `1 h 05 min`, `42 s`.
    pub(crate) fn seconds(self, seconds: impl Borrow<i64>) -> String {
        let seconds = (*seconds.borrow()).max(0);
        let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let space = '\u{a0}';
        match (hours, minutes) {
            (0, 0) => format!("{rest}{space}s"),
            (0, _) => format!("{minutes}{space}min {rest:02}{space}s"),
            _ => format!("{}{space}h {minutes:02}{space}min", self.number(hours)),
        }
    }

    /// A size: `12.3 MB`.
    pub(crate) fn bytes(self, bytes: impl Borrow<i64>) -> String {
        const NAMES: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
        let mut unit = 0;
        let mut tenths = (*bytes.borrow()).max(0).saturating_mul(10);
        while tenths >= 10_000 && unit + 1 < NAMES.len() {
            tenths /= 1_000;
            unit += 1;
        }
        let name = NAMES.get(unit).copied().unwrap_or("B");
        let name = if self == Self::French { name.replace('B', "o") } else { name.to_owned() };
        let (whole, rest) = (tenths / 10, tenths % 10);
        match (unit, self) {
            (0, _) => format!("{whole}\u{a0}{name}"),
            (_, Self::English) => format!("{whole}.{rest}\u{a0}{name}"),
            (_, Self::French) => format!("{whole},{rest}\u{a0}{name}"),
        }
    }
}

/// The first language that we speak among those the browser prefers, in its order.
fn preferred(headers: &HeaderMap) -> Option<Tongue> {
    let header = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut ranges: Vec<(u32, Tongue)> = header
        .split(',')
        .filter_map(|range| {
            let (code, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = weight.trim().strip_prefix("q=")?.parse::<f32>().ok()?;
            let thousandths = (weight.clamp(0.0, 1.0) * 1_000.0) as u32;
            Some((thousandths, Tongue::of_code(code)?))
        })
        .filter(|(weight, _)| *weight > 0)
        .collect();
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    ranges.first().map(|(_, tongue)| *tongue)
}

static ENGLISH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle("en", EN));
static FRENCH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle("fr", FR));

/// What pages say, and what notices say.
const EN: &str =
    concat!(include_str!("../../locales/en.ftl"), include_str!("../../locales/notices.en.ftl"));
const FR: &str =
    concat!(include_str!("../../locales/fr.ftl"), include_str!("../../locales/notices.fr.ftl"));

/// The messages of one language. What does not parse is left out; the tests would not let it in.
fn bundle(language: &str, text: &str) -> FluentBundle<FluentResource> {
    let language: LanguageIdentifier = language.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Our pages set the direction of text themselves.
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(whole, errors)| {
        tracing::error!(?errors, "a locale does not parse");
        whole
    });
    if let Err(errors) = bundle.add_resource(resource) {
        tracing::error!(?errors, "a locale has a message twice");
    }
    bundle
}

#[cfg(test)]
mod tests;
