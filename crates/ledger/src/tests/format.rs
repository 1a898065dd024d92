//! What is stored: its one spelling, its hash, and what happens when a byte of it changes.

use expect_test::expect;
use proptest::prelude::*;
use units::{EntryId, Timestamp, Work};

use super::world::{World, allocation, job, period};
use crate::*;

/// An entry as a store would keep it: every field as bytes.
#[derive(Clone, Debug)]
struct Row {
    fields: Vec<Vec<u8>>,
}

const FIXED: usize = 11;

fn row(entry: &Entry) -> Row {
    let parts = entry.kind().parts();
    let uuid = |id: Option<uuid_bytes::Bytes>| id.map(|id| id.to_vec()).unwrap_or_default();
    let number = |number: Option<i64>| number.map(|n| n.to_be_bytes().to_vec()).unwrap_or_default();
    let mut fields = vec![
        entry.seq().number().to_be_bytes().to_vec(),
        entry.stamp().id().uuid().as_bytes().to_vec(),
        entry.stamp().at().as_microsecond().to_be_bytes().to_vec(),
        entry.stamp().author().to_string().into_bytes(),
        entry.kind().name().as_bytes().to_vec(),
        uuid(parts.allocation.map(|id| id.uuid().into_bytes())),
        uuid(parts.recipient.map(|id| id.uuid().into_bytes())),
        uuid(parts.job.map(|id| id.uuid().into_bytes())),
        number(parts.refers.map(Seq::number)),
        number(parts.amount.map(Work::count)),
        entry.hash().as_bytes().to_vec(),
        entry.reason().as_bytes().to_vec(),
    ];
    let Movements::Hours(transfers) = entry.movements() else { panic!("hours only") };
    for transfer in transfers {
        fields.push(transfer.from().to_string().into_bytes());
        fields.push(transfer.to().to_string().into_bytes());
        fields.push(transfer.amount().count().to_be_bytes().to_vec());
    }
    Row { fields }
}

mod uuid_bytes {
    pub(super) type Bytes = [u8; 16];
}

impl Row {
    fn text(&self, field: usize) -> Option<&str> {
        std::str::from_utf8(&self.fields[field]).ok()
    }

    fn number(&self, field: usize) -> Option<i64> {
        Some(i64::from_be_bytes(self.fields[field].as_slice().try_into().ok()?))
    }

    /// The id in text, as an id type reads it.
    fn id<T: std::str::FromStr>(&self, field: usize) -> Option<T> {
        let hex: String = self.fields[field].iter().map(|byte| format!("{byte:02x}")).collect();
        hex.parse().ok()
    }

    fn optional<T>(&self, field: usize, read: impl Fn(&Self) -> Option<T>) -> Option<Option<T>> {
        if self.fields[field].is_empty() { Some(None) } else { read(self).map(Some) }
    }

    /// The entry, if the fields can be read at all.
    fn read(&self, previous: Digest) -> Option<Entry> {
        let parts = KindParts {
            allocation: self.optional(5, |row| row.id(5))?,
            recipient: self.optional(6, |row| row.id(6))?,
            job: self.optional(7, |row| row.id(7))?,
            refers: self.optional(8, |row| Seq::new(row.number(8)?))?,
            amount: self.optional(9, |row| row.number(9).map(Work::seconds))?,
        };
        let kind = Kind::from_parts(self.text(4)?, parts).ok()?;
        let transfers = (FIXED + 1..self.fields.len())
            .step_by(3)
            .map(|at| {
                let account = |field| self.text(field)?.parse().ok();
                let amount = Work::seconds(self.number(at + 2)?);
                Transfer::new(account(at)?, account(at + 1)?, amount).ok()
            })
            .collect::<Option<Vec<_>>>()?;
        let draft = Draft::new(kind, self.text(FIXED)?, Movements::Hours(transfers)).ok()?;
        let at = Timestamp::from_microsecond(self.number(2)?).ok()?;
        let stamp = Stamp::new(self.id::<EntryId>(1)?, at, self.text(3)?.parse().ok()?);
        let hash = Digest::from_bytes(self.fields[10].as_slice().try_into().ok()?);
        Some(Entry::stored(Seq::new(self.number(0)?)?, stamp, draft, previous, hash))
    }
}

/// The position of the first row that cannot stand.
fn first_broken(rows: &[Row]) -> Option<usize> {
    let mut books = Books::new();
    for (index, row) in rows.iter().enumerate() {
        let Some(entry) = row.read(books.head().hash) else { return Some(index) };
        if books.replay(&entry).is_err() {
            return Some(index);
        }
    }
    None
}

/// One entry of nearly every kind.
fn world() -> World {
    let mut world = World::new();
    let (a, b) = (allocation("a"), allocation("b"));
    let payers = [("union".parse().unwrap(), 5_000), ("state:LU".parse().unwrap(), 5_000)];
    let shares = payers.map(|(payer, _)| (payer, 1));
    world.open("meluxina-ai.gpu", &payers).unwrap();
    world.grant(a, "meluxina-ai.gpu", 1_000, &shares).unwrap();
    world.grant(b, "meluxina-ai.gpu", 77, &shares).unwrap();
    world.hold(a, job(1), 501).unwrap();
    world.hold(a, job(2), 20).unwrap();
    world.settle(job(1), 333).unwrap();
    world.release(job(2)).unwrap();
    world.correct(job(1), 300).unwrap();
    world.hold(b, job(3), 77).unwrap();
    world.settle(job(3), 80).unwrap();
    world.transfer(a, b, 15).unwrap();
    world.lapse(a).unwrap();
    world.now = period().end();
    world.lapse(b).unwrap();
    world
}

