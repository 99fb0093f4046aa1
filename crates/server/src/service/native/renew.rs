//! Renewal by mutual TLS: a client that holds a certificate of this authority and its key gets the
//! next one.

use std::sync::Arc;

use ca::Refusal;
use ca::admission::{KeyStanding, Renewed, Standing};
use ca::config::Config;
use jiff::Timestamp;
use pki::chain::{self, Purpose};
use pki::{Certificate, PublicKey};
use store::CertificateRecord;
use store::port::Certificates as _;

use super::{Error, NativeService};

/// A certificate that the peer proved to hold, and what the store has of it.
struct PresentedCertificate {
    certificate: Certificate,
    record: Option<CertificateRecord>,
    /// Whether the key of the next certificate is barred as compromised.
    key_compromised: bool,
}

impl NativeService {
    /// Renews the certificate that the peer proved to hold.
    ///
    /// # Errors
    /// When the peer has none of ours, it is revoked or unknown, or may not be renewed.
    pub(crate) async fn renew(
        &self,
        config: &Arc<Config>,
        presented: Option<&[u8]>,
        request_id: String,
    ) -> Result<Certificate, Error> {
        let certificate = self.verify(presented)?;
        let old = self.known(certificate, None).await?;
        self.next(config, old, None, request_id).await
    }

    /// Renews the certificate that the peer proved to hold, for another key.
    ///
    /// # Errors
    /// As [`NativeService::renew`]; also when the CSR is not signed by its own key.
    pub(crate) async fn rekey(
        &self,
        config: &Arc<Config>,
        presented: Option<&[u8]>,
        csr: &[u8],
        request_id: String,
    ) -> Result<Certificate, Error> {
        let certificate = self.verify(presented)?;
        let csr = pki::Csr::verify(csr);
        let new_key = csr.as_ref().ok().map(pki::Csr::public_key);
        let old = self.known(certificate, new_key).await?;
        let csr =
            csr.map_err(|why| Error::BadRequest(format!("the CSR cannot be taken: {why}")))?;
        self.next(config, old, Some(csr.public_key().clone()), request_id)
            .await
    }

    async fn next(
        &self,
        config: &Arc<Config>,
        old: PresentedCertificate,
        new_key: Option<PublicKey>,
        request_id: String,
    ) -> Result<Certificate, Error> {
        let (service, config) = (self.clone(), Arc::clone(config));
        let run = async move {
            let now = Timestamp::now();
            let (certificate, record) = (&old.certificate, old.record.as_ref());
            let recorded = record.and_then(|record| record.provisioner.as_deref());
            let chain = service.chain();
            let request = ca::renew::request(certificate, chain, recorded, new_key.as_ref())?;
            let standing = Standing {
                renewed: record.map_or(Renewed::Unknown, renewed),
                certified_key: match old.key_compromised {
                    true => KeyStanding::Compromised,
                    false => KeyStanding::Good,
                },
                ..Standing::default()
            };
            let admission = (service.issuer).admit(&config, request, None, &standing, now);
            let grant = admission.await?;
            let issued = service.issuer.issue(grant, &request_id).await?;
            Ok(issued.certificate)
        };
        self.tasks.outlive(run).await
    }

    /// The peer's certificate, verified here once more.
    fn verify(&self, presented: Option<&[u8]>) -> Result<Certificate, Error> {
        let der = presented
            .ok_or_else(|| Error::Unproven("the client presented no certificate".to_owned()))?;
        let certificate = Certificate::from_der(der).map_err(|why| unproven(why.to_string()))?;
        let options = chain::Options {
            intermediates: self.chain(),
            roots: self.roots(),
            at: Timestamp::now(),
            purpose: Purpose::ClientAuth,
            host: None,
        };
        chain::verify(&certificate, &options).map_err(|why| unproven(why.to_string()))?;
        Ok(certificate)
    }

    /// What the store has of the peer's certificate. `new_key` is the key of the next one, where it
    /// is another.
    async fn known(
        &self,
        certificate: Certificate,
        new_key: Option<&PublicKey>,
    ) -> Result<PresentedCertificate, Error> {
        let serial = certificate.serial();
        let key = new_key.map_or_else(|| certificate.public_key(), Ok);
        let key = key.map_err(Refusal::from)?.digest();
        let standing = self.store.certificate_standing(serial, key).await?;
        let record = standing.certificate;
        match &record {
            Some(record) if record.der == certificate.der() => {}
            Some(_) => {
                return Err(unproven(format!(
                    "serial number {serial} was given to another"
                )));
            }
            None if self.renews_unknown => {}
            None => {
                return Err(unproven(format!(
                    "serial number {serial} is not in this store, and another program's store \
                     lies beside it: start once with --fresh-store to renew what that one issued"
                )));
            }
        }
        Ok(PresentedCertificate {
            certificate,
            record,
            key_compromised: standing.key_compromised,
        })
    }
}

fn unproven(why: String) -> Error {
    Error::Unproven(format!("the client's certificate: {why}"))
}

/// What the record says about a certificate to be renewed. One that was neither ordered nor renewed
/// is the server's own.
fn renewed(record: &CertificateRecord) -> Renewed {
    if record.revoked.is_some() {
        Renewed::Revoked
    } else if record.order.is_none() && record.renewed_from.is_none() {
        Renewed::ServerCertificate
    } else {
        Renewed::Valid
    }
}
