use expect_test::{Expect, expect};

use super::*;

fn check(text: &str, expected: Expect) {
    let document = Document::new("policy/test.toml", text);
    let read = Reader::read(&document, |table| {
        let name = table.required("name", Value::text);
        let days = table.optional("day", Value::date);
        let part = table.optional("part", Value::percent);
        let cost = table.optional("cost", |value| value.figure(Value::euros));
        let counts = table.optional("counts", |value| value.list(Value::count::<u8>));
        Some(format!("{} {days:?} {part:?} {cost:?} {counts:?}", name?))
    });
    expected.assert_eq(&match read {
        Ok(text) => text,
        Err(faults) => faults.to_string(),
    });
}

#[test]
fn a_sound_document_is_read() {
    check(
        r#"
name = "a"
day = 2026-07-22
part = "12.5 %"
cost = { value = 29_760_000, source = "paper" }
counts = [1, 255]
[sources.paper]
text = "A paper"
date = 2026-01-01
standing = "official"
"#,
        expect![[
            r#"a Some(2026-07-22) Some(PartsPerMillion(125000)) Some(Known(Cents(2976000000), Evidence { source: Source { text: "A paper", date: 2026-01-01, standing: Official }, note: None })) Some([1, 255])"#
        ]],
    );
}

#[test]
fn every_fault_is_found_with_its_line_and_key() {
    check(
        r#"
nmae = "a"
day = "2026-07-22"
part = "112 %"
cost = { value = 1.5, source = "nowhere" }
counts = [1, 0, 256, "x"]
[sources.paper]
text = "A paper"
date = 2026-01-01
standing = "hearsay"
"#,
        expect![[r#"
            policy/test.toml:1:1: name: is missing here
            policy/test.toml:2:1: nmae: is not a key here; allowed: sources, name, day, part, cost, counts
            policy/test.toml:3:7: day: is a text, a day such as 2026-07-22 is expected
            policy/test.toml:4:8: part: `112 %` is more than the whole; at most 100 %
            policy/test.toml:5:18: cost.value: is a number with a fraction, a whole number is expected
            policy/test.toml:5:32: cost.source: `nowhere` is not declared under `sources`; declared: 
            policy/test.toml:6:14: counts[1]: must be at least 1; leave it `unknown` when it is not known
            policy/test.toml:6:17: counts[2]: `256` is too large
            policy/test.toml:6:22: counts[3]: is a text, a whole number is expected
            policy/test.toml:7:1: sources.paper: no figure names this source
            policy/test.toml:10:12: sources.paper.standing: `hearsay` is not known; allowed: official, secondary"#]],
    );
}

#[test]
fn an_unknown_figure_has_no_value() {
    check(
        "name = \"a\"\ncost = { unknown = \"asked the vendor\", value = 3 }",
        expect!["policy/test.toml:2:40: cost.value: is not a key here; allowed: unknown"],
    );
}

#[test]
fn broken_syntax_is_a_fault_with_a_line() {
    check(
        "name = \"a\"\nday = = 3\n[x",
        expect![[r#"
            policy/test.toml:2:7: extra `=`, expected nothing
            policy/test.toml:2:9: unexpected key or value, expected newline, `#`
            policy/test.toml:3:3: unclosed table, expected `]`"#]],
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z=\\[\\]{}\"0-9.\n%#: -]{0,80}") {
        let document = Document::new("any.toml", text);
        let read = Reader::read(&document, |table| {
            table.optional("a", |value| value.figure(Value::percent));
            table.optional("b", |value| value.map::<units::Slug, _>(Value::date));
            Some(table.tables("c", |table| table.required("d", Value::boolean)))
        });
        if let Err(faults) = read {
            proptest::prop_assert!(!faults.0.is_empty());
        }
    }
}
