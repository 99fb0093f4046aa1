//! TLS without verification of the certificate, since a client may be about to get its first one
//! (RFC 8555 §8.3, §10.2). That the peer holds the certificate's key is verified.

use std::io;
use std::sync::{Arc, OnceLock};

use acme::challenge::{KeyKinds, TlsProbe};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature_with_raw_key};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme,
    SupportedCipherSuite,
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
    acme_rsa: OnceLock<Arc<ClientConfig>>,
    acme_elliptic: OnceLock<Arc<ClientConfig>>,
}

/// What a handshake offers: one protocol, and the keys that the server may have.
#[derive(Clone, Copy)]
struct Offer {
    protocol: &'static str,
    keys: KeyKinds,
}

impl UnverifiedTls {
    /// Performs a TLS handshake for HTTP on `tcp`, with the server name `host`.
    pub(super) async fn http(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let offer = Offer {
            protocol: "http/1.1",
            keys: KeyKinds::Any,
        };
        connect(&self.http, offer, host, tcp).await
    }

    /// Performs a TLS handshake on `tcp` that offers only the protocol of tls-alpn-01.
    pub(super) async fn acme(
        &self,
        probe: &TlsProbe,
        tcp: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let kept = match probe.keys {
            KeyKinds::Any => &self.acme,
            KeyKinds::Rsa => &self.acme_rsa,
            KeyKinds::Elliptic => &self.acme_elliptic,
        };
        let offer = Offer {
            protocol: TlsProbe::PROTOCOL,
            keys: probe.keys,
        };
        connect(kept, offer, &probe.server_name, tcp).await
    }
}

async fn connect(
    kept: &OnceLock<Arc<ClientConfig>>,
    offer: Offer,
    host: &str,
    tcp: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let config = if let Some(config) = kept.get() {
        Arc::clone(config)
    } else {
        let fresh = config(offer).map_err(io::Error::other)?;
        Arc::clone(kept.get_or_init(|| fresh))
    };
    TlsConnector::from(config).connect(name, tcp).await
}

fn config(offer: Offer) -> Result<Arc<ClientConfig>, Error> {
    let mut provider = aws_lc_rs::default_provider();
    let schemes = schemes(&provider, offer.keys);
    // A suite of TLS 1.2 is for one kind of key.
    provider.cipher_suites.retain(|suite| match suite {
        SupportedCipherSuite::Tls12(suite) => suite.sign.iter().any(|it| schemes.contains(it)),
        SupportedCipherSuite::Tls13(_) => true,
    });
    let provider = Arc::new(provider);
    let verifier = KeyHolder {
        provider: Arc::clone(&provider),
        schemes,
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![offer.protocol.as_bytes().to_vec()];
    config.enable_sni = true;
    // A resumed session presents the certificate of an earlier probe.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The signature schemes for these keys, in the provider's order.
fn schemes(provider: &CryptoProvider, keys: KeyKinds) -> Vec<SignatureScheme> {
    let all = provider
        .signature_verification_algorithms
        .supported_schemes();
    let fits = |scheme: &SignatureScheme| match keys {
        KeyKinds::Any => true,
        KeyKinds::Rsa => RSA.contains(scheme),
        KeyKinds::Elliptic => !RSA.contains(scheme),
    };
    all.into_iter().filter(fits).collect()
}

/// Accepts every certificate, but verifies that the peer holds its key. Only the key of the
/// certificate is read: tls-alpn-01 has a critical extension that verifiers reject.
#[derive(Debug)]
struct KeyHolder {
    provider: Arc<CryptoProvider>,
    schemes: Vec<SignatureScheme>,
}

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
        let schemes = self
            .provider
            .signature_verification_algorithms
            .mapping
            .iter();
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
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key(cert)?, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

fn key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    let certificate = pki::Certificate::from_der(certificate).map_err(|_| unreadable())?;
    Ok(SubjectPublicKeyInfoDer::from(
        certificate.spki_der().to_vec(),
    ))
}

/// The schemes of RSA keys.
const RSA: [SignatureScheme; 6] = [
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
];

fn unreadable() -> Error {
    Error::InvalidCertificate(CertificateError::BadEncoding)
}
