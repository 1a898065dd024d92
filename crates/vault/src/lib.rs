//! Content-addressed files over object storage, repositories and revisions.
