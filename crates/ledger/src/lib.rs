//! Double-entry books of hours and of euros.
