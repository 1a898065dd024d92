//! A whole and its parts, as one bar with a key.

use std::fmt::Write as _;

use super::escaped;

/// How wide a bar is drawn, in units of its own.
const WIDTH: i64 = 1_000;

/// One part of a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its colour: the class without its prefix.
    pub(crate) class: &'static str,
    /// What it is.
    pub(crate) label: String,
    /// How much, in any unit.
    pub(crate) value: i64,
    /// How much, for people.
    pub(crate) text: String,
}

/// A bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    /// What the whole is.
    pub(crate) title: String,
    /// The parts in order; they may leave a rest.
    pub(crate) parts: Vec<Part>,
    /// The whole, in the unit of the parts.
    pub(crate) whole: i64,
}

impl Bar {
    /// The bar itself.
    pub(crate) fn svg(&self) -> String {
        let described: Vec<String> =
            self.parts.iter().map(|part| format!("{} {}", part.label, part.text)).collect();
        let name = escaped(&format!("{}: {}", self.title, described.join(", ")));
        let mut svg = format!(
            "<svg class=\"bar\" viewBox=\"0 0 {WIDTH} 16\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-label=\"{name}\">"
        );
        let mut before = 0_i64;
        for part in &self.parts {
            let (start, end) = (self.place(before), self.place(before.saturating_add(part.value)));
            before = before.saturating_add(part.value);
            if end > start {
                let (class, width) = (part.class, end - start);
                // Writing to a `String` does not fail.
                let _ = write!(
                    svg,
                    "<rect class=\"k-{class}\" x=\"{start}\" width=\"{width}\" height=\"16\"/>"
                );
            }
        }
        svg.push_str("</svg>");
        svg
    }

    /// Which colour is which part, with the figures as text.
    pub(crate) fn key(&self) -> String {
        let mut list = String::from("<ul class=\"key\">");
        for part in &self.parts {
            let (label, text) = (escaped(&part.label), escaped(&part.text));
            let _ = write!(
                list,
                "<li><i class=\"key-{}\"></i><span>{label} <strong>{text}</strong></span></li>",
                part.class
            );
        }
        list.push_str("</ul>");
        list
    }

    /// Where an amount ends on the bar.
    fn place(&self, amount: i64) -> i64 {
        if self.whole <= 0 {
            return 0;
        }
        let amount = i128::from(amount.clamp(0, self.whole));
        let place = amount * i128::from(WIDTH) / i128::from(self.whole);
        i64::try_from(place).unwrap_or(WIDTH)
    }
}
