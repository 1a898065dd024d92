//! Carries a job out on this machine.
