//! Listeners, with well-behaved and with misbehaving clients.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request};
use axum::routing::{get, post};
use ca::config::TlsOptions;
use http_body_util::BodyExt;
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pki::{Certificate, PrivateKey};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore, version};
use rustls_pki_types::{PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Limits, Listener, Peer, ServerCertificate, Tls};

mod crowd;

/// A limit that a test runs into.
const BRIEF: Duration = Duration::from_millis(100);
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(authority: &Authority) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let certificate = params.signed_by(&key, authority).unwrap();
    (Certificate::from_der(certificate.der()).unwrap(), key)
}

fn show(server_certificate: &ServerCertificate, authority: &Authority) -> Certificate {
    let (certificate, key) = leaf(authority);
    let key = PrivateKey::from_pkcs8_der(&key.serialize_der()).unwrap();
    server_certificate
        .install(std::slice::from_ref(&certificate), &key)
        .unwrap();
    certificate
}

struct Place {
    authority: Authority,
    server_certificate: ServerCertificate,
    listener: Listener,
    address: SocketAddr,
    asked: Arc<Notify>,
    answer_now: Arc<Notify>,
}

/// Three pages: which client asks, one that takes a while, one that wants a body.
fn pages(asked: &Arc<Notify>, answer_now: &Arc<Notify>) -> Router {
    Router::new()
        .route(
            "/who",
            get(|Extension(peer): Extension<Peer>| async move {
                format!(
                    "{} certificates, {}",
                    peer.certificates.len(),
                    peer.local.ip()
                )
            }),
        )
        .route(
            "/slow",
            get({
                let (asked, answer_now) = (Arc::clone(asked), Arc::clone(answer_now));
                async move || {
                    asked.notify_one();
                    answer_now.notified().await;
                    "done"
                }
            }),
        )
        .route(
            "/body",
            post(|request: Request| async move {
                match request.into_body().collect().await {
                    Ok(body) => format!("{} octets", body.to_bytes().len()),
                    Err(error) => format!("no body: {error}"),
                }
            }),
        )
}

/// An HTTPS listener with these pages.
async fn place(limits: Limits) -> Place {
    let authority = authority();
    let server_certificate = ServerCertificate::default();
    show(&server_certificate, &authority);
    let anchor = Certificate::from_der(authority.der()).unwrap();
    let tls = Tls::new(
        server_certificate.clone(),
        [&anchor],
        &TlsOptions::default(),
    )
    .unwrap();
    let (asked, answer_now) = <(Arc<Notify>, Arc<Notify>)>::default();
    let router = pages(&asked, &answer_now);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = Listener::https(listener, tls, router, limits);
    Place {
        authority,
        server_certificate,
        listener,
        address,
        asked,
        answer_now,
    }
}

impl Place {
    fn client(&self, identity: Option<(Certificate, KeyPair)>, alpn: &[&[u8]]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![certificate.der().to_vec().into()];
                let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
        config
    }

    async fn connect_as(&self, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        self.connect_as(self.client(None, &[])).await.unwrap()
    }
}

async fn ask<S>(stream: &mut S, path: &str) -> io::Result<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = vec![0; 4096];
    let n = stream.read(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer[..n]).into_owned())
}

/// Whether the other side ends the connection before long.
async fn ends(mut stream: impl AsyncReadExt + Unpin) -> bool {
    let mut rest = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut rest));
    read.await.is_ok()
}

