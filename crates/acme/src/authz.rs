//! Authorizations (RFC 8555 §7.1.4): one identifier, the challenges that may
//! prove it, and what has become of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::challenge::{self, Challenge};
use crate::identifier::Identifier;
use crate::problem::Problem;
use crate::scope::Scope;

/// Where an authorization stands (RFC 8555 §7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// No challenge has ended yet.
    Pending,
    /// A challenge proved the identifier.
    Valid,
    /// A challenge failed.
    Invalid,
    /// The client gave it up.
    Deactivated,
    /// Its time is over.
    Expired,
    /// The server took it back.
    Revoked,
}

impl Status {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Deactivated => "deactivated",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Finds the status of a word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [
            Self::Pending,
            Self::Valid,
            Self::Invalid,
            Self::Deactivated,
            Self::Expired,
            Self::Revoked,
        ];
        all.into_iter().find(|status| status.as_str() == word)
    }
}

/// How an authorization came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An order needed it.
    Order,
    /// Its account asked for it ahead of any order (RFC 8555 §7.4.1).
    Ahead,
    /// An operator's permit of this id gave it for an order, proven from the start.
    Permit(Uuid),
}

/// An authorization of an account for one identifier.
#[derive(Clone, Debug, PartialEq)]
pub struct Authorization {
    /// Its id, the last segment of its URL.
    pub id: Uuid,
    /// The account that it belongs to.
    pub account: Uuid,
    /// The provisioner that the account belongs to.
    pub provisioner: String,
    /// What it is about; a wildcard keeps its `*.`.
    pub identifier: Identifier,
    /// Whether it stands for the names below, too.
    pub scope: Scope,
    /// Where it stands, as stored: see [`Authorization::status_at`].
    pub status: Status,
    /// When it ends.
    pub expires: Timestamp,
    /// The ways to prove the identifier.
    pub challenges: Vec<Challenge>,
    /// How it came to be.
    pub origin: Origin,
}

impl Authorization {
    /// Where it stands at `now`: a pending one whose time is over is invalid, a
    /// valid one is expired (RFC 8555 §7.1.6).
    pub fn status_at(&self, now: Timestamp) -> Status {
        let over = self.expires <= now;
        match self.status {
            Status::Pending if over => Status::Invalid,
            Status::Valid if over => Status::Expired,
            Status::Pending
            | Status::Valid
            | Status::Invalid
            | Status::Deactivated
            | Status::Expired
            | Status::Revoked => self.status,
        }
    }

    /// The challenge with this id.
    pub fn challenge(&self, id: Uuid) -> Option<&Challenge> {
        self.challenges.iter().find(|challenge| challenge.id == id)
    }

    /// Why it is no use any more at `now`; nothing while it is pending or valid.
    /// A failed challenge's own problem comes first.
    pub fn fault_at(&self, now: Timestamp) -> Option<Problem> {
        let name = &self.identifier;
        let words = match self.status_at(now) {
            Status::Pending | Status::Valid => return None,
            Status::Invalid => match self.failure() {
                Some(problem) => return Some(problem.clone()),
                None => format!("The authorization for {name} ended before it was proven"),
            },
            Status::Deactivated => format!("The authorization for {name} was deactivated"),
            Status::Expired => format!("The authorization for {name} has expired"),
            Status::Revoked => format!("The authorization for {name} was revoked"),
        };
        Some(Problem::unauthorized(format!(
            "{words}: create a new order."
        )))
    }

    fn failure(&self) -> Option<&Problem> {
        let mut failed = self.challenges.iter();
        failed
            .find(|challenge| challenge.status == challenge::Status::Invalid)
            .and_then(|challenge| challenge.error.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::Method;

    fn authorization(status: Status) -> Authorization {
        Authorization {
            id: Uuid::nil(),
            account: Uuid::nil(),
            provisioner: "acme".into(),
            identifier: Identifier::parse("dns", "foo.lab").unwrap(),
            scope: Scope::Name,
            status,
            expires: "2026-11-24T00:00:00Z".parse().unwrap(),
            challenges: vec![Challenge::new(Uuid::max(), Method::Http01, &[0; 32])],
            origin: Origin::Order,
        }
    }

    #[test]
    fn time_ends_a_pending_one_as_invalid_and_a_valid_one_as_expired() {
        let before = "2026-11-23T23:59:59Z".parse().unwrap();
        let after = "2026-11-24T00:00:00Z".parse().unwrap();
        for (stored, later) in [
            (Status::Pending, Status::Invalid),
            (Status::Valid, Status::Expired),
            (Status::Deactivated, Status::Deactivated),
        ] {
            let authorization = authorization(stored);
            assert_eq!(authorization.status_at(before), stored);
            assert_eq!(authorization.status_at(after), later);
            assert!(authorization.fault_at(after).is_some());
        }
        assert_eq!(authorization(Status::Pending).fault_at(before), None);
    }

    #[test]
    fn the_words_of_a_status_are_read_back() {
        for word in [
            "pending",
            "valid",
            "invalid",
            "deactivated",
            "expired",
            "revoked",
        ] {
            assert_eq!(Status::parse(word).map(Status::as_str), Some(word));
        }
        assert_eq!(Status::parse("ready"), None);
    }

    #[test]
    fn a_challenge_is_found_by_its_id() {
        let authorization = authorization(Status::Pending);
        assert!(authorization.challenge(Uuid::max()).is_some());
        assert!(authorization.challenge(Uuid::nil()).is_none());
    }
}
