//! The server's side of TLS: versions 1.2 and 1.3, optional client certificates, which are
//! verified, and HTTP/2 preferred over HTTP/1.1.
//!
//! Only this module, `server_certificate` and `client_certificate` use the server side of rustls.

use std::io;
use std::sync::Arc;

use ca::config::{TlsOptions, TlsVersion};
use pki::Certificate;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{CipherSuite, RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use rustls_pki_types::CertificateDer;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::ServerCertificate;
use super::client_certificate::AnyPurpose;

/// Why TLS cannot be offered as configured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A certificate of the authority cannot be used to verify clients.
    #[error("the certificates of this authority cannot verify clients: {0}")]
    Anchors(#[from] VerifierBuilderError),
    /// rustls refuses a certificate or an option.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
    /// None of the cipher suites works with the server's own certificate.
    #[error("tls.cipherSuites names no suite for TLS 1.2 with an ECDSA certificate")]
    Suites,
}

/// The server's side of TLS. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ServerConfig>);

impl Tls {
    /// Prepares TLS with `server_certificate` and the versions and suites of `options`; client certificates are
    /// verified against `anchors`, the roots and intermediates of the authority.
    ///
    /// # Errors
    /// [`Error`], when the options or the anchors cannot be used.
    pub(crate) fn new<'a>(
        server_certificate: ServerCertificate,
        anchors: impl IntoIterator<Item = &'a Certificate>,
        options: &TlsOptions,
    ) -> Result<Self, Error> {
        let anchors = anchors.into_iter().cloned().collect();
        let config = config(server_certificate, anchors, options)?;
        Ok(Self(Arc::new(config)))
    }

    /// The handshake. A client that speaks plain HTTP gets an answer that says so.
    pub(super) async fn accept(&self, mut tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let mut first = [0; 1];
        if tcp.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
            tcp.write_all(PLAIN_HTTP).await?;
            tcp.shutdown().await?;
            return Err(io::Error::other("plain HTTP on the HTTPS port"));
        }
        TlsAcceptor::from(Arc::clone(&self.0)).accept(tcp).await
    }
}

const PLAIN_HTTP: &[u8] = b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\n\
Connection: close\r\n\r\nThis port speaks HTTPS: use https:// in the URL.\n";

fn config(
    server_certificate: ServerCertificate,
    anchors: Vec<Certificate>,
    options: &TlsOptions,
) -> Result<ServerConfig, Error> {
    let provider = Arc::new(provider(options)?);
    let mut store = RootCertStore::empty();
    for anchor in &anchors {
        store.add(CertificateDer::from(anchor.der().to_vec()))?;
    }
    let for_clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
    let verifier = Arc::new(AnyPurpose {
        for_clients,
        anchors,
    });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(options))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(server_certificate));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn versions(options: &TlsOptions) -> Vec<&'static SupportedProtocolVersion> {
    let spoken = [
        (TlsVersion::Tls13, &version::TLS13),
        (TlsVersion::Tls12, &version::TLS12),
    ];
    let enabled = options.min_version..=options.max_version;
    let kept = spoken.into_iter().filter(|(v, _)| enabled.contains(v));
    kept.map(|(_, version)| version).collect()
}

/// The provider, with the suites of TLS 1.2 that the options name. The suites of TLS 1.3 are
/// not configurable, as in smallstep's step-ca.
fn provider(options: &TlsOptions) -> Result<CryptoProvider, Error> {
    let mut provider = aws_lc_rs::default_provider();
    provider
        .cipher_suites
        .retain(|suite| suite.version() == &version::TLS13 || is_enabled(options, suite.suite()));
    let usable = provider.cipher_suites.iter().any(|suite| {
        suite.version() == &version::TLS12
            && suite
                .suite()
                .as_str()
                .is_some_and(|n| n.contains("_ECDSA_"))
    });
    if usable || options.min_version > TlsVersion::Tls12 {
        Ok(provider)
    } else {
        Err(Error::Suites)
    }
}

/// Whether the options name the suite, with or without the hash at its end,
/// which some of Go's names leave out.
fn is_enabled(options: &TlsOptions, suite: CipherSuite) -> bool {
    let Some(name) = suite.as_str() else {
        return false;
    };
    options
        .cipher_suites
        .iter()
        .any(|named| named == name || name.strip_prefix(named.as_str()) == Some("_SHA256"))
}
