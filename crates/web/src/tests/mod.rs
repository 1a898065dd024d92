//! Tests of everything together, over the router.

mod access_matrix;
mod browser;
mod core;
mod jobs;
mod pages;
mod world;
