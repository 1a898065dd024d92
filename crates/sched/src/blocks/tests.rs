use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn check(steps: &[(u8, u32, u32)]) -> Result<(), TestCaseError> {
    let mut blocks: Blocks<u32, u32, u64> = Blocks::new();
    let mut model: BTreeMap<u32, u32> = BTreeMap::new();
    for &(kind, key, value) in steps {
        if kind == 0 {
            if let Some(at) = blocks.find(key) {
                blocks.remove(at);
            }
            model.remove(&key);
        } else if kind == 1 {
            // As the first job of a queue starts.
            if let Some((at, _, _)) = blocks.first() {
                blocks.remove(at);
            }
            model.pop_first();
        } else if model.insert(key, value).is_none() {
            blocks.insert(key, value);
        } else if let Some(at) = blocks.find(key) {
            blocks.remove(at);
            blocks.insert(key, value);
        }
        prop_assert_eq!(blocks.len(), model.len());
        prop_assert_eq!(blocks.summary(), model.values().map(|&v| u64::from(v)).sum::<u64>());
        prop_assert_eq!(blocks.find(key).is_some(), model.contains_key(&key));
        let first = blocks.first().map(|(_, key, value)| (key, value));
        prop_assert_eq!(first, model.first_key_value().map(|(k, v)| (*k, *v)));
        let mut sum = 0;
        let reached = model.iter().find(|(_, value)| {
            sum += u64::from(**value);
            sum >= u64::from(key)
        });
        let place =
            blocks.reach(u64::from(key)).and_then(|(at, sum)| Some((blocks.get(at)?.1, sum)));
        prop_assert_eq!(place, reached.map(|(key, _)| (*key, sum)));
    }
    let pairs: Vec<_> = blocks.iter().map(|(k, v)| (*k, *v)).collect();
    prop_assert_eq!(pairs, model.into_iter().collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #[test]
    fn blocks_agree_with_a_sorted_map(
        steps in proptest::collection::vec((0u8..5, 1u32..400, 1u32..50), 1..1500)
    ) {
        check(&steps)?;
    }

    #[test]
    fn searching_finds_the_next_of_its_kind(
        values in proptest::collection::vec(1u32..100, 1..300),
        wanted in 1u32..100,
        gone in proptest::collection::vec(0u32..300, 0..200),
    ) {
        let mut blocks: Blocks<u32, u32, u64> = Blocks::new();
        let mut model = BTreeMap::new();
        for (key, &value) in (0..).zip(&values) {
            blocks.insert(key, value);
            model.insert(key, value);
        }
        for key in gone {
            model.remove(&key);
            if let Some(at) = blocks.find(key) {
                blocks.remove(at);
            }
        }
        for key in 0..=310 {
            let from = blocks.at_or_after(key);
            prop_assert!(!model.contains_key(&key) || blocks.find(key) == Some(from));
            let found = blocks.search(from, |sum| *sum >= u64::from(wanted), |v| *v == wanted);
            let key_found = found.and_then(|at| blocks.get(at)).map(|(_, key, _)| key);
            let next = model.range(key..).find(|(_, value)| **value == wanted);
            prop_assert_eq!(key_found, next.map(|(key, _)| *key));
        }
    }
}
