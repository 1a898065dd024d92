use proptest::prelude::*;

use super::*;

/// A number of each Member State with fitting check digits.
const VALID: [&str; 33] = [
    "ATU13585627",
    "BE0403019261",
    "BG175074752",
    "CY10259033P",
    "CZ25123891",
    "DE136695976",
    "DK13585628",
    "EE100931558",
    "EL094259216",
    "ES54362315K",
    "ESB58378431",
    "FI20774740",
    "FR40303265045",
    "FRK7399859412",
    "HR33392005961",
    "HU12892312",
    "IE6433435F",
    "IE6433435OA",
    "IE8D79739I",
    "IT00743110157",
    "LT119511515",
    "LT100001919017",
    "LU26375245",
    "LV40003521600",
    "MT11679112",
    "NL004495445B01",
    "NL000099998B57",
    "PL8567346215",
    "PT501964843",
    "RO18547290",
    "SE123456789701",
    "SI50223054",
    "SK2022749619",
];

fn vat(text: &str) -> Result<VatNumber, NotAVatNumber> {
    text.parse()
}

#[test]
fn numbers_of_every_member_state_are_read() {
    let mut states = std::collections::BTreeSet::new();
    for text in VALID {
        let number = vat(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(number.to_string(), text);
        states.insert(number.prefix().to_owned());
    }
    assert_eq!(states.len(), 27);
}

#[test]
fn a_mistyped_digit_is_found_where_check_digits_are_published() {
    let mut found = 0;
    for text in VALID.iter().filter(|text| !text.starts_with("ES") && !text.starts_with("FRK")) {
        let place = 5;
        let digit = text[place..=place].parse::<u32>().unwrap();
        let wrong = format!("{}{}{}", &text[..place], (digit + 1) % 10, &text[place + 1..]);
        assert!(matches!(vat(&wrong), Err(NotAVatNumber::CheckDigits(_))), "{wrong}");
        found += 1;
    }
    assert!(found > 28, "{found}");
}

#[test]
fn what_people_write_between_the_digits_does_not_count_and_what_is_wrong_is_said() {
    assert_eq!(vat("be 0403.019.261").unwrap().to_string(), "BE0403019261");
    let said = |text: &str| vat(text).unwrap_err().to_string();
    assert_eq!(said("DE12345"), "a VAT number of DE is DE and 9 digits; `DE12345` is not");
    assert_eq!(
        said("LU26375246"),
        "the check digits of LU26375246 do not fit; look for a mistyped digit"
    );
    assert!(said("GR094259216").contains("EL for Greece"));
    for text in ["", "L", "é", "CHE123456789", "123456789", "ATU1358562７"] {
        assert!(vat(text).is_err(), "{text}");
    }
}

#[test]
fn registers_of_companies_are_told_from_numbers_for_vat() {
    for (text, expected) in [
        ("LURCSL.B123456", "LURCSL.B123456"),
        (" deK1101R.HRB116737 ", "DEK1101R.HRB116737"),
        ("FR7501.399 859 412", "FR7501.399 859 412"),
        ("LU26375245", "LU26375245"),
        ("lu 26.375.245", "LU26375245"),
        ("LU26.375.245", "LU26375245"),
    ] {
        let read: Registration = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read.to_string(), expected);
    }
    let said = |text: &str| text.parse::<Registration>().unwrap_err().to_string();
    assert!(said("L1RCSL.B123").contains("two letters of a state"), "{}", said("L1RCSL.B123"));
    assert!(said("LURCSL.").contains("after the dot"));
    assert!(said("LURCSL.-1").contains("after the dot"));
    let euid: Euid = "LURCSL.B1".parse().unwrap();
    assert_eq!(euid.state(), "LU");
}

#[test]
fn codes_of_nace_are_read_with_or_without_their_section() {
    for (text, expected) in
        [("62.10", "K62.10"), ("k62.1", "K62.1"), ("K 62", "K62"), ("72", "N72"), ("V", "V")]
    {
        let read: Nace = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read.to_string(), expected);
    }
    let said = |text: &str| text.parse::<Nace>().unwrap_err().to_string();
    assert_eq!(said("J62.01"), "division 62 lies in section K of NACE Rev. 2.1, not in J");
    assert_eq!(said("45.11"), "NACE Rev. 2.1 has no division 45");
    assert_eq!(said("W"), "NACE Rev. 2.1 has the sections A to V, and no W");
    for text in ["", "6", "62.", "62.1.1", "62.123", "62.01x", "language", "K62.10 x", "é"] {
        assert!(text.parse::<Nace>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_whatever_makes_them_fail(text in "\\PC{0,24}") {
        let _ = text.parse::<Registration>();
        let _ = text.parse::<Euid>();
        let _ = text.parse::<Nace>();
    }

    #[test]
    fn what_is_read_prints_so_that_it_is_read_again(text in "[A-Z]{2}[0-9A-Z]{2,4}[0-9]{4,9}\\.?[0-9]{0,3}") {
        if let Ok(read) = text.parse::<Registration>() {
            prop_assert_eq!(read.to_string().parse::<Registration>(), Ok(read));
        }
    }
}
