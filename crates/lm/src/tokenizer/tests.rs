use proptest::prelude::*;

use super::*;

const TEXT: &str = "The factory trains a model. The model reads the text of the factory.\n";

fn tokenizer(vocabulary: usize) -> Tokenizer {
    Tokenizer::train(std::iter::repeat_n(TEXT, 20), vocabulary).unwrap()
}

/// What the decoder gives piece by piece.
fn streamed(tokenizer: &Tokenizer, tokens: &[u32]) -> String {
    let mut decode = tokenizer.decoder();
    tokens.iter().filter_map(|token| decode(*token).unwrap()).collect()
}

#[test]
fn frequent_words_become_one_token() {
    let tokenizer = tokenizer(300);
    assert!(tokenizer.encode(" factory").unwrap().len() < " factory".len());
    assert!(tokenizer.entries() <= 300);
    assert_eq!(tokenizer.0.id_to_token(END_OF_TEXT_ID).unwrap(), END_OF_TEXT);
}

#[test]
fn the_same_text_gives_the_same_tokenizer() {
    assert_eq!(tokenizer(290).to_json().unwrap(), tokenizer(290).to_json().unwrap());
}

#[test]
fn the_end_of_text_cannot_be_smuggled_in_by_a_text() {
    let tokens = tokenizer(280).encode("before<|endoftext|>after").unwrap();
    assert!(!tokens.contains(&END_OF_TEXT_ID), "{tokens:?}");
}

#[test]
fn a_saved_tokenizer_is_the_same_and_a_broken_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let tokenizer = tokenizer(280);
    std::fs::write(&path, tokenizer.to_json().unwrap()).unwrap();
    let loaded = Tokenizer::load(&path).unwrap();
    assert_eq!(loaded.encode(TEXT).unwrap(), tokenizer.encode(TEXT).unwrap());
    for broken in ["", "{}", "{\"version\":\"1.0\"", "[1,2,3]"] {
        std::fs::write(&path, broken).unwrap();
        assert!(matches!(Tokenizer::load(&path), Err(Error::Malformed { .. })), "{broken}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_text_comes_back_unchanged(text in "\\PC{0,60}|[a-zA-Z .,\\n\\t]{0,200}") {
        thread_local!(static TOKENIZER: Tokenizer = tokenizer(300));
        TOKENIZER.with(|tokenizer| {
            let tokens = tokenizer.encode(&text).unwrap();
            prop_assert_eq!(&tokenizer.0.decode(&tokens, true).unwrap(), &text);
            // Piece by piece, the sign for a broken character waits for what follows.
            let streamed = streamed(tokenizer, &tokens);
            prop_assert!(text.starts_with(&streamed));
            let whole = text.contains(char::REPLACEMENT_CHARACTER) || streamed == text;
            prop_assert!(whole, "{:?} lacks its end", streamed);
            Ok(())
        })?;
    }
}
