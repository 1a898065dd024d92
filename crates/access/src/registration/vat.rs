//! VAT identification numbers: the formats of Directive 2006/112/EC, Article 215, as the Commission
//! lists them for VIES, and the check digits that Member States publish.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "at most twelve digits, each multiplied by at most 256: nothing can overflow"
)]

use std::fmt;
use std::str::FromStr;

use super::digits::{ends_with, leaves, luhn, mod_11_10, number, weighed};

/// A VAT identification number: prefix and number, without spaces. Its form and, where the Member
/// State publishes how, its check digits are right; that it is in use only VIES knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VatNumber(String);

/// A text that is no VAT number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAVatNumber {
    /// It does not begin with a Member State's letters.
    #[error(
        "`{0}` does not begin with the two letters of a Member State (EL for Greece), as in \
         LU26375245; an EUID has a dot, as in LURCSL.B123456"
    )]
    Prefix(String),
    /// What follows has another form there.
    #[error("a VAT number of {prefix} is {form}; `{found}` is not")]
    Form {
        /// The Member State's letters.
        prefix: &'static str,
        /// What it looks like there.
        form: &'static str,
        /// What was given.
        found: String,
    },
    /// Its check digits do not fit: a digit is wrong.
    #[error("the check digits of {0} do not fit; look for a mistyped digit")]
    CheckDigits(String),
}

/// What a number looks like in a Member State.
struct Rule {
    prefix: &'static str,
    /// In words.
    form: &'static str,
    /// Whether what follows the prefix has that form.
    fits: fn(&str) -> bool,
    /// Whether its check digits fit; only asked when the form does.
    checks: fn(&str) -> bool,
}

const fn rule(
    prefix: &'static str,
    form: &'static str,
    fits: fn(&str) -> bool,
    checks: fn(&str) -> bool,
) -> Rule {
    Rule { prefix, form, fits, checks }
}

