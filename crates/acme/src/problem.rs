//! Problem documents: the errors of ACME (RFC 8555 §6.7) on RFC 7807's JSON.
//!
//! A detail describes what failed and what to do next. Not here: the HTTP headers of a problem
//! (`Retry-After`, `Link`).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::unchecked::Unchecked;

/// A problem document (RFC 7807, RFC 8555 §6.7).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
#[error("{detail}")]
pub struct Problem {
    /// The registered type.
    pub kind: Kind,
    /// What failed and what to do next, for a person.
    pub detail: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// One entry for each identifier at fault (RFC 8555 §6.7.1).
    pub subproblems: Vec<Subproblem>,
    /// The permitted algorithms, with `badSignatureAlgorithm` (RFC 8555 §6.2).
    pub algorithms: Vec<String>,
    /// A URL for a person to visit, with `userActionRequired` (RFC 8555 §7.3.3).
    pub instance: Option<String>,
}

impl Problem {
    /// Creates a problem with the default HTTP status of its kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            status: kind.status(),
            subproblems: Vec::new(),
            algorithms: Vec::new(),
            instance: None,
        }
    }

    /// Replaces the HTTP status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Adds the problem of one identifier (RFC 8555 §6.7.1).
    #[must_use]
    pub fn with_subproblem(mut self, subproblem: Subproblem) -> Self {
        self.subproblems.push(subproblem);
        self
    }

    /// Adds the permitted signature algorithms (RFC 8555 §6.2).
    #[must_use]
    pub fn with_algorithms(self, algorithms: Vec<String>) -> Self {
        Self { algorithms, ..self }
    }

    /// Adds the URL that a person must visit (RFC 8555 §7.3.3).
    #[must_use]
    pub fn with_instance(self, url: impl Into<String>) -> Self {
        Self {
            instance: Some(url.into()),
            ..self
        }
    }

    /// The request violates the protocol.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    /// The account may not do this.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unauthorized, detail)
    }

    /// The resource does not exist: `malformed` with HTTP status 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::malformed(detail).with_status(404)
    }

    /// The nonce is missing, used or unknown (RFC 8555 §6.5).
    pub fn bad_nonce(detail: impl Into<String>) -> Self {
        Self::new(Kind::BadNonce, detail)
    }

    /// The CSR does not fit the order (RFC 8555 §7.4).
    pub fn bad_csr(detail: impl Into<String>) -> Self {
        Self::new(Kind::BadCsr, detail)
    }

    /// The server will not issue for an identifier.
    pub fn rejected_identifier(detail: impl Into<String>) -> Self {
        Self::new(Kind::RejectedIdentifier, detail)
    }

    /// The server failed; the request may be fine.
    pub fn server_internal(detail: impl Into<String>) -> Self {
        Self::new(Kind::ServerInternal, detail)
    }
}

/// The problem of one identifier among several (RFC 8555 §6.7.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subproblem {
    /// The registered type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What is wrong with this identifier.
    #[serde(default)]
    pub detail: String,
    /// The identifier as the client sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Unchecked>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:literal;)*) => {
        /// The registered problem types (RFC 8555 §6.7 and later documents).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
            /// An unknown type, in the answer of another server.
            Other,
        }

        impl Kind {
            /// Every type that can be sent.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The type's URN.
            pub const fn urn(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("urn:ietf:params:acme:error:", $word),)*
                    Self::Other => "about:blank",
                }
            }

            /// The default HTTP status.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                    Self::Other => 500,
                }
            }
        }
    };
}

kinds! {
    /// The account does not exist.
    AccountDoesNotExist = "accountDoesNotExist", 400;
    /// The certificate in `replaces` is already replaced (RFC 9773 §7.4).
    AlreadyReplaced = "alreadyReplaced", 409;
    /// The certificate is already revoked.
    AlreadyRevoked = "alreadyRevoked", 400;
    /// The short-term certificate's renewal is cancelled (RFC 8739 §3.1.2).
    AutoRenewalCanceled = "autoRenewalCanceled", 403;
    /// The cancellation of an automatic renewal is not valid (RFC 8739 §3.1.2).
    AutoRenewalCancellationInvalid = "autoRenewalCancellationInvalid", 400;
    /// The automatic renewal has ended (RFC 8739 §3.3).
    AutoRenewalExpired = "autoRenewalExpired", 403;
    /// Automatically renewed certificates are not revoked (RFC 8739 §3.2).
    AutoRenewalRevocationNotSupported = "autoRenewalRevocationNotSupported", 403;
    /// The device's attestation statement is not acceptable.
    BadAttestationStatement = "badAttestationStatement", 400;
    /// The CSR is not acceptable.
    BadCsr = "badCSR", 400;
    /// The nonce is not acceptable.
    BadNonce = "badNonce", 400;
    /// The key that signed is not acceptable.
    BadPublicKey = "badPublicKey", 400;
    /// The revocation reason is not allowed.
    BadRevocationReason = "badRevocationReason", 400;
    /// The signature algorithm is not supported.
    BadSignatureAlgorithm = "badSignatureAlgorithm", 400;
    /// CAA records forbid the issuance.
    Caa = "caa", 403;
    /// There are several problems: see the subproblems.
    Compound = "compound", 400;
    /// The validation target could not be reached.
    Connection = "connection", 400;
    /// The DNS question had no usable answer.
    Dns = "dns", 400;
    /// An external account binding is needed.
    ExternalAccountRequired = "externalAccountRequired", 403;
    /// The response to a challenge is not the one expected.
    IncorrectResponse = "incorrectResponse", 403;
    /// A contact is not valid.
    InvalidContact = "invalidContact", 400;
    /// The profile is unknown or cannot be used.
    InvalidProfile = "invalidProfile", 400;
    /// The request is malformed.
    Malformed = "malformed", 400;
    /// An onion service's CAA set is needed in the finalize request (RFC 9799 §6.4).
    OnionCaaRequired = "onionCAARequired", 403;
    /// The order is not ready to be finalized.
    OrderNotReady = "orderNotReady", 403;
    /// Too many requests of this kind.
    RateLimited = "rateLimited", 429;
    /// The server will not issue for the identifier.
    RejectedIdentifier = "rejectedIdentifier", 400;
    /// The server failed.
    ServerInternal = "serverInternal", 500;
    /// The TLS handshake with the validation target failed.
    Tls = "tls", 400;
    /// The client may not do this.
    Unauthorized = "unauthorized", 403;
    /// The delegation is unknown (RFC 9115 §2.3.1).
    UnknownDelegation = "unknownDelegation", 400;
    /// The contact's scheme is not supported.
    UnsupportedContact = "unsupportedContact", 400;
    /// The identifier's type is not supported.
    UnsupportedIdentifier = "unsupportedIdentifier", 400;
    /// A person has to do something first.
    UserActionRequired = "userActionRequired", 403;
}