#[test]
fn every_changed_bit_is_found_in_the_entry_that_was_changed() {
    let entries = world().entries;
    let mut books = Books::new();
    let mut tried = 0;
    for entry in &entries {
        let row = row(entry);
        for (field, bytes) in row.fields.iter().enumerate() {
            for byte in 0..bytes.len() {
                for bit in 0..8 {
                    let mut changed = row.clone();
                    changed.fields[field][byte] ^= 1 << bit;
                    let stands = changed
                        .read(books.head().hash)
                        .is_some_and(|entry| books.clone().replay(&entry).is_ok());
                    assert!(!stands, "entry {}, field {field}, byte {byte}", entry.seq());
                    tried += 1;
                }
            }
        }
        books.replay(entry).unwrap();
    }
    assert!(tried > 20_000, "only {tried} changes were tried");
}

#[test]
fn entries_cannot_be_left_out_doubled_or_swapped() {
    let rows: Vec<Row> = world().entries.iter().map(row).collect();
    for index in 0..rows.len() - 1 {
        let mut without = rows.clone();
        without.remove(index);
        assert_eq!(first_broken(&without), Some(index));
        let mut doubled = rows.clone();
        doubled.insert(index, rows[index].clone());
        assert_eq!(first_broken(&doubled), Some(index + 1));
        let mut swapped = rows.clone();
        swapped.swap(index, index + 1);
        assert_eq!(first_broken(&swapped), Some(index));
    }
}

#[test]
fn the_encoding_does_not_change_by_accident() {
    let hashes: String = world()
        .entries
        .iter()
        .map(|entry| format!("{} {} {}\n", entry.seq(), entry.kind().name(), entry.hash()))
        .collect();
    expect![[r#"
        1 open 02047b4a7bbe0de88c57521002d52c567ecb9df840475cfe405e490e8a7b897c
        2 grant 8dbe5335995db5c0ae4f61b049390afabce2136638d514b802b431fb2ca14a33
        3 grant 0c4aba2def6af9fd08ae98af5b4d4735b1ffd2ddf1a0f75cc6f9aef540c66dfe
        4 hold ae657b9f8d31e4d6e6177ab147f12590dd6410565535708b139c4370b639c760
        5 hold 2febe3fdc254ad3993ee799c7b35d9e2ff3167624a311de620a072d11d47c80c
        6 settle cbf1bca13765e82a87878bfcca617a1ec8e3a61ea1a72b63608f3cd1705cfa05
        7 release 0068b1d92f8f46ea54d6e6193511de497fefd0eb1ebe2187610bccc2bf98274e
        8 correction 80cbf53cd0d9361bad2cd35c5302bce92012f39120a937a9d6e760d54ab2292b
        9 hold f5498ff32e63971d9203288c5c37534ba02eb045475f0ddb8c3a153b8999a117
        10 settle 38d310c6a867169862f4dd00c526aae1e404147d8d32b6593d4de607ebf95d91
        11 transfer f0dacdab9adccb7bfd0c7f5c8c3b0bd58885e6dd55d835cc61b0f1a6f169ac76
        12 return 3f4ba6700a1aa8841440fdcac29d77da64407fa0fc1d45e399bbb3fa984143d2
        13 expiry 4bd604071767359f1f34e619c1a4277edaa3b795019b4d05c2257cc0df1235c6
    "#]]
    .assert_eq(&hashes);
}

#[test]
fn accounts_have_one_spelling() {
    for text in [
        "lumi.lumi-g:gpu/capacity/2026-10-01T00:00:00Z--2027-01-01T00:00:00Z",
        "lumi.lumi-g:node/pool/00000000-0000-0000-0000-000000000001/state:FI/2026-10-01T00:00:00Z--2027-01-01T00:00:00Z",
        "lumi.lumi-g:gpu/available/00000000-0000-0000-0000-00000000000a/union",
        "lumi.lumi-g:gpu/held/00000000-0000-0000-0000-00000000000a/commercial",
        "lumi.lumi-g:gpu/used/00000000-0000-0000-0000-00000000000a/volunteered:CZ",
        "lumi.lumi-g:gpu/absorbed/00000000-0000-0000-0000-00000000000a",
        "lumi.lumi-g:gpu/expired/union",
    ] {
        assert_eq!(text.parse::<Account<Work>>().unwrap().to_string(), text);
        assert!(text.to_uppercase().parse::<Account<Work>>().is_err());
        assert!(text.parse::<Account<units::Cents>>().is_err());
    }
    for text in [
        "eur/budget/union",
        "eur/acquisition/00000000-0000-0000-0000-00000000000a/union",
        "eur/operation/00000000-0000-0000-0000-00000000000a/state:LU",
    ] {
        assert_eq!(text.parse::<Account<units::Cents>>().unwrap().to_string(), text);
        assert!(text.parse::<Account<Work>>().is_err());
    }
    let respelled = "lumi.lumi-g:gpu/absorbed/00000000-0000-0000-0000-00000000000A";
    assert!(respelled.parse::<Account<Work>>().is_err());
    let instant = "lumi.lumi-g:gpu/capacity/2026-10-01T02:00:00+02:00--2027-01-01T00:00:00Z";
    assert!(instant.parse::<Account<Work>>().is_err());
}

proptest! {
    #[test]
    fn reading_an_account_never_panics(text in "[a-z:/.0-9-]{0,60}") {
        let _ = text.parse::<Account<Work>>();
        let _ = text.parse::<Account<units::Cents>>();
    }
}
