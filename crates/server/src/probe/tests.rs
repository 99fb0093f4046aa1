//! The prober against a DNS server and web servers on loopback.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use acme::challenge::{Failure, FailureKind, Host, HttpObservation, HttpProbe, Observation, Probe};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::sleep;

use super::{Options, Prober};

/// What the fake DNS server does about a name.
#[derive(Clone, Copy)]
enum Zone {
    V4(Ipv4Addr),
    Both(Ipv4Addr),
    Nothing,
    Code(ResponseCode),
    Late(Ipv4Addr, Duration),
    Silent,
}

fn zone(name: &str) -> Zone {
    let loopback = Ipv4Addr::LOCALHOST;
    match name {
        "web.test." | "deep.web.lan." => Zone::V4(loopback),
        "both.test." => Zone::Both(loopback),
        "bare.test." => Zone::Nothing,
        "broken.test." => Zone::Code(ResponseCode::ServFail),
        "closed.test." => Zone::Code(ResponseCode::Refused),
        "late.test." => Zone::Late(loopback, Duration::from_millis(300)),
        "silent.test." => Zone::Silent,
        "metadata.test." => Zone::V4(Ipv4Addr::new(169, 254, 169, 254)),
        _ => Zone::Code(ResponseCode::NXDomain),
    }
}

async fn dns() -> SocketAddr {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        loop {
            let (n, from) = socket.recv_from(&mut buffer).await.unwrap();
            let question = Message::from_vec(&buffer[..n]).unwrap();
            let socket = Arc::clone(&socket);
            tokio::spawn(async move {
                if let Some(answer) = answer(&question).await {
                    socket.send_to(&answer, from).await.unwrap();
                }
            });
        }
    });
    address
}

async fn answer(question: &Message) -> Option<Vec<u8>> {
    let query = question.queries[0].clone();
    let name = query.name().to_ascii();
    let mut answer = question.clone().into_response();
    answer.edns = None;
    let mut add = |data: RData| {
        let owner = Name::from_ascii(&name).unwrap();
        answer.add_answer(Record::from_rdata(owner, 60, data));
    };
    let v4 = query.query_type() == RecordType::A;
    match zone(&name) {
        Zone::V4(ip) if v4 => add(RData::A(ip.into())),
        Zone::Both(ip) if v4 => add(RData::A(ip.into())),
        Zone::Both(_) => add(RData::AAAA(std::net::Ipv6Addr::LOCALHOST.into())),
        Zone::Late(ip, after) => {
            sleep(after).await;
            if v4 {
                add(RData::A(ip.into()));
            }
        }
        Zone::V4(_) | Zone::Nothing => {}
        Zone::Code(code) => answer.metadata.response_code = code,
        Zone::Silent => return None,
    }
    Some(answer.to_vec().unwrap())
}

/// A web server that sends `answer` to each connection, then closes it.
async fn web(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
                let _ = stream.read(&mut request).await;
            });
        }
    });
    address
}

