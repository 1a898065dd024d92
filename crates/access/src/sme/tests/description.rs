//! Descriptions in TOML, and what is said of those that cannot be used.

use super::*;
use crate::document::Document;

fn example(name: &str) -> String {
    let path = format!("{}/../../examples/sme/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn read(text: &str) -> Result<Description, crate::document::Diagnostics> {
    Description::read(&Document::new("group.toml", text))
}

fn assessed(text: &str) -> Assessment {
    assess(&read(text).unwrap().group, definition()).unwrap()
}

#[track_caller]
fn refused(text: &str, expected: Expect) {
    expected.assert_eq(&read(text).unwrap_err().to_string());
}

/// A description of an enterprise alone with `more` behind it.
fn enterprise(more: &str) -> String {
    format!(
        "[enterprise]\nname = \"Aurore\"\nperiods = [\n  {{ closed_on = 2025-12-31, \
         headcount_awu = 9.25, turnover_eur = 100.50, balance_sheet_eur = 7 }},\n]\n{more}"
    )
}

#[test]
fn an_enterprise_alone_is_a_few_lines() {
    let result = assessed(&example("alone"));
    assert_eq!((result.class, result.relation), (SizeClass::Micro, Relation::Autonomous));
    assert_eq!(result.size.headcount, Awu::hundredths(1_250));
    let result = assessed(&enterprise(""));
    assert_eq!(result.size.headcount, Awu::hundredths(925));
    assert_eq!(result.size.turnover, Cents::new(10_050));
}

#[test]
fn a_flat_graph_and_a_nested_one_say_the_same() {
    let (flat, nested) = (assessed(&example("group")), assessed(&example("nested")));
    assert_eq!(
        (flat.class, flat.relation, flat.size),
        (nested.class, nested.relation, nested.size)
    );
    assert_eq!((flat.class, flat.relation), (SizeClass::Medium, Relation::Linked));
    assert_eq!(flat.size, size(40 + 20 + 30, 11_700_000, 10_900_000));
}

#[test]
fn the_lines_of_the_group_tell_how_it_was_computed() {
    let lines: Vec<String> = assessed(&example("group")).lines.iter().map(told).collect();
    expect![[r#"
        Boreal Holding SA: linked, its figures count in full; Boreal Holding SA has 60 % of the votes of Aurore S.à r.l. [100 %] (Article 3(3)(a))
        Fonds d'amorçage in Aurore S.à r.l.: an investor who may hold up to 50 % and makes no partner [40 %] (Article 3(2), second subparagraph)
        Comet GmbH: counts with a partner, in proportion to the holding; Aurore S.à r.l. holds 30 % of Comet GmbH [30 %] (Article 3(2))
        Distant AB in Comet GmbH: nobody's figures count through this holding [20 %] (Article 3(1))
        2024-12-31: accounts of Aurore S.à r.l. [100 %] = 38 AWU, turnover EUR 6 000 000.00, balance sheet EUR 5 000 000.00 (Article 4(1))
        2024-12-31: plus Boreal Holding SA, accounts of 2024-12-31 [100 %] = 20 AWU, turnover EUR 2 000 000.00, balance sheet EUR 3 000 000.00 (Article 6(2), third subparagraph)
        2024-12-31: plus Comet GmbH, accounts of 2025-12-31 [30 %] = 30 AWU, turnover EUR 2 700 000.00, balance sheet EUR 2 400 000.00 (Article 6(2), second subparagraph)
        2024-12-31: these figures are those of a medium enterprise = 88 AWU, turnover EUR 10 700 000.00, balance sheet EUR 10 400 000.00 (Article 2)
        2025-12-31: accounts of Aurore S.à r.l. [100 %] = 40 AWU, turnover EUR 7 000 000.00, balance sheet EUR 5 500 000.00 (Article 4(1))
        2025-12-31: plus Boreal Holding SA, accounts of 2025-12-31 [100 %] = 20 AWU, turnover EUR 2 000 000.00, balance sheet EUR 3 000 000.00 (Article 6(2), third subparagraph)
        2025-12-31: plus Comet GmbH, accounts of 2025-12-31 [30 %] = 30 AWU, turnover EUR 2 700 000.00, balance sheet EUR 2 400 000.00 (Article 6(2), second subparagraph)
        2025-12-31: these figures are those of a medium enterprise = 90 AWU, turnover EUR 11 700 000.00, balance sheet EUR 10 900 000.00 (Article 2)
        Aurore S.à r.l.: medium, linked (Articles 2 and 3)"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn persons_acting_jointly_stand_in_the_graph() {
    let result = assessed(&example("persons"));
    assert_eq!((result.class, result.relation), (SizeClass::Medium, Relation::Linked));
}

#[test]
fn the_signatory_and_the_identity_are_read() {
    let described = read(&example("group")).unwrap();
    assert_eq!(described.signatory.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(described.registration.as_deref(), Some("LU26375245"));
    assert_eq!(described.registered_on, Some(day("2019-05-01")));
}

#[test]
fn every_block_of_the_documentation_can_be_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sme.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks: Vec<&str> = text.split("```toml\n").skip(1).collect();
    assert!(blocks.len() >= 3);
    for block in blocks {
        let block = block.split("```").next().unwrap();
        assessed(block);
    }
}

#[test]
fn shares_are_percentages_and_what_is_ambiguous_is_refused() {
    let held = |share: &str| {
        let more = format!(
            "[[enterprise.holdings]]\nname = \"B\"\ncapital = {share}\nperiods = [{{ closed_on = \
             \"2025-12-31\", headcount_awu = 1, turnover_eur = 1, balance_sheet_eur = 1 }}]"
        );
        read(&enterprise(&more)).map(|it| it.group.holdings[0].capital)
    };
    assert_eq!(held("\"12.5 %\""), Ok(PartsPerMillion::new(125_000)));
    assert_eq!(held("12.5"), Ok(PartsPerMillion::new(125_000)));
    assert_eq!(held("100"), Ok(PartsPerMillion::ONE));
    assert_eq!(held("0"), Ok(PartsPerMillion::ZERO));
    for ambiguous in ["0.5", "1", "101", "\"half\"", "-3", "true"] {
        assert!(held(ambiguous).is_err(), "{ambiguous}");
    }
}

#[test]
fn faults_name_their_line_and_key() {
    refused(
        &enterprise("[[holdings]]\nholder = \"self\"\nheld = \"nobody\"\ncapital = 30\n"),
        expect!["group.toml:6:1: holdings[0]: a holding names `nobody`, which is not described"],
    );
    refused(
        "[enterprise]\nname = \"A\"\nheadcount = 3\nperiods = [{ closed_on = 2025-13-31 }]",
        expect!["group.toml:4:26: invalid date, expected month between 01 and 12"],
    );
    refused(
        "[enterprise]\nname = \"A\"\nperiods = [{ closed_on = 2025-12-31, headcount_awu = -1,\n\
         turnover_eur = 1.234, balance_sheet_eur = \"much\", estimated = 1 }]",
        expect![[r#"
            group.toml:3:54: enterprise.periods[0].headcount_awu: is not a number from 0 with at most two decimals
            group.toml:4:16: enterprise.periods[0].turnover_eur: is not a number from 0 with at most two decimals
            group.toml:4:43: enterprise.periods[0].balance_sheet_eur: is a text, a number is expected
            group.toml:4:63: enterprise.periods[0].estimated: is a whole number, true or false is expected"#]],
    );
    refused(
        &enterprise("[[enterprise.holders]]\nname = \"B\"\n"),
        expect![
            "group.toml:6:1: enterprise.holders[0]: say what part is held: `capital`, `voting`, or both"
        ],
    );
    refused(
        &enterprise("[[enterprise.holders]]\nname = \"B\"\nkind = \"bank\"\ncapital = 3\n"),
        expect![
            "group.toml:8:8: enterprise.holders[0].kind: `bank` is not known; allowed: enterprise, venture-capital, business-angel, university, institutional-investor, small-local-authority, local-authority, public-body, person"
        ],
    );
    refused(
        "",
        expect![
            "group.toml:1:1: enterprise: is missing: describe the enterprise under [enterprise], or name one of [enterprises] with `subject`"
        ],
    );
    refused(
        "subject = \"a\"\n[enterprises.b]\nname = \"B\"\n",
        expect!["group.toml:1:1: the enterprise `a` itself is not described"],
    );
    refused(
        "subject = \"b\"\n[enterprises.\"B C\"]\nname = \"B\"\n",
        expect![
            "group.toml:2:1: enterprises.B C: `B C` is not a name: use 1 to 64 lower-case letters, digits and single hyphens, starting with a letter or digit"
        ],
    );
}

#[test]
fn a_rule_that_misses_something_points_at_it_too() {
    let described = read("subject = \"b\"\n\n[enterprises.b]\nname = \"B\"\n").unwrap();
    let Incomplete(faults) = assess(&described.group, definition()).unwrap_err();
    expect!["group.toml:3:1: enterprises.b: B (b): no accounting period is given"]
        .assert_eq(&described.place(&faults).to_string());
}

#[test]
fn holders_within_holders_have_an_end() {
    let table = |deep: usize| {
        format!("[[enterprise{}]]\nname = \"B\"\ncapital = 30\n", ".holders".repeat(deep))
    };
    let tables: String = (1..=40).map(table).collect();
    let refused = read(&enterprise(&tables)).unwrap_err().to_string();
    assert!(refused.contains("over 32 deep"), "{refused}");
}
