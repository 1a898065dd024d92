//! The words of organisations' names, by which they are found: each by any beginning of any word.

use units::OrganisationId;

use crate::scope::Conditions;
use crate::{StoreError, Tx};

/// The most words that somebody looks for at once.
const SOUGHT_MAX: usize = 8;

/// The words of a name, in lower case, each once.
pub(crate) fn words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let parts = lower.split(|letter: char| !letter.is_alphanumeric());
    let mut words: Vec<String> = parts.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort();
    words.dedup();
    words
}

/// Enters the words of a new organisation's name.
pub(super) async fn enter(tx: &Tx, id: OrganisationId, name: &str) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO organisation_word (word, organisation) VALUES ($1, $2)";
    for word in words(name) {
        tx.execute(SQL, [word.into(), id.uuid().into()]).await?;
    }
    Ok(())
}

/// Demands that every word of `sought` begins a word of the name. Signs alone find nothing.
pub(super) fn sought(conditions: &mut Conditions, sought: &str) {
    const BEGINS: &str = "id IN (SELECT organisation FROM organisation_word
        WHERE word >= {} AND word < {})";
    let words = words(sought);
    if words.is_empty() {
        conditions.and_all("1 = 0", []);
    }
    for word in words.into_iter().take(SOUGHT_MAX) {
        let after = format!("{word}{}", char::MAX);
        conditions.and_all(BEGINS, [word.into(), after.into()]);
    }
}

#[cfg(test)]
mod tests {
    use access::organisation::{Organisation, OrganisationKind};
    use uuid::Uuid;

    use super::*;
    use crate::organisations::{Filter, insert, page};
    use crate::scope::Scope;
    use crate::testing::databases;

    async fn called(tx: &Tx, number: u128, name: &str) {
        let organisation = Organisation {
            id: OrganisationId::from_uuid(Uuid::from_u128(number)),
            name: name.to_owned(),
            kind: OrganisationKind::Enterprise,
            country: "LU".parse().unwrap(),
            legal_form: None,
            registration: None,
            sector: None,
            nace: None,
            registered_on: None,
        };
        let at = "2026-11-21T09:00:00Z".parse().unwrap();
        insert(tx, &organisation, "person:ada", at).await.unwrap();
    }

    #[tokio::test]
    async fn organisations_are_found_by_how_their_words_begin_page_by_page() {
        for database in databases().await {
            let tx = database.store.write().await.unwrap();
            called(&tx, 1, "Lumière Langue S.à r.l.").await;
            called(&tx, 2, "Langues et Lumières").await;
            called(&tx, 3, "Éclair Lumineux").await;
            let found = async |name: &str, before: Option<u128>, scope: &Scope| {
                let before = before.map(|it| OrganisationId::from_uuid(Uuid::from_u128(it)));
                let filter = Filter { name: Some(name.to_owned()), before };
                let found = page(&tx, scope, &filter, 10).await.unwrap();
                found.iter().map(|it| it.id.uuid().as_u128()).collect::<Vec<_>>()
            };
            let all = &Scope::Everything;
            assert_eq!(found("LUM", None, all).await, [3, 2, 1]);
            assert_eq!(found("LUM", Some(3), all).await, [2, 1], "the next page");
            assert_eq!(found("lang lumi", None, all).await, [2, 1], "both words, in any order");
            assert_eq!(found("éc", None, all).await, [3]);
            assert_eq!(found("angue", None, all).await, [0_u128; 0], "not in the middle");
            assert_eq!(found("-", None, all).await, [0_u128; 0], "signs find nothing");
            let (organisations, projects, partitions) =
                (vec![OrganisationId::from_uuid(Uuid::from_u128(2))], vec![], vec![]);
            let own = Scope::Within { organisations, projects, partitions };
            assert_eq!(found("lum", None, &own).await, [2], "only what one may see");
        }
    }

    #[test]
    fn a_name_is_found_by_each_of_its_words() {
        let found = words("Lumière-Langue S.à r.l. Lumière");
        assert_eq!(found, ["l", "langue", "lumière", "r", "s", "à"]);
        assert!(words(" .-& ").is_empty());
    }
}
