//! What makes data that is random and the same at every run.

use store::Store;
use units::Timestamp;
use uuid::Uuid;

/// Random numbers, and identifiers that follow one another in time.
pub(crate) struct Seeds {
    state: u64,
    milliseconds: u64,
}

impl Seeds {
    /// Those of `seed`; the first identifier is of `begins`.
    pub(crate) fn new(seed: u64, begins: Timestamp) -> Self {
        let milliseconds = u64::try_from(begins.as_millisecond()).unwrap();
        Self { state: seed, milliseconds }
    }

    /// A number (`splitmix64`).
    pub(crate) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(bound).unwrap()).unwrap()
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// An identifier a millisecond later than the one before.
    pub(crate) fn id(&mut self) -> Uuid {
        self.milliseconds += 1;
        let (a, b) = (self.number().to_be_bytes(), self.number().to_be_bytes());
        let random = [a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], b[0], b[1]];
        uuid::Builder::from_unix_timestamp_millis(self.milliseconds, &random).into_uuid()
    }

    /// The instant of the last identifier.
    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(i64::try_from(self.milliseconds).unwrap()).unwrap()
    }
}

/// Writes `things` in transactions of two thousand.
pub(crate) async fn in_portions<T>(
    store: &Store,
    things: &[T],
    write: impl AsyncFn(&store::Tx, &T) -> Result<(), store::StoreError>,
) {
    for portion in things.chunks(2_000) {
        let tx = store.write().await.unwrap();
        for thing in portion {
            write(&tx, thing).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}
