//! Refusal: the answer "no", with what was wrong and what to do next. An outage is never one.

use acme::problem::{Kind, Problem};
use jiff::Timestamp;
use uuid::Uuid;

use crate::claims;
use crate::external_key;
use crate::issuing_chain;
use crate::lint;
use crate::policy;
use crate::profile;

/// Why a certificate is not issued or renewed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The validity asked for cannot be had.
    #[error(transparent)]
    Lifetime(#[from] claims::BadLifetime),
    /// The account was ended.
    #[error("the account {} was deactivated; register another one", .id.simple())]
    AccountEnded {
        /// Its id.
        id: Uuid,
    },
    /// The operator has removed the account's external account key.
    #[error("{}", external_key::removed_words(.key))]
    ExternalKeyRemoved {
        /// The key's id.
        key: String,
    },
    /// No provisioner has this name (any more).
    #[error("provisioner {name} not found; `step ca provisioner list` shows those in force")]
    UnknownProvisioner {
        /// The name looked for.
        name: String,
    },
    /// The provisioner's configuration is not consistent.
    #[error("provisioner {name} is disabled due to an initialization error: {reason}")]
    ProvisionerDisabled {
        /// Its name.
        name: String,
        /// What is wrong with its configuration.
        reason: String,
    },
    /// The order was made for another provisioner.
    #[error("the order belongs to provisioner {order}, not to {provisioner}")]
    ForeignOrder {
        /// The order's provisioner.
        order: String,
        /// The one that was asked.
        provisioner: String,
    },
    /// `forceCN` is set and there is no DNS name to take.
    #[error(
        "provisioner {provisioner} demands a common name, and the order has no DNS name to take it from"
    )]
    NoCommonName {
        /// The provisioner that has `forceCN`.
        provisioner: String,
    },
    /// The issuing certificate has expired.
    #[error("the issuing certificate expired at {at}; the operator has to renew the intermediate")]
    IssuerExpired {
        /// Its notAfter.
        at: Timestamp,
    },
    /// The certificate to renew was not signed by this authority.
    #[error("the certificate with serial number {serial} was not issued by this authority")]
    NotOurs {
        /// Its serial number, decimal.
        serial: String,
    },
    /// The certificate to renew has expired.
    #[error("the certificate expired at {at}; get a new one instead of renewing it")]
    Expired {
        /// Its notAfter.
        at: Timestamp,
    },
    /// The certificate to renew does not hold yet.
    #[error("the certificate is not valid before {at}")]
    NotYetValid {
        /// Its notBefore.
        at: Timestamp,
    },
    /// The provisioner does not allow renewals.
    #[error(
        "renewal is disabled for provisioner {provisioner}; get a new certificate instead of renewing"
    )]
    RenewalDisabled {
        /// Its name.
        provisioner: String,
    },
    /// The certificate to renew is the server's own.
    #[error(
        "the certificate with serial number {serial} belongs to the authority's own server, which renews it by itself"
    )]
    ServerCertificate {
        /// Its serial number.
        serial: String,
    },
    /// The certificate to renew was revoked.
    #[error(
        "the certificate with serial number {serial} is revoked; get a new one instead of renewing it"
    )]
    Revoked {
        /// Its serial number, decimal.
        serial: String,
    },
    /// Another certificate of the lineage was revoked, which ends all renewals in it.
    #[error(
        "the certificate with serial number {serial} cannot be renewed: another one of its lineage (the certificates renewed \
         from the same first one) was revoked, which ends the renewals of all; get a new certificate, with a new key"
    )]
    LineageEnded {
        /// The serial number of the certificate to renew, decimal.
        serial: String,
    },
    /// A certificate that was made from the one to renew was revoked as superseded.
    #[error(
        "the certificate with serial number {serial} cannot be renewed: one that was renewed from it was revoked as \
         superseded; renew the newest certificate, or get a new one"
    )]
    Superseded {
        /// The serial number of the certificate to renew, decimal.
        serial: String,
    },
    /// The record of the certificate to renew was deleted after it had expired.
    #[error(
        "the certificate with serial number {serial} has expired, and its record was deleted by [retention] of riser.toml; get a \
         new one instead of renewing it"
    )]
    RecordDeleted {
        /// Its serial number, decimal.
        serial: String,
    },
    /// Another key was asked for than the one that the device attested.
    #[error(
        "the certificate with serial number {serial} is for a key that a device attested, which no other key may \
         replace; renew it with its own key, or order a certificate for another attested key"
    )]
    AttestedKey {
        /// The serial number of the certificate to renew, decimal.
        serial: String,
    },
    /// A permit that a name of the certificate rests on has ended.
    #[error(
        "the operator's permit for {name} was taken back or has expired; prove the name in a new order, or ask the \
         operator for another permit and order the certificate anew"
    )]
    PermitEnded {
        /// The name.
        name: String,
    },
    /// The key of the certificate to renew was revoked as compromised.
    #[error(
        "the key of the presented certificate was revoked as compromised and does not authenticate renewals any more; \
         make a new key and get a new certificate"
    )]
    CompromisedAskingKey,
    /// The key was revoked as compromised.
    #[error("the key was revoked as compromised and is not certified again; make a new key")]
    CompromisedKey,
    /// A name that cannot stand in a certificate.
    #[error("{name:?} cannot be a name in a certificate: {reason}")]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name policy does not let a name pass.
    #[error("{0}")]
    Names(policy::Refused),
    /// A CA certificate of the chain forbids a name.
    #[error(transparent)]
    Constrained(#[from] issuing_chain::Constrained),
    /// The profile cannot be had.
    #[error(transparent)]
    Profile(#[from] profile::Unfit),
    /// The profile is not for keys of this kind.
    #[error(transparent)]
    KeyKind(#[from] profile::UnfitKey),
    /// CAA records forbid a name.
    #[error("{}", .0.detail)]
    Caa(Box<Problem>),
    /// The certificate breaks a rule of the lint: a fault of the authority, not the client's.
    #[error("the certificate did not pass the lint and was not signed: {0}")]
    Lint(#[from] lint::Finding),
    /// The certificate cannot be encoded.
    #[error("the certificate cannot be put together: {0}")]
    Encoding(#[from] pki::Error),
}

impl From<policy::Refused> for Refusal {
    fn from(refused: policy::Refused) -> Self {
        Self::Names(refused)
    }
}

/// Whose fault a refusal is; the servers choose their status by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The request asks for what cannot be had as asked.
    Request,
    /// The client has no right to it (any more).
    Rights,
    /// The authority itself is not in order.
    Authority,
}

impl Refusal {
    /// Whose fault it is.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Lifetime(_)
            | Self::NoCommonName { .. }
            | Self::CompromisedKey
            | Self::BadName { .. }
            | Self::Profile(_)
            | Self::KeyKind(_)
            | Self::Caa(_)
            | Self::Constrained(_)
            | Self::Names(_) => Blame::Request,
            Self::UnknownProvisioner { .. }
            | Self::ProvisionerDisabled { .. }
            | Self::AccountEnded { .. }
            | Self::ExternalKeyRemoved { .. }
            | Self::ForeignOrder { .. }
            | Self::NotOurs { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::RenewalDisabled { .. }
            | Self::ServerCertificate { .. }
            | Self::Revoked { .. }
            | Self::LineageEnded { .. }
            | Self::Superseded { .. }
            | Self::RecordDeleted { .. }
            | Self::AttestedKey { .. }
            | Self::PermitEnded { .. }
            | Self::CompromisedAskingKey => Blame::Rights,
            Self::IssuerExpired { .. } | Self::Lint(_) | Self::Encoding(_) => Blame::Authority,
        }
    }
}

/// A refusal as an ACME client sees it.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::Names(refused) = &refusal {
            return Self::from(refused);
        }
        if let Refusal::Caa(problem) = refusal {
            return *problem;
        }
        let kind = match (&refusal, refusal.blame()) {
            (Refusal::NoCommonName { .. } | Refusal::CompromisedKey | Refusal::KeyKind(_), _) => {
                Kind::BadCsr
            }
            (Refusal::Profile(_), _) => Kind::InvalidProfile,
            (Refusal::Constrained(_), _) => Kind::RejectedIdentifier,
            (_, Blame::Request) => Kind::Malformed,
            (_, Blame::Rights) => Kind::Unauthorized,
            (_, Blame::Authority) => Kind::ServerInternal,
        };
        Self::new(kind, refusal.to_string())
    }
}
