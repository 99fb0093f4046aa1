//! The certificate that the HTTPS listener presents: the last one installed, whatever name the
//! client asks for.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use pki::Certificate;
use pki::key::PrivateKey;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The certificate and key of the server's own TLS. Cheap to clone; all clones share the same one.
#[derive(Clone, Default)]
pub(crate) struct ServerCertificate(Arc<ArcSwapOption<CertifiedKey>>);

impl ServerCertificate {
    /// Presents `chain` (leaf first) from the next handshake on.
    ///
    /// # Errors
    /// If rustls cannot sign with this kind of key.
    pub(crate) fn install(
        &self,
        chain: &[Certificate],
        key: &PrivateKey,
    ) -> Result<(), rustls::Error> {
        let pkcs8 = key.to_pkcs8_der();
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.as_slice()));
        let signer = any_supported_type(&der)?;
        let chain = chain
            .iter()
            .map(|c| CertificateDer::from(c.der().to_vec()))
            .collect();
        self.0
            .store(Some(Arc::new(CertifiedKey::new(chain, signer))));
        Ok(())
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerCertificate")
    }
}
