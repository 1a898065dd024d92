//! The scheduling core: queue, machine, policies, one deterministic step.
