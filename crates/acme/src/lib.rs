//! ACME as data and decisions: the messages of RFC 8555 and its family, what a
//! signed request must be, how orders and authorizations move, what a challenge
//! looks at and how it judges what was seen.
//!
//! Not here: sockets, clocks, stores and randomness (all are arguments), nor
//! provisioners and certificates (those are the `ca` crate's).

pub mod account;
pub mod authz;
pub mod caa;
pub mod challenge;
pub mod contact;
pub mod eab;
pub mod envelope;
pub mod identifier;
pub mod issue_value;
pub mod key_change;
pub mod message;
pub mod order;
pub mod permit;
pub mod problem;
pub mod rate;
pub mod renewal;
pub mod revocation;
pub mod scope;
mod unchecked;

pub use identifier::Identifier;
pub use problem::Problem;
