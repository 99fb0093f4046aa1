//! Why a chain was refused, in the error texts of Go.

use jiff::{Timestamp, tz::Offset};

/// Why no path was accepted; written as Go writes it where `step` prints it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No path leads to a root.
    #[error("x509: certificate signed by unknown authority")]
    UnknownAuthority,
    /// A certificate is not valid any more.
    #[error("x509: certificate has expired or is not yet valid: current time {} is after {}", rfc3339(*.now), rfc3339(*.not_after))]
    Expired {
        /// The time of the check.
        now: Timestamp,
        /// The end of validity.
        not_after: Timestamp,
    },
    /// A certificate is not valid yet.
    #[error("x509: certificate has expired or is not yet valid: current time {} is before {}", rfc3339(*.now), rfc3339(*.not_before))]
    NotYetValid {
        /// The time of the check.
        now: Timestamp,
        /// The begin of validity.
        not_before: Timestamp,
    },
    /// The leaf is for other names.
    #[error("x509: certificate is valid for {}, not {host}", .names.join(", "))]
    WrongName {
        /// The names of the leaf of the wanted kind.
        names: Vec<String>,
        /// The name that was wanted.
        host: String,
    },
    /// The leaf has no name of the wanted kind.
    #[error("x509: certificate is not valid for any names, but wanted to match {0}")]
    NoNames(String),
    /// The leaf has no address, and an address was wanted.
    #[error("x509: cannot validate certificate for {0} because it doesn't contain any IP SANs")]
    NoAddresses(String),
    /// The leaf or a CA is not for this purpose.
    #[error("x509: certificate specifies an incompatible key usage")]
    WrongPurpose,
    /// A certificate in the place of a CA is none.
    #[error("x509: invalid signature: parent certificate cannot sign this kind of certificate")]
    NotACa,
    /// A CA has more CAs below it than it allows.
    #[error("x509: too many intermediates for path length constraint")]
    TooDeep,
    /// A CA may not sign for a name of the leaf.
    #[error("x509: a root or intermediate certificate is not authorized to sign for this name")]
    NotPermitted,
    /// A critical extension is not understood.
    #[error("x509: unhandled critical extension")]
    CriticalExtension,
    /// Anything else, in the library's words.
    #[error("x509: {0}")]
    Other(String),
}

fn rfc3339(at: Timestamp) -> String {
    Offset::UTC
        .to_datetime(at)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
