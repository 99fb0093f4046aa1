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
        Self::answering(None)
    }

    /// One that refuses every request with this message.
    fn refusing(message: &str) -> Self {
        Self::answering(Some(message))
    }

    fn answering(message: Option<&str>) -> Self {
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
        let answer_with = match message {
            None => http("200 OK", &serde_json::json!({"ca": root.to_pem()})),
            Some(message) => http(
                "404 Not Found",
                &serde_json::json!({"status": 404, "message": message}),
            ),
        };
        let config = Arc::new(config);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                // A client that leaves early ends this connection alone.
                let _ = answer(StreamOwned::new(connection, stream), &answer_with);
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

fn http(status: &str, body: &serde_json::Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>, text: &str) -> std::io::Result<()> {
    for line in BufReader::new(&mut stream).lines() {
        if line?.is_empty() {
            break;
        }
    }
    stream.write_all(text.as_bytes())?;
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

/// Sets the terminal's title, clears it, and forges a line of ours.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}1m\u{202e}\n✔ Root fingerprint: 00";

fn is_harmless(text: &str) {
    let active = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!text.contains(active), "{text:?}");
    assert!(!text.contains("\n✔ Root"), "{text}");
    assert!(text.contains("\\u001b]0;owned\\u0007"), "{text}");
}

#[test]
fn what_a_server_answers_does_not_control_the_terminal() {
    let server = Server::refusing(HOSTILE);
    let folder = Folder::new("terminal");
    for command in ["root", "bootstrap"] {
        let refused = server.step(&folder, &[command], &"0".repeat(64));
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
        is_harmless(&refused.stderr);
    }
}

#[test]
fn what_a_certificate_contains_does_not_control_the_terminal() {
    let folder = Folder::new("hostile-certificate");
    let key = KeyPair::generate().unwrap();
    let mut hostile = CertificateParams::new(Vec::new()).unwrap();
    hostile
        .distinguished_name
        .push(rcgen::DnType::CommonName, HOSTILE);
    let pem = hostile.self_signed(&key).unwrap().pem();
    fs::write(folder.path("a.crt"), pem).unwrap();
    for format in [&[][..], &["--short"], &["--format", "json"]] {
        let shown = folder.run(&[&["certificate", "inspect", "a.crt"], format].concat());
        assert_eq!(shown.code, 0, "{}", shown.stderr);
        is_harmless(&shown.stdout);
    }
}
