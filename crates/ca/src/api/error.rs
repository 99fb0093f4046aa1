//! The error body of the step API: a status and a sentence that `step` prints as it comes.

use serde::{Deserialize, Serialize};

use crate::refusal::{Blame, Refusal};
use crate::words;

/// `{"status":<http>,"message":"<text>"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The HTTP status.
    pub status: u16,
    /// The sentence.
    pub message: String,
}

impl Error {
    /// 400: the request cannot be done as it is.
    #[must_use]
    pub fn bad_request(cause: impl AsRef<str>) -> Self {
        Self::new(400, words::bad_request(cause.as_ref()))
    }

    /// 401: the cause is for the log alone.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(401, words::UNAUTHORIZED)
    }

    /// 403: what was asked for is not allowed.
    #[must_use]
    pub fn forbidden(cause: impl AsRef<str>) -> Self {
        Self::new(403, words::forbidden(cause.as_ref()))
    }

    /// 404: nothing is here.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, words::NOT_FOUND)
    }

    /// 404 of `/root/{sha256}`.
    #[must_use]
    pub fn root_not_found(fingerprint: &str) -> Self {
        Self::new(404, words::root_not_found(fingerprint))
    }

    /// 500: the cause is for the log alone.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(500, words::INTERNAL)
    }

    /// 501: the server cannot do this.
    #[must_use]
    pub fn not_implemented() -> Self {
        Self::new(501, words::NOT_IMPLEMENTED)
    }

    /// Any other status.
    #[must_use]
    pub fn unexpected(status: u16) -> Self {
        Self::new(status, words::unexpected(status))
    }

    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

/// A refusal as a client of the step API sees it. Whoever meets one has proven who it is, so that it
/// may know what its rights lack.
impl From<&Refusal> for Error {
    fn from(refusal: &Refusal) -> Self {
        match refusal.blame() {
            Blame::Request => Self::forbidden(refusal.to_string()),
            Blame::Rights => Self::new(401, words::unauthorized(&refusal.to_string())),
            Blame::Authority => Self::internal(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::claims::BadLifetime;

    #[test]
    fn a_life_beyond_the_maximum_is_forbidden_in_the_known_words() {
        let refusal: Refusal = BadLifetime::TooLong {
            requested: SignedDuration::from_secs(100 * 3600 + 60),
            maximum: SignedDuration::from_secs(24 * 3600 + 60),
        }
        .into();
        assert_eq!(
            serde_json::to_string(&Error::from(&refusal)).unwrap(),
            r#"{"status":403,"message":"The request was forbidden by the certificate authority: requested duration of 100h1m0s is more than the authorized maximum certificate duration of 24h1m0s."}"#
        );
    }

    #[test]
    fn missing_rights_are_told_in_the_known_words_with_their_cause() {
        let refusal = Refusal::Revoked {
            serial: "42".into(),
        };
        let error = Error::from(&refusal);
        assert_eq!(error.status, 401);
        assert_eq!(
            error.message,
            "The request lacked necessary authorization to be completed: the certificate with serial number 42 is revoked; \
             get a new one instead of renewing it."
        );
        let known = "The request lacked necessary authorization to be completed";
        assert!(error.message.starts_with(known));
        assert!(Error::unauthorized().message.starts_with(known));
    }

    #[test]
    fn an_unknown_root_is_named() {
        assert_eq!(
            Error::root_not_found("0000").message,
            "root certificate with fingerprint \"0000\" was not found"
        );
    }
}
