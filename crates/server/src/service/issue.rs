//! The certificate_signer: prepare, lint, sign, verify what came back, commit, answer. Every certificate that
//! leaves this server goes through here; none but the house's own before its record is durable.

use acme::problem::{Kind, Problem};
use ca::{Grant, Recipient, Refusal};
use jiff::Timestamp;
use pki::{Certificate, Serial};
use store::port::Certificates as _;
use store::{CertificateRecord, Issuance, Issued};
use uuid::Uuid;

use super::{Error, Service};

impl Service {
    /// Makes the one certificate of a grant, and its record.
    ///
    /// # Errors
    /// When the authority refuses, the key fails, or the store does not take the record.
    pub(super) async fn issue(&self, grant: Grant, request_id: &str) -> Result<Certificate, Error> {
        let now = Timestamp::now();
        let recipient = grant.recipient().clone();
        let certificate = self.make(grant, now)?;
        let record = self.record(&certificate, &recipient, now);
        let issuance = Issuance {
            order: record.order,
            certificate: record.clone(),
            key: certificate.public_key().map_err(Refusal::from)?.digest(),
        };
        match self.store().issue(issuance).await? {
            Issued::Done => {
                tell(&record, request_id);
                Ok(certificate)
            }
            Issued::AlreadyIssued(id) => match self.store().certificate(id).await? {
                Some(first) => Ok(Certificate::from_der(&first.der).map_err(Refusal::from)?),
                None => Err(Error::unknown("certificate")),
            },
            Issued::KeyCompromised => Err(Refusal::CompromisedKey.into()),
            Issued::OldRevoked => {
                let old = record.renewed_from.as_ref().map(ToString::to_string);
                let serial = old.unwrap_or_default();
                Err(Refusal::Revoked { serial }.into())
            }
            Issued::OrderNotReady => Err(Problem::new(
                Kind::OrderNotReady,
                "The order ended while its certificate was made: create a new one.",
            )
            .into()),
        }
    }

    /// Prepares, lints and signs; the certificate_signer verifies what comes back.
    pub(super) fn make(&self, grant: Grant, now: Timestamp) -> Result<Certificate, Error> {
        let certificate_signer = &self.state.parts.certificate_signer;
        let serial = Serial::from_random(keys::random());
        let unsigned = ca::issue::prepare(grant, now, serial, certificate_signer.issuer())?;
        Ok(certificate_signer.sign(unsigned)?)
    }

    /// What the store keeps of a certificate.
    pub(super) fn record(
        &self,
        certificate: &Certificate,
        recipient: &Recipient,
        now: Timestamp,
    ) -> CertificateRecord {
        let names = certificate.alt_names().iter();
        let record = CertificateRecord {
            id: Uuid::now_v7(),
            serial: certificate.serial().clone(),
            der: certificate.der().to_vec(),
            chain: self.chain().iter().map(|c| c.der().to_vec()).collect(),
            provisioner: None,
            account: None,
            order: None,
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            names: names.map(ToString::to_string).collect(),
            issued_at: now,
            renewed_from: None,
            revoked: None,
        };
        match recipient.clone() {
            Recipient::Order {
                order,
                account,
                provisioner,
                replaces,
            } => CertificateRecord {
                renewed_from: replaces,
                order: Some(order),
                account: Some(account),
                provisioner: Some(provisioner),
                ..record
            },
            Recipient::Renewal { of, provisioner } => CertificateRecord {
                provisioner,
                renewed_from: Some(of),
                ..record
            },
            Recipient::ServerCertificate | Recipient::Authority => record,
        }
    }
}

/// One event for each certificate issued.
fn tell(record: &CertificateRecord, request_id: &str) {
    let text = |value: Option<String>| value.unwrap_or_default();
    tracing::info!(
        event = "certificate_issued",
        serial = %record.serial,
        names = record.names.join(","),
        provisioner = text(record.provisioner.clone()),
        account = text(record.account.map(|id| id.simple().to_string())),
        renewed_from = text(record.renewed_from.as_ref().map(ToString::to_string)),
        not_before = %record.not_before,
        not_after = %record.not_after,
        request_id,
    );
}
