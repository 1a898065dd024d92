use proptest::prelude::*;

use super::*;

const SMALL: Dimensions =
    Dimensions { vocabulary: 280, width: 16, hidden: 24, layers: 2, heads: 2, context: 8 };

fn folder() -> (tempfile::TempDir, Model) {
    let folder = tempfile::tempdir().unwrap();
    let text = "a model of a model\n".repeat(30);
    let tokenizer = Tokenizer::train(std::iter::once(text.as_str()), 280).unwrap();
    let dimensions = Dimensions { vocabulary: tokenizer.entries(), ..SMALL };
    let model = Model::initial(dimensions, 5).unwrap();
    write_tokenizer(folder.path(), &tokenizer, 8).unwrap();
    write(folder.path(), &model, "# card\n").unwrap();
    (folder, model)
}

#[test]
fn a_written_model_reads_back_bit_by_bit() {
    let (folder, model) = folder();
    let (read, tokenizer) = read(folder.path()).unwrap();
    assert_eq!(read.dimensions, model.dimensions);
    assert_eq!(tokenizer.entries(), model.dimensions.vocabulary);
    for ((name, a), (_, b)) in model.weights().into_iter().zip(read.weights()) {
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(a), values(b), "{name}");
    }
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".new")), "{left:?}");
}

#[test]
fn another_kind_of_model_is_refused_with_the_reason() {
    let (folder, _) = folder();
    let path = folder.path().join(CONFIG);
    let good = fs::read_to_string(&path).unwrap();
    for (from, to, reason) in [
        ("\"llama\"", "\"gpt2\"", "model_type"),
        ("\"silu\"", "\"gelu\"", "hidden_act"),
        ("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 1", "num_key_value_heads"),
        ("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false", "tie_word_embeddings"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 99999999", "layers"),
        ("\"hidden_size\": 16", "\"hidden_size\": 32", "holds model.embed_tokens.weight"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "model.layers.2"),
        ("\"num_attention_heads\"", "\"heads\"", "missing field"),
    ] {
        assert!(good.contains(from), "{from}");
        let kv = good.replace(from, to);
        fs::write(&path, kv).unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error:?} does not name {reason}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_weight_file_is_an_error_or_a_model_never_a_panic(
        at in 0.0_f64..1.0, byte: u8, keep in 0.0_f64..=1.0
    ) {
        thread_local!(static FOLDER: (tempfile::TempDir, Model) = folder());
        FOLDER.with(|(folder, model)| {
            let path = folder.path().join(WEIGHTS);
            write(folder.path(), model, "").unwrap();
            let mut bytes = fs::read(&path).unwrap();
            // Mostly in the header, where damage is worst.
            let place = (at.powi(4) * (bytes.len() - 1) as f64) as usize;
            bytes[place] = byte;
            if keep < 0.5 {
                bytes.truncate((keep * 2.0 * bytes.len() as f64) as usize);
            }
            fs::write(&path, bytes).unwrap();
            let _ = read(folder.path());
        });
    }
}
