//! Replay nonces (RFC 8555 §6.5).

use jiff::Timestamp;

use crate::error::Error;

/// The verbs on nonces.
pub trait Nonces {
    /// Returns a nonce that was never returned before, for any node.
    fn issue(&self, now: Timestamp) -> impl Future<Output = Result<String, Error>> + Send;

    /// Spends a nonce. Of many calls with one nonce, on any node, one gets [`Spent::Accepted`].
    fn spend(
        &self,
        nonce: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Spent, Error>> + Send;
}

/// What became of a nonce that was to be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It was good, and is so no more.
    Accepted,
    /// It is refused.
    Rejected(NonceRejected),
}

/// Why a nonce is refused. The client gets a fresh one with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NonceRejected {
    /// Not a nonce of this server, or one from before its restart.
    #[error("this server did not issue the nonce, or has restarted since; use the fresh one")]
    Unknown,
    /// Too old, or too many have been issued since.
    #[error("the nonce is too old; use the fresh one")]
    Stale,
    /// Used before.
    #[error("the nonce has been used before; use the fresh one")]
    Spent,
}
