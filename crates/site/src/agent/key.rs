//! Names of events that come out the same however often an agent works them out.

use sha2::{Digest as _, Sha256};
use units::{EventId, JobId};
use uuid::{Builder, Uuid, Variant, Version};

/// The key of what happened to `job`: `what` is different for different events of one job.
pub(super) fn event(job: JobId, what: &str) -> EventId {
    EventId::from_uuid(named(&[job.uuid().as_bytes(), what.as_bytes()]))
}

/// A version 8 UUID of the parts.
fn named(parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash.finalize()) {
        *byte = hashed;
    }
    let builder = Builder::from_bytes(bytes);
    builder.with_variant(Variant::RFC4122).with_version(Version::Custom).into_uuid()
}
