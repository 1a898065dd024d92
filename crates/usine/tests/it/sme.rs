//! `usine sme`: the size of enterprises, computed from files, without a hub.

use serde_json::{Value, json};

use crate::cli::Terminal;

fn example(name: &str) -> String {
    format!("{}/../../examples/sme/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

fn in_a_folder<T>(told: impl FnOnce(Terminal<'_>) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    told(Terminal { folder: folder.path(), name: "any" })
}

#[test]
fn an_assessment_says_class_relation_figures_and_lines() {
    let assessed = in_a_folder(|it| it.json(&["sme", "assess", &example("group")]));
    assert_eq!(assessed["class"], "medium");
    assert_eq!(assessed["relation"], "linked");
    for (figure, expected) in [
        ("headcount_awu", json!(90)),
        ("turnover_eur", json!(11_700_000)),
        ("balance_sheet_eur", json!(10_900_000)),
    ] {
        assert_eq!(assessed[figure], expected);
        let lines = assessed["lines"].as_array().unwrap().iter();
        let amounts = lines.filter(|line| line["figure"] == figure);
        let sum: f64 = amounts.map(|line| line["amount"].as_f64().unwrap()).sum();
        assert_eq!(sum, expected.as_f64().unwrap());
    }
    let lines = assessed["lines"].as_array().unwrap();
    let partner = lines.iter().find(|line| line["whose"] == "comet").unwrap();
    assert_eq!(
        (&partner["share"], &partner["amount"], &partner["whole"]),
        (&json!(0.3), &json!(30), &json!(100))
    );
    assert!(lines.iter().all(|line| line["article"].as_str().unwrap().starts_with("Article")));
    assert_eq!(assessed["scale_up"]["holds"], Value::Bool(false));
}

#[test]
fn people_read_the_calculation_and_print_a_declaration_to_sign() {
    in_a_folder(|it| {
        let told = it.told(&["sme", "assess", &example("group")]);
        assert!(told.starts_with("Aurore S.à r.l.: medium, linked (an SME)"), "{told}");
        assert!(told.contains("Boreal Holding SA has 60 % of the votes"), "{told}");
        let declared = it.told(&["sme", "declare", &example("group")]);
        for part in [
            "[x] linked enterprise",
            "LU26375245",
            "Ada Lovelace",
            "Done at:       Luxembourg, on 2026-11-22",
            "Signature:",
            "Comet GmbH: counts by 30 %",
        ] {
            assert!(declared.contains(part), "{part} is missing in {declared}");
        }
        let alone = it.told(&["sme", "declare", &example("alone"), "--on", "2026-01-31"]);
        assert!(alone.contains("______, on 2026-01-31"), "{alone}");
    });
}

#[test]
fn a_description_with_faults_is_refused_with_line_and_key() {
    let text = "[enterprise]\nname = \"Aurore\"\nholders = [{ name = \"B\", capital = 0.5 }]\n";
    in_a_folder(|it| {
        std::fs::write(it.folder.join("wrong.toml"), text).unwrap();
        let (code, complaint) = it.refused(&["sme", "assess", "wrong.toml"]);
        assert_eq!(code, 2);
        assert!(
            complaint.contains("wrong.toml:3:36: enterprise.holders[0].capital: `0.5`"),
            "{complaint}"
        );
        let output = it.run(&["sme", "assess", "-", "--json"], "[enterprise]\nname = \"Aurore\"\n");
        assert_eq!(output.status.code(), Some(2));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&told["valid"], &told["errors"][0]["line"]), (&json!(false), &json!(1)));
        assert_eq!(it.refused(&["sme", "assess", "nowhere.toml"]).0, 2);
    });
}
