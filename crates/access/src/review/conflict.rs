//! Conflicts of interest: found in what is on record, or declared.

use std::fmt;
use std::str::FromStr;

use units::OrganisationId;

use super::{Candidate, Reviewer};

/// Why somebody may not judge an application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// They belong to the organisation that applies.
    SameOrganisation(OrganisationId),
    /// They belong to an enterprise that is linked with it.
    LinkedEnterprise(OrganisationId),
    /// They are among those who apply.
    CoApplicant(String),
    /// Their mail goes to where an applicant's goes.
    MailDomain(MailDomain),
    /// They have published with an applicant.
    Publication(String),
    /// They have said so.
    Declared(String),
}

impl Conflict {
    /// Its name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SameOrganisation(_) => "same-organisation",
            Self::LinkedEnterprise(_) => "linked-enterprise",
            Self::CoApplicant(_) => "co-applicant",
            Self::MailDomain(_) => "mail-domain",
            Self::Publication(_) => "publication",
            Self::Declared(_) => "declared",
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameOrganisation(id) => {
                write!(f, "belongs to the organisation {id}, which applies")
            }
            Self::LinkedEnterprise(id) => {
                write!(f, "belongs to {id}, which is linked with the applicant")
            }
            Self::CoApplicant(name) => write!(f, "is among those who apply ({name})"),
            Self::MailDomain(domain) => write!(f, "has mail at {domain}, like an applicant"),
            Self::Publication(name) => write!(f, "has published with {name}, who applies"),
            Self::Declared(text) => write!(f, "declared a conflict: {text}"),
        }
    }
}

/// The part of a mail address that names the house: `cs.example.org`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailDomain(String);

/// The text names no house that mail goes to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address or domain of mail; write example.org")]
pub struct NotADomain(String);

impl FromStr for MailDomain {
    type Err = NotADomain;

    /// Reads an address or a domain.
    fn from_str(text: &str) -> Result<Self, NotADomain> {
        let domain = text.rsplit('@').next().unwrap_or(text).trim().trim_end_matches('.');
        let domain = domain.to_lowercase();
        let fine = |label: &str| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        if domain.contains('.') && domain.split('.').all(fine) {
            Ok(Self(domain))
        } else {
            Err(NotADomain(text.to_owned()))
        }
    }
}

impl MailDomain {
    /// Whether both are of one house: the same, or one a part of the other.
    pub fn is_akin(&self, other: &Self) -> bool {
        let part_of = |part: &str, whole: &str| {
            part.strip_suffix(whole).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        part_of(&self.0, &other.0) || part_of(&other.0, &self.0)
    }
}

impl fmt::Display for MailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every reason why `reviewer` may not judge `candidate`. Mail at one of `public`, which anybody
/// may have, joins nobody.
pub fn conflicts(
    reviewer: &Reviewer,
    candidate: &Candidate,
    public: &[MailDomain],
) -> Vec<Conflict> {
    let mut found = Vec::new();
    for organisation in &reviewer.organisations {
        if *organisation == candidate.organisation {
            found.push(Conflict::SameOrganisation(*organisation));
        } else if candidate.undertaking.contains(organisation) {
            found.push(Conflict::LinkedEnterprise(*organisation));
        }
    }
    let own = reviewer.mail.as_ref().filter(|mail| !public.iter().any(|it| mail.is_akin(it)));
    for applying in &candidate.team {
        if applying.person == Some(reviewer.person) {
            found.push(Conflict::CoApplicant(applying.name.clone()));
        }
        if let (Some(own), Some(theirs)) = (own, &applying.mail)
            && own.is_akin(theirs)
        {
            found.push(Conflict::MailDomain(own.clone()));
        }
        if reviewer.published_with.iter().any(|name| is_same_name(name, &applying.name)) {
            found.push(Conflict::Publication(applying.name.clone()));
        }
    }
    found.extend(candidate.declared.get(&reviewer.person).cloned().map(Conflict::Declared));
    found.sort();
    found.dedup();
    found
}

/// Whether two names have the same words, in any order and case: `Ada Lovelace` and
/// `LOVELACE, Ada`. An initial stands for every name that begins with it.
fn is_same_name(one: &str, other: &str) -> bool {
    let (one, mut other) = (words(one), words(other));
    if one.is_empty() || one.len() != other.len() {
        return false;
    }
    // Whole words find theirs first, so that an initial does not take a word from them.
    let (initials, whole): (Vec<_>, Vec<_>) = one.iter().partition(|word| is_initial(word));
    whole.into_iter().chain(initials).all(|word| {
        let exact = other.iter().position(|it| it == word);
        let place = exact.or_else(|| other.iter().position(|it| stands_for(word, it)));
        place.map(|place| other.swap_remove(place)).is_some()
    })
}

fn words(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'');
    parts.filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
}

fn is_initial(word: &str) -> bool {
    word.chars().count() == 1
}

fn stands_for(one: &str, other: &str) -> bool {
    (is_initial(one) && other.starts_with(one)) || (is_initial(other) && one.starts_with(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> MailDomain {
        text.parse().unwrap()
    }

    #[test]
    fn a_department_is_of_the_same_house_and_a_look_alike_is_not() {
        assert!(domain("ada@cs.example.org").is_akin(&domain("EXAMPLE.org")));
        assert!(!domain("notexample.org").is_akin(&domain("example.org")));
        assert!("nowhere".parse::<MailDomain>().is_err());
    }

    #[test]
    fn names_are_the_same_in_any_order_and_with_initials() {
        assert!(is_same_name("Ada Lovelace", "LOVELACE, Ada"));
        assert!(is_same_name("A. Lovelace", "Ada Lovelace"));
        assert!(is_same_name("Éva Kovács", "kovács éva"));
        assert!(!is_same_name("Ada Lovelace", "Ada Byron"));
        assert!(!is_same_name("Lovelace", "Ada Lovelace"));
        assert!(!is_same_name("", ""));
    }
}
