//! What the writing verbs are given: the records to store, each with the audit entry of the change, and, where a right
//! ends, with the error that its unfinished orders get.

use acme::account::Account;
use acme::authz::Authorization;
use acme::challenge::Proof;
use acme::eab::Bound;
use acme::order::Order;
use acme::permit;
use acme::problem::Problem;
use jiff::Timestamp;
use pki::certificate::Serial;
use serde_json::Value;
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::record::{CertificateRecord, Revoked};

/// An account to be created.
#[derive(Debug)]
pub struct Registration {
    pub(crate) account: Account,
    pub(crate) bound: Option<Bound>,
    pub(crate) entry: AuditEntry,
}

impl Registration {
    /// An account without an external account key.
    #[must_use]
    pub fn new(account: Account) -> Self {
        Self {
            entry: AuditEntry::account_created(&account, None),
            bound: None,
            account,
        }
    }

    /// An account that an external account key binds (RFC 8555 §7.3.4).
    #[must_use]
    pub fn bound(account: Account, bound: Bound) -> Self {
        Self {
            entry: AuditEntry::account_created(&account, Some(bound.kid())),
            bound: Some(bound),
            account,
        }
    }
}

/// An order with the authorizations that were made for it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOrder {
    /// The order; its `authorizations` name those below and any that exist already.
    pub order: Order,
    /// The new authorizations, with their challenges.
    pub authorizations: Vec<Authorization>,
    /// The entry of its creation.
    pub entry: AuditEntry,
}

impl NewOrder {
    /// An order to be created with these authorizations.
    #[must_use]
    pub fn new(order: Order, authorizations: Vec<Authorization>) -> Self {
        Self {
            entry: AuditEntry::order_created(&order, &authorizations),
            order,
            authorizations,
        }
    }
}

/// A challenge that is proven.
#[derive(Debug)]
pub struct Proven {
    /// The challenge.
    pub challenge: Uuid,
    /// What proves it.
    pub proof: Proof,
    /// When its authorization ends, if that is later than its own end.
    pub until: Timestamp,
    /// The entry of the verdict; the store adds the order.
    pub entry: AuditEntry,
}

/// A challenge that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The challenge.
    pub challenge: Uuid,
    /// Why.
    pub problem: Problem,
    /// What was seen, for the operator.
    pub evidence: Value,
    /// The entry of the verdict; the store adds the order.
    pub entry: AuditEntry,
}

/// A certificate to be recorded. Its order, where it has one, becomes `valid` in the same transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Issuance {
    /// The certificate.
    pub certificate: CertificateRecord,
    /// The SHA-256 of its key's bits.
    pub key: [u8; 32],
    /// The SHA-256 of the bits of the key whose holder asked for a renewal.
    pub asking_key: Option<[u8; 32]>,
    /// The entry of its issuance.
    pub entry: AuditEntry,
}

impl Issuance {
    /// A certificate to be recorded, and the SHA-256 of its key's bits.
    #[must_use]
    pub fn new(certificate: CertificateRecord, key: [u8; 32]) -> Self {
        Self {
            entry: AuditEntry::certificate_issued(&certificate),
            certificate,
            key,
            asking_key: None,
        }
    }

    /// The same, for the holder of a certificate with the key that has this SHA-256.
    #[must_use]
    pub fn asked_by(self, asking_key: [u8; 32]) -> Self {
        Self {
            asking_key: Some(asking_key),
            ..self
        }
    }
}

/// A certificate to be revoked.
#[derive(Clone, Debug, PartialEq)]
pub struct Revocation {
    /// Its serial number.
    pub serial: Serial,
    /// When, why and by whom.
    pub revoked: Revoked,
    /// The lineage that it ends; none where it ends only the certificate and its ancestors.
    pub lineage: Option<Serial>,
    /// The SHA-256 of its public key's bits, which is barred where [`Revoked::bars_the_key`].
    pub key: [u8; 32],
    /// The entry of the revocation.
    pub entry: AuditEntry,
}

impl Revocation {
    /// The revocation of a certificate whose key's bits have this SHA-256.
    #[must_use]
    pub fn new(certificate: &CertificateRecord, revoked: Revoked, key: [u8; 32]) -> Self {
        Self {
            serial: certificate.serial.clone(),
            entry: AuditEntry::certificate_revoked(certificate, &revoked),
            lineage: (revoked.ends_the_lineage()).then(|| certificate.lineage().clone()),
            revoked,
            key,
        }
    }
}

/// A permit to be given.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPermit {
    /// What it says.
    pub record: permit::Record,
    /// The entry of its creation.
    pub entry: AuditEntry,
}

impl NewPermit {
    /// A permit that an operator gives: `entry` says who.
    #[must_use]
    pub fn new(record: permit::Record, entry: AuditEntry) -> Self {
        Self {
            entry: entry.about_permit(&record),
            record,
        }
    }
}

/// The end of a right: an account, an authorization, an external account key or a permit.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// The error of the unfinished orders that depend on it.
    pub why: Problem,
    /// The entry of the end.
    pub entry: AuditEntry,
}

impl Ending {
    /// The end of an account that its owner deactivates.
    #[must_use]
    pub fn of_account(account: &Account, at: Timestamp) -> Self {
        Self {
            why: Problem::unauthorized("The order's account was deactivated by its owner."),
            entry: AuditEntry::account_deactivated(account, at),
        }
    }

    /// The end of an authorization that its owner deactivates.
    #[must_use]
    pub fn of_authorization(authorization: &Authorization, at: Timestamp) -> Self {
        Self {
            why: Problem::unauthorized(format!(
                "The authorization for {} was deactivated by its owner.",
                authorization.identifier
            )),
            entry: AuditEntry::authorization_deactivated(authorization, at),
        }
    }

    /// The end of a permit that an operator takes back: `entry` says who.
    #[must_use]
    pub fn of_permit(record: &permit::Record, entry: AuditEntry) -> Self {
        Self {
            why: Problem::unauthorized(format!(
                "The operator has taken back the permit for {}: answer challenges in a new order.",
                record.pattern
            )),
            entry: entry.about_permit(record),
        }
    }
}
