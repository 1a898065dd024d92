//! Drawings: bars of shares, curves, the map of states. SVG whose colours come from the style
//! sheet by class, with a name and a description, and the figures beside it as text.
//!
//! Floats live here and nowhere else: a drawing may round what the books may not.

mod bar;
mod curve;
mod map;

pub(crate) use bar::{Bar, Part};
pub(crate) use curve::{Curves, Line};
pub(crate) use map::{Map, Standing};

/// Text safe inside SVG and HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
