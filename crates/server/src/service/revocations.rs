//! Revocation (RFC 8555 §7.6): by the account that a certificate was issued to, by one that has proven
//! all its names, or by the certificate's own key. An expired certificate may be revoked too: that
//! matters to verifiers of old signatures.

use std::sync::Arc;

use acme::account::Account;
use acme::message::revocation::Revocation as Request;
use acme::problem::{Kind, Problem};
use acme::revocation;
use acme::scope::Scope;
use ca::Refusal;
use ca::config::Config;
use jiff::Timestamp;
use pki::Certificate;
use pki::jose::Jwk;
use store::port::{Certificates as _, Revocations as _};
use store::{CertificateRecord, Revocation, Revoked, Revoker, Store};

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
        let record = self.known(&certificate).await?;
        let now = Timestamp::now();
        let by = match requester {
            Requester::Account(account) => {
                let widest = config.riser.provisioner(&account.provisioner).subdomains;
                let right = self.right_of(account, widest, &certificate, &record);
                right.await?
            }
            Requester::Key(key) => right_by(key, &certificate)?,
        };
        let revoked = Revoked {
            at: now,
            reason,
            by,
        };
        // A key that turns out to be compromised later has to be barred all the same.
        if let Some(earlier) = &record.revoked
            && (earlier.reason == reason || !revoked.bars_the_key())
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
    async fn known(&self, certificate: &Certificate) -> Result<CertificateRecord, Error> {
        let serial = certificate.serial();
        let found = self.store.certificate_by_serial(serial).await?;
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

    /// The right of an account: the certificate is its own, or it has proven all its names.
    async fn right_of(
        &self,
        account: &Account,
        widest: Scope,
        certificate: &Certificate,
        record: &CertificateRecord,
    ) -> Result<Revoker, Error> {
        if record.account == Some(account.id) {
            return Ok(Revoker::Account(account.id));
        }
        if record.provisioner.as_ref() != Some(&account.provisioner) {
            return Err(Problem::unauthorized(
                "The certificate was not issued by the account's provisioner: revoke it there, or \
                 sign the request with the certificate's own key (jwk).",
            )
            .into());
        }
        if let Some(names) = revocation::identifiers(certificate) {
            let names = names.into_iter().collect();
            let now = Timestamp::now();
            let proven = self.store.has_proven(account.id, names, widest, now);
            if proven.await? {
                return Ok(Revoker::Names(account.id));
            }
        }
        Err(Problem::unauthorized(
            "The certificate was issued to another account, and this one has no valid \
             authorization for all of its names: prove them first, use the other account, or sign \
             the request with the certificate's own key (jwk).",
        )
        .into())
    }
}

/// The right of the certificate's own key.
fn right_by(key: &Jwk, certificate: &Certificate) -> Result<Revoker, Error> {
    let own = certificate.public_key().map_err(Refusal::from)?;
    if key.public_key() == own {
        return Ok(Revoker::Key);
    }
    Err(Problem::unauthorized(
        "The key that signed is not the certificate's: sign with the certificate's private key, or \
         as the account that it was issued to (kid).",
    )
    .into())
}

fn already(record: &CertificateRecord, revoked: Option<&Revoked>) -> Problem {
    let when = revoked.map_or_else(
        || "a moment ago".to_owned(),
        |revoked| format!("at {:.0} ({})", revoked.at, revoked.reason.as_str()),
    );
    Problem::new(
        Kind::AlreadyRevoked,
        format!(
            "The certificate with serial number {} was revoked {when}.",
            record.serial
        ),
    )
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
