use expect_test::expect;

use super::*;
use crate::results::Line;

/// A scenario of which one figure was found with the seeds 1, 2, 3 …
fn results(name: &str, class: &str, samples: &[f64]) -> Results {
    Results {
        name: name.to_owned(),
        question: String::new(),
        described: Vec::new(),
        seeds: (1..).take(samples.len()).collect(),
        lines: vec![Line {
            scope: Scope::Class(class.to_owned()),
            figure: Figure::WaitSecondsMean,
            estimate: Estimate::of(samples),
            samples: samples.iter().copied().map(Some).collect(),
        }],
        days: Vec::new(),
    }
}

fn said(before: &[f64], after: &[f64]) -> String {
    let both = [results("A", "sme", before), results("B", "sme", after)];
    compare(&both).iter().flat_map(Comparison::sentences).collect::<Vec<_>>().join("\n")
}

#[test]
fn pairing_by_seed_finds_what_the_figures_alone_would_hide() {
    let (before, after) = ([600.0, 6_000.0, 18_000.0], [300.0, 5_680.0, 17_690.0]);
    let alone = Estimate::of(&before).mean - Estimate::of(&after).mean;
    assert!(Estimate::of(&before).margin.unwrap() > 10.0 * alone);
    expect!["“B” is better than “A” for sme (5 min less, 5 min to 6 min)."]
        .assert_eq(&said(&before, &after));
}

#[test]
fn what_chance_may_have_done_is_not_claimed() {
    expect!["Between “B” and “A” no difference in waiting can be told from chance for sme."]
        .assert_eq(&said(&[600.0, 900.0, 700.0], &[650.0, 800.0, 720.0]));
    expect!["Between “B” and “A” no difference in waiting can be told from chance for sme."]
        .assert_eq(&said(&[600.0], &[60.0]));
}

#[test]
fn only_seeds_that_both_have_are_compared() {
    let mut other = results("B", "sme", &[100.0, 200.0]);
    other.seeds = vec![3, 4];
    let comparison = compare(&[results("A", "sme", &[9.0, 9.0, 90.0, 190.0]), other]);
    let change = &comparison[0].changes[0];
    assert!((change.difference.mean - 10.0).abs() < 1e-9, "{change:?}");
    assert!(compare(&[results("A", "x", &[1.0]), results("B", "y", &[1.0])])[0].changes.is_empty());
}
