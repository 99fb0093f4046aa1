//! Identifiers: DNS names, wildcards, IP addresses (RFC 8555 §9.7.7, RFC 8738) and devices
//! (draft-ietf-acme-device-attest).
//!
//! An [`Identifier`] is canonical and always valid; as received it is [`Unchecked`]. Each kind has a
//! file of its own, and no match on [`Identifier`] has a catch-all arm, so that the compiler lists
//! what a new kind needs. Not here: whether a name may have a certificate.

pub mod device;
mod dns;
mod ip;

use std::fmt;
use std::net::IpAddr;

use pki::AltName;
use serde::{Deserialize, Serialize};

use crate::problem::{Kind, Problem, quote};

pub use self::device::Device;
pub use self::dns::DnsName;
pub use crate::unchecked::Unchecked;

/// A subject of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub enum Identifier {
    /// A host name.
    Dns(DnsName),
    /// The wildcard for every name one label below this one.
    Wildcard(DnsName),
    /// An IP address, never an IPv4-mapped one (RFC 8738).
    Ip(IpAddr),
    /// A device.
    Device(Device),
}

impl Identifier {
    /// Parses an identifier's `type` and `value`.
    ///
    /// # Errors
    /// `unsupportedIdentifier` for an unknown type, `malformed` for an invalid value.
    pub fn parse(kind: &str, value: &str) -> Result<Self, Problem> {
        match kind {
            "dns" => match value.strip_prefix("*.") {
                Some(base) => dns::wildcard(value, base).map(Self::Wildcard),
                None => DnsName::parse(value).map(Self::Dns),
            },
            "ip" => ip::parse(value).map(Self::Ip),
            device::PERMANENT_IDENTIFIER => Device::permanent(value).map(Self::Device),
            device::HARDWARE_MODULE => Device::module(value).map(Self::Device),
            other => Err(Problem::new(
                Kind::UnsupportedIdentifier,
                format!(
                    "Identifiers of type {} are not supported: use dns, ip, permanent-identifier or \
                     hardware-module.",
                    quote(other)
                ),
            )),
        }
    }

    /// Parses a value without a type: an IP address if it is one, otherwise a DNS name.
    ///
    /// # Errors
    /// `malformed`, as in [`Identifier::parse`].
    pub fn guess(value: &str) -> Result<Self, Problem> {
        let kind = if value.parse::<IpAddr>().is_ok() {
            "ip"
        } else {
            "dns"
        };
        Self::parse(kind, value)
    }

    /// The `type` on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) | Self::Wildcard(_) => "dns",
            Self::Ip(_) => "ip",
            Self::Device(device) => device.kind(),
        }
    }

    /// The value without `*.`, as in authorizations (RFC 8555 §7.1.4).
    pub fn base(&self) -> String {
        match self {
            Self::Dns(name) | Self::Wildcard(name) => name.as_str().to_owned(),
            Self::Ip(address) => address.to_string(),
            Self::Device(device) => device.to_string(),
        }
    }

    /// The host name in the DNS, without `*.`; addresses and devices have none.
    pub const fn host_name(&self) -> Option<&DnsName> {
        match self {
            Self::Dns(name) | Self::Wildcard(name) => Some(name),
            Self::Ip(_) | Self::Device(_) => None,
        }
    }

    /// Whether it is a wildcard.
    pub const fn is_wildcard(&self) -> bool {
        matches!(self, Self::Wildcard(_))
    }

    /// Its subject alternative name in a certificate.
    pub fn to_alt_name(&self) -> AltName {
        match self {
            Self::Dns(_) | Self::Wildcard(_) => AltName::Dns(self.to_string()),
            Self::Ip(address) => AltName::Ip(*address),
            Self::Device(device) => device.to_alt_name(),
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Wildcard(base) => write!(f, "*.{base}"),
            Self::Ip(address) => address.fmt(f),
            Self::Device(device) => device.fmt(f),
        }
    }
}

impl Unchecked {
    /// Parses the type and the value.
    ///
    /// # Errors
    /// As in [`Identifier::parse`].
    pub fn check(&self) -> Result<Identifier, Problem> {
        Identifier::parse(&self.kind, &self.value)
    }
}

impl From<&Identifier> for Unchecked {
    fn from(identifier: &Identifier) -> Self {
        Self::new(identifier.kind(), identifier.to_string())
    }
}

impl From<Identifier> for Unchecked {
    fn from(identifier: Identifier) -> Self {
        Self::from(&identifier)
    }
}

impl TryFrom<Unchecked> for Identifier {
    type Error = Problem;

    fn try_from(unchecked: Unchecked) -> Result<Self, Problem> {
        unchecked.check()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_unknown_type_is_unsupported() {
        for kind in ["", "DNS", "email"] {
            let problem = Identifier::parse(kind, "a.b").unwrap_err();
            assert_eq!(problem.kind, Kind::UnsupportedIdentifier);
        }
    }

    #[test]
    fn a_wildcard_is_not_its_base() {
        let base = Identifier::parse("dns", "a.b").unwrap();
        let star = Identifier::parse("dns", "*.a.b").unwrap();
        assert_ne!(base, star);
        assert_eq!(star.base(), "a.b");
        assert_eq!(star.to_alt_name(), AltName::Dns("*.a.b".into()));
    }

    #[test]
    fn an_identifier_round_trips_through_json() {
        for text in [
            r#"{"type":"dns","value":"*.a.b"}"#,
            r#"{"type":"ip","value":"2001:db8::1"}"#,
        ] {
            let read: Identifier = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
        let wrong = r#"{"type":"dns","value":"a b"}"#;
        assert!(serde_json::from_str::<Identifier>(wrong).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_parsed_to_a_canonical_identifier(
            kind in "dns|ip|x", value in "\\PC{0,300}"
        ) {
            if let Ok(identifier) = Identifier::parse(&kind, &value) {
                let again = Identifier::parse(identifier.kind(), &identifier.to_string());
                prop_assert_eq!(again, Ok(identifier));
            }
        }

        #[test]
        fn text_that_resembles_names_is_refused_or_parsed_to_a_canonical_identifier(
            value in "(\\*\\.)?(xn--)?[a-zA-Z0-9.:_ü-]{0,70}"
        ) {
            if let Ok(identifier) = Identifier::guess(&value) {
                let text = identifier.to_string();
                prop_assert!(text.is_ascii() && !text.bytes().any(|b| b.is_ascii_uppercase()));
                prop_assert_eq!(Identifier::guess(&text), Ok(identifier));
            }
        }
    }
}
