//! Revocation (RFC 8555 §7.6): reason codes, and which identifiers an account has to have proven
//! to revoke a certificate that it did not order.
//!
//! Not here: who is asking; that is what the service compares with its records.

use std::collections::BTreeSet;

use pki::{AltName, Certificate};
use serde_json::Value;

use crate::identifier::Identifier;
use crate::problem::{Kind, Problem};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal;)*) => {
        /// Why a certificate is revoked (RFC 5280 §5.3.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason that may be given.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code on the wire, in CRLs and in the store.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }

            /// The word of RFC 5280.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

reasons! {
    /// None was given.
    Unspecified = 0, "unspecified";
    /// Somebody else may have the key.
    KeyCompromise = 1, "keyCompromise";
    /// Somebody else may have the authority's key.
    CaCompromise = 2, "cACompromise";
    /// The subject's name or affiliation has changed.
    AffiliationChanged = 3, "affiliationChanged";
    /// Another certificate has taken its place.
    Superseded = 4, "superseded";
    /// It is not needed any more.
    CessationOfOperation = 5, "cessationOfOperation";
    /// It is put on hold.
    CertificateHold = 6, "certificateHold";
    /// It leaves a delta CRL.
    RemoveFromCrl = 8, "removeFromCRL";
    /// The subject may not have it any more.
    PrivilegeWithdrawn = 9, "privilegeWithdrawn";
    /// Somebody else may have the key of the attribute authority.
    AaCompromise = 10, "aACompromise";
}

impl Reason {
    /// Finds the reason of a code; 7 is none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|reason| reason.code() == code).copied()
    }

    /// Reads the `reason` of a request; nothing is [`Reason::Unspecified`].
    ///
    /// # Errors
    /// `badRevocationReason` with the codes that would do.
    pub fn parse(value: Option<&Value>) -> Result<Self, Problem> {
        let Some(value) = value else {
            return Ok(Self::Unspecified);
        };
        let code = value.as_u64().and_then(|code| u8::try_from(code).ok());
        code.and_then(Self::from_code).ok_or_else(|| {
            let all = Self::ALL.iter();
            let all: Vec<_> = all
                .map(|it| format!("{} {}", it.code(), it.as_str()))
                .collect();
            let shown: String = value.to_string().chars().take(40).collect();
            Problem::new(
                Kind::BadRevocationReason,
                format!(
                    "{shown} is not a reason to revoke: send one of {}, or leave it out.",
                    all.join(", ")
                ),
            )
        })
    }
}

/// Everything that a certificate names, as an account would have to prove it; nothing if there is
/// a name that no ACME account can prove, or no name at all.
#[must_use]
pub fn identifiers(certificate: &Certificate) -> Option<BTreeSet<Identifier>> {
    let mut all = BTreeSet::new();
    for name in certificate.alt_names() {
        all.insert(match name {
            AltName::Dns(name) => Identifier::parse("dns", name).ok()?,
            AltName::Ip(address) => Identifier::Ip(address.to_canonical()),
            AltName::Email(_) | AltName::Uri(_) | AltName::Other { .. } => return None,
        });
    }
    if let Some(name) = certificate.subject().cn() {
        all.insert(Identifier::guess(&name).ok()?);
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_reasons_of_the_rfc_are_accepted_and_no_others() {
        assert_eq!(Reason::parse(None), Ok(Reason::Unspecified));
        let accepted: Vec<u8> = (0..=255)
            .filter(|code| Reason::parse(Some(&json!(code))).is_ok())
            .collect();
        assert_eq!(accepted, [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]);
        for bad in [json!(-1), json!(1.5), json!("1"), json!(1e30), json!([1])] {
            let problem = Reason::parse(Some(&bad)).unwrap_err();
            assert_eq!(problem.kind, Kind::BadRevocationReason, "{bad}");
        }
    }

    #[test]
    fn a_reason_that_will_not_do_is_answered_with_those_that_would() {
        let problem = Reason::parse(Some(&json!(7))).unwrap_err();
        assert!(problem.detail.starts_with("7 is not"), "{problem}");
        assert!(problem.detail.contains("1 keyCompromise"), "{problem}");
        assert!(problem.detail.contains("10 aACompromise"), "{problem}");
    }

    #[test]
    fn a_reason_is_read_back_from_its_code() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        }
        assert_eq!(Reason::from_code(7), None);
    }
}
