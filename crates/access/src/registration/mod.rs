//! Under which number an organisation is registered: for VAT in a Member State, or in a register of
//! companies; and the branch it works in.

mod digits;
mod euid;
mod nace;
mod vat;

use std::fmt;
use std::str::FromStr;

pub use euid::{Euid, NotAnEuid};
pub use nace::{Nace, NotNace};
pub use vat::{NotAVatNumber, VatNumber};

/// A number by which an organisation is found in a register.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registration {
    /// For VAT.
    Vat(VatNumber),
    /// In a register of companies.
    Euid(Euid),
}

/// A text that is neither a VAT number nor an EUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARegistration {
    /// It reads like a VAT number, and is none.
    #[error(transparent)]
    Vat(#[from] NotAVatNumber),
    /// It reads like an EUID, and is none.
    #[error(transparent)]
    Euid(#[from] NotAnEuid),
}

impl FromStr for Registration {
    type Err = NotARegistration;

    /// People write dots into VAT numbers too, so what is a VAT number is one; then a dot after
    /// letters and digits makes an EUID.
    fn from_str(text: &str) -> Result<Self, NotARegistration> {
        match text.parse() {
            Ok(vat) => Ok(Self::Vat(vat)),
            Err(_) if euid::reads_like_one(text) => Ok(Self::Euid(text.parse()?)),
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vat(vat) => vat.fmt(f),
            Self::Euid(euid) => euid.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
