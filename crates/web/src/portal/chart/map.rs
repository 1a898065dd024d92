//! The states of the programme as tiles, each about where it lies: who hosts, who joins.
//!
//! Where a tile stands is drawing, not geography; a state without a place is named below the map.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use units::CountryCode;

use super::escaped;

/// Each state's column and row.
const PLACES: [(&str, u32, u32); 35] = [
    ("IS", 0, 0),
    ("NO", 4, 0),
    ("SE", 5, 0),
    ("FI", 6, 0),
    ("DK", 4, 1),
    ("EE", 6, 1),
    ("IE", 0, 2),
    ("GB", 1, 2),
    ("NL", 3, 2),
    ("DE", 4, 2),
    ("PL", 5, 2),
    ("LV", 6, 2),
    ("BE", 2, 3),
    ("LU", 3, 3),
    ("CZ", 4, 3),
    ("SK", 5, 3),
    ("LT", 6, 3),
    ("FR", 2, 4),
    ("CH", 3, 4),
    ("AT", 4, 4),
    ("HU", 5, 4),
    ("RO", 6, 4),
    ("MD", 7, 4),
    ("PT", 0, 5),
    ("ES", 1, 5),
    ("IT", 3, 5),
    ("SI", 4, 5),
    ("HR", 5, 5),
    ("RS", 6, 5),
    ("BG", 7, 5),
    ("MK", 6, 6),
    ("TR", 7, 6),
    ("MT", 3, 7),
    ("GR", 6, 7),
    ("CY", 7, 7),
];

/// The side of a tile and its distance to the next.
const SIDE: u32 = 44;
const STEP: u32 = 50;

/// What a state has to do with the factories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It hosts one; where its page is.
    Hosts(String),
    /// It joins one or more.
    Joins,
}

/// The map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Map {
    /// What the map shows.
    pub(crate) title: String,
    /// The states that stand out, each with what to say of it.
    pub(crate) states: BTreeMap<CountryCode, (Standing, String)>,
}

impl Map {
    /// The codes of the states that have a place.
    pub(crate) fn placed() -> impl Iterator<Item = &'static str> {
        PLACES.iter().map(|(code, _, _)| *code)
    }

    /// The drawing.
    pub(crate) fn svg(&self) -> String {
        let side = STEP * 8;
        let mut svg = format!(
            "<svg class=\"map\" viewBox=\"-2 -2 {side} {side}\" role=\"group\" aria-label=\"{}\">",
            escaped(&self.title)
        );
        for (code, column, row) in PLACES {
            let known = code.parse().ok().and_then(|code: CountryCode| self.states.get(&code));
            let (x, y) = (column * STEP, row * STEP);
            let tile = format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\" rx=\"8\"/>\
                 <text x=\"{}\" y=\"{}\">{code}</text>",
                x + SIDE / 2,
                y + SIDE / 2 + 5
            );
            let _ = match known {
                Some((Standing::Hosts(page), said)) => write!(
                    svg,
                    "<a class=\"hosts\" href=\"{}\" aria-label=\"{code}: {}\"><title>{}</title>{tile}</a>",
                    escaped(page),
                    escaped(said),
                    escaped(said)
                ),
                Some((Standing::Joins, said)) => {
                    write!(svg, "<g class=\"joins\"><title>{}</title>{tile}</g>", escaped(said))
                }
                None => write!(svg, "<g aria-hidden=\"true\">{tile}</g>"),
            };
        }
        svg.push_str("</svg>");
        svg
    }

    /// The states that stand out and have no place on the map.
    pub(crate) fn elsewhere(&self) -> Vec<&str> {
        self.states
            .iter()
            .filter(|(code, _)| !PLACES.iter().any(|(placed, _, _)| *placed == code.as_str()))
            .map(|(_, (_, said))| said.as_str())
            .collect()
    }
}
