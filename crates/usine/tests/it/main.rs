//! The binary as people meet it: started for real, spoken to over HTTP and on the command line.

X

mod factory;
mod up;

#[cfg(feature = "e2e")]
mod contract;
