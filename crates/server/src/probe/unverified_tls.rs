//! TLS without verification of the certificate, since a client may be about to get its first one
//! (RFC 8555 §8.3, §10.2). That the peer holds the certificate's key is verified.

use std::io;
use std::sync::{Arc, OnceLock};

use acme::challenge::TlsProbe;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature_with_raw_key};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use webpki::RawPublicKeyEntity;

/// The TLS configurations, created when first needed and kept between probes.
#[derive(Default)]
pub(super) struct UnverifiedTls {
    http: OnceLock<Arc<ClientConfig>>,
    acme: OnceLock<Arc<ClientConfig>>,
}

impl UnverifiedTls {
    /// Performs a TLS handshake for HTTP on `tcp`, with the server name `host`.
    pub(super) async fn http(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        connect(&self.http, "http/1.1", host, tcp).await
    }

    /// Performs a TLS handshake on `tcp` that offers only the protocol of tls-alpn-01.
    pub(super) async fn acme(
        &self,
        name: &str,
        tcp: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        connect(&self.acme, TlsProbe::PROTOCOL, name, tcp).await
    }
}

async fn connect(
    kept: &OnceLock<Arc<ClientConfig>>,
    protocol: &str,
    host: &str,
    tcp: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let config = if let Some(config) = kept.get() {
        Arc::clone(config)
    } else {
        let fresh = config(protocol).map_err(io::Error::other)?;
        Arc::clone(kept.get_or_init(|| fresh))
    };
    TlsConnector::from(config).connect(name, tcp).await
}

fn config(protocol: &str) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(KeyHolder(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    config.enable_sni = true;
    // A resumed session presents the certificate of an earlier probe.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Accepts every certificate, but verifies that the peer holds its key. Only the key of the
/// certificate is read: tls-alpn-01 has a critical extension that verifiers reject.
#[derive(Debug)]
struct KeyHolder(Arc<CryptoProvider>);

impl ServerCertVerifier for KeyHolder {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = key(cert)?;
        let key = RawPublicKeyEntity::try_from(&key).map_err(|_| unreadable())?;
        let signature = dss.signature();
        let schemes = self.0.signature_verification_algorithms.mapping.iter();
        // In TLS 1.2 a scheme does not name the curve, so that several algorithms may be meant.
        let mut algorithms = schemes
            .filter(|(scheme, _)| *scheme == dss.scheme)
            .flat_map(|(_, algorithms)| *algorithms)
            .peekable();
        if algorithms.peek().is_none() {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        if algorithms.any(|a| key.verify_signature(*a, message, signature).is_ok()) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::BadSignature))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key(cert)?, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    let certificate = pki::Certificate::from_der(certificate).map_err(|_| unreadable())?;
    Ok(SubjectPublicKeyInfoDer::from(
        certificate.spki_der().to_vec(),
    ))
}

fn unreadable() -> Error {
    Error::InvalidCertificate(CertificateError::BadEncoding)
}
