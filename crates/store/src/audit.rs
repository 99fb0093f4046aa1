//! The audit log's entries and their words. Entries are made here, above the back ends, which insert them in the
//! transaction that they describe and only where that transaction changes something.

use acme::account::Account;
use acme::authz::{Authorization, Origin};
use acme::challenge::Method;
use acme::identifier::Identifier;
use acme::key_change::KeyChange;
use acme::order::Order;
use acme::permit::{self, Holder};
use acme::problem::Problem;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::record::{CertificateRecord, Revoked};

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When it happened.
    pub at: Timestamp,
    /// What happened: the word of an [`Event`].
    pub event: String,
    /// The provisioner concerned.
    pub provisioner: Option<String>,
    /// The account concerned.
    pub account: Option<Uuid>,
    /// The order concerned.
    pub order: Option<Uuid>,
    /// The certificate concerned.
    pub certificate: Option<Uuid>,
    /// More, as a JSON object; `Null` for nothing.
    pub detail: Value,
}

/// What the audit log records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account was created.
    AccountCreated,
    /// An account was ended by its owner.
    AccountDeactivated,
    /// An account got another key.
    AccountKeyChanged,
    /// An order was created.
    OrderCreated,
    /// An authorization was created ahead of any order.
    AuthorizationCreated,
    /// An authorization was ended by its owner.
    AuthorizationDeactivated,
    /// An authorization was proven.
    AuthorizationValid,
    /// The validation of an authorization failed.
    AuthorizationInvalid,
    /// A certificate was issued.
    CertificateIssued,
    /// A certificate was issued that replaces another.
    CertificateRenewed,
    /// A certificate was issued for the server's own TLS.
    ServerCertificateIssued,
    /// A certificate was revoked.
    CertificateRevoked,
    /// An operator created an external account key.
    ExternalKeyCreated,
    /// An operator removed an external account key.
    ExternalKeyRemoved,
    /// An operator gave a permit.
    PermitAdded,
    /// An operator took a permit back.
    PermitRemoved,
    /// An operator set a renewal window.
    RenewalWindowSet,
    /// An operator cleared renewal windows.
    RenewalWindowsCleared,
    /// An operator had the configuration read again.
    ConfigurationReloaded,
}

impl Event {
    /// The event's word in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountCreated => "account-created",
            Self::AccountDeactivated => "account-deactivated",
            Self::AccountKeyChanged => "account-key-changed",
            Self::OrderCreated => "order-created",
            Self::AuthorizationCreated => "authorization-created",
            Self::AuthorizationDeactivated => "authorization-deactivated",
            Self::AuthorizationValid => "authorization-valid",
            Self::AuthorizationInvalid => "authorization-invalid",
            Self::CertificateIssued => "certificate-issued",
            Self::CertificateRenewed => "certificate-renewed",
            Self::ServerCertificateIssued => "server-certificate-issued",
            Self::CertificateRevoked => "certificate-revoked",
            Self::ExternalKeyCreated => "external-key-created",
            Self::ExternalKeyRemoved => "external-key-removed",
            Self::PermitAdded => "permit-added",
            Self::PermitRemoved => "permit-removed",
            Self::RenewalWindowSet => "renewal-window-set",
            Self::RenewalWindowsCleared => "renewal-windows-cleared",
            Self::ConfigurationReloaded => "configuration-reloaded",
        }
    }
}

impl AuditEntry {
    /// Starts an entry; what it concerns is filled in by field.
    #[must_use]
    pub fn new(event: Event, at: Timestamp) -> Self {
        Self {
            at,
            event: event.as_str().to_owned(),
            provisioner: None,
            account: None,
            order: None,
            certificate: None,
            detail: Value::Null,
        }
    }

    /// Adds to an operator's entry what a permit says. A detail that is no object stays as it is.
    #[must_use]
    pub fn about_permit(mut self, record: &permit::Record) -> Self {
        let (account, key) = match &record.holder {
            Holder::Account(id) => (Some(*id), None),
            Holder::ExternalKey(key) => (None, Some(key)),
        };
        if let Value::Object(detail) = &mut self.detail {
            detail.insert("permit".to_owned(), json!(record.id.simple().to_string()));
            detail.insert("names".to_owned(), json!(record.pattern.to_string()));
            if let Some(key) = key {
                detail.insert("external_key".to_owned(), json!(key));
            }
            if let Some(end) = record.expires {
                detail.insert("expires".to_owned(), json!(end));
            }
        }
        Self {
            provisioner: Some(record.provisioner.clone()),
            account,
            ..self
        }
    }

    pub(crate) fn account_created(account: &Account, external_key: Option<&str>) -> Self {
        Self {
            detail: external_key.map_or(Value::Null, |key| json!({ "external_key": key })),
            ..Self::on_account(Event::AccountCreated, account, account.created_at)
        }
    }

    pub(crate) fn account_deactivated(account: &Account, at: Timestamp) -> Self {
        Self::on_account(Event::AccountDeactivated, account, at)
    }

