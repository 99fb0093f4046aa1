//! Challenges on the wire (RFC 8555 §7.1.5, §8).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::time;
use crate::challenge::{self, Status};
use crate::problem::Problem;

/// The challenge object that a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The method's name; other servers have more methods than we do.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where the client says that it is ready.
    pub url: String,
    /// Where it stands.
    pub status: Status,
    /// The random part of the key authorization; not every method has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When it was proven.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub validated: Option<Timestamp>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

impl Challenge {
    /// Shows a challenge under its URL.
    pub fn show(challenge: &challenge::Challenge, url: String) -> Self {
        Self {
            kind: challenge.method.as_str().to_owned(),
            url,
            status: challenge.status,
            token: Some(challenge.token.clone()),
            validated: challenge.validated,
            error: challenge.error.clone(),
        }
    }
}
