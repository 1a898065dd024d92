//! The statistical classification of economic activities, NACE Rev. 2.1 (Delegated Regulation (EU)
//! 2023/137): sections by letter, divisions by two digits, groups and classes by one more each.

use std::fmt;
use std::str::FromStr;

/// A code of NACE Rev. 2.1, as `K62.10`: its section and, as far as given, division, group and class.
/// That its division exists and lies in its section is checked; groups and classes are not listed
/// here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nace {
    section: char,
    /// Digits after the section: `62`, `62.1`, `62.10`; empty for a section as a whole.
    code: String,
}

/// A text that is no code of NACE Rev. 2.1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNace {
    /// It has another form.
    #[error(
        "a code of NACE Rev. 2.1 is a letter, or 2 to 4 digits as 62, 62.1 or 62.10; `{0}` is not"
    )]
    Form(String),
    /// There is no such section.
    #[error("NACE Rev. 2.1 has the sections A to V, and no {0}")]
    Section(char),
    /// There is no such division.
    #[error("NACE Rev. 2.1 has no division {0:02}")]
    Division(u32),
    /// The division lies in another section: in the version before, often.
    #[error("division {division:02} lies in section {section} of NACE Rev. 2.1, not in {found}")]
    Elsewhere {
        /// The division.
        division: u32,
        /// Where it lies.
        section: char,
        /// What was given.
        found: char,
    },
}

/// The sections, each with its first and last division.
const SECTIONS: [(char, u32, u32); 22] = [
    ('A', 1, 3),
    ('B', 5, 9),
    ('C', 10, 33),
    ('D', 35, 35),
    ('E', 36, 39),
    ('F', 41, 43),
    ('G', 46, 47),
    ('H', 49, 53),
    ('I', 55, 56),
    ('J', 58, 60),
    ('K', 61, 63),
    ('L', 64, 66),
    ('M', 68, 68),
    ('N', 69, 75),
    ('O', 77, 82),
    ('P', 84, 84),
    ('Q', 85, 85),
    ('R', 86, 88),
    ('S', 90, 93),
    ('T', 94, 96),
    ('U', 97, 98),
    ('V', 99, 99),
];

impl Nace {
    /// The letter of its section.
    pub const fn section(&self) -> char {
        self.section
    }
}

impl FromStr for Nace {
    type Err = NotNace;

    fn from_str(text: &str) -> Result<Self, NotNace> {
        let form = || NotNace::Form(text.to_owned());
        let plain = text.trim().to_ascii_uppercase();
        let letter = plain.chars().next().filter(char::is_ascii_uppercase);
        let code = plain.strip_prefix(|c: char| Some(c) == letter).unwrap_or(&plain).trim_start();
        let known = |found: char| SECTIONS.iter().find(|(section, ..)| *section == found);
        if let (Some(section), "") = (letter, code) {
            known(section).ok_or(NotNace::Section(section))?;
            return Ok(Self { section, code: String::new() });
        }
        let (division, rest) = code.split_once('.').unwrap_or((code, ""));
        let sized =
            division.len() == 2 && rest.len() <= 2 && (code.contains('.') != rest.is_empty());
        if !sized || !division.chars().chain(rest.chars()).all(|c| c.is_ascii_digit()) {
            return Err(form());
        }
        let division: u32 = division.parse().map_err(|_| form())?;
        let within = |(_, first, last): &&(char, u32, u32)| (*first..=*last).contains(&division);
        let found = SECTIONS.iter().find(within).ok_or(NotNace::Division(division))?;
        match letter {
            Some(letter) if known(letter).is_none() => Err(NotNace::Section(letter)),
            Some(letter) if letter != found.0 => {
                Err(NotNace::Elsewhere { division, section: found.0, found: letter })
            }
            _ => Ok(Self { section: found.0, code: code.to_owned() }),
        }
    }
}

impl fmt::Display for Nace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.section, self.code)
    }
}
