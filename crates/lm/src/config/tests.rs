use super::*;

#[test]
fn every_preset_makes_sense_and_is_found_by_its_name() {
    for preset in Preset::ALL {
        TrainConfig::steps(preset, 1).check().unwrap();
        assert_eq!(preset.name().parse::<Preset>().unwrap(), preset);
    }
    assert!("huge".parse::<Preset>().is_err());
}

#[test]
fn presets_have_the_sizes_they_promise() {
    let millions = |preset: Preset| preset.dimensions().parameters() / 1_000_000;
    assert_eq!(Preset::ALL.map(millions), [1, 10, 97]);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let good = TrainConfig::steps(Preset::Tiny, 10);
    let refused = |change: fn(&mut TrainConfig)| {
        let mut config = good.clone();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    for (part, message) in [
        ("batch", refused(|c| c.batch = 0)),
        ("steps", refused(|c| c.steps = None)),
        ("steps", refused(|c| c.steps = Some(0))),
        ("learning rate", refused(|c| c.learning_rate = f64::NAN)),
        ("clipping norm", refused(|c| c.clip_norm = -1.0)),
        ("weight decay", refused(|c| c.weight_decay = 2.0)),
        ("validation fraction", refused(|c| c.validation_fraction = 0.0)),
        ("width", refused(|c| c.dimensions.heads = 3)),
        ("context", refused(|c| c.dimensions.context = 1)),
        ("vocabulary", refused(|c| c.dimensions.vocabulary = usize::MAX)),
    ] {
        assert!(message.starts_with(part), "{message}");
    }
}

#[test]
fn a_longer_training_takes_more_text_and_a_given_bound_is_kept() {
    let bytes = |steps| TrainConfig::steps(Preset::Tiny, steps).usable_text_bytes();
    assert!(bytes(1) < bytes(100_000) && bytes(100_000) < bytes(1_000_000));
    let bounded = TrainConfig { text_bytes_max: Some(7), ..TrainConfig::steps(Preset::Tiny, 9) };
    assert_eq!(bounded.usable_text_bytes(), 7);
}
