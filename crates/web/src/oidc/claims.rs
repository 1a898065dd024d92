//! What a provider's claims mean, by the names that the operator gives.

use app::identity::provided::Claims;
use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest text of a claim that is kept, and the most entries of a list.
const TEXT_BYTES_MAX: usize = 1_000;
const ENTRIES_MAX: usize = 100;

/// Which claims mean what. The defaults are those of the standard, of eduPerson, SCHAC and voPerson,
/// which MyAccessID uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    /// How the person is called.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Whether that address is verified.
    pub email_verified: String,
    /// Their name in the community behind the provider.
    pub community_id: String,
    /// The domain of the organisation they come from.
    pub home_organisation: String,
    /// What they are there; every claim named here is read.
    pub affiliations: Vec<String>,
    /// How well it is known who they are.
    pub assurance: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            name: "name".to_owned(),
            email: "email".to_owned(),
            email_verified: "email_verified".to_owned(),
            community_id: "voperson_id".to_owned(),
            home_organisation: "schac_home_organization".to_owned(),
            affiliations: vec![
                "voperson_external_affiliation".to_owned(),
                "eduperson_scoped_affiliation".to_owned(),
            ],
            assurance: "eduperson_assurance".to_owned(),
        }
    }
}

/// All claims besides those that the standard names.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Others {
    #[serde(flatten)]
    claims: Map<String, Value>,
}

impl AdditionalClaims for Others {}

/// The claims of a token or of the user's page, the standard's and all others, by their names.
pub(super) fn map(claims: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

impl ClaimNames {
    /// What `claims` say.
    pub(super) fn read(&self, claims: &Map<String, Value>) -> Claims {
        let one = |name: &str| texts(claims.get(name)).into_iter().next();
        let affiliations = self.affiliations.iter();
        Claims {
            name: one(&self.name),
            email: one(&self.email),
            email_verified: claims.get(&self.email_verified).is_some_and(is_true),
            community_id: one(&self.community_id),
            home_organisation: one(&self.home_organisation),
            affiliations: affiliations.flat_map(|name| texts(claims.get(name))).collect(),
            assurance: texts(claims.get(&self.assurance)),
        }
    }
}

/// A claim with one text or several, as far as they are worth keeping.
fn texts(claim: Option<&Value>) -> Vec<String> {
    let values = match claim {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    let fine = |text: &&str| {
        !text.trim().is_empty()
            && text.len() <= TEXT_BYTES_MAX
            && !text.chars().any(char::is_control)
    };
    let texts = values.iter().filter_map(Value::as_str).filter(fine);
    texts.take(ENTRIES_MAX).map(str::to_owned).collect()
}

/// Some providers write booleans as texts.
fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str() == Some("true"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: Value) -> Claims {
        ClaimNames::default().read(&map(&claims))
    }

    #[test]
    fn what_myaccessid_says_is_understood() {
        let claims = read(json!({
            "name": "Ada Lovelace",
            "email": "ada@example.org",
            "email_verified": true,
            "voperson_id": "a1b2@myaccessid.org",
            "schac_home_organization": "example.org",
            "voperson_external_affiliation": ["faculty@example.org", "member@example.org"],
            "eduperson_scoped_affiliation": "affiliate@myaccessid.org",
            "eduperson_assurance": ["https://refeds.org/assurance/IAP/medium"],
        }));
        assert_eq!(claims.community_id.as_deref(), Some("a1b2@myaccessid.org"));
        assert_eq!(claims.home_organisation.as_deref(), Some("example.org"));
        let roles = ["faculty@example.org", "member@example.org", "affiliate@myaccessid.org"];
        assert_eq!(claims.affiliations, roles);
        assert_eq!(claims.assurance, ["https://refeds.org/assurance/IAP/medium"]);
        assert!(claims.email_verified);
    }

    #[test]
    fn what_is_missing_or_of_another_kind_says_nothing() {
        assert_eq!(read(json!({})), Claims::default());
        let odd = read(json!({ "name": 7, "email": ["", "a\u{7}b"], "email_verified": "yes" }));
        assert_eq!(odd, Claims::default());
        assert!(read(json!({ "email_verified": "true" })).email_verified);
    }
}
