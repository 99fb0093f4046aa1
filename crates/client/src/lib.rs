//! Speaks ACME and the step API over HTTPS, trusting a pinned root.
//!
//! Here: the connection ([`Http`], [`Trust`]), the ACME session ([`acme::Session`]), the
//! CA's own API ([`step::Client`]), and the operator's door of a server on this machine ([`Operator`]). Not here: what is asked and why, files, and words for people;
//! that is the command line's part.

pub mod acme;
mod dial;
mod error;
mod http;
mod operator;
pub mod peer;
pub mod step;
mod trust;

pub use error::Error;
pub use http::{Http, Reply};
pub use operator::{Operator, segment};
pub use trust::{Identity, Trust};
