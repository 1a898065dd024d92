//! A value of a document, and the readers of its plain kinds.

use std::fmt::Display;
use std::str::FromStr;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::DeValue;
use units::{Cents, PartsPerMillion};

use super::{Reader, Table};

/// A value, with its path in the document.
pub struct Value<'r> {
    pub(super) reader: &'r Reader<'r>,
    path: String,
    pub(super) value: &'r Spanned<DeValue<'r>>,
}

impl<'r> Value<'r> {
    pub(super) fn new(
        reader: &'r Reader<'r>,
        path: String,
        value: &'r Spanned<DeValue<'r>>,
    ) -> Self {
        Self { reader, path, value }
    }

    /// Records a fault of this value.
    pub fn fault<T>(&self, message: impl Into<String>) -> Option<T> {
        self.reader.fault(&self.value.span(), &self.path, message);
        None
    }

    /// A text that is not blank.
    pub fn text(&self) -> Option<String> {
        match self.value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => self.fault("must not be empty"),
            DeValue::String(text) => Some(text.to_string()),
            _ => self.fault(format!("is {}, a text in quotes is expected", self.kind())),
        }
    }

    /// A text with its own syntax.
    pub fn parsed<T: FromStr<Err: Display>>(&self) -> Option<T> {
        let text = self.text()?;
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => self.fault(format!("{error}")),
        }
    }

    /// One of the words of `choices`.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = choices.iter().find(|(word, _)| *word == text);
        found.map(|(_, choice)| *choice).or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.fault(format!("`{text}` is not known; allowed: {}", words.join(", ")))
        })
    }

    /// A whole number that fits `T`, not negative.
    pub fn number<T: TryFrom<u64>>(&self) -> Option<T> {
        let DeValue::Integer(integer) = self.value.get_ref() else {
            return self.fault(format!("is {}, a whole number is expected", self.kind()));
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) => Some(number),
            None => self.fault(format!("`{integer}` is out of range; a count is expected")),
        }
    }

    /// A whole number, which may be negative.
    pub fn whole<T: TryFrom<i64>>(&self) -> Option<T> {
        let DeValue::Integer(integer) = self.value.get_ref() else {
            return self.fault(format!("is {}, a whole number is expected", self.kind()));
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) => Some(number),
            None => self.fault(format!("`{integer}` is out of range")),
        }
    }

    /// A whole number of at least one.
    pub fn count<T: TryFrom<u64> + PartialEq>(&self) -> Option<T> {
        let number: u64 = self.number()?;
        if number == 0 {
            return self.fault("must be at least 1; leave it `unknown` when it is not known");
        }
        T::try_from(number).ok().or_else(|| self.fault(format!("`{number}` is too large")))
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            _ => self.fault(format!("is {}, true or false is expected", self.kind())),
        }
    }

    /// A calendar day, written `2026-07-22` without quotes.
    pub fn date(&self) -> Option<Date> {
        let day = match self.value.get_ref() {
            DeValue::Datetime(at) if at.time.is_none() && at.offset.is_none() => at.date,
            _ => None,
        };
        let Some(day) = day else {
            return self.fault(format!("is {}, a day such as 2026-07-22 is expected", self.kind()));
        };
        let civil = || {
            let (month, of_month) = (i8::try_from(day.month).ok()?, i8::try_from(day.day).ok()?);
            Date::new(i16::try_from(day.year).ok()?, month, of_month).ok()
        };
        civil().or_else(|| self.fault(format!("`{day}` is not a day of the calendar")))
    }

    /// A ratio, written `"12.5 %"`.
    pub fn percent(&self) -> Option<PartsPerMillion> {
        let text = self.text()?;
        let parts = parts_of_percent(&text);
        match parts {
            Some(parts) if parts <= PartsPerMillion::ONE => Some(parts),
            Some(_) => self.fault(format!("`{text}` is more than the whole; at most 100 %")),
            None => self.fault(format!(
                "`{text}` is not a percentage; write \"50 %\" or \"12.5 %\", \
                 with at most four decimals"
            )),
        }
    }

    /// A whole number of euros.
    pub fn euros(&self) -> Option<Cents> {
        let euros: i64 = self.number()?;
        Cents::euros(euros).ok().or_else(|| self.fault("is too large an amount"))
    }

    /// Whether it is `true` or `false`.
    pub fn is_boolean(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Boolean(_))
    }

    /// Whether it is a text.
    pub fn is_text(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::String(_))
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Array(_))
    }

    /// A list, each item read by `parse`.
    pub fn list<T>(&self, parse: impl Fn(&Value<'r>) -> Option<T>) -> Option<Vec<T>> {
        let DeValue::Array(items) = self.value.get_ref() else {
            return self.fault(format!("is {}, a list in brackets is expected", self.kind()));
        };
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let item = Value::new(self.reader, format!("{}[{index}]", self.path), item);
            read.push(parse(&item));
        }
        read.into_iter().collect()
    }

    /// A table, read by `parse`; keys that `parse` does not ask for are faults.
    pub fn table<T>(&self, parse: impl FnOnce(&Table<'r>) -> Option<T>) -> Option<T> {
        self.open(|table| {
            let read = parse(table);
            table.finish();
            read
        })
    }

    /// A table whose keys are data: each is read by `key`, its value by `parse`.
    pub fn map<K, T>(&self, parse: impl Fn(&Value<'r>) -> Option<T>) -> Option<Vec<(K, T)>>
    where
        K: FromStr<Err: Display>,
    {
        self.open(|table| {
            let mut read = Vec::new();
            for (key, value) in table.entries() {
                let name = match key.parse::<K>() {
                    Ok(name) => Some(name),
                    Err(error) => value.fault(format!("{error}")),
                };
                read.push(name.zip(parse(&value)));
            }
            read.into_iter().collect()
        })
    }

    /// The entries of a table whose keys are data; none when this is something else.
    pub fn entries(&self) -> Vec<(String, Value<'r>)> {
        match self.value.get_ref() {
            DeValue::Table(entries) => {
                Table::new(self.reader, self.path.clone(), self.value.span(), entries).entries()
            }
            _ => Vec::new(),
        }
    }

    fn open<T>(&self, parse: impl FnOnce(&Table<'r>) -> Option<T>) -> Option<T> {
        let DeValue::Table(entries) = self.value.get_ref() else {
            return self.fault(format!("is {}, a table is expected", self.kind()));
        };
        parse(&Table::new(self.reader, self.path.clone(), self.value.span(), entries))
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }
}

/// `12.5 %` in parts per million.
pub(super) fn parts_of_percent(text: &str) -> Option<PartsPerMillion> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 4 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let fraction: u32 = format!("{decimals:0<4}").parse().ok()?;
    whole.checked_mul(10_000)?.checked_add(fraction).map(PartsPerMillion::new)
}
