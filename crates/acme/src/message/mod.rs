//! The JSON bodies of ACME, one file a resource: what the server writes is what
//! the client reads, and the reverse.
//!
//! Members that we don't know are ignored, so that other programs' extensions
//! do no harm (RFC 8555 §7.3 and §9.7.1). URLs are text, built by whoever answers.

pub mod account;
pub mod authorization;
pub mod challenge;
pub mod directory;
pub mod identifier;
pub mod order;
pub mod renewal;
pub mod revocation;

mod octets;
mod time;
