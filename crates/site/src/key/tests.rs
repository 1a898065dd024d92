use expect_test::expect;

use super::*;

fn site() -> Slug {
    "leonardo-booster".parse().unwrap()
}

/// The key of the vectors in `docs/agent.md`: its bytes are 0, 1, 2 … 31.
fn counted() -> SecretKey {
    SecretKey::of(std::array::from_fn(|index| u8::try_from(index).unwrap())).unwrap()
}

fn signed(purpose: Purpose<'_>) -> Proof {
    let (at, nonce) = ("2027-01-31T12:00:00Z", "000102030405060708090a0b0c0d0e0f");
    counted().sign(purpose, &site(), at.to_owned(), nonce.to_owned())
}

/// The vectors that `docs/agent.md` prints; whoever writes another agent checks against them.
#[test]
fn the_published_vectors_hold() {
    let other = SecretKey::of([7; 32]).unwrap().public();
    let purposes = [
        Purpose::Enrol { code: "usine_code_00112233445566778899aabbccddeeff" },
        Purpose::Session,
        Purpose::Rotate { to: &other },
    ];
    let mut shown = format!("key {}\n", counted().public());
    shown += &format!("fingerprint {}\n", counted().public().fingerprint());
    for purpose in purposes {
        let proof = signed(purpose);
        shown += &format!("\n{}", purpose.text(&site(), &proof.at, &proof.nonce));
        shown += &format!("signature {}\n", proof.signature);
        assert_eq!(verify(&proof, purpose, &site()).unwrap().key, counted().public());
    }
    expect![[r#"
        key A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
        fingerprint 5647-5aa7-5463-474c-0285-df5d-bf2b-cab7

        usine-agent-proof-1
        enrol
        leonardo-booster
        2027-01-31T12:00:00Z
        000102030405060708090a0b0c0d0e0f
        93835b37ba64e941539a5bdc2c696200980e4759f34d3d07c586395a8b7483ed
        signature huDgba4ekM77jAx4JPbvioj1AA9Lk2/S1mDfA/D+gqxOcjvwUbmKGdY8jzEWFOLHDMKXLcxHv+OHKltWrCWPBg==

        usine-agent-proof-1
        session
        leonardo-booster
        2027-01-31T12:00:00Z
        000102030405060708090a0b0c0d0e0f
        -
        signature Mwg3r/+sUKQlI5Oejwi81OAhpHelleMCrXwe2d1xWiqN5DBjDW136BBGMqty9hQJdkrbQ33/0xiNKuftoWYrDA==

        usine-agent-proof-1
        rotate
        leonardo-booster
        2027-01-31T12:00:00Z
        000102030405060708090a0b0c0d0e0f
        6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=
        signature PuriiJZteKlTKiObgDBJBq5GRUyEQzxdwh7sKWiOdD3AVjgB+Ln13l25TjPzCijADMd/RFA8a33ZxtNiy8QLDw==
    "#]].assert_eq(&shown);
    let document = include_str!("../../../../docs/agent.md");
    for line in shown.lines() {
        assert!(document.contains(line), "docs/agent.md does not print `{line}`");
    }
}

#[test]
fn a_proof_is_good_for_nothing_else() {
    let proof = signed(Purpose::Session);
    let elsewhere: Slug = "lumi-g".parse().unwrap();
    let other = SecretKey::generate().unwrap();
    let bad = Err(KeyError::Signature);
    assert_eq!(verify(&proof, Purpose::Session, &elsewhere), bad);
    assert_eq!(verify(&proof, Purpose::Rotate { to: &other.public() }, &site()), bad);
    let later = Proof { at: "2027-01-31T12:00:01Z".to_owned(), ..proof.clone() };
    assert_eq!(verify(&later, Purpose::Session, &site()), bad);
    let renamed = Proof { nonce: "f".repeat(32), ..proof.clone() };
    assert_eq!(verify(&renamed, Purpose::Session, &site()), bad);
    let foreign = Proof { key: other.public().to_string(), ..proof.clone() };
    assert_eq!(verify(&foreign, Purpose::Session, &site()), bad);
    for nonce in ["", "short", "line\nbreak-line-break", &"n".repeat(65)] {
        let proof = Proof { nonce: nonce.to_owned(), ..proof.clone() };
        assert_eq!(verify(&proof, Purpose::Session, &site()), Err(KeyError::Nonce));
    }
}

#[test]
fn a_key_that_is_kept_is_the_same_key_and_never_shows() {
    let key = SecretKey::generate().unwrap();
    let again = SecretKey::read(&key.reveal()).unwrap();
    assert_eq!(again.public(), key.public());
    assert!(!format!("{key:?}").contains(&key.reveal()));
    assert_eq!(key.public().to_string().parse(), Ok(key.public()));
    assert!(SecretKey::read("AAAA").is_err());
}
