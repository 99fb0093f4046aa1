//! What is asked for, and what the right to it rests on: the same for an order, a token and a
//! renewal. Each provisioner type makes it from its own credential.

use acme::challenge::Means;
use jiff::Timestamp;
use pki::{AltName, Certificate, PublicKey, Serial};
use uuid::Uuid;

use super::Recipient;

/// A certificate that is asked for with a credential that has been verified. It is neither made
/// outside this crate nor copied, so that one credential makes at most one grant.
pub struct IssuanceRequest {
    pub(crate) asked: Asked,
    pub(crate) common_name: Option<String>,
    pub(crate) key: PublicKey,
    pub(crate) contents: Contents,
    pub(crate) basis: Basis,
    pub(crate) recipient: Recipient,
}

/// The part of a request that is known before there is a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The subject alternative names.
    pub names: Vec<AltName>,
    /// The `notBefore` asked for.
    pub not_before: Option<Timestamp>,
    /// The `notAfter` asked for.
    pub not_after: Option<Timestamp>,
    /// The profile asked for.
    pub profile: Option<String>,
}

/// Where the contents of the certificate come from.
pub(crate) enum Contents {
    /// They are put together from what is asked for.
    New,
    /// They are copied from the certificate that is renewed.
    Renewed(Box<Certificate>),
}

/// What the right to a certificate rests on, as ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basis {
    /// The provisioner whose credential was verified; `None` for a certificate that names none.
    pub provisioner: Option<String>,
    /// The account, and how DNS records name it.
    pub account: Option<AccountBasis>,
    /// What the right to each name rests on, where names are validated one by one and it is known.
    pub validations: Vec<Validation>,
    /// The certificate that a renewal continues.
    pub renewed: Option<Serial>,
}

/// The account that a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBasis {
    /// Its id.
    pub id: Uuid,
    /// Its URI as its client knows it, for `accounturi` of CAA records (RFC 8657 §3).
    pub uri: String,
    /// The external account key that it was registered with.
    pub external_key: Option<String>,
}

/// What the right to a name rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// The name.
    pub name: AltName,
    /// A challenge, or an operator's permit.
    pub means: Means,
}

impl IssuanceRequest {
    /// What is asked for.
    #[must_use]
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// The key to be certified, whose possession is proven.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The serial number of the first certificate of the lineage that a renewal continues.
    #[must_use]
    pub fn lineage(&self) -> Option<&Serial> {
        match &self.recipient {
            Recipient::Renewal { lineage, .. } => Some(lineage),
            Recipient::Order { .. } | Recipient::ServerCertificate | Recipient::Authority => None,
        }
    }

    /// What the right to it rests on.
    #[must_use]
    pub fn basis(&self) -> &Basis {
        &self.basis
    }
}
