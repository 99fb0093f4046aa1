//! TLS as the authority speaks it: 1.2 and 1.3, client certificates asked for
//! and verified when given, HTTP/2 before HTTP/1.1.
//!
//! The one module that knows the server side of rustls.

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

/// Why TLS cannot be offered as configured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An authority's certificate is not usable to verify clients.
    #[error("the certificates of this authority cannot verify clients: {0}")]
    Anchors(#[from] VerifierBuilderError),
    /// A certificate or an option that rustls refuses.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
    /// None of the cipher suites works with the authority's own certificate.
    #[error("tls.cipherSuites names no suite for TLS 1.2 with an ECDSA certificate")]
    Suites,
}

/// The server's side of TLS. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ServerConfig>);

impl Tls {
    /// Prepares TLS with `server_certificate`'s certificate for the server; clients are
    /// verified against `anchors`, the roots and intermediates of the authority.
    ///
    /// # Errors
    /// [`Error`], when the wishes or the anchors make no sense.
    pub(crate) fn new<'a>(
        server_certificate: ServerCertificate,
        anchors: impl IntoIterator<Item = &'a Certificate>,
        wishes: &TlsOptions,
    ) -> Result<Self, Error> {
        let mut store = RootCertStore::empty();
        for anchor in anchors {
            store.add(CertificateDer::from(anchor.der().to_vec()))?;
        }
        Ok(Self(Arc::new(config(
            server_certificate,
            Arc::new(store),
            wishes,
        )?)))
    }

    /// The handshake. Somebody who speaks plain HTTP is told so.
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
    anchors: Arc<RootCertStore>,
    wishes: &TlsOptions,
) -> Result<ServerConfig, Error> {
    let provider = Arc::new(provider(wishes)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(anchors, Arc::clone(&provider))
        .allow_unauthenticated()
        .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(wishes))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(server_certificate));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn versions(wishes: &TlsOptions) -> Vec<&'static SupportedProtocolVersion> {
    let spoken = [
        (TlsVersion::Tls13, &version::TLS13),
        (TlsVersion::Tls12, &version::TLS12),
    ];
    let wished = wishes.min_version..=wishes.max_version;
    let kept = spoken.into_iter().filter(|(v, _)| wished.contains(v));
    kept.map(|(_, version)| version).collect()
}

/// The provider, with the suites of TLS 1.2 narrowed to those wished for. The
/// suites of TLS 1.3 are not configurable, as in the original.
fn provider(wishes: &TlsOptions) -> Result<CryptoProvider, Error> {
    let mut provider = aws_lc_rs::default_provider();
    provider
        .cipher_suites
        .retain(|suite| suite.version() == &version::TLS13 || is_wished(wishes, suite.suite()));
    let usable = provider.cipher_suites.iter().any(|suite| {
        suite.version() == &version::TLS12
            && suite
                .suite()
                .as_str()
                .is_some_and(|n| n.contains("_ECDSA_"))
    });
    if usable || wishes.min_version > TlsVersion::Tls12 {
        Ok(provider)
    } else {
        Err(Error::Suites)
    }
}

/// Whether the operator names the suite, with or without the hash at its end,
/// which the older of Go's spellings leave out.
fn is_wished(wishes: &TlsOptions, suite: CipherSuite) -> bool {
    let Some(name) = suite.as_str() else {
        return false;
    };
    wishes
        .cipher_suites
        .iter()
        .any(|wish| wish == name || name.strip_prefix(wish.as_str()) == Some("_SHA256"))
}
