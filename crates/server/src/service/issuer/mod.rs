//! The issuer, the one component with the signing key: admit, prepare, lint, sign, verify the signature,
//! commit, answer. A certificate leaves the process only after its record is durable, except the
//! server's own.

use std::sync::Arc;

use acme::challenge::Means;
use acme::identifier::device::shown;
use ca::admission::Grounds;
use ca::{Grant, IssuingChain, Recipient, Refusal};
use jiff::Timestamp;
use keys::CertificateSigner;
use pki::{Certificate, Serial};
use store::port::Certificates as _;
use store::{CertificateRecord, Issuance, Issued, Store};
use uuid::Uuid;

use super::tasks::Tasks;
use super::validator::Validator;
use super::{AuthorityCertificates, Error};

mod admission;
mod server_certificate;

/// Makes certificates and their records. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(super) signer: Arc<CertificateSigner>,
    pub(super) certificates: Arc<AuthorityCertificates>,
    pub(super) store: Store,
    pub(super) validator: Validator,
    pub(super) tasks: Tasks,
}

/// A certificate whose record is durable.
pub(super) struct IssuedCertificate {
    /// The id of its record.
    pub(super) id: Uuid,
    /// The certificate.
    pub(super) certificate: Certificate,
}

impl Issuer {
    /// Makes the one certificate of a grant, and its record; where the order has a certificate already,
    /// it is that one. None if the order, or something that a renewal rests on, has ended since it was
    /// read: then the signature is dropped.
    ///
    /// # Errors
    /// When the authority refuses, the key fails, or the store does not take the record.
    pub(super) async fn issue(
        &self,
        grant: Grant,
        request_id: &str,
    ) -> Result<Option<IssuedCertificate>, Error> {
        let now = Timestamp::now();
        let (recipient, grounds) = (grant.recipient().clone(), grant.grounds().clone());
        let certificate = self.make(grant, now).await?;
        let record = CertificateRecord {
            basis: basis(&certificate, &grounds),
            profile: grounds.profile,
            ..self.record(&certificate, &recipient, now)
        };
        let key = certificate.public_key().map_err(Refusal::from)?.digest();
        let issuance = Issuance {
            asking_key: asking_key(&recipient),
            ..Issuance::new(record.clone(), key)
        };
        match self.store.issue(issuance).await? {
            Issued::Done => {
                log_issued(&record, request_id);
                Ok(Some(IssuedCertificate {
                    id: record.id,
                    certificate,
                }))
            }
            Issued::AlreadyIssued(id) => match self.store.certificate(id).await? {
                Some(first) => Ok(Some(IssuedCertificate {
                    id,
                    certificate: Certificate::from_der(&first.der).map_err(Refusal::from)?,
                })),
                None => Err(Error::unknown("certificate")),
            },
            Issued::KeyCompromised => Err(Refusal::CompromisedKey.into()),
            Issued::RightEnded | Issued::OrderNotReady => Ok(None),
        }
    }

    /// Prepares, lints and signs, off the reactor when the signer is slow; the signer verifies its
    /// own signature.
    async fn make(&self, grant: Grant, now: Timestamp) -> Result<Certificate, Error> {
        let serial = Serial::from_random(keys::random());
        let unsigned = ca::issue::prepare(grant, now, serial, self.chain())?;
        if !self.signer.is_slow() {
            return Ok(self.signer.sign(unsigned)?);
        }
        let signer = Arc::clone(&self.signer);
        let signed = tokio::task::spawn_blocking(move || signer.sign(unsigned)).await;
        Ok(signed.map_err(|why| Error::Internal(format!("the signer ended early: {why}")))??)
    }

    /// The certificates that every leaf stands below.
    pub(super) fn chain(&self) -> &IssuingChain {
        &self.certificates.chain
    }

    /// What the store keeps of a certificate.
    fn record(
        &self,
        certificate: &Certificate,
        recipient: &Recipient,
        now: Timestamp,
    ) -> CertificateRecord {
        let names = certificate.alt_names().iter();
        let chain = self.certificates.intermediates.iter();
        let record = CertificateRecord {
            id: Uuid::now_v7(),
            serial: certificate.serial().clone(),
            der: certificate.der().to_vec(),
            chain: chain.map(|it| it.der().to_vec()).collect(),
            provisioner: None,
            account: None,
            order: None,
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            names: names.map(shown).collect(),
            issued_at: now,
            renewed_from: None,
            lineage: None,
            profile: None,
            basis: Vec::new(),
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
            Recipient::Renewal {
                of,
                lineage,
                account,
                provisioner,
                asking_key: _,
            } => CertificateRecord {
                renewed_from: Some(of),
                lineage: Some(lineage),
                account,
                provisioner,
                ..record
            },
            Recipient::ServerCertificate | Recipient::Authority => record,
        }
    }
}

/// What each name of a certificate rests on, in their order; empty where that is known of none.
fn basis(certificate: &Certificate, grounds: &Grounds) -> Vec<Option<Means>> {
    if grounds.validations.is_empty() {
        return Vec::new();
    }
    let names = certificate.alt_names().iter();
    names.map(|name| grounds.means(name)).collect()
}

/// The key whose holder asks for a renewal.
fn asking_key(recipient: &Recipient) -> Option<[u8; 32]> {
    match recipient {
        Recipient::Renewal { asking_key, .. } => Some(*asking_key),
        Recipient::Order { .. } | Recipient::ServerCertificate | Recipient::Authority => None,
    }
}

/// Logs one event for each certificate issued.
fn log_issued(record: &CertificateRecord, request_id: &str) {
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
