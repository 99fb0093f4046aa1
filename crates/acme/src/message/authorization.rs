//! Authorizations on the wire (RFC 8555 §7.1.4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::challenge::Challenge;
use super::time;
use crate::authz::{self, Status};
use crate::challenge::Binding;
use crate::identifier::Unchecked;

/// The authorization object that a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// What it is about, without `*.`.
    pub identifier: Unchecked,
    /// Where it stands.
    pub status: Status,
    /// When it ends, if that is said.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires: Option<Timestamp>,
    /// The ways to prove it.
    pub challenges: Vec<Challenge>,
    /// Whether it stands for all names below the identifier; said only if so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wildcard: bool,
}

impl Authorization {
    /// Shows an authorization as it stands at `now`; `url` builds a challenge's URL, and
    /// `binding` is what lasting records have to name.
    pub fn show(
        authorization: &authz::Authorization,
        now: Timestamp,
        url: impl Fn(Uuid) -> String,
        binding: &Binding,
    ) -> Self {
        let identifier = &authorization.identifier;
        let challenges = authorization.challenges.iter();
        Self {
            identifier: Unchecked::new(identifier.kind(), identifier.base()),
            status: authorization.status_at(now),
            expires: Some(authorization.expires),
            challenges: challenges
                .map(|challenge| Challenge::show(challenge, url(challenge.id), binding))
                .collect(),
            wildcard: identifier.is_wildcard(),
        }
    }
}

/// What a client sends to give an authorization up (§7.5.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Only `deactivated` means something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}
