//! The digital twin: traces, replay over the scheduling core, metrics.
