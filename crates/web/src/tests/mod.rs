//! Tests of everything together, over the router.

mod access_matrix;
mod alerts;
mod browser;
mod core;
mod history;
mod hugging_face;
mod jobs;
mod pages;
mod review;
mod sites;
mod what_if;
mod world;
