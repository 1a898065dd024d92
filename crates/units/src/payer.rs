//! Who pays for hours, and so owns them.

use std::fmt;
use std::str::FromStr;

use crate::CountryCode;

/// The text does not name a payer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a payer: use union, commercial, state:LU or volunteered:LU")]
pub struct NotAPayer(pub String);

/// The owner of a pool of hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payer {
    /// The Union's access time (Regulation (EU) 2021/1173, Article 17(1)).
    Union,
    /// The part of the Union's time sold at market price (Article 18).
    Commercial,
    /// A participating state's time (Article 17(4)).
    State(CountryCode),
    /// Extra time a state volunteers, mainly for start-ups and SMEs
    /// (Regulation (EU) 2026/150, recitals 17 to 19).
    Volunteered(CountryCode),
}

impl fmt::Display for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Union => f.write_str("union"),
            Self::Commercial => f.write_str("commercial"),
            Self::State(country) => write!(f, "state:{country}"),
            Self::Volunteered(country) => write!(f, "volunteered:{country}"),
        }
    }
}

impl FromStr for Payer {
    type Err = NotAPayer;

    fn from_str(text: &str) -> Result<Self, NotAPayer> {
        let unknown = || NotAPayer(text.to_owned());
        match text.split_once(':') {
            None if text == "union" => Ok(Self::Union),
            None if text == "commercial" => Ok(Self::Commercial),
            Some(("state", country)) => country.parse().map(Self::State).map_err(|_| unknown()),
            Some(("volunteered", country)) => {
                country.parse().map(Self::Volunteered).map_err(|_| unknown())
            }
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payers_survive_printing_and_parsing() {
        for text in ["union", "commercial", "state:LU", "volunteered:FI"] {
            assert_eq!(text.parse::<Payer>().unwrap().to_string(), text);
        }
        assert!("state:lu".parse::<Payer>().is_err());
    }
}
