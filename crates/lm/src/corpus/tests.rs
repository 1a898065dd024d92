use std::fs;

use proptest::prelude::*;

use super::*;

#[test]
fn only_text_is_read_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    fs::write(folder.path().join("b/second.txt"), "second").unwrap();
    fs::write(folder.path().join("a.txt"), "first").unwrap();
    fs::write(folder.path().join("latin-1.txt"), b"caf\xe9").unwrap();
    fs::write(folder.path().join("binary"), b"a\0b").unwrap();
    fs::write(folder.path().join("empty"), "").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("outside")).unwrap();
    let corpus = Corpus::read(&[folder.path().to_path_buf()], u64::MAX).unwrap();
    assert_eq!(corpus.texts, ["first", "second"]);
    assert_eq!((corpus.files(), corpus.files_skipped, corpus.bytes), (2, 3, 11));
}

#[test]
fn a_missing_source_is_named() {
    let error = Corpus::read(&[PathBuf::from("/no/such/folder")], 1).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /no/such/folder");
}

#[test]
fn too_much_text_is_thinned_evenly() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        let lines: String = (0..40_000).map(|i| format!("{name} line {i}\n")).collect();
        fs::write(folder.path().join(name), lines).unwrap();
    }
    let source = [folder.path().to_path_buf()];
    let all = Corpus::read(&source, u64::MAX).unwrap();
    assert_eq!(all.bytes, all.bytes_found);
    let some = Corpus::read(&source, all.bytes / 4).unwrap();
    assert_eq!(some.bytes_found, all.bytes);
    assert!(some.bytes < all.bytes / 3 && some.bytes > all.bytes / 5, "{}", some.bytes);
    assert!(some.texts.iter().all(|text| !text.is_empty()));
}

#[test]
fn too_few_tokens_cannot_be_split() {
    assert_eq!(Split::new(&[1; 19], 0.1, 10), None);
    let split = Split::new(&[1; 20], 0.1, 10).unwrap();
    assert_eq!((split.training.len(), split.validation.len()), (10, 10));
}

proptest! {
    #[test]
    fn pieces_put_together_are_the_text(text in "([a-z]{0,9}|é|\\n){0,40}", times in 1_usize..400) {
        let text = text.repeat(times);
        let pieces: Vec<&str> = pieces(&text).collect();
        prop_assert_eq!(pieces.concat(), text.as_str());
        prop_assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= PIECE_BYTES));
    }

    #[test]
    fn every_token_is_on_one_side_and_both_sides_have_a_window(
        tokens in 20_usize..20_000, fraction in 0.01_f64..0.5
    ) {
        let tokens: Vec<u32> = (0..tokens as u32).collect();
        let split = Split::new(&tokens, fraction, 10).unwrap();
        prop_assert!(split.training.len() >= 10 && split.validation.len() >= 10);
        let mut all = [split.training, split.validation].concat();
        all.sort_unstable();
        prop_assert_eq!(all, tokens);
    }
}
