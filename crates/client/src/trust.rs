//! Which servers are trusted on a TLS connection, and how the client authenticates.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};

use crate::Error;

/// Which servers are trusted.
pub enum Trust {
    /// Those whose chain ends in one of these certificates (DER).
    Roots(Vec<Vec<u8>>),
    /// All of them: only for contents that are verified otherwise, such as by a fingerprint.
    Unverified,
}

/// A client certificate chain and its key, for mutual TLS.
pub struct Identity {
    /// Leaf first, DER.
    pub chain: Vec<Vec<u8>>,
    /// The leaf's key, PKCS#8 DER.
    pub key: zeroize::Zeroizing<Vec<u8>>,
}

/// The TLS configuration for `trust` and `identity`; HTTP/2 is offered first.
pub(crate) fn configuration(
    trust: &Trust,
    identity: Option<Identity>,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = verifier(trust, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| Error::Tls(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = identity
                .chain
                .iter()
                .map(|der| CertificateDer::from(der.clone()))
                .collect();
            let key = PrivatePkcs8KeyDer::from(identity.key.to_vec());
            builder
                .with_client_auth_cert(chain, key.into())
                .map_err(|e| Error::Tls(format!("the client certificate cannot be used: {e}")))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    trust: &Trust,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let Trust::Roots(roots) = trust else {
        return Ok(Arc::new(UnverifiedTls(
            provider.signature_verification_algorithms,
        )));
    };
    let mut store = RootCertStore::empty();
    let ders = roots.iter().map(|der| CertificateDer::from(der.as_slice()));
    let (added, _) = store.add_parsable_certificates(ders);
    if added == 0 {
        return Err(Error::Tls(
            "none of the given root certificates can be used".to_owned(),
        ));
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
            .build()
            .map_err(|e| Error::Tls(e.to_string()))?;
    Ok(verifier)
}

/// Accepts every certificate; the handshake's signature is still verified.
#[derive(Debug)]
struct UnverifiedTls(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for UnverifiedTls {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
