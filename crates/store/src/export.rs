//! The lines of an export: one JSON object a record, its `type` first. Ids are written as in URLs, times as in RFC 3339,
//! serial numbers in decimal. Secrets of external account keys and tokens of challenges are left out.

use acme::account::Account;
use acme::authz::{Authorization, Origin};
use acme::challenge::{Challenge, Means};
use acme::order::Order;
use acme::permit::{self, Holder};
use ca::external_key::ExternalKey;
use pki::pem;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::record::{AuditLine, CertificateRecord, Revoked};

pub(crate) fn account(account: &Account) -> Value {
    line(json!({
        "type": "account",
        "id": id(account.id),
        "provisioner": account.provisioner,
        "status": account.status.as_str(),
        "key": account.key,
        "thumbprint": account.key.thumbprint(),
        "contact": account.contact,
        "created_at": account.created_at,
        "terms": account.terms,
        "external_key": account.external.as_ref().map(|it| &it.key),
    }))
}

pub(crate) fn external_key(key: &ExternalKey) -> Value {
    line(json!({
        "type": "external_key",
        "id": key.id,
        "provisioner": key.provisioner,
        "reference": (!key.reference.is_empty()).then_some(&key.reference),
        "rules": key.rules,
        "accounts": key.limits.accounts,
        "bound": key.use_made.accounts,
        "bound_at": key.use_made.latest_at,
        "created_at": key.created_at,
        "expires_at": key.limits.expires_at,
    }))
}

pub(crate) fn permit(permit: &permit::Record) -> Value {
    let (account, key) = match &permit.holder {
        Holder::Account(account) => (Some(id(*account)), None),
        Holder::ExternalKey(key) => (None, Some(key)),
    };
    line(json!({
        "type": "permit",
        "id": id(permit.id),
        "provisioner": permit.provisioner,
        "account": account,
        "external_key": key,
        "names": permit.pattern.to_string(),
        "created_at": permit.at,
        "created_by": permit.by,
        "expires_at": permit.expires,
    }))
}

pub(crate) fn order(order: &Order) -> Value {
    let authorizations = order.authorizations.iter().map(|it| id(*it));
    line(json!({
        "type": "order",
        "id": id(order.id),
        "account": id(order.account),
        "provisioner": order.provisioner,
        "status": order.status,
        "identifiers": order.identifiers,
        "not_before": order.not_before.as_ref().map(|time| time.at()),
        "not_after": order.not_after.as_ref().map(|time| time.at()),
        "profile": order.profile,
        "created_at": order.created_at,
        "expires_at": order.expires,
        "error": order.error,
        "certificate": order.certificate.map(id),
        "replaces": order.replaces.as_ref().map(ToString::to_string),
        "authorizations": authorizations.collect::<Vec<_>>(),
    }))
}

pub(crate) fn authorization(authorization: &Authorization) -> Value {
    let permit = match authorization.origin {
        Origin::Permit(permit) => Some(id(permit)),
        Origin::Order | Origin::Ahead => None,
    };
    let challenges = authorization.challenges.iter().map(challenge);
    line(json!({
        "type": "authorization",
        "id": id(authorization.id),
        "account": id(authorization.account),
        "provisioner": authorization.provisioner,
        "identifier": authorization.identifier,
        "status": authorization.status.as_str(),
        "expires_at": authorization.expires,
        "permit": permit,
        "challenges": challenges.collect::<Vec<_>>(),
    }))
}

fn challenge(challenge: &Challenge) -> Value {
    line(json!({
        "type": challenge.method.as_str(),
        "status": challenge.status.as_str(),
        "validated_at": challenge.validated,
        "error": challenge.error,
    }))
}

/// The certificates above it are in lines of their own.
pub(crate) fn certificate(certificate: &CertificateRecord) -> Value {
    let basis = |means: &Option<Means>| match means {
        None => Value::Null,
        Some(Means::Challenge(method)) => json!(method.as_str()),
        Some(Means::Permit(permit)) => json!({ "permit": id(*permit) }),
    };
    line(json!({
        "type": "certificate",
        "id": id(certificate.id),
        "serial": certificate.serial.to_string(),
        "names": certificate.names,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "issued_at": certificate.issued_at,
        "provisioner": certificate.provisioner,
        "account": certificate.account.map(id),
        "order": certificate.order.map(id),
        "profile": certificate.profile,
        "renewed_from": certificate.renewed_from.as_ref().map(ToString::to_string),
        "lineage": certificate.lineage.as_ref().map(ToString::to_string),
        "basis": certificate.basis.iter().map(basis).collect::<Vec<_>>(),
        "revoked": certificate.revoked.as_ref().map(revoked),
        "pem": pem::encode("CERTIFICATE", &certificate.der),
    }))
}

/// A certificate that is handed out above others.
pub(crate) fn chain_certificate(der: &[u8]) -> Value {
    json!({ "type": "chain_certificate", "pem": pem::encode("CERTIFICATE", der) })
}

/// When, why and by whom a certificate was revoked.
pub(crate) fn revoked(revoked: &Revoked) -> Value {
    line(json!({
        "at": revoked.at,
        "reason": revoked.reason.as_str(),
        "by": revoked.by.as_str(),
        "account": revoked.by.account().map(id),
    }))
}

pub(crate) fn audit(audit: &AuditLine) -> Value {
    let AuditLine { number, entry } = audit;
    let AuditEntry {
        at,
        event,
        provisioner,
        account,
        order,
        certificate,
        detail,
    } = entry;
    line(json!({
        "type": "audit",
        "number": number,
        "at": at,
        "event": event,
        "provisioner": provisioner,
        "account": account.map(id),
        "order": order.map(id),
        "certificate": certificate.map(id),
        "detail": detail,
    }))
}

/// The object without members that say nothing.
fn line(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };
    let said = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(Map::from_iter(said))
}

fn id(id: Uuid) -> String {
    id.simple().to_string()
}
