//! Revocation (RFC 8555 §7.6): by the account that a certificate was issued to, by one that has proven
//! all its names, or by the certificate's own key. An expired certificate may be revoked too: that
//! matters to verifiers of old signatures.

use std::sync::Arc;

use acme::account::Account;
use acme::message::revocation::Revocation as Request;
use acme::problem::{Kind, Problem};
use acme::revocation;
use ca::Refusal;
use ca::config::Config;
use ca::revoke::{self, IssuedTo, Right};
use jiff::Timestamp;
use pki::Certificate;
use pki::jose::Jwk;
use store::port::Revocations as _;
use store::{CertificateRecord, NamesClaim, Revocation, Revoked, Revoker, Store};

use super::{AuthorityCertificates, Error};

/// Revokes certificates. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Revocations {
    pub(super) store: Store,
    pub(super) certificates: Arc<AuthorityCertificates>,
}

/// Who asks for a revocation.
pub(crate) enum Requester {
    /// An account that may act.
    Account(Account),
    /// The holder of this key.
    Key(Jwk),
}

impl Revocations {
    /// Revokes a certificate, once; and once more where its key turns out to be compromised.
    ///
    /// # Errors
    /// When the certificate is not one of ours or revoked already, the reason is not allowed, or the requester has no right to
    /// it.
    pub(crate) async fn revoke(
        &self,
        config: &Config,
        requester: &Requester,
        request: &Request,
        request_id: &str,
    ) -> Result<(), Error> {
        let reason = request.reason()?;
        let certificate = Certificate::from_der(&request.der()?).map_err(|why| {
            Problem::malformed(format!(
                "The certificate cannot be read: {why}. Send the DER of one certificate."
            ))
        })?;
        let now = Timestamp::now();
        let claim = claim(config, requester, &certificate, now);
        let serial = certificate.serial();
        let found = self.store.revocation_facts(serial, claim).await?;
        let record = self.known(&certificate, found.certificate)?;
        let by = match (right_of(requester, &certificate, &record)?, requester) {
            (_, Requester::Key(_)) => Revoker::Key,
            (Right::IfProven(_), Requester::Account(_)) if !found.proven => {
                return Err(revoke::unproven().into());
            }
            (Right::IfProven(_), Requester::Account(account)) => Revoker::Names(account.id),
            (Right::Own | Right::Key, Requester::Account(account)) => Revoker::Account(account.id),
        };
        let revoked = Revoked {
            at: now,
            reason,
            by,
        };
        // A key that turns out to be compromised later has to be barred all the same, and a certificate
        // that was superseded may have been renewed by a thief.
        if let Some(earlier) = &record.revoked
            && !earlier.leaves_to(&revoked)
        {
            return Err(already(&record, Some(earlier)).into());
        }
        let key = certificate.public_key().map_err(Refusal::from)?.digest();
        let revocation = Revocation::new(&record, revoked, key);
        if !self.store.revoke(revocation).await? {
            return Err(already(&record, None).into());
        }
        log_revoked(&record, reason, by, request_id);
        Ok(())
    }

    /// The record of exactly this certificate.
    fn known(
        &self,
        certificate: &Certificate,
        found: Option<CertificateRecord>,
    ) -> Result<CertificateRecord, Error> {
        let serial = certificate.serial();
        if let Some(record) = found.filter(|record| record.der == certificate.der()) {
            return Ok(record);
        }
        let ours = |issuer: &Certificate| certificate.is_issued_by(issuer).is_ok();
        if self.certificates.intermediates.iter().any(ours) {
            return Err(Error::NotFound(format!(
                "This CA has no record of the certificate with serial number {serial}."
            )));
        }
        Err(Problem::malformed(format!(
            "The certificate was not issued by this CA: it names {:?} as its issuer. Send it to \
             the CA that issued it.",
            certificate.issuer().to_string()
        ))
        .into())
    }
}

/// What the records are asked about the requester's right: whether an account has proven the names.
fn claim(
    config: &Config,
    requester: &Requester,
    certificate: &Certificate,
    at: Timestamp,
) -> Option<NamesClaim> {
    let Requester::Account(account) = requester else {
        return None;
    };
    let identifiers = revocation::identifiers(certificate)?;
    Some(NamesClaim {
        account: account.id,
        identifiers: identifiers.into_iter().collect(),
        widest: config.riser.provisioner(&account.provisioner).subdomains,
        at,
    })
}

/// The right of the requester.
fn right_of(
    requester: &Requester,
    certificate: &Certificate,
    record: &CertificateRecord,
) -> Result<Right, Problem> {
    let issued_to = IssuedTo {
        account: record.account,
        provisioner: record.provisioner.as_deref(),
    };
    let asked = match requester {
        Requester::Key(key) => revoke::Requester::Key(key.public_key()),
        Requester::Account(account) => revoke::Requester::Account(revoke::Account {
            id: account.id,
            provisioner: &account.provisioner,
        }),
    };
    revoke::right(asked, certificate, issued_to)
}

fn already(record: &CertificateRecord, revoked: Option<&Revoked>) -> Problem {
    let when = revoked.map_or_else(
        || "a moment ago".to_owned(),
        |revoked| format!("at {:.0} ({})", revoked.at, revoked.reason.as_str()),
    );
    let serial = &record.serial;
    let mut detail = format!("The certificate with serial number {serial} was revoked {when}.");
    if revoked.is_some_and(|revoked| !revoked.ends_the_lineage()) {
        detail += " To end the renewals of what was renewed from it as well, state another reason.";
    }
    Problem::new(Kind::AlreadyRevoked, detail)
}

/// Logs one event for each certificate revoked.
fn log_revoked(
    record: &CertificateRecord,
    reason: revocation::Reason,
    by: Revoker,
    request_id: &str,
) {
    let (by, account) = match by {
        Revoker::Account(id) => ("account", id.simple().to_string()),
        Revoker::Names(id) => ("names", id.simple().to_string()),
        Revoker::Key => ("key", String::new()),
    };
    tracing::info!(
        event = "certificate_revoked",
        serial = %record.serial,
        names = record.names.join(","),
        provisioner = record.provisioner.as_deref().unwrap_or_default(),
        reason = reason.as_str(),
        by,
        account,
        request_id,
    );
}
