//! Tests of everything together, over the router.

mod access_matrix;
mod core;
