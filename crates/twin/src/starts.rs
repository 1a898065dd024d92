//! The start of every job, as rows that other tools compare.

use std::io::{self, Write};

use crate::Job;

/// Writes `id,submit,start,run,procs` for every job, one a line, without a heading.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_starts(mut out: impl Write, jobs: &[Job], starts: &[i64]) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(ROWS_BYTES + ROW_BYTES_MAX);
    let mut digits = itoa::Buffer::new();
    for (job, &start) in jobs.iter().zip(starts) {
        for number in [job.id, job.submit, start, job.run] {
            buffer.extend_from_slice(digits.format(number).as_bytes());
            buffer.push(b',');
        }
        buffer.extend_from_slice(digits.format(job.procs).as_bytes());
        buffer.push(b'\n');
        if buffer.len() > ROWS_BYTES {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)?;
    out.flush()
}

/// Rows are written when they fill this much.
const ROWS_BYTES: usize = 1 << 16;
/// Five numbers of at most twenty digits, and what separates them.
const ROW_BYTES_MAX: usize = 5 * 21;
