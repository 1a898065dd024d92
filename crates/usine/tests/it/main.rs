//! The binary as people meet it: started for real, spoken to over HTTP and on the command line.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod accounting;
mod afar;
mod agent;
mod cli;
mod crash;
mod demo;
mod device;
mod factory;
mod faults;
mod hugging_face;
mod import;
mod line;
mod oidc;
mod placement;
mod policy;
mod post;
mod slurm;
mod sme;
mod ssh;
mod story;
mod tls;
mod trial;
mod twin;
mod up;

#[cfg(feature = "e2e")]
mod contract;
