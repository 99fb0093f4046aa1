//! An ACME client's conversation (RFC 8555): one [`Session`] for one account.
//!
//! Every POST reuses the nonce of the last answer; polling looks at once and then as the
//! server's `Retry-After` says. Where the tokens are served is the caller's part.

mod patience;
mod poll;
mod session;

pub use poll::Placed;
pub use session::Session;

pub use acme::message::{authorization::Authorization, challenge::Challenge, order::Order};
pub use acme::revocation::Reason;
