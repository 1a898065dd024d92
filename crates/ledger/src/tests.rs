mod format;
mod properties;
mod stories;
mod world;
