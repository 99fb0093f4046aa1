//! Replay nonces (RFC 8555 §6.5): a fresh one for an answer, and the one that a request spends.

use acme::Problem;
use jiff::Timestamp;
use store::memory;
use store::port::{Nonces as _, Spent};

use super::Error;

/// The nonces of this server.
pub(crate) struct Nonces(memory::Nonces);

impl Nonces {
    /// Starts a series; nonces of an earlier process are refused.
    pub(crate) fn new() -> Self {
        let now = Timestamp::now().as_second();
        Self(memory::Nonces::new(keys::random(), keys::random(), now))
    }

    /// A new nonce, as of now.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn fresh(&self) -> Result<String, Error> {
        Ok(self.0.issue(Timestamp::now()).await?)
    }

    /// Takes a nonce, once.
    ///
    /// # Errors
    /// `badNonce`, with the reason; when the store fails.
    pub(crate) async fn take(&self, nonce: &str) -> Result<(), Error> {
        match self.0.spend(nonce, Timestamp::now()).await? {
            Spent::Accepted => Ok(()),
            Spent::Rejected(why) => Err(Problem::bad_nonce(format!("Not taken: {why}.")).into()),
        }
    }
}
