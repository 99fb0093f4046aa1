//! The JSON bodies of ACME, one file per resource, for the server and the client.
//!
//! Unknown members are ignored, so that extensions of other programs are harmless (RFC 8555 §7.3
//! and §9.7.1). URLs are text. Not here: how they are built.

pub mod account;
pub mod authorization;
pub mod body;
pub mod challenge;
pub mod directory;
pub mod identifier;
pub mod order;
pub mod renewal;
pub mod revocation;

mod octets;
mod time;