#[tokio::test]
async fn http2_is_preferred_and_http1_is_served() {
    let place = place(Limits::default()).await;
    let both = place.client(None, &[b"h2", b"http/1.1"]);
    let stream = place.connect_as(both).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let answer = ask(&mut place.connect().await, "/who").await.unwrap();
    assert!(answer.ends_with("0 certificates, 127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn a_client_certificate_is_passed_on_when_it_is_ours_and_refused_when_not() {
    let place = place(Limits::default()).await;
    let ours = place.client(Some(leaf(&place.authority)), &[]);
    let mut stream = place.connect_as(ours).await.unwrap();
    let answer = ask(&mut stream, "/who").await.unwrap();
    assert!(answer.ends_with("1 certificates, 127.0.0.1"), "{answer}");
    let foreign = place.client(Some(leaf(&authority())), &[]);
    // TLS 1.3 reports the refusal to the client with its first read.
    let answer = match place.connect_as(foreign).await {
        Ok(mut stream) => ask(&mut stream, "/who").await.unwrap_or_default(),
        Err(_) => String::new(),
    };
    assert_eq!(answer, "");
}

#[tokio::test]
async fn the_next_handshake_shows_the_new_certificate() {
    let place = place(Limits::default()).await;
    let shown =
        |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let mut old = place.connect().await;
    let new = show(&place.server_certificate, &place.authority);
    assert_ne!(shown(&old), new.der());
    assert_eq!(shown(&place.connect().await), new.der());
    assert!(ask(&mut old, "/who").await.unwrap().contains("200 OK"));
}

#[tokio::test]
async fn a_plain_http_request_is_answered_with_the_advice_to_use_https() {
    let place = place(Limits::default()).await;
    let mut tcp = TcpStream::connect(place.address).await.unwrap();
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 1024];
    let n = tcp.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..n]);
    assert!(answer.starts_with("HTTP/1.0 400 ") && answer.contains("https://"));
}

#[tokio::test]
async fn closing_answers_the_request_in_progress_and_accepts_no_other() {
    let place = place(Limits::default()).await;
    let (mut stream, idle) = (place.connect().await, place.connect().await);
    let request = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    place.asked.notified().await;
    let closing = tokio::spawn(place.listener.close(PATIENCE));
    assert!(ends(idle).await);
    while TcpStream::connect(place.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    place.answer_now.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    assert!(closing.await.unwrap());
}

#[tokio::test]
async fn a_client_that_does_not_complete_its_handshake_is_disconnected() {
    let limits = Limits {
        handshake: BRIEF,
        ..Limits::default()
    };
    let place = place(limits).await;
    let silent = TcpStream::connect(place.address).await.unwrap();
    assert!(ends(silent).await);
}

#[tokio::test]
async fn a_client_that_sends_no_request_is_disconnected() {
    let limits = Limits {
        header: BRIEF,
        idle: BRIEF,
        ..Limits::default()
    };
    let place = place(limits).await;
    assert!(ends(place.connect().await).await);
    let h2 = place.client(None, &[b"h2"]);
    let mut stream = place.connect_as(h2).await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.unwrap();
    assert!(ends(stream).await);
}

#[tokio::test]
async fn a_body_that_never_arrives_is_not_awaited() {
    let limits = Limits {
        body: BRIEF,
        ..Limits::default()
    };
    let place = place(limits).await;
    let mut stream = place.connect().await;
    let request = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
    stream.write_all(request).await.unwrap();
    let mut answer = vec![0; 1024];
    let n = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..n]);
    assert!(answer.contains("did not arrive in time"), "{answer}");
}

#[tokio::test]
async fn a_header_that_is_too_long_or_has_too_many_lines_is_refused() {
    let place = place(Limits::default()).await;
    let many = "Cookie: x\r\n".repeat(101);
    let long = format!("Cookie: {}\r\n", "x".repeat(128 * 1024));
    for header in [&many, &long] {
        let mut stream = place.connect().await;
        let request = format!("GET /who HTTP/1.1\r\nHost: x\r\n{header}\r\n");
        // The listener is shut before all of the long one is sent, which may cost us the answer.
        drop(stream.write_all(request.as_bytes()).await);
        let mut answer = vec![0; 1024];
        let n = stream.read(&mut answer).await.unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..n]);
        let is_lost = n == 0 && *header == long;
        assert!(is_lost || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test]
