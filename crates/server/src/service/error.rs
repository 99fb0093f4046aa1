//! What a use case ends with when it does not end well: a refusal or an outage, never mixed.

use acme::Problem;
use ca::Refusal;

use super::Limited;

/// Why a use case gave no result. Refusals are answers; outages ask to come again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A refusal in ACME's words.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// A refusal of the authority.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// It was asked for too often.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// What was asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// What was asked for belongs to another account.
    #[error("This {0} belongs to another account.")]
    Foreign(&'static str),
    /// The caller did not prove who it is; the cause stays in the log.
    #[error("{0}")]
    Unproven(String),
    /// The request of a step API cannot be read.
    #[error("{0}")]
    BadRequest(String),
    /// It stands against what is there.
    #[error("{0}")]
    Conflict(String),
    /// It will work in a later version; what to do until then.
    #[error("{0}")]
    NotYet(&'static str),
    /// The store does not answer or cannot write.
    #[error("the store is out of order: {0}")]
    Outage(store::Error),
    /// Something outside that the decision needs gave no usable answer.
    #[error(transparent)]
    Unanswered(Problem),
    /// The signer failed.
    #[error("the signing key failed: {0}")]
    Signer(#[from] keys::Error),
    /// An internal error; the log has the cause.
    #[error("{0}")]
    Internal(String),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        if error.is_outage() {
            Self::Outage(error)
        } else {
            Self::Internal(format!("the store refused: {error}"))
        }
    }
}

impl Error {
    /// An id that this server never gave, or that has gone with its order.
    pub(crate) fn unknown(what: &str) -> Self {
        Self::NotFound(format!(
            "There is no {what} with this id; it may have expired."
        ))
    }
}
