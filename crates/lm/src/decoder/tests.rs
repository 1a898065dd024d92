use super::*;
use crate::config::Dimensions;

#[test]
fn position_by_position_gives_the_scores_of_the_whole() {
    let dimensions =
        Dimensions { vocabulary: 260, width: 24, hidden: 40, layers: 2, heads: 3, context: 9 };
    let model = Model::initial(dimensions, 3).unwrap();
    let tokens = [0, 7, 7, 250, 3, 99, 12, 1, 42];
    let whole = model.scores(&tokens).unwrap();
    let mut decoder = Decoder::new(&model);
    for (token, expected) in tokens.iter().zip(whole) {
        let scores = decoder.advance(*token).unwrap();
        let difference =
            scores.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(difference < 1e-5, "differs by {difference}");
    }
    assert_eq!(decoder.position(), 9);
}