impl Kind {
    /// Finds the type of a URN; older drafts' `urn:acme:error:` is not one.
    pub fn from_urn(urn: &str) -> Self {
        let known = Self::ALL.iter().find(|kind| kind.urn() == urn);
        known.copied().unwrap_or(Self::Other)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.urn())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.urn())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::from_urn(&String::deserialize(from)?))
    }
}

/// The JSON form; other servers may omit any member.
#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default, skip_serializing)]
    title: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    subproblems: Vec<Subproblem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    algorithms: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

impl From<Problem> for Wire {
    fn from(problem: Problem) -> Self {
        Self {
            kind: problem.kind.urn().to_owned(),
            title: None,
            detail: Some(problem.detail),
            status: Some(problem.status),
            subproblems: problem.subproblems,
            algorithms: problem.algorithms,
            instance: problem.instance,
        }
    }
}

impl From<Wire> for Problem {
    fn from(wire: Wire) -> Self {
        let kind = Kind::from_urn(&wire.kind);
        let mut detail = wire.detail.or(wire.title).unwrap_or_default();
        // An unknown type is kept in the detail, where a person will see it.
        if kind == Kind::Other && !wire.kind.is_empty() && wire.kind != kind.urn() {
            detail = format!("{detail} ({})", wire.kind).trim_start().to_owned();
        }
        Self {
            kind,
            detail,
            status: wire.status.unwrap_or_else(|| kind.status()),
            subproblems: wire.subproblems,
            algorithms: wire.algorithms,
            instance: wire.instance,
        }
    }
}

/// Quotes untrusted text for a detail: escaped, and truncated to 100 characters.
pub(crate) fn quote(text: &str) -> String {
    const LONGEST: usize = 100;
    let mut shown: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("\"{}\"", shown.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_written_with_type_detail_and_status() {
        let json = serde_json::to_value(Problem::malformed("No url.")).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "urn:ietf:params:acme:error:malformed",
                "detail": "No url.",
                "status": 400,
            })
        );
    }

    #[test]
    fn every_kind_round_trips_through_json() {
        for kind in Kind::ALL {
            let problem = Problem::new(*kind, "x").with_subproblem(Subproblem {
                kind: *kind,
                detail: "y".into(),
                identifier: Some(Unchecked::new("dns", "a_b")),
            });
            let text = serde_json::to_string(&problem).unwrap();
            assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
        }
    }

    #[test]
    fn the_names_in_the_registry_are_unique() {
        let mut urns: Vec<_> = Kind::ALL.iter().map(|kind| kind.urn()).collect();
        urns.sort_unstable();
        urns.dedup();
        assert_eq!(urns.len(), Kind::ALL.len());
        assert_eq!(urns.len(), 33);
    }

    #[test]
    fn a_problem_without_status_or_of_an_unknown_type_is_parsed() {
        let old: Problem =
            serde_json::from_str(r#"{"type":"urn:ietf:params:acme:error:unauthorized"}"#).unwrap();
        assert_eq!((old.kind, old.status), (Kind::Unauthorized, 403));
        let unknown: Problem =
            serde_json::from_str(r#"{"type":"urn:x:odd","title":"Odd","status":418}"#).unwrap();
        assert_eq!(unknown.kind, Kind::Other);
        assert_eq!(unknown.detail, "Odd (urn:x:odd)");
        assert_eq!(unknown.status, 418);
        let bare: Problem = serde_json::from_str("{}").unwrap();
        assert_eq!(bare.status, 500);
    }

    #[test]
    fn untrusted_text_is_escaped_and_truncated() {
        assert_eq!(quote("a\u{0}\nb"), r#""a\0\nb""#);
        assert_eq!(quote(&"x".repeat(200)).chars().count(), 103);
    }
}
