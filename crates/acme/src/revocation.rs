//! Revocation (RFC 8555 §7.6): reason codes, and the identifiers that an account must have proven
//! to revoke a certificate that it did not order.
//!
//! Not here: whether the account has proven them.

use std::collections::BTreeSet;

use pki::{AltName, Certificate};
use serde_json::Value;

use crate::identifier::{Device, Identifier};
use crate::problem::{Kind, Problem};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal;)*) => {
        /// Why a certificate is revoked (RFC 5280 §5.3.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code on the wire, in CRLs and in the store.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }

            /// The name in RFC 5280.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

reasons! {
    /// No reason was given.
    Unspecified = 0, "unspecified";
    /// The key may be compromised.
    KeyCompromise = 1, "keyCompromise";
    /// The key of the authority may be compromised.
    CaCompromise = 2, "cACompromise";
    /// The subject's name or affiliation has changed.
    AffiliationChanged = 3, "affiliationChanged";
    /// Another certificate has replaced it.
    Superseded = 4, "superseded";
    /// It is no longer needed.
    CessationOfOperation = 5, "cessationOfOperation";
    /// It is on hold.
    CertificateHold = 6, "certificateHold";
    /// It is removed from a delta CRL.
    RemoveFromCrl = 8, "removeFromCRL";
    /// A privilege of the subject was withdrawn.
    PrivilegeWithdrawn = 9, "privilegeWithdrawn";
    /// The key of the attribute authority may be compromised.
    AaCompromise = 10, "aACompromise";
}

impl Reason {
    /// Finds the reason with this code; 7 is not used.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|reason| reason.code() == code).copied()
    }

    /// The reasons that a client may give: the others are an authority's to decide (2, 6, 10), or of
    /// delta CRLs alone (8).
    pub const OF_CLIENTS: [Self; 6] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
    ];

    /// Parses the `reason` of a client's request; [`Reason::Unspecified`] if it is absent.
    ///
    /// # Errors
    /// `badRevocationReason` with the permitted codes.
    pub fn parse(value: Option<&Value>) -> Result<Self, Problem> {
        let Some(value) = value else {
            return Ok(Self::Unspecified);
        };
        let code = value.as_u64().and_then(|code| u8::try_from(code).ok());
        let known = code.and_then(Self::from_code);
        let permitted = known.filter(|reason| Self::OF_CLIENTS.contains(reason));
        permitted.ok_or_else(|| {
            let all = Self::OF_CLIENTS.iter();
            let all: Vec<_> = all
                .map(|it| format!("{} {}", it.code(), it.as_str()))
                .collect();
            let what = match known {
                Some(reason) => format!("{} {} is not for clients", reason.code(), reason.as_str()),
                None => {
                    let shown: String = value.to_string().chars().take(40).collect();
                    format!("{shown} is not a revocation reason")
                }
            };
            let detail = format!("{what}: send one of {}, or omit it.", all.join(", "));
            Problem::new(Kind::BadRevocationReason, detail)
        })
    }
}

/// The identifiers of a certificate, which an account must have proven; none if the certificate
/// has no name, or a name that no ACME account can prove.
#[must_use]
pub fn identifiers(certificate: &Certificate) -> Option<BTreeSet<Identifier>> {
    let mut all = BTreeSet::new();
    for name in certificate.alt_names() {
        all.insert(match name {
            AltName::Dns(name) => Identifier::parse("dns", name).ok()?,
            AltName::Ip(address) => Identifier::Ip(address.to_canonical()),
            other @ AltName::Other { .. } => {
                Identifier::Device(Device::from_alt_name(other).ok()??)
            }
            AltName::Email(_) | AltName::Uri(_) => return None,
        });
    }
    if let Some(name) = certificate.subject().cn() {
        let is_device = |one: &Identifier| match one {
            Identifier::Device(device) => device.name() == name,
            Identifier::Dns(_) | Identifier::Wildcard(_) | Identifier::Ip(_) => false,
        };
        if !all.iter().any(is_device) {
            all.insert(Identifier::guess(&name).ok()?);
        }
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_reasons_that_clients_may_give_are_accepted_and_no_others() {
        assert_eq!(Reason::parse(None), Ok(Reason::Unspecified));
        let accepted: Vec<u8> = (0..=255)
            .filter(|code| Reason::parse(Some(&json!(code))).is_ok())
            .collect();
        assert_eq!(accepted, [0, 1, 3, 4, 5, 9]);
        for bad in [json!(-1), json!(1.5), json!("1"), json!(1e30), json!([1])] {
            let problem = Reason::parse(Some(&bad)).unwrap_err();
            assert_eq!(problem.kind, Kind::BadRevocationReason, "{bad}");
        }
    }

    #[test]
    fn an_unknown_reason_is_answered_with_the_permitted_ones() {
        let problem = Reason::parse(Some(&json!(7))).unwrap_err();
        assert!(problem.detail.starts_with("7 is not"), "{problem}");
        assert!(problem.detail.contains("1 keyCompromise"), "{problem}");
        assert!(problem.detail.contains("9 privilegeWithdrawn"), "{problem}");
        let problem = Reason::parse(Some(&json!(8))).unwrap_err();
        assert!(
            problem
                .detail
                .starts_with("8 removeFromCRL is not for clients"),
            "{problem}"
        );
    }

    #[test]
    fn a_reason_round_trips_through_its_code() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        }
        assert_eq!(Reason::from_code(7), None);
    }
}
