//! Trains and serves a small language model.
