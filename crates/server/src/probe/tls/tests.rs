//! The TLS probe against servers on loopback.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use acme::challenge::{Failure, Host, KeyKinds, Observation, Probe};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::probe::{Options, Prober};

const ACME: &[u8] = b"acme-tls/1";
const ANY: &[&SupportedProtocolVersion] = rustls::ALL_VERSIONS;

/// Presents one certificate to every client and records the requested names.
#[derive(Debug)]
struct Shown {
    key: Arc<CertifiedKey>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default().to_owned();
        self.asked.lock().unwrap().push(name);
        Some(Arc::clone(&self.key))
    }
}

/// A certificate and what serves it.
struct Certified {
    leaf: Vec<u8>,
    key: CertifiedKey,
}

/// A certificate as tls-alpn-01 has it, and a key: its own, or another.
fn certified(own: bool, names: usize) -> Certified {
    let key = KeyPair::generate().unwrap();
    let names = (0..names).map(|n| format!("name{n}.web.test"));
    let mut params = CertificateParams::new(names.collect::<Vec<_>>()).unwrap();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(&[7; 32])];
    let certificate = params.self_signed(&key).unwrap();
    let key = if own {
        key
    } else {
        KeyPair::generate().unwrap()
    };
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let signing = aws_lc_rs::sign::any_supported_type(&der).unwrap();
    let leaf = certificate.der().clone();
    Certified {
        leaf: leaf.to_vec(),
        key: CertifiedKey::new(vec![leaf], signing),
    }
}

struct Server {
    port: u16,
    leaf: Vec<u8>,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn server(
    certified: Certified,
    protocols: &[&[u8]],
    versions: &[&'static SupportedProtocolVersion],
) -> Server {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let resolver = Shown {
        key: Arc::new(certified.key),
        asked: Arc::clone(&asked),
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0]).await;
            }
        }
    });
    Server {
        port,
        leaf: certified.leaf,
        asked,
    }
}

/// A server that sends `answer` after the first bytes from a client, then closes.
async fn raw(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

async fn look_at(host: Host, port: u16) -> Observation {
    let prober = Prober::new(&Options {
        loopback_names: vec!["*.test".to_owned()],
        ..Options::default()
    });
    let probe = Probe::Tls(TlsProbe {
        host,
        port,
        server_name: "web.test".to_owned(),
        keys: KeyKinds::Any,
    });
    prober.probe(&probe, Duration::from_secs(2)).await
}

async fn seen(port: u16) -> TlsObservation {
    let seen = look_at(Host::Name("web.test".to_owned()), port).await;
    let Observation::Tls(observation) = seen else {
        panic!("{seen:?}");
    };
    observation
}

async fn failed(port: u16) -> Failure {
    let seen = look_at(Host::Name("web.test".to_owned()), port).await;
    let Observation::Failed(failure) = seen else {
        panic!("{seen:?}");
    };
    failure
}

#[tokio::test]
async fn the_certificate_is_reported_with_protocol_and_version() {
    for (versions, number) in [
        (&[&rustls::version::TLS12], 0x0303),
        (&[&rustls::version::TLS13], 0x0304),
    ] {
        let server = server(certified(true, 1), &[b"h2", ACME], versions).await;
        let observation = seen(server.port).await;
        assert_eq!(observation.protocol.as_deref(), Some("acme-tls/1"));
        assert_eq!(
            (observation.version, &observation.leaf),
            (number, &server.leaf)
        );
        assert_eq!(observation.length, server.leaf.len());
        assert_eq!(
            observation.trace.attempts.last().unwrap().outcome,
            "connected"
        );
        assert_eq!(*server.asked.lock().unwrap(), ["web.test"]);
    }
}

#[tokio::test]
async fn a_server_without_acme_tls_1_and_one_that_refuses_it_are_reported_differently() {
    let silent = server(certified(true, 1), &[], ANY).await;
    assert_eq!(seen(silent.port).await.protocol, None);
    let refuses = server(certified(true, 1), &[b"h2", b"http/1.1"], ANY).await;
    let failure = failed(refuses.port).await;
    assert_eq!(failure.kind, FailureKind::Alert(120));
}

#[tokio::test]
async fn a_peer_that_does_not_hold_the_key_proves_nothing() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = server(certified(false, 1), &[ACME], &[version]).await;
        let failure = failed(server.port).await;
        assert_eq!(failure.kind, FailureKind::Tls);
        assert!(failure.words.contains("BadSignature"), "{failure:?}");
    }
}

#[tokio::test]
async fn each_probe_sees_the_current_certificate() {
    let first = server(certified(true, 1), &[ACME], ANY).await;
    seen(first.port).await;
    seen(first.port).await;
    assert_eq!(first.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_huge_certificate_is_cut() {
    let server = server(certified(true, 1000), &[ACME], ANY).await;
    let observation = seen(server.port).await;
    assert_eq!(
        (observation.leaf.len(), observation.length),
        (LEAF_CAP, server.leaf.len())
    );
}

#[tokio::test]
async fn other_protocols_and_old_tls_versions_are_reported_differently() {
    /// A ServerHello of TLS 1.1.
    const OLD: &[u8] = &[
        0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0xc0, 0x13, 0,
    ];
    for (answer, kind) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            FailureKind::Protocol,
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", FailureKind::Protocol),
        (b"", FailureKind::Reset),
        (OLD, FailureKind::OldTls),
        (&[0x15, 3, 3, 0, 2, 2, 70], FailureKind::Alert(70)),
    ] {
        let failure = failed(raw(answer).await).await;
        assert_eq!(failure.kind, kind, "{failure:?}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    assert_eq!(failed(port).await.kind, FailureKind::Timeout);
    drop(listener);
    assert_eq!(failed(port).await.kind, FailureKind::Refused);
}

#[tokio::test]
async fn no_handshake_is_made_with_a_forbidden_address() {
    let host = Host::Ip("169.254.169.254".parse().unwrap());
    let Observation::Failed(failure) = look_at(host, 443).await else {
        panic!("it was connected to");
    };
    assert_eq!(failure.kind, FailureKind::AddressNotAllowed);
}
