//! Speaks ACME and the step API over HTTPS, trusting a pinned root.
//!
//! Here: the connection ([`Http`], [`Trust`]), the ACME session ([`acme::Session`]), the
//! CA's own API ([`step::Client`]), and the admin API of a server on this machine
//! ([`AdminClient`]). Not here: what is asked and why, files, and texts for users; those are the
//! command line's.

pub mod acme;
mod admin;
mod dial;
mod error;
mod http;
mod issued;
pub mod peer;
pub mod step;
mod trust;

pub use admin::{AdminClient, segment};
pub use error::Error;
pub use http::{Http, Reply};
pub use trust::{Identity, Trust};