async fn a_header_that_is_too_long_is_refused_over_http2() {
    let place = place(Limits::default()).await;
    let stream = place
        .connect_as(place.client(None, &[b"h2"]))
        .await
        .unwrap();
    let (mut client, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    for (length, status) in [(1024, 200), (40 * 1024, 431)] {
        let request = Request::get("https://localhost/who")
            .header("cookie", "x".repeat(length))
            .body(String::new())
            .unwrap();
        let answer = client.send_request(request).await.unwrap();
        assert_eq!(answer.status(), status, "{length} octets");
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_supported() {
    let place = place(Limits::default()).await;
    for (version, name) in [(&version::TLS12, "TLSv1_2"), (&version::TLS13, "TLSv1_3")] {
        let mut roots = RootCertStore::empty();
        roots.add(place.authority.der().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut stream = place.connect_as(config).await.unwrap();
        let spoken = stream.get_ref().1.protocol_version();
        assert_eq!(spoken.unwrap().as_str(), Some(name));
        assert!(ask(&mut stream, "/who").await.unwrap().contains("200 OK"));
    }
}

#[tokio::test]
async fn many_unfinished_handshakes_do_not_delay_other_clients() {
    let place = place(Limits::default()).await;
    let mut unfinished = Vec::new();
    for _ in 0..300 {
        unfinished.push(TcpStream::connect(place.address).await.unwrap());
    }
    // Half of the time after which the unfinished handshakes are disconnected.
    let patience = Limits::default().handshake / 2;
    let mut stream = timeout(patience, place.connect()).await.unwrap();
    let answer = ask(&mut stream, "/who").await.unwrap();
    assert!(answer.contains("200 OK"));
}

/// A plain HTTP listener with the same pages.
struct Plain {
    listener: Listener,
    address: SocketAddr,
    asked: Arc<Notify>,
    answer_now: Arc<Notify>,
}

async fn plain(limits: Limits) -> Plain {
    let (asked, answer_now) = <(Arc<Notify>, Arc<Notify>)>::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = Listener::http(listener, pages(&asked, &answer_now), limits);
    Plain {
        listener,
        address,
        asked,
        answer_now,
    }
}

impl Plain {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

#[tokio::test]
async fn plain_http_is_served_where_it_is_enabled() {
    let plain = plain(Limits::default()).await;
    let answer = ask(&mut plain.connect().await, "/who").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("0 certificates, 127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn a_plain_client_that_sends_no_request_or_half_a_header_is_disconnected() {
    let idle = plain(Limits {
        idle: BRIEF,
        ..Limits::default()
    });
    let idle = idle.await;
    assert!(ends(idle.connect().await).await);
    let header = plain(Limits {
        header: BRIEF,
        ..Limits::default()
    });
    let header = header.await;
    let mut half = header.connect().await;
    half.write_all(b"GET /who HTTP/1.1\r\nHost:").await.unwrap();
    assert!(ends(half).await);
}

#[tokio::test]
async fn plain_http_has_the_limits_of_body_header_and_connections() {
    let limits = Limits {
        body: BRIEF,
        connections: 1,
        ..Limits::default()
    };
    let plain = plain(limits).await;
    let mut first = plain.connect().await;
    let request = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
    first.write_all(request).await.unwrap();
    let mut answer = vec![0; 1024];
    let n = first.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..n]);
    assert!(answer.contains("did not arrive in time"), "{answer}");
    drop(first);

    let first = plain.connect().await;
    let mut second = plain.connect().await;
    assert!(ask(&mut second, "/who").await.is_ok());
    assert!(ends(first).await);
    drop(second);

    let mut many = plain.connect().await;
    let cookies = "Cookie: x\r\n".repeat(101);
    let request = format!("GET /who HTTP/1.1\r\nHost: x\r\n{cookies}\r\n");
    many.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let n = many.read(&mut answer).await.unwrap();
    assert!(answer[..n].starts_with(b"HTTP/1.1 431 "));
}

#[tokio::test]
async fn closing_a_plain_listener_lets_the_request_in_progress_finish() {
    let plain = plain(Limits::default()).await;
    let mut stream = plain.connect().await;
    let request = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    plain.asked.notified().await;
    let closing = tokio::spawn(plain.listener.close(PATIENCE));
    while TcpStream::connect(plain.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    plain.answer_now.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    assert!(closing.await.unwrap());
}
