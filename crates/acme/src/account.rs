//! Accounts (RFC 8555 §7.1.2): a key, contacts, and a status.

use jiff::Timestamp;
use pki::jose::jwk::Jwk;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::problem::{Kind, Problem};

/// The status of an account (RFC 8555 §7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It may send requests.
    Valid,
    /// The client has deactivated it.
    Deactivated,
    /// The operator has revoked it.
    Revoked,
}

impl Status {
    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Deactivated => "deactivated",
            Self::Revoked => "revoked",
        }
    }

    /// Finds the status with this name.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Valid, Self::Deactivated, Self::Revoked];
        all.into_iter().find(|status| status.as_str() == word)
    }
}

/// An account of one provisioner.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its id, the last segment of its URL.
    pub id: Uuid,
    /// Its provisioner.
    pub provisioner: String,
    /// The key that signs its requests.
    pub key: Jwk,
    /// Its status.
    pub status: Status,
    /// Contact URLs.
    pub contact: Vec<String>,
    /// Whether the client has agreed to the terms of service.
    pub terms_agreed: bool,
    /// The URL of the terms that it has agreed to, if known.
    pub terms: Option<String>,
    /// Whether an operator has given it permits (`permit`).
    pub permitted: bool,
    /// The external account key that it is bound to, if any (RFC 8555 §7.3.4).
    pub external: Option<Box<External>>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The binding of an account to an external account key.
#[derive(Clone, Debug, PartialEq)]
pub struct External {
    /// The id of the key.
    pub key: String,
    /// The JWS that the client sent.
    pub binding: serde_json::Value,
}

impl Account {
    /// Checks that the account has agreed to the terms in force (RFC 8555 §7.3.3).
    ///
    /// # Errors
    /// `userActionRequired` with the terms' URL as its `instance`.
    pub fn agrees_to(&self, terms: &str) -> Result<(), Problem> {
        if self.terms.as_deref() == Some(terms) {
            return Ok(());
        }
        Err(Problem::new(
            Kind::UserActionRequired,
            format!(
                "The terms of service have changed: read them at {terms}, then agree with an update \
                 of the account (termsOfServiceAgreed: true)."
            ),
        )
        .with_instance(terms))
    }

    /// Checks that the account may send requests.
    ///
    /// # Errors
    /// `unauthorized` with HTTP status 401 if it was deactivated or revoked
    /// (RFC 8555 §7.3.6).
    pub fn active(&self) -> Result<(), Problem> {
        let why = match self.status {
            Status::Valid => return Ok(()),
            Status::Deactivated => "was deactivated by the client",
            Status::Revoked => "was revoked by the operator of this CA",
        };
        Err(Problem::new(
            Kind::Unauthorized,
            format!("This account {why}: create a new one with another key."),
        )
        .with_status(401))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_terms_in_force_count_as_agreed_to() {
        let mut account = Account {
            id: Uuid::nil(),
            provisioner: "acme".into(),
            key: serde_json::from_str(
                r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                    "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#,
            )
            .unwrap(),
            status: Status::Valid,
            contact: Vec::new(),
            terms_agreed: true,
            terms: Some("https://ca/1".into()),
            permitted: false,
            external: None,
            created_at: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(account.agrees_to("https://ca/1"), Ok(()));
        let asked = account.agrees_to("https://ca/2").unwrap_err();
        assert_eq!(asked.kind, Kind::UserActionRequired);
        assert_eq!(asked.instance.as_deref(), Some("https://ca/2"));
        account.terms = None;
        assert!(account.agrees_to("https://ca/2").is_err());
    }

    #[test]
    fn names_of_statuses_round_trip() {
        for status in [Status::Valid, Status::Deactivated, Status::Revoked] {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("dead"), None);
    }
}
