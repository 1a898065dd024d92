//! The processes around a job, alone: what tests start where the whole program would be.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    engine::carry::main(&arguments)
}
