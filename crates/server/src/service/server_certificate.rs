//! The server_certificate's own certificate: recorded when the store takes writes, never waiting for it, so
//! that the server starts on a full disk.

use ca::Grant;
use jiff::Timestamp;
use pki::{Certificate, PublicKey};
use store::port::Certificates as _;

use super::{Error, Service};

impl Service {
    /// A certificate for this server's own TLS with what goes above it, leaf first: the names, the
    /// common name and the life that the configuration has now.
    ///
    /// # Errors
    /// When the authority refuses or the key fails; never because of the store.
    pub(crate) async fn server_certificate(
        &self,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<Vec<Certificate>, Error> {
        let config = self.config();
        let life = config.riser.server.certificate_life;
        let grant =
            Grant::server_certificate(&config.dns_names, &config.common_name, key, life, now)?;
        let certificate = self.make(grant, now)?;
        let record = self.record(&certificate, &ca::Recipient::ServerCertificate, now);
        let service = self.clone();
        drop(self.state.tasks.spawn(async move {
            if let Err(error) = service.store().record_server_certificate(record).await {
                tracing::warn!(event = "server_certificate_not_recorded", error = %error);
            }
        }));
        let mut chain = vec![certificate];
        chain.extend_from_slice(self.chain());
        Ok(chain)
    }
}
