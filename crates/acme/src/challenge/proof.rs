//! Proofs: the right of an account to certificates for an identifier, as a value.
//!
//! A [`Proof`] comes from [`judge`](super::judge), from an operator's [`Permit`], or from the store,
//! which keeps it between the verdict and finalize. It cannot be copied.

use jiff::Timestamp;
use pki::PublicKey;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Context, Method};
use crate::identifier::Identifier;
use crate::permit::Permit;
use crate::scope::{Scope, Subject};

/// An account's right to an identifier: proven by [`judge`](super::judge) or granted by an
/// operator's [`Permit`].
#[derive(Debug, PartialEq)]
pub struct Proof {
    subject: Subject,
    account: Uuid,
    means: Means,
    at: Timestamp,
    evidence: Value,
    attested_key: Option<PublicKey>,
}

/// The basis of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A challenge of this method.
    Challenge(Method),
    /// The operator's permit with this id.
    Permit(Uuid),
}

/// The proof of a challenge as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ProofRecord {
    /// The identifier and the scope of the authorization.
    pub subject: Subject,
    /// The account of the authorization.
    pub account: Uuid,
    /// The method of the challenge.
    pub method: Method,
    /// When it was proven.
    pub at: Timestamp,
    /// The observation, for the operator.
    pub evidence: Value,
    /// The key that the client's device attested, where the method attests one.
    pub attested_key: Option<PublicKey>,
}

impl Proof {
    pub(super) fn new(method: Method, cx: &Context<'_>, evidence: Value) -> Self {
        Self {
            subject: Subject::name(cx.identifier.clone()),
            account: cx.account,
            means: Means::Challenge(method),
            at: cx.now,
            evidence,
            attested_key: None,
        }
    }

    /// A proof by a statement about the device and this key.
    pub(super) fn attested(cx: &Context<'_>, evidence: Value, key: PublicKey) -> Self {
        Self {
            attested_key: Some(key),
            ..Self::new(Method::DeviceAttest01, cx, evidence)
        }
    }

    /// Restores a proof from its record; it has the scope of its authorization, if its method allows
    /// that. Only the store may call this.
    pub fn from_record(record: ProofRecord) -> Self {
        let Subject { identifier, scope } = record.subject;
        let within = record.method.reaches_subdomains();
        Self {
            subject: Subject {
                identifier,
                scope: if within { scope } else { Scope::Name },
            },
            account: record.account,
            means: Means::Challenge(record.method),
            at: record.at,
            evidence: record.evidence,
            attested_key: record.attested_key,
        }
    }

    /// Makes a proof of an operator's permit: none unless it covers the identifier at `now`.
    pub fn from_permit(permit: &Permit, identifier: &Identifier, now: Timestamp) -> Option<Self> {
        let record = permit.record();
        permit.covers(identifier, now).then(|| Self {
            subject: Subject::name(identifier.clone()),
            account: permit.account(),
            means: Means::Permit(record.id),
            at: record.at,
            evidence: json!({ "operator": record.by, "pattern": record.pattern.to_string() }),
            attested_key: None,
        })
    }

    /// The proven identifier.
    pub fn identifier(&self) -> &Identifier {
        &self.subject.identifier
    }

    /// Whether it proves this identifier: its own, or a subdomain if its scope includes them
    /// (RFC 9444 §4.1).
    pub fn covers(&self, identifier: &Identifier) -> bool {
        self.subject.covers(identifier)
    }

    /// The account that proved it.
    pub fn account(&self) -> Uuid {
        self.account
    }

    /// The basis of the proof.
    pub fn means(&self) -> Means {
        self.means
    }

    /// The method of the challenge; none if the proof is an operator's permit.
    pub fn method(&self) -> Option<Method> {
        match self.means {
            Means::Challenge(method) => Some(method),
            Means::Permit(_) => None,
        }
    }

    /// When it was proven.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The observation, for the operator.
    pub fn evidence(&self) -> &Value {
        &self.evidence
    }

    /// The key that the client's device attested, where the method attests one.
    pub fn attested_key(&self) -> Option<&PublicKey> {
        self.attested_key.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_proof_covers_subdomains_if_its_authorization_and_its_method_do() {
        use Method::{Dns01, Http01};
        let below = Identifier::guess("a.foo.lab").unwrap();
        let covers = |method, scope| {
            let proof = Proof::from_record(ProofRecord {
                subject: Subject {
                    identifier: Identifier::guess("foo.lab").unwrap(),
                    scope,
                },
                account: Uuid::nil(),
                method,
                at: Timestamp::MAX,
                evidence: Value::Null,
                attested_key: None,
            });
            proof.covers(&below)
        };
        assert!(covers(Dns01, Scope::Subdomains));
        assert!(!covers(Dns01, Scope::Name));
        assert!(!covers(Http01, Scope::Subdomains));
    }
}