/// Every Member State.
const RULES: [Rule; 27] = [
    rule("AT", "ATU and 8 digits", |it| it.strip_prefix('U').is_some_and(of::<8>), austria),
    rule(
        "BE",
        "BE and 10 digits of which the first is 0 or 1",
        |it| of::<10>(it) && it.starts_with(['0', '1']),
        belgium,
    ),
    rule("BG", "BG and 9 or 10 digits", |it| of::<9>(it) || of::<10>(it), bulgaria),
    rule("CY", "CY, 8 digits and a letter", |it| lettered(it, 8), cyprus),
    rule(
        "CZ",
        "CZ and 8, 9 or 10 digits",
        |it| of::<8>(it) || of::<9>(it) || of::<10>(it),
        czechia,
    ),
    rule("DE", "DE and 9 digits", of::<9>, |it| mod_11_10(&digits(it))),
    rule("DK", "DK and 8 digits", of::<8>, |it| {
        leaves(&digits(it), &[2, 7, 6, 5, 4, 3, 2, 1], (11, 0))
    }),
    rule("EE", "EE and 9 digits", of::<9>, |it| {
        leaves(&digits(it), &[3, 7, 1, 3, 7, 1, 3, 7, 1], (10, 0))
    }),
    rule("EL", "EL and 9 digits", of::<9>, |it| {
        ends_with(&digits(it), |head| weighed(head, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10)
    }),
    rule(
        "ES",
        "ES and 9 characters: 7 digits between a letter or digit and another",
        spanish,
        |_| true,
    ),
    rule("FI", "FI and 8 digits", of::<8>, |it| {
        leaves(&digits(it), &[7, 9, 10, 5, 8, 4, 2, 1], (11, 0))
    }),
    rule("FR", "FR, 2 letters or digits (not I or O) and 9 digits", french, france),
    rule("HR", "HR and 11 digits", of::<11>, |it| mod_11_10(&digits(it))),
    rule("HU", "HU and 8 digits", of::<8>, |it| {
        leaves(&digits(it), &[9, 7, 3, 1, 9, 7, 3, 1], (10, 0))
    }),
    rule("IE", "IE and 8 or 9 characters, such as 1234567FA or 8Z49289F", irish, ireland),
    rule("IT", "IT and 11 digits", of::<11>, |it| luhn(&digits(it))),
    rule("LT", "LT and 9 or 12 digits", |it| of::<9>(it) || of::<12>(it), lithuania),
    rule("LU", "LU and 8 digits", of::<8>, |it| {
        let all = number(&digits(it));
        all / 100 % 89 == all % 100
    }),
    rule("LV", "LV and 11 digits", of::<11>, latvia),
    rule("MT", "MT and 8 digits", of::<8>, |it| {
        leaves(&digits(it), &[3, 4, 6, 7, 8, 9, 10, 1], (37, 0))
    }),
    rule("NL", "NL, 9 digits, B and 2 digits, such as NL004495445B01", dutch, netherlands),
    rule("PL", "PL and 10 digits", of::<10>, |it| {
        ends_with(&digits(it), |head| weighed(head, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11)
    }),
    rule("PT", "PT and 9 digits", of::<9>, |it| {
        ends_with(&digits(it), |head| {
            (11 - weighed(head, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10
        })
    }),
    rule(
        "RO",
        "RO and 2 to 10 digits",
        |it| (2..=10).contains(&it.len()) && all_digits(it),
        romania,
    ),
    rule(
        "SE",
        "SE and 12 digits of which the last are 01 to 94",
        |it| of::<12>(it) && (1..=94).contains(&(number(&digits(it)) % 100)),
        |it| luhn(&digits(it.get(..10).unwrap_or_default())),
    ),
    rule("SI", "SI and 8 digits", of::<8>, |it| {
        ends_with(&digits(it), |head| match 11 - weighed(head, &[8, 7, 6, 5, 4, 3, 2]) % 11 {
            10 => 0,
            // 11 fits no digit: such numbers are not given out.
            check => check,
        })
    }),
    rule("SK", "SK and 10 digits", of::<10>, |it| number(&digits(it)).is_multiple_of(11)),
];

impl VatNumber {
    /// The letters of the Member State; EL for Greece.
    pub fn prefix(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }
}

impl FromStr for VatNumber {
    type Err = NotAVatNumber;

    /// Spaces, dots and dashes that people write between the digits do not count.
    fn from_str(text: &str) -> Result<Self, NotAVatNumber> {
        let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
        let plain = plain.to_ascii_uppercase();
        let found = plain.split_at_checked(2);
        let rule = found.and_then(|(prefix, _)| RULES.iter().find(|it| it.prefix == prefix));
        let (Some((_, rest)), Some(rule)) = (found, rule) else {
            return Err(NotAVatNumber::Prefix(text.to_owned()));
        };
        if !(rule.fits)(rest) {
            let Rule { prefix, form, .. } = *rule;
            return Err(NotAVatNumber::Form { prefix, form, found: text.to_owned() });
        }
        if !(rule.checks)(rest) {
            return Err(NotAVatNumber::CheckDigits(plain));
        }
        Ok(Self(plain))
    }
}

impl fmt::Display for VatNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text is `N` digits.
fn of<const N: usize>(text: &str) -> bool {
    text.len() == N && all_digits(text)
}

/// Whether the text is so many digits and a letter.
fn lettered(text: &str, count: usize) -> bool {
    match text.split_at_checked(count) {
        Some((head, tail)) => all_digits(head) && is_letter(tail),
        None => false,
    }
}

fn is_letter(text: &str) -> bool {
    text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The digits of a text; other characters are left out.
fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

fn austria(text: &str) -> bool {
    ends_with(&digits(text), |head| {
        let crossed = head.iter().enumerate().map(|(index, digit)| {
            let product = if index % 2 == 1 { digit * 2 } else { *digit };
            product / 10 + product % 10
        });
        (96 - crossed.sum::<u32>()) % 10
    })
}

fn belgium(text: &str) -> bool {
    let all = number(&digits(text));
    97 - all / 100 % 97 == all % 100
}

/// Legal persons have nine digits; for the ten of natural persons there are several rules.
fn bulgaria(text: &str) -> bool {
    if text.len() != 9 {
        return true;
    }
    ends_with(&digits(text), |head| match weighed(head, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11 {
        10 => weighed(head, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10,
        check => check,
    })
}

fn cyprus(text: &str) -> bool {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let counted = digits(text).into_iter().enumerate().map(|(index, digit)| {
        let place = usize::try_from(digit).unwrap_or(usize::MAX);
        if index % 2 == 0 { ODD.get(place).copied().unwrap_or_default() } else { digit }
    });
    let check = u8::try_from(counted.sum::<u32>() % 26).map(|it| char::from(b'A' + it));
    check.is_ok_and(|check| text.ends_with(check)) && !text.starts_with("12")
}

/// Legal persons have eight digits; persons have their birth numbers.
fn czechia(text: &str) -> bool {
    if text.len() != 8 {
        return true;
    }
    ends_with(&digits(text), |head| match (11 - weighed(head, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11 {
        0 => 1,
        check => check % 10,
    })
}

fn spanish(text: &str) -> bool {
    let mut parts = text.chars();
    let (first, last) = (parts.next(), parts.next_back());
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let one_letter = [first, last].iter().flatten().any(char::is_ascii_uppercase);
    text.len() == 9 && edge(first) && edge(last) && one_letter && all_digits(parts.as_str())
}

fn french(text: &str) -> bool {
    let key = |c: char| c.is_ascii_digit() || (c.is_ascii_uppercase() && !matches!(c, 'I' | 'O'));
    text.split_at_checked(2).is_some_and(|(head, tail)| head.chars().all(key) && of::<9>(tail))
}

/// The key of two digits follows from the SIREN; newer keys with letters are not published.
fn france(text: &str) -> bool {
    let Some((key, siren)) = text.split_at_checked(2) else { return false };
    !all_digits(key) || (12 + 3 * (number(&digits(siren)) % 97)) % 97 == number(&digits(key))
}

fn irish(text: &str) -> bool {
    let mut characters = text.chars();
    let (first, second) = (characters.next(), characters.next());
    let old = text.len() == 8
        && first.is_some_and(|c| c.is_ascii_digit())
        && second.is_some_and(|c| c.is_ascii_uppercase() || matches!(c, '+' | '*'))
        && lettered(characters.as_str(), 5);
    let new = match text.split_at_checked(8) {
        Some((head, tail)) => lettered(head, 7) && (tail.is_empty() || is_letter(tail)),
        None => false,
    };
    old || new
}

fn ireland(text: &str) -> bool {
    const LETTERS: &str = "WABCDEFGHIJKLMNOPQRSTUV";
    let Some((head, tail)) = text.split_at_checked(7) else { return false };
    let mut tail = tail.chars();
    let (check, extra) = (tail.next(), tail.next());
    // The old numbers have their check letter computed as if they were 0, digits 3 to 7, digit 1.
    let plain = all_digits(head);
    let counted: Vec<u32> = if plain {
        digits(head)
    } else {
        let mut found = digits(head);
        found.rotate_left(1);
        std::iter::once(0).chain(found).collect()
    };
    let letter = |c: char| LETTERS.find(c).and_then(|at| u32::try_from(at).ok());
    let Some(extra) = extra.map_or(Some(0), letter) else { return false };
    let rest = (weighed(&counted, &[8, 7, 6, 5, 4, 3, 2]) + 9 * extra) % 23;
    check.and_then(letter) == Some(rest)
}

fn lithuania(text: &str) -> bool {
    ends_with(&digits(text), |head| {
        let weights = |from: u32| (0_u32..11).map(move |index| 1 + (index + from) % 9);
        let sum = |from| weighed(head, &weights(from).collect::<Vec<_>>()) % 11;
        if sum(0) == 10 { sum(2) % 10 } else { sum(0) }
    })
}

/// Natural persons, whose numbers begin with 0 to 3, have those of the population register.
fn latvia(text: &str) -> bool {
    text.starts_with(['0', '1', '2', '3'])
        || leaves(&digits(text), &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1], (11, 3))
}

fn dutch(text: &str) -> bool {
    match text.split_once('B') {
        Some((head, tail)) => of::<9>(head) && of::<2>(tail),
        None => false,
    }
}

/// Either the test of eleven over the first nine digits, or, since 2020, ISO/IEC 7064 modulus 97,10
/// over the whole with letters as numbers (N 23, L 21, B 11).
fn netherlands(text: &str) -> bool {
    let Some((head, tail)) = text.split_once('B') else { return false };
    let eleven = ends_with(&digits(head), |it| weighed(it, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11);
    let whole = digits(&format!("2321{head}11{tail}"));
    let rest = whole.iter().fold(0, |rest, digit| (rest * 10 + digit) % 97);
    eleven || rest == 1
}

fn romania(text: &str) -> bool {
    ends_with(&digits(text), |head| {
        const WEIGHTS: [u32; 9] = [2, 3, 5, 7, 1, 2, 3, 5, 7];
        let reversed: Vec<u32> = head.iter().rev().copied().collect();
        weighed(&reversed, &WEIGHTS) * 10 % 11 % 10
    })
}
