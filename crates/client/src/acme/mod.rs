//! An ACME client (RFC 8555): one [`Session`] for one account.
//!
//! Every POST reuses the nonce of the last answer; polling starts at once and then follows the
//! server's `Retry-After`. Answering challenges is the caller's.

mod deadline;
mod poll;
mod session;

pub use poll::{CertificateRequest, Placed};
pub use session::Session;

pub use acme::message::{authorization::Authorization, challenge::Challenge, order::Order};
pub use acme::revocation::Reason;
