use super::*;

fn random() -> ChaCha8Rng {
    stream(1, 0)
}

fn config(temperature: f32, top_k: usize) -> GenerateConfig {
    GenerateConfig { temperature, top_k, ..GenerateConfig::default() }
}

#[test]
fn no_temperature_takes_the_likeliest_and_the_first_of_equals() {
    assert_eq!(choose(&[0.1, 3.0, 3.0, 1.0], config(0.0, 0), &mut random()), 1);
    assert_eq!(choose(&[], config(0.0, 0), &mut random()), END_OF_TEXT_ID);
}

#[test]
fn only_the_likeliest_are_drawn_and_in_proportion() {
    let scores = [2.0_f32.ln(), -50.0, 6.0_f32.ln(), 1.0_f32.ln()];
    let mut counts = [0; 4];
    let mut random = random();
    for _ in 0..4000 {
        counts[choose(&scores, config(1.0, 2), &mut random) as usize] += 1;
    }
    assert_eq!((counts[1], counts[3]), (0, 0));
    assert!((2.6..3.4).contains(&(f64::from(counts[2]) / f64::from(counts[0]))), "{counts:?}");
}

#[test]
fn settings_and_folders_that_make_no_sense_are_refused() {
    let refused = |config| {
        generate(Path::new("/no/model"), "x", config, &mut |_| ()).unwrap_err().to_string()
    };
    assert!(refused(config(f32::NAN, 0)).starts_with("temperature"));
    assert!(refused(config(-1.0, 0)).starts_with("temperature"));
    assert_eq!(refused(config(1.0, 0)), "cannot read /no/model/config.json");
    assert!(score(Path::new("/no/model"), "x").is_err());
}