fn says(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

struct Harness {
    prober: Prober,
    _dir: tempfile::TempDir,
}

impl Harness {
    async fn new() -> Self {
        Self::with(dns().await, "127.0.0.1 hosted.test\n")
    }

    fn with(dns: SocketAddr, hosts: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let prober = Prober::new(&Options {
            resolvers: vec![dns],
            hosts: file("hosts", hosts),
            resolv_conf: file("resolv.conf", "search web.lan\n"),
            loopback_names: vec!["*.dev".to_owned()],
            ..Options::default()
        });
        Self { prober, _dir: dir }
    }

    async fn look(&self, host: &str, port: u16, seconds: u64) -> Observation {
        let host = match host.parse::<IpAddr>() {
            Ok(ip) => Host::Ip(ip),
            Err(_) => Host::Name(host.to_owned()),
        };
        let probe = Probe::Http(HttpProbe {
            host,
            port,
            path_and_query: "/.well-known/acme-challenge/token".to_owned(),
            https: false,
        });
        self.prober
            .probe(&probe, Duration::from_secs(seconds))
            .await
    }

    async fn seen(&self, host: &str, port: u16) -> HttpObservation {
        match self.look(host, port, 30).await {
            Observation::Http(observation) => observation,
            other @ (Observation::Txt(_)
            | Observation::Tls(_)
            | Observation::Payload
            | Observation::Failed(_)) => panic!("{other:?}"),
        }
    }

    async fn failed(&self, host: &str, port: u16) -> Failure {
        match self.look(host, port, 3).await {
            Observation::Failed(failure) => failure,
            other @ (Observation::Http(_)
            | Observation::Txt(_)
            | Observation::Tls(_)
            | Observation::Payload) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_is_reported_with_its_path() {
    let harness = Harness::new().await;
    let server = web(says("200 OK", "Content-Type: text/plain\r\n", b"hello")).await;
    let observation = harness.seen("web.test", server.port()).await;
    assert_eq!(
        (observation.status, observation.body.as_slice()),
        (200, &b"hello"[..])
    );
    assert_eq!((observation.length, observation.truncated), (5, false));
    assert_eq!(observation.media_type.as_deref(), Some("text/plain"));
    assert_eq!(observation.trace.answers, ["no AAAA", "A 127.0.0.1"]);
    assert_eq!(observation.trace.attempts.len(), 1);
    assert_eq!(observation.trace.attempts[0].outcome, "connected");
}

#[tokio::test]
async fn statuses_and_redirects_are_reported_and_not_followed() {
    let harness = Harness::new().await;
    let server = web(says("404 Not Found", "", b"no")).await;
    assert_eq!(harness.seen("127.0.0.1", server.port()).await.status, 404);
    let server = web(says(
        "302 Found",
        "Location: https://other.test/x?y\r\n",
        b"",
    ))
    .await;
    let observation = harness.seen("web.test", server.port()).await;
    assert_eq!(observation.status, 302);
    assert_eq!(
        observation.location.as_deref(),
        Some("https://other.test/x?y")
    );
}

#[tokio::test]
async fn a_huge_body_is_cut() {
    let harness = Harness::new().await;
    let server = web(says("200 OK", "", &vec![b'x'; 10 << 20])).await;
    let observation = harness.seen("web.test", server.port()).await;
    assert_eq!(
        (observation.body.len(), observation.truncated),
        (64 * 1024, true)
    );
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let harness = Harness::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let failure = harness.failed("web.test", port).await;
    assert_eq!(failure.kind, FailureKind::Refused);
    assert_eq!(failure.trace.attempts[0].outcome, "connection refused");
}

#[tokio::test]
async fn a_silent_server_is_disconnected_at_the_deadline() {
    let harness = Harness::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let failure = harness.failed("web.test", port).await;
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.trace.millis >= 3000);
    drop(listener);
}

#[tokio::test]
async fn other_protocols_and_closed_connections_are_reported_differently() {
    let harness = Harness::new().await;
    let server = web(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()).await;
    let failure = harness.failed("web.test", server.port()).await;
    assert_eq!(failure.kind, FailureKind::Protocol);
    let server = web(Vec::new()).await;
    let failure = harness.failed("web.test", server.port()).await;
    assert_eq!(failure.kind, FailureKind::Reset);
    let lines: String = (0..150).map(|n| format!("X-{n}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(300_000));
    for header in [lines, long] {
        let server = web(format!("HTTP/1.1 200 OK\r\n{header}\r\n").into_bytes()).await;
        let failure = harness.failed("web.test", server.port()).await;
        assert_eq!(failure.kind, FailureKind::LongHeader);
    }
}

#[tokio::test]
async fn the_answer_of_the_resolver_is_reported() {
    let harness = Harness::new().await;
    for (name, kind, answers) in [
        ("missing.test", FailureKind::NoSuchName, "NXDOMAIN"),
        ("bare.test", FailureKind::NoAddress, "no AAAA"),
        ("broken.test", FailureKind::Dns, "SERVFAIL"),
        ("closed.test", FailureKind::Dns, "REFUSED"),
    ] {
        let failure = harness.failed(name, 80).await;
        assert_eq!(failure.kind, kind, "{name}: {failure:?}");
        assert_eq!(failure.trace.answers[0], answers, "{name}");
        assert!(failure.trace.resolver.unwrap().starts_with("127.0.0.1:"));
    }
}

#[tokio::test]
async fn a_slow_resolver_is_waited_for_and_a_silent_one_is_not() {
    let harness = Harness::new().await;
    let server = web(says("200 OK", "", b"")).await;
    assert_eq!(harness.seen("late.test", server.port()).await.status, 200);
    let failure = harness.failed("silent.test", 80).await;
    assert_eq!(failure.kind, FailureKind::Dns);
    let message = format!("{} {}", failure.words, failure.trace.answers.join(", "));
    assert!(message.contains("time-out"), "{message}");
}

#[tokio::test]
async fn the_hosts_file_comes_first_and_the_search_list_last() {
    let harness = Harness::new().await;
    let server = web(says("200 OK", "", b"")).await;
    let hosted = harness.seen("hosted.test", server.port()).await;
    assert_eq!(hosted.trace.resolver.as_deref(), Some("the hosts file"));
    let searched = harness.seen("deep", server.port()).await;
    assert_eq!(
        searched.trace.answers,
        ["no AAAA for deep.web.lan", "A 127.0.0.1 for deep.web.lan"]
    );
    assert_eq!(harness.seen("any.dev", server.port()).await.status, 200);
    assert_eq!(harness.seen("localhost", server.port()).await.status, 200);
}

#[tokio::test]
async fn ipv6_is_tried_first_and_ipv4_when_it_fails() {
    let harness = Harness::new().await;
    let server = web(says("200 OK", "", b"")).await;
    let observation = harness.seen("both.test", server.port()).await;
    let tried: Vec<_> = observation
        .trace
        .attempts
        .iter()
        .map(|a| a.address)
        .collect();
    assert_eq!(tried.len(), 2);
    assert!(tried[0].is_ipv6() && tried[1].is_ipv4());
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_never_connected_to() {
    let harness = Harness::new().await;
    for host in ["metadata.test", "169.254.169.254", "::ffff:169.254.169.254"] {
        let failure = harness.failed(host, 80).await;
        assert_eq!(failure.kind, FailureKind::AddressNotAllowed, "{host}");
        assert!(failure.trace.attempts[0].outcome.contains("not allowed"));
    }
}

#[tokio::test]
async fn an_unreachable_resolver_is_named() {
    let nowhere = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = nowhere.local_addr().unwrap();
    drop(nowhere);
    let harness = Harness::with(address, "");
    let failure = harness.failed("web.test", 80).await;
    assert_eq!(failure.kind, FailureKind::Dns);
    assert_eq!(failure.trace.resolver, Some(address.to_string()));
}

#[tokio::test]
async fn a_server_that_sends_slowly_is_disconnected_at_the_deadline() {
    let harness = Harness::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let dripping = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    let Observation::Failed(failure) = harness.look("127.0.0.1", port, 1).await else {
        panic!("a body without an end was taken");
    };
    assert_eq!(failure.kind, FailureKind::Timeout);
    let hung_up = tokio::time::timeout(Duration::from_secs(10), dripping).await;
    hung_up.unwrap().unwrap();
}
