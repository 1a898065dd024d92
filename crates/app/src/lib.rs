//! The use cases, one module a station.
