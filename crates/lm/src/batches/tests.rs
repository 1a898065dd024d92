use proptest::prelude::*;

use super::*;

#[test]
fn a_target_is_the_token_after_its_input() {
    let tokens: Vec<u32> = (100..200).collect();
    for batch in draw(&tokens, (1, 2), (5, 7), 2) {
        assert!(batch.inputs.iter().zip(&batch.targets).all(|(i, t)| i + 1 == *t));
    }
}

#[test]
fn validation_windows_cover_the_text_without_overlap() {
    let tokens: Vec<u32> = (0..101).collect();
    let batches = spread(&tokens, 10, 5, 2);
    let firsts: Vec<u32> =
        batches.iter().flat_map(|b| b.inputs.iter().step_by(10)).copied().collect();
    assert_eq!(firsts, [0, 20, 40, 60, 80]);
    assert_eq!(batches.len(), 3);
}

proptest! {
    #[test]
    fn the_sequences_of_a_step_do_not_depend_on_their_division(
        seed: u64, step in 0_u64..1000, batch in 1_usize..20, shards in 1_usize..9
    ) {
        let tokens: Vec<u32> = (0..500).collect();
        let whole = draw(&tokens, (seed, step), (batch, 16), 1);
        let parts = draw(&tokens, (seed, step), (batch, 16), shards);
        let joined: Vec<u32> = parts.iter().flat_map(|part| part.inputs.clone()).collect();
        prop_assert_eq!(&joined, &whole[0].inputs);
        prop_assert_eq!(joined.len(), batch * 16);
        prop_assert_eq!(parts.len(), shards.min(batch));
    }

    #[test]
    fn steps_and_seeds_differ(seed: u64, step in 0_u64..1_000_000) {
        let tokens: Vec<u32> = (0..100_000).collect();
        let drawn = |seed, step| draw(&tokens, (seed, step), (4, 8), 1);
        prop_assert_ne!(drawn(seed, step), drawn(seed, step + 1));
        prop_assert_ne!(drawn(seed, step), drawn(seed ^ 1, step));
    }
}
