//! A scriptable responder for tls-alpn-01 on std's sockets: which certificate it
//! presents for each server name, which protocols it accepts, and a record of requests.
//! One thread a connection.

use std::collections::HashMap;
use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, CustomExtension, Issuer, KeyPair, SanType};
use rustls::crypto::aws_lc_rs as provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, SignatureScheme};
use rustls_pki_types::PrivateKeyDer;

/// id-pe-acmeIdentifier (RFC 8737 §3).
pub const ACME_IDENTIFIER: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 31];

/// A certificate to present: its names, its further extensions, and who signs it.
#[derive(Clone)]
pub struct Shown {
    /// The names of subjectAltName.
    pub names: Vec<SanType>,
    /// Further extensions.
    pub extensions: Vec<CustomExtension>,
    /// Whether its own key signs it.
    pub self_signed: bool,
    /// Whether the handshake is signed with its key.
    pub own_key: bool,
}

impl Shown {
    /// As RFC 8737 §3 requires: this name or address, this key authorization's digest.
    pub fn of(identifier: &str, key_authorization: &str) -> Self {
        Self {
            names: vec![name(identifier)],
            extensions: vec![acme_identifier(&digest_of(key_authorization))],
            self_signed: true,
            own_key: true,
        }
    }

    fn certified(&self) -> CertifiedKey {
        let key = KeyPair::generate().expect("P-256 keys can be made");
        let mut params = CertificateParams::default();
        params.subject_alt_names.clone_from(&self.names);
        params.custom_extensions.clone_from(&self.extensions);
        let certificate = if self.self_signed {
            params.self_signed(&key)
        } else {
            let another = KeyPair::generate().expect("P-256 keys can be made");
            params
                .clone()
                .signed_by(&key, &Issuer::new(params, another))
        };
        let leaf = certificate.expect("a certificate").der().clone();
        let key = if self.own_key {
            key
        } else {
            KeyPair::generate().expect("P-256 keys can be made")
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS#8");
        let signing = provider::sign::any_supported_type(&key).expect("P-256 signs");
        CertifiedKey::new(vec![leaf], signing)
    }
}

/// The SHA-256 of a key authorization.
pub fn digest_of(key_authorization: &str) -> Vec<u8> {
    digest(&SHA256, key_authorization.as_bytes())
        .as_ref()
        .to_vec()
}

/// The critical extension with this digest.
pub fn acme_identifier(digest: &[u8]) -> CustomExtension {
    let head = [4, u8::try_from(digest.len()).expect("a short digest")];
    extension(ACME_IDENTIFIER, true, [&head, digest].concat())
}

/// Any extension.
pub fn extension(oid: &[u64], critical: bool, value: Vec<u8>) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, value);
    extension.set_criticality(critical);
    extension
}

/// A dNSName, or an iPAddress if it is one.
pub fn name(text: &str) -> SanType {
    text.parse::<IpAddr>().map_or_else(
        |_| SanType::DnsName(text.try_into().expect("ASCII")),
        SanType::IpAddress,
    )
}

/// A certificate of a web server for an RSA key; it answers no challenge.
fn of_a_web_server(server_name: &str) -> CertifiedKey {
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .expect("RSA keys can be made");
    let params = CertificateParams::new([server_name.to_owned()]).expect("a name");
    let leaf = params.self_signed(&key).expect("a certificate");
    let der = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS#8");
    let signing = provider::sign::any_supported_type(&der).expect("RSA signs");
    CertifiedKey::new(vec![leaf.der().clone()], signing)
}

#[derive(Default)]
struct State {
    shown: HashMap<String, Arc<CertifiedKey>>,
    rsa: HashMap<String, Arc<CertifiedKey>>,
    asked: Vec<String>,
}

/// The responder; it answers until the process ends.
#[derive(Clone)]
pub struct Responder {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
}

impl Responder {
    /// Starts a responder on this TCP address that agrees to `acme-tls/1` alone.
    pub fn start(address: &str) -> Self {
        Self::start_with(address, &["acme-tls/1"])
    }

    /// Starts a TLS server on this TCP address that agrees to these protocols.
    pub fn start_with(address: &str, protocols: &[&str]) -> Self {
        let listener =
            TcpListener::bind(address).unwrap_or_else(|e| panic!("responder on {address}: {e}"));
        let responder = Self {
            address: listener
                .local_addr()
                .expect("a bound socket has an address"),
            state: Arc::default(),
        };
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("TLS 1.2 and 1.3")
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(Resolver(Arc::clone(&responder.state))));
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        let config = Arc::new(config);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                std::thread::spawn(move || shake_hands(stream, config));
            }
        });
        responder
    }

    /// Presents this from now on to clients that request `server_name`.
    pub fn set(&self, server_name: &str, shown: &Shown) {
        let certified = Arc::new(shown.certified());
        let mut state = self.state.lock().expect("no test panics with it");
        state.shown.insert(server_name.to_owned(), certified);
    }

    /// Presents an RSA certificate that answers no challenge to clients that take one.
    pub fn prefer_rsa(&self, server_name: &str) {
        let certified = Arc::new(of_a_web_server(server_name));
        let mut state = self.state.lock().expect("no test panics with it");
        state.rsa.insert(server_name.to_owned(), certified);
    }

    /// The handshakes so far, as "name protocol,protocol".
    pub fn asked(&self) -> Vec<String> {
        self.state
            .lock()
            .expect("no test panics with it")
            .asked
            .clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

struct Resolver(Arc<Mutex<State>>);

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default().to_owned();
        let protocols: Vec<_> = hello
            .alpn()
            .into_iter()
            .flatten()
            .map(|p| String::from_utf8_lossy(p).into_owned())
            .collect();
        let mut state = self.0.lock().expect("no test panics with it");
        state.asked.push(format!("{name} {}", protocols.join(",")));
        let takes_rsa = hello
            .signature_schemes()
            .contains(&SignatureScheme::RSA_PSS_SHA256);
        let rsa = state.rsa.get(&name).filter(|_| takes_rsa);
        rsa.or_else(|| state.shown.get(&name)).cloned()
    }
}

fn shake_hands(mut stream: TcpStream, config: Arc<ServerConfig>) {
    let Ok(mut session) = ServerConnection::new(config) else {
        return;
    };
    if rustls::Stream::new(&mut session, &mut stream)
        .read(&mut [0])
        .is_err()
    {
        let _ = session.complete_io(&mut stream);
    }
}
