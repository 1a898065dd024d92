//! European unique identifiers of companies: Implementing Regulation (EU) 2021/1042, annex,
//! section 9. A state, the register there, a dot, the number in that register.

use std::fmt;
use std::str::FromStr;

use units::CountryCode;

/// The longest identifier of a register, and the longest number in one, in characters.
const PART_LENGTH_MAX: usize = 50;

/// A European unique identifier, as `LURCSL.B123456` or `DEK1101R.HRB116737`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Euid(String);

/// A text that is no EUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEuid {
    /// It does not begin with a state.
    #[error("an EUID begins with the two letters of a state, as LURCSL.B123456; `{0}` does not")]
    State(String),
    /// No register is named between the state and the dot.
    #[error(
        "between the state and the dot an EUID names the register by letters and digits, as in \
         LURCSL.B123456; `{0}` does not"
    )]
    Register(String),
    /// What follows the dot is no number of a register.
    #[error(
        "after the dot an EUID has the number in the register: letters, digits, and `.`, `-`, `/`, \
         `_` or spaces between them; `{0}` does not"
    )]
    Number(String),
}

impl Euid {
    /// The letters of the state whose register it is.
    pub fn state(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }
}

/// Whether a text is meant to be one: after the state and some letters or digits there is a dot, and
/// what is before it is not all of the digits of a VAT number.
pub(super) fn reads_like_one(text: &str) -> bool {
    let Some((head, _)) = text.trim().split_once('.') else { return false };
    head.len() > 2 && head.chars().skip(2).all(|c| c.is_ascii_alphanumeric())
}

impl FromStr for Euid {
    type Err = NotAnEuid;

    fn from_str(text: &str) -> Result<Self, NotAnEuid> {
        let text = text.trim();
        let found = || text.to_owned();
        let (head, entry) = text.split_once('.').ok_or_else(|| NotAnEuid::Register(found()))?;
        let parts = head.split_at_checked(2).ok_or_else(|| NotAnEuid::State(found()))?;
        let (state, register) = (parts.0.to_ascii_uppercase(), parts.1.to_ascii_uppercase());
        if state.parse::<CountryCode>().is_err() {
            return Err(NotAnEuid::State(found()));
        }
        let of_register = |c: char| c.is_ascii_alphanumeric();
        let length = 1..=PART_LENGTH_MAX;
        if !length.contains(&register.len()) || !register.chars().all(of_register) {
            return Err(NotAnEuid::Register(found()));
        }
        let of_number =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/' | '_' | ' ');
        let edges = [entry.chars().next(), entry.chars().next_back()];
        let edged = edges.iter().flatten().all(char::is_ascii_alphanumeric);
        if !length.contains(&entry.len()) || !edged || !entry.chars().all(of_number) {
            return Err(NotAnEuid::Number(found()));
        }
        Ok(Self(format!("{state}{register}.{entry}")))
    }
}

impl fmt::Display for Euid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
