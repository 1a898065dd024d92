//! What a repository is: its kind, licence, sensitivity, and who may read it.

use std::fmt;
use std::str::FromStr;

/// The text does not name a kind of repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of repository: use dataset or model")]
pub struct NotAKind(pub String);

/// The text does not name a sensitivity class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sensitivity class: use open, internal, confidential or personal")]
pub struct NotASensitivity(pub String);

/// The text cannot be the name of a licence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a licence identifier: use one of SPDX such as Apache-2.0 or CC-BY-4.0, \
     or LicenseRef- and a name of your own"
)]
pub struct NotALicence(pub String);

/// What a repository holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Data to train, test or analyse with.
    Dataset,
    /// A trained model.
    Model,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dataset => "dataset",
            Self::Model => "model",
        })
    }
}

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        match text {
            "dataset" => Ok(Self::Dataset),
            "model" => Ok(Self::Model),
            _ => Err(NotAKind(text.to_owned())),
        }
    }
}

/// How closely the content must be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensitivity {
    /// Anyone signed in to the federation may read it.
    Open,
    /// The owning organisation may read it.
    Internal,
    /// The owning project may read it.
    Confidential,
    /// It is about natural persons; the owning project may read it.
    Personal,
}

/// How close a person stands to a repository's project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A member of the owning project.
    OfProject,
    /// A member of the organisation that the project belongs to.
    OfOrganisation,
    /// Anyone else with an account.
    Other,
}

impl Sensitivity {
    /// Whether `reader` may read a repository of this class.
    pub const fn admits(self, reader: Reader) -> bool {
        match (self, reader) {
            (_, Reader::OfProject) | (Self::Open, _) | (Self::Internal, Reader::OfOrganisation) => {
                true
            }
            (Self::Internal | Self::Confidential | Self::Personal, _) => false,
        }
    }

    /// Whether a repository of this class may hold what was made from data of class `other`:
    /// whoever may read the one could read the other.
    pub fn admits_content_of(self, other: Self) -> bool {
        self >= other
    }
}

impl fmt::Display for Sensitivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Personal => "personal",
        })
    }
}

impl FromStr for Sensitivity {
    type Err = NotASensitivity;

    fn from_str(text: &str) -> Result<Self, NotASensitivity> {
        match text {
            "open" => Ok(Self::Open),
            "internal" => Ok(Self::Internal),
            "confidential" => Ok(Self::Confidential),
            "personal" => Ok(Self::Personal),
            _ => Err(NotASensitivity(text.to_owned())),
        }
    }
}

/// The identifier of a licence, as SPDX writes them.
///
/// The list of SPDX grows every quarter, so only the shape is checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Licence(String);

impl Licence {
    /// The longest identifier, in characters.
    pub const LENGTH_MAX: usize = 64;

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Licence {
    type Err = NotALicence;

    fn from_str(text: &str) -> Result<Self, NotALicence> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        let valid = text.len() <= Self::LENGTH_MAX
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(plain);
        if valid { Ok(Self(text.to_owned())) } else { Err(NotALicence(text.to_owned())) }
    }
}

impl fmt::Display for Licence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_read_follows_the_sensitivity() {
        let readers = [Reader::OfProject, Reader::OfOrganisation, Reader::Other];
        for (class, expected) in [
            (Sensitivity::Open, [true, true, true]),
            (Sensitivity::Internal, [true, true, false]),
            (Sensitivity::Confidential, [true, false, false]),
            (Sensitivity::Personal, [true, false, false]),
        ] {
            assert_eq!(readers.map(|reader| class.admits(reader)), expected, "{class}");
        }
    }

    #[test]
    fn nobody_reads_through_a_result_what_they_could_not_read_before() {
        let classes = [
            Sensitivity::Open,
            Sensitivity::Internal,
            Sensitivity::Confidential,
            Sensitivity::Personal,
        ];
        for (result, source) in classes.iter().flat_map(|a| classes.iter().map(move |b| (a, b))) {
            for reader in [Reader::OfProject, Reader::OfOrganisation, Reader::Other] {
                if result.admits_content_of(*source) && result.admits(reader) {
                    assert!(source.admits(reader), "{reader:?} reads {source} through {result}");
                }
            }
        }
    }

    #[test]
    fn kinds_and_classes_survive_printing_and_parsing() {
        for kind in [Kind::Dataset, Kind::Model] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for class in [
            Sensitivity::Open,
            Sensitivity::Internal,
            Sensitivity::Confidential,
            Sensitivity::Personal,
        ] {
            assert_eq!(class.to_string().parse(), Ok(class));
        }
    }

    #[test]
    fn a_licence_is_an_identifier_and_not_a_text() {
        for text in ["Apache-2.0", "CC-BY-SA-4.0", "GPL-2.0+", "LicenseRef-Acme"] {
            assert!(text.parse::<Licence>().is_ok(), "{text:?} was refused");
        }
        for text in ["", "-", "free for all", "MIT\n", "<script>", &"a".repeat(65)] {
            assert!(text.parse::<Licence>().is_err(), "{text:?} was accepted");
        }
    }
}
