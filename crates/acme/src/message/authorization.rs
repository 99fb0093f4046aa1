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
    /// The identifier, without `*.`.
    pub identifier: Unchecked,
    /// Its status.
    pub status: Status,
    /// When it expires, if the server sends it.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires: Option<Timestamp>,
    /// The challenges; after the verdict, only the challenge that succeeded or failed.
    pub challenges: Vec<Challenge>,
    /// Whether it is for the wildcard of the identifier; present only if true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wildcard: bool,
    /// Whether it covers all subdomains of the identifier (RFC 9444 §4.1); present only if true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subdomain_auth_allowed: bool,
}

impl Authorization {
    /// Creates the object of an authorization at `now`; `url` builds a challenge's URL, and
    /// `caa_identity` is what persistent records must name.
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
        // An authorization that expired without a verdict has all its challenges.
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
    /// The identifier to authorize.
    pub identifier: Asked,
}

/// What a client sends to deactivate an authorization (§7.5.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Only `deactivated` is permitted.
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
    fn after_the_verdict_only_its_challenge_is_shown() {
        let all: Vec<_> = Method::USUAL.iter().map(|m| m.as_str()).collect();
        let second = &all[1..2];
        use challenge::Status::{Invalid, Pending, Processing, Valid};
        assert_eq!(shown(Status::Pending, Processing), all);
        assert_eq!(shown(Status::Valid, Valid), second);
        assert_eq!(shown(Status::Invalid, Invalid), second);
        assert_eq!(shown(Status::Invalid, Pending), all, "it expired");
        assert_eq!(shown(Status::Deactivated, Valid), all);
    }
}
