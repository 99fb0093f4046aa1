//! The server's own TLS certificate: recorded when the store takes writes, never waiting for it,
//! so that the server starts on a full disk.

use ca::Grant;
use ca::config::Config;
use jiff::Timestamp;
use pki::{Certificate, PublicKey};
use store::AuditEntry;
use store::port::Certificates as _;

use super::{Error, Issuer};

impl Issuer {
    /// Makes a certificate for this server's own TLS, and returns it with the chain above it, leaf
    /// first. Names, common name and life are those of the configuration.
    ///
    /// # Errors
    /// When the authority refuses or the key fails; never because of the store.
    pub(crate) async fn server_certificate(
        &self,
        config: &Config,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<Vec<Certificate>, Error> {
        let life = config.riser.server.certificate_life;
        let grant =
            Grant::server_certificate(&config.dns_names, &config.common_name, key, life, now)?;
        let certificate = self.make(grant, now).await?;
        let record = self.record(&certificate, &ca::Recipient::ServerCertificate, now);
        let store = self.store.clone();
        drop(self.tasks.spawn(async move {
            let entry = AuditEntry::server_certificate_issued(&record);
            if let Err(error) = store.record_server_certificate(record, entry).await {
                tracing::warn!(event = "server_certificate_not_recorded", error = %error);
            }
        }));
        let mut chain = vec![certificate];
        chain.extend_from_slice(&self.certificates.intermediates);
        Ok(chain)
    }
}
