//! What can go wrong between a client and a CA; each error names what failed. What a server sent is
//! foreign text: it cannot add a line to the error.

use std::path::PathBuf;

use acme::problem::Problem;
use ca::api::admin;
use pki::Foreign;
use thiserror::Error as ThisError;

/// Why an exchange with a CA failed.
#[derive(Debug, Clone, PartialEq, ThisError)]
pub enum Error {
    /// The URL cannot be used.
    #[error("invalid URL '{url}': {why}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A root or client certificate cannot be used.
    #[error("{0}")]
    Tls(String),
    /// The server whose certificates are read cannot be reached or verified.
    #[error("failed to connect: {}", Foreign(.0))]
    Connect(String),
    /// No answer came: the connection was refused, not trusted, timed out or interrupted.
    #[error("client {method} {url} failed: {}", Foreign(.cause))]
    Exchange {
        /// The HTTP method.
        method: String,
        /// The URL.
        url: String,
        /// Why.
        cause: String,
        /// The id sent as `X-Request-Id`.
        request_id: String,
    },
    /// The CA's own API answered with an error.
    #[error("{}", Foreign(.message))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The CA's message.
        message: String,
        /// The id under which the CA logged it.
        request_id: String,
    },
    /// The admin socket cannot be connected to.
    #[error("{}: {why}", .socket.display())]
    AdminSocket {
        /// The socket.
        socket: PathBuf,
        /// Why, and what to do about it.
        why: String,
    },
    /// The server refused what an operator asked for.
    #[error("{error}")]
    Admin {
        /// The server's error.
        error: admin::Error,
        /// The id under which the server logged it.
        request_id: String,
    },
    /// The ACME server answered with a problem document (RFC 8555 §6.7).
    #[error("error {doing}: {}", Foreign(in_full(.problem)))]
    Problem {
        /// What was being done.
        doing: &'static str,
        /// The server's problem.
        problem: Box<Problem>,
        /// The id under which the CA logged it.
        request_id: String,
    },
    /// A challenge failed; the problem says what the server saw.
    #[error("Unable to validate challenge: {}", Foreign(in_full(.problem)))]
    Challenge {
        /// The identifier that could not be proven.
        identifier: String,
        /// What the server saw.
        problem: Box<Problem>,
    },
    /// The server did not finish in time.
    #[error("{doing} took longer than {seconds} s; the status is still '{}'", Foreign(.status))]
    Deadline {
        /// What was being done.
        doing: &'static str,
        /// How long the client waited.
        seconds: u64,
        /// The last status seen.
        status: String,
    },
    /// The answer is not what the protocol promises.
    #[error("error {doing}: {}", Foreign(.what))]
    Unexpected {
        /// What was being done.
        doing: &'static str,
        /// What came instead.
        what: String,
    },
    /// A root does not have the fingerprint by which it was requested.
    #[error(
        "the server's root certificate has the SHA-256 fingerprint {found}, not {wanted}: check the address and the fingerprint"
    )]
    Fingerprint {
        /// The requested fingerprint.
        wanted: String,
        /// The fingerprint of the certificate that came.
        found: String,
    },
    /// The certificate that was issued is for another key than the requested one.
    #[error("the server's certificate is not for the key in the request, and was not saved")]
    OtherKey,
    /// The certificate that was issued lacks a requested name.
    #[error("the server's certificate is not for {missing} but for {}, and was not saved", Foreign(.names.join(", ")))]
    OtherNames {
        /// A requested name that it lacks.
        missing: String,
        /// The names that it has.
        names: Vec<String>,
    },
}

impl Error {
    /// The id under which the server logged the request, where there was one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Exchange { request_id, .. }
            | Self::Refused { request_id, .. }
            | Self::Admin { request_id, .. }
            | Self::Problem { request_id, .. } => Some(request_id),
            Self::Url { .. }
            | Self::Tls(_)
            | Self::Connect(_)
            | Self::AdminSocket { .. }
            | Self::Challenge { .. }
            | Self::Deadline { .. }
            | Self::Unexpected { .. }
            | Self::Fingerprint { .. }
            | Self::OtherKey
            | Self::OtherNames { .. } => None,
        }
    }

    /// Whether the server logs more about it than it answers.
    #[must_use]
    pub fn is_logged(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status != 404,
            Self::Problem { request_id, .. } => !request_id.is_empty(),
            Self::Admin { error, .. } => error.kind == admin::Kind::InternalServerError,
            Self::Url { .. }
            | Self::Tls(_)
            | Self::Connect(_)
            | Self::AdminSocket { .. }
            | Self::Exchange { .. }
            | Self::Challenge { .. }
            | Self::Deadline { .. }
            | Self::Unexpected { .. }
            | Self::Fingerprint { .. }
            | Self::OtherKey
            | Self::OtherNames { .. } => false,
        }
    }
}

/// The problem's detail, and after it each subproblem with the name it is about.
fn in_full(problem: &Problem) -> String {
    let mut text = problem.detail.clone();
    if text.is_empty() {
        text = problem.kind.urn().to_owned();
    }
    for sub in &problem.subproblems {
        text.push_str("; ");
        if let Some(about) = &sub.identifier {
            text.push_str(&about.value);
            text.push_str(": ");
        }
        text.push_str(&sub.detail);
    }
    text
}
