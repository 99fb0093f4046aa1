//! Answers tls-alpn-01 challenges: a certificate for each name.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::Failure;

/// The certificates, which share a key.
#[derive(Clone)]
pub(super) struct Certificates(Arc<Inner>);

struct Inner {
    pair: KeyPair,
    key: Arc<dyn SigningKey>,
    names: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}

impl Certificates {
    pub(super) fn new() -> Result<Self, Failure> {
        let pair = KeyPair::generate()?;
        let key = PrivateKeyDer::try_from(pair.serialize_der())?;
        Ok(Self(Arc::new(Inner {
            key: aws_lc_rs::sign::any_supported_type(&key)?,
            pair,
            names: Mutex::default(),
        })))
    }

    /// Presents a certificate with this digest for `name` from now on (RFC 8737 §3).
    pub(super) fn put(&self, name: &str, digest: &[u8]) -> Result<(), Failure> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let certificate = params.self_signed(&self.0.pair)?;
        let chain = vec![certificate.der().clone()];
        let certified = CertifiedKey::new(chain, self.0.key.clone());
        let mut names = self.0.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.to_owned(), Arc::new(certified));
        Ok(())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let names = self.0.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(hello.server_name()?).cloned()
    }
}

/// Listens on loopback; gives back the port.
///
/// # Errors
/// When no port can be bound.
pub(super) async fn serve(certificates: &Certificates) -> Result<u16, Failure> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificates.clone()));
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The handshake is all that the prober wants.
            tokio::spawn(acceptor.accept(stream));
        }
    });
    Ok(port)
}
