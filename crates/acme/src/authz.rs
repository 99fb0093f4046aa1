//! Authorizations (RFC 8555 §7.1.4): one identifier, the challenges that can prove it, and their
//! status.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::challenge::{self, Challenge};
use crate::identifier::Identifier;
use crate::problem::Problem;
use crate::scope::Scope;

/// The status of an authorization (RFC 8555 §7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// No challenge has a verdict yet.
    Pending,
    /// A challenge proved the identifier.
    Valid,
    /// A challenge failed.
    Invalid,
    /// The client has deactivated it.
    Deactivated,
    /// It has expired.
    Expired,
    /// The server has revoked it.
    Revoked,
}

impl Status {
    /// The name on the wire and in the store.
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

    /// Finds the status with this name.
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

/// How an authorization was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// For an order.
    Order,
    /// By newAuthz, before any order (RFC 8555 §7.4.1).
    Ahead,
    /// For an order, by the operator's permit with this id; valid from the start.
    Permit(Uuid),
}

/// An authorization of an account for one identifier.
#[derive(Clone, Debug, PartialEq)]
pub struct Authorization {
    /// Its id, the last segment of its URL.
    pub id: Uuid,
    /// Its account.
    pub account: Uuid,
    /// The provisioner of the account.
    pub provisioner: String,
    /// Its identifier; a wildcard includes its `*.`.
    pub identifier: Identifier,
    /// Whether it covers the subdomains as well.
    pub scope: Scope,
    /// Its status as stored: see [`Authorization::status_at`].
    pub status: Status,
    /// When it expires.
    pub expires: Timestamp,
    /// The challenges that can prove the identifier.
    pub challenges: Vec<Challenge>,
    /// How it was created.
    pub origin: Origin,
}

impl Authorization {
    /// Its status at `now`: after its expiry a pending one is invalid and a valid one is expired
    /// (RFC 8555 §7.1.6).
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

    /// Why it cannot be used at `now`; none while it is pending or valid. The problem of a failed
    /// challenge takes precedence.
    pub fn fault_at(&self, now: Timestamp) -> Option<Problem> {
        let name = &self.identifier;
        let words = match self.status_at(now) {
            Status::Pending | Status::Valid => return None,
            Status::Invalid => match self.failure() {
                Some(problem) => return Some(problem.clone()),
                None => format!("The authorization for {name} expired before it was validated"),
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
    fn a_pending_authorization_ends_as_invalid_and_a_valid_one_as_expired() {
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
    fn names_of_statuses_round_trip() {
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
