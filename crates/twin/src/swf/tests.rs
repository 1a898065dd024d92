use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn check(text: &str, expected: Expect) {
    let mut told = String::new();
    for record in Records::new(text.as_bytes()) {
        match record {
            Ok(record) => told.push_str(&format!("{record:?}\n")),
            Err(error) => {
                told.push_str(&format!("{error}\n"));
                break;
            }
        }
    }
    expected.assert_eq(&told);
}

#[test]
fn comments_and_empty_lines_are_skipped_and_unknown_values_kept() {
    check(
        "; Version: 2.2\n\n  ; indented\n 1 0 5 10 4 -1 -1 8 60 -1 1 3 2 -1 1 -1 -1 -1\r\n",
        expect![[r#"
            Record { id: 1, submit: 0, run: 10, allocated: 4, requested: 8, estimate: 60, user: 3, group: 2, queue: 1 }
        "#]],
    );
}

#[test]
fn decimals_are_cut_off_and_the_last_line_needs_no_end() {
    check(
        "7\t12.9 0 -3.5 4 -1 -1 8 6e1 -1 1 3 2 -1 1 -1 -1 -1",
        expect![[r#"
            Record { id: 7, submit: 12, run: -3, allocated: 4, requested: 8, estimate: 60, user: 3, group: 2, queue: 1 }
        "#]],
    );
}

#[test]
fn what_is_not_a_record_is_named_by_line_and_field() {
    check(
        "; fine\n1 2 3\n",
        expect![[r#"
        line 2 has 3 fields; a record of the Standard Workload Format has 18
    "#]],
    );
    check(
        "1 x 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
        expect![[r#"
        line 1, field 2: `x` is not a number
    "#]],
    );
    check(
        "1 2 3 4 5 6 7 8 nan 10 11 12 13 14 15 16 17 18",
        expect![[r#"
        line 1, field 9: `nan` is not a number
    "#]],
    );
    check(
        "1 2 3 99999999999999999999 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
        expect![[r#"
        line 1, field 4: 99999999999999999999 is beyond 1000000000000
    "#]],
    );
    check(
        "1 -9223372036854775808 3 4 5 6 7 8 9 10 11 12 13 14 15",
        expect![[r#"
        line 1, field 2: -9223372036854775808 is beyond 1000000000000
    "#]],
    );
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let endless = Records::new(io::BufReader::new(io::repeat(b'1')));
    let told: Vec<String> = endless.take(1).map(|r| r.unwrap_err().to_string()).collect();
    assert_eq!(told, ["line 1 is longer than 4096 bytes"]);
}

proptest! {
    #[test]
    fn any_bytes_give_records_or_an_error_never_a_panic(
        bytes in proptest::collection::vec(
            prop_oneof![Just(b' '), Just(b'\n'), Just(b'-'), b'0'..=b'9', any::<u8>()], 0..400,
        )
    ) {
        for record in Records::new(&bytes[..]) {
            if record.is_err() {
                break;
            }
        }
    }

    #[test]
    fn records_survive_printing_and_parsing(values in proptest::array::uniform9(-NUMBER_MAX..=NUMBER_MAX)) {
        let [id, submit, run, allocated, requested, estimate, user, group, queue] = values;
        let record = Record { id, submit, run, allocated, requested, estimate, user, group, queue };
        let line = format!(
            "{id} {submit} -1 {run} {allocated} -1 -1 {requested} {estimate} -1 1 {user} {group} -1 {queue} -1 -1 -1\n"
        );
        let read: Vec<_> = Records::new(line.as_bytes()).map(|r| r.unwrap()).collect();
        prop_assert_eq!(read, vec![record]);
    }
}
