//! `step ca bootstrap` and `step ca root` against a server that is not the one of the fingerprint.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use pki::Certificate;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivatePkcs8KeyDer;

use super::{Folder, Outcome};

/// A server that answers every request with the same root certificate, as long as the test runs.
struct Server {
    address: SocketAddr,
    root: Certificate,
}

impl Server {
    fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned()];
        let root = CertificateParams::new(names).unwrap();
        let root = root.self_signed(&key).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![root.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let root = Certificate::from_der(root.der()).unwrap();
        let body = serde_json::json!({"ca": root.to_pem()}).to_string();
        let config = Arc::new(config);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                // A client that leaves early ends this connection alone.
                let _ = answer(StreamOwned::new(connection, stream), &body);
            }
        });
        Self { address, root }
    }

    /// `step ca ARGUMENTS` with this server and this fingerprint.
    fn step(&self, folder: &Folder, arguments: &[&str], fingerprint: &str) -> Outcome {
        let url = format!("--ca-url=https://{}", self.address);
        let fingerprint = format!("--fingerprint={fingerprint}");
        let arguments = [&["ca"], arguments, &[&url, &fingerprint]].concat();
        folder.run(&arguments)
    }
}

fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>, body: &str) -> std::io::Result<()> {
    for line in BufReader::new(&mut stream).lines() {
        if line?.is_empty() {
            break;
        }
    }
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn refused(outcome: &Outcome, wanted: &str, found: &str) {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
    for fingerprint in [wanted, found] {
        assert!(outcome.stderr.contains(fingerprint), "{}", outcome.stderr);
    }
}

#[test]
fn an_authority_with_another_root_than_the_fingerprint_says_is_not_trusted() {
    let (server, other) = (Server::start(), Server::start());
    let (wanted, found) = (other.root.fingerprint(), server.root.fingerprint());
    let folder = Folder::new("dishonest");
    let bootstrap = ["bootstrap", "--force"];
    refused(&server.step(&folder, &bootstrap, &wanted), &wanted, &found);
    assert!(!folder.path("step").exists());

    let trusted = other.step(&folder, &bootstrap, &wanted);
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    let files = ["step/certs/root_ca.crt", "step/config/defaults.json"];
    let read = || files.map(|name| fs::read_to_string(folder.path(name)).unwrap());
    let before = read();
    assert_eq!(before[0], other.root.to_pem());
    assert!(before[1].contains(&wanted), "{}", before[1]);

    refused(&server.step(&folder, &bootstrap, &wanted), &wanted, &found);
    assert_eq!(read(), before);
}

#[test]
fn a_root_with_another_fingerprint_is_neither_printed_nor_saved() {
    let (server, other) = (Server::start(), Server::start());
    let (wanted, found) = (other.root.fingerprint(), server.root.fingerprint());
    let folder = Folder::new("dishonest-root");
    refused(&server.step(&folder, &["root"], &wanted), &wanted, &found);
    let saved = server.step(&folder, &["root", "root.crt"], &wanted);
    refused(&saved, &wanted, &found);
    assert!(!folder.path("root.crt").exists());
    let printed = server.step(&folder, &["root"], &found);
    assert_eq!((printed.code, printed.stdout), (0, server.root.to_pem()));
}
