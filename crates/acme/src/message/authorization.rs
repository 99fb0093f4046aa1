//! Authorizations on the wire (RFC 8555 §7.1.4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::challenge::Challenge;
use super::identifier::Asked;
use super::time;
use crate::authz::{self, Status};
use crate::challenge::{self, CaaIdentity};
use crate::identifier::Unchecked;
use crate::scope::Scope;

/// The authorization object that a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    /// The ways to prove it; once it is proven or has failed, what proved or failed it.
    pub challenges: Vec<Challenge>,
    /// Whether it stands for all names below the identifier; said only if so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wildcard: bool,
    /// Whether it stands for all subdomains of the identifier (RFC 9444 §4.1); said only if so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subdomain_auth_allowed: bool,
}

impl Authorization {
    /// Shows an authorization as it stands at `now`; `url` builds a challenge's URL, and
    /// `caa_identity` is what lasting records have to name.
    pub fn show(
        authorization: &authz::Authorization,
        now: Timestamp,
        url: impl Fn(Uuid) -> String,
        caa_identity: &CaaIdentity,
    ) -> Self {
        let identifier = &authorization.identifier;
        let status = authorization.status_at(now);
        let end = match status {
            Status::Valid | Status::Expired => Some(challenge::Status::Valid),
            Status::Invalid => Some(challenge::Status::Invalid),
            Status::Pending | Status::Deactivated | Status::Revoked => None,
        };
        // One whose time ran out before any challenge had ended shows them all.
        let mut all = authorization.challenges.iter();
        let end = end.filter(|end| all.any(|challenge| challenge.status == *end));
        let challenges = authorization.challenges.iter();
        let challenges = challenges.filter(|one| end.is_none_or(|end| one.status == end));
        Self {
            identifier: Unchecked::new(identifier.kind(), identifier.base()),
            status,
            expires: Some(authorization.expires),
            challenges: challenges
                .map(|challenge| Challenge::show(challenge, url(challenge.id), caa_identity))
                .collect(),
            wildcard: identifier.is_wildcard(),
            subdomain_auth_allowed: authorization.scope == Scope::Subdomains,
        }
    }
}

/// What a client sends to newAuthz (§7.4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAuthorization {
    /// What it wants authorized.
    pub identifier: Asked,
}

/// What a client sends to give an authorization up (§7.5.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Only `deactivated` means something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::Method;
    use crate::identifier::Identifier;

    fn shown(status: Status, ended: challenge::Status) -> Vec<String> {
        let challenge = |method| challenge::Challenge::new(Uuid::nil(), method, &[0; 32]);
        let mut challenges: Vec<_> = Method::USUAL.iter().copied().map(challenge).collect();
        challenges[1].status = ended;
        let authorization = authz::Authorization {
            id: Uuid::nil(),
            account: Uuid::nil(),
            provisioner: "acme".into(),
            identifier: Identifier::parse("dns", "foo.lab").unwrap(),
            scope: Scope::Name,
            status,
            expires: Timestamp::MAX,
            challenges,
            origin: authz::Origin::Order,
        };
        let url = |_| String::new();
        let body = Authorization::show(
            &authorization,
            Timestamp::UNIX_EPOCH,
            url,
            &CaaIdentity::default(),
        );
        body.challenges.into_iter().map(|one| one.kind).collect()
    }

    #[test]
    fn what_has_ended_shows_the_challenge_that_ended_it() {
        let all: Vec<_> = Method::USUAL.iter().map(|m| m.as_str()).collect();
        let second = &all[1..2];
        use challenge::Status::{Invalid, Pending, Processing, Valid};
        assert_eq!(shown(Status::Pending, Processing), all);
        assert_eq!(shown(Status::Valid, Valid), second);
        assert_eq!(shown(Status::Invalid, Invalid), second);
        assert_eq!(shown(Status::Invalid, Pending), all, "it ran out of time");
        assert_eq!(shown(Status::Deactivated, Valid), all);
    }
}
