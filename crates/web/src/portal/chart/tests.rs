use super::*;

fn bar(whole: i64, values: &[i64]) -> Bar {
    let part = |value: &i64| Part {
        class: "union",
        label: "Union & <co>".to_owned(),
        value: *value,
        text: value.to_string(),
    };
    Bar { title: "Hours".to_owned(), parts: values.iter().map(part).collect(), whole }
}

#[test]
fn a_bar_shows_its_parts_where_they_begin_and_end() {
    insta::assert_snapshot!(format!("{}\n{}", bar(200, &[50, 0, 25]).svg(), bar(200, &[50]).key()));
}

#[test]
fn a_bar_never_leaves_its_frame() {
    let svg = bar(10, &[8, 8]).svg();
    assert!(svg.contains("x=\"800\" width=\"200\""), "{svg}");
    assert!(!bar(0, &[5]).svg().contains("<rect"));
}

fn curves(points: Vec<(f64, f64)>) -> Curves {
    let validation = points.iter().map(|(x, y)| (*x, y + 0.1)).collect();
    Curves {
        title: "Loss".to_owned(),
        description: "From 4 to 1.5".to_owned(),
        across: "step".to_owned(),
        lines: vec![
            Line { name: "training".to_owned(), points },
            Line { name: "validation".to_owned(), points: validation },
        ],
    }
}

#[test]
fn a_curve_stands_between_round_figures() {
    let points = (0..6).map(|step| (f64::from(step) * 20.0, 4.0 / f64::from(step + 1))).collect();
    insta::assert_snapshot!(curves(points).svg().replace("><", ">\n<"));
}

#[test]
fn a_long_curve_is_thinned_and_keeps_its_end() {
    let points = (0..100_000).map(|step| (f64::from(step), 1.0 / f64::from(step + 1))).collect();
    let drawn = curves(points);
    assert!(drawn.svg().len() < 20_000, "{}", drawn.svg().len());
    let rows = drawn.rows();
    assert_eq!(rows.len(), 24);
    assert_eq!(rows.last().unwrap().0, "99999");
}

#[test]
fn odd_values_do_not_spoil_the_drawing() {
    for points in [vec![], vec![(1.0, 2.0)], vec![(0.0, f64::NAN), (1.0, 3.0)]] {
        let svg = curves(points).svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
    assert!(curves(vec![]).is_empty());
}

#[test]
fn the_map_names_hosts_and_joiners_and_whoever_has_no_place() {
    let states = [
        ("LU", Standing::Hosts("/factories/meluxina-ai".to_owned()), "Luxembourg: Meluxina-AI"),
        ("NO", Standing::Joins, "Norway joins LUMI AIF"),
        ("JP", Standing::Joins, "Japan joins LUMI AIF"),
    ];
    let states = states
        .into_iter()
        .map(|(code, standing, said)| (code.parse().unwrap(), (standing, said.to_owned())))
        .collect();
    let map = Map { title: "States".to_owned(), states };
    assert_eq!(map.elsewhere(), ["Japan joins LUMI AIF"]);
    insta::assert_snapshot!(map.svg().replace("<g", "\n<g").replace("<a", "\n<a"));
}
