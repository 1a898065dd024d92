//! The HTTP API and the portal, thin over app.