    /// The entry of a change of an account's key, by the keys' thumbprints.
    #[must_use]
    pub fn account_key_changed(account: &Account, change: &KeyChange, at: Timestamp) -> Self {
        let (old, new) = (change.old_key().thumbprint(), change.new_key().thumbprint());
        Self {
            detail: json!({ "old_key": old, "new_key": new }),
            ..Self::on_account(Event::AccountKeyChanged, account, at)
        }
    }

    pub(crate) fn order_created(order: &Order, authorizations: &[Authorization]) -> Self {
        let shown = shown(&order.identifiers);
        let mut detail = json!({ "names": shown });
        if order.identifiers.len() > shown.len() {
            detail["of"] = json!(order.identifiers.len());
        }
        let permits: Vec<_> = authorizations.iter().filter_map(permit_of).collect();
        if !permits.is_empty() {
            detail["permits"] = json!(permits);
        }
        Self {
            provisioner: Some(order.provisioner.clone()),
            account: Some(order.account),
            order: Some(order.id),
            detail,
            ..Self::new(Event::OrderCreated, order.created_at)
        }
    }

    /// The entry of an authorization that was created ahead of any order.
    #[must_use]
    pub fn authorization_created(authorization: &Authorization, at: Timestamp) -> Self {
        Self::on_authorization(Event::AuthorizationCreated, authorization, at)
    }

    pub(crate) fn authorization_deactivated(authorization: &Authorization, at: Timestamp) -> Self {
        Self::on_authorization(Event::AuthorizationDeactivated, authorization, at)
    }

    /// The entry of an authorization that was proven by a challenge of this method. The store adds the order.
    #[must_use]
    pub fn authorization_valid(
        authorization: &Authorization,
        method: Method,
        at: Timestamp,
    ) -> Self {
        let mut entry = Self::on_authorization(Event::AuthorizationValid, authorization, at);
        entry.detail["challenge"] = json!(method.as_str());
        entry
    }

    /// The entry of an authorization whose challenge of this method failed. The store adds the order.
    #[must_use]
    pub fn authorization_invalid(
        authorization: &Authorization,
        method: Method,
        problem: &Problem,
        at: Timestamp,
    ) -> Self {
        let mut entry = Self::on_authorization(Event::AuthorizationInvalid, authorization, at);
        entry.detail["challenge"] = json!(method.as_str());
        entry.detail["problem"] = json!(problem.detail);
        entry
    }

    pub(crate) fn certificate_issued(certificate: &CertificateRecord) -> Self {
        let event = match certificate.renewed_from {
            None => Event::CertificateIssued,
            Some(_) => Event::CertificateRenewed,
        };
        Self::on_certificate(event, certificate, certificate.issued_at)
    }

    /// The entry of a certificate for the server's own TLS.
    #[must_use]
    pub fn server_certificate_issued(certificate: &CertificateRecord) -> Self {
        let event = Event::ServerCertificateIssued;
        Self::on_certificate(event, certificate, certificate.issued_at)
    }

    pub(crate) fn certificate_revoked(certificate: &CertificateRecord, revoked: &Revoked) -> Self {
        let event = Event::CertificateRevoked;
        let mut entry = Self::on_certificate(event, certificate, revoked.at);
        entry.detail["reason"] = json!(revoked.reason.as_str());
        entry.detail["by"] = json!(revoked.by.as_str());
        Self {
            account: revoked.by.account(),
            ..entry
        }
    }

    fn on_account(event: Event, account: &Account, at: Timestamp) -> Self {
        Self {
            provisioner: Some(account.provisioner.clone()),
            account: Some(account.id),
            ..Self::new(event, at)
        }
    }

    fn on_authorization(event: Event, authorization: &Authorization, at: Timestamp) -> Self {
        Self {
            provisioner: Some(authorization.provisioner.clone()),
            account: Some(authorization.account),
            detail: json!({ "name": authorization.identifier.to_string() }),
            ..Self::new(event, at)
        }
    }

    fn on_certificate(event: Event, certificate: &CertificateRecord, at: Timestamp) -> Self {
        Self {
            provisioner: certificate.provisioner.clone(),
            account: certificate.account,
            order: certificate.order,
            certificate: Some(certificate.id),
            detail: json!({
                "serial": certificate.serial.to_string(),
                "names": certificate.names,
            }),
            ..Self::new(event, at)
        }
    }
}

/// The names of an order that the log lists, at least the first: it outlives orders that come to nothing. Certificates
/// have all of theirs.
fn shown(identifiers: &[Identifier]) -> Vec<String> {
    let mut room = CHARACTERS;
    let names = identifiers.iter().take(NAMES).map(ToString::to_string);
    let fits = names.enumerate().map_while(|(place, name)| {
        let left = room.checked_sub(name.len());
        room = left.unwrap_or_default();
        (place == 0 || left.is_some()).then_some(name)
    });
    fits.collect()
}

/// The most names of an order in the log.
const NAMES: usize = 10;
/// The most characters of them.
const CHARACTERS: usize = 500;

/// The permit that gave an authorization.
fn permit_of(authorization: &Authorization) -> Option<String> {
    match authorization.origin {
        Origin::Order | Origin::Ahead => None,
        Origin::Permit(id) => Some(id.simple().to_string()),
    }
}
