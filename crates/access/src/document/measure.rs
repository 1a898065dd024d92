//! Values that people write in more than one way: amounts with decimals, shares, days.

use jiff::civil::Date;
use toml::de::DeValue;
use units::PartsPerMillion;

use super::Value;
use super::value::parts_of_percent;

impl Value<'_> {
    /// A number that is not negative, with up to two decimals, in hundredths.
    pub fn hundredths(&self) -> Option<i64> {
        let found = match self.value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => in_hundredths(integer.as_str()),
            DeValue::Float(float) => in_hundredths(float.as_str()),
            _ => return self.fault(format!("is {}, a number is expected", self.kind())),
        };
        found.or_else(|| self.fault("is not a number from 0 with at most two decimals"))
    }

    /// A part of the whole: `"12.5 %"`, or the percentage as a number: `12.5`.
    pub fn share(&self) -> Option<PartsPerMillion> {
        let number = match self.value.get_ref() {
            DeValue::Integer(integer) => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            _ => return self.percent(),
        };
        let parts = parts_of_percent(&format!("{number}%"));
        match parts {
            Some(parts) if parts > PartsPerMillion::ONE => {
                self.fault(format!("`{number}` is more than the whole; at most 100"))
            }
            // 0.5 may mean the half as well as half a percent.
            Some(parts)
                if PartsPerMillion::ZERO < parts && parts <= PartsPerMillion::percent(1) =>
            {
                self.fault(format!("`{number}` is ambiguous; write \"{number} %\", or more of it"))
            }
            Some(parts) => Some(parts),
            None => self.fault(format!("`{number}` is not a percentage; write \"12.5 %\"")),
        }
    }

    /// A calendar day, with or without quotes.
    pub fn day(&self) -> Option<Date> {
        match self.value.get_ref() {
            DeValue::String(_) => self.parsed(),
            _ => self.date(),
        }
    }
}

/// `12.5` as 1250; nothing for anything else than digits with up to two decimals.
fn in_hundredths(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let decimals = decimals.trim_end_matches('0');
    if whole.is_empty() || decimals.len() > 2 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let rest: i64 = format!("{decimals:0<2}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(rest)
}
