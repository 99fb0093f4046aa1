//! The look-up of records against a DNS server on loopback with scripted answers.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use acme::challenge::{
    Failure, FailureKind, Host, Observation, Probe, TlsProbe, Trace, TxtObservation, TxtProbe,
};
use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, NS, TXT};
use hickory_proto::rr::{Name, RData, Record};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;

use super::addresses::Outcome;
use super::{Finder, lies_in, matches};
use crate::probe::{Options, Prober, RecordType, Records, Zone};

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn txt(owner: &str, strings: &[&str]) -> Record {
    let strings = strings.iter().map(|s| (*s).to_owned()).collect();
    Record::from_rdata(name(owner), 60, RData::TXT(TXT::new(strings)))
}

fn alias(owner: &str, target: &str) -> Record {
    Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(target))))
}

/// What the server says: nothing at all is silence.
fn respond(query: &Message, over_tcp: bool) -> Option<Message> {
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.add_query(query.queries[0].clone());
    answer.metadata.recursion_available = true;
    let asked = query.queries[0].name().to_ascii();
    answer.metadata.response_code = match asked.as_str() {
        long if long == "long.test." || long.ends_with("many.test.") => {
            answer.metadata.truncation = !over_tcp;
            ResponseCode::NoError
        }
        "refers.test." => {
            answer.metadata.recursion_available = false;
            let ns = RData::NS(NS(name("ns.test.")));
            answer.add_authority(Record::from_rdata(name("test."), 60, ns));
            ResponseCode::NoError
        }
        "old.test." if query.edns.is_some() => ResponseCode::FormErr,
        "broken.test." => ResponseCode::ServFail,
        "silent.test." => return None,
        "missing.test." | "dangling.test." => ResponseCode::NXDomain,
        _ => ResponseCode::NoError,
    };
    let usable = answer.metadata.response_code != ResponseCode::FormErr;
    if usable && !answer.metadata.truncation {
        answer.add_answers(records(&asked));
    }
    Some(answer)
}

fn records(asked: &str) -> Vec<Record> {
    let row = asked.strip_prefix('n');
    if let Some(n) = row.and_then(|rest| rest.strip_suffix(".row.test.")) {
        let next = n.parse::<u32>().unwrap() + 1;
        return vec![alias(asked, &format!("n{next}.row.test."))];
    }
    match asked {
        "txt.test." => vec![txt(asked, &["one"]), txt(asked, &["two ", "halves"])],
        "whole.test." => vec![alias(asked, "TXT.test."), txt("txt.test.", &["one"])],
        "alias.test." => vec![alias(asked, "txt.test.")],
        "dangling.test." => vec![alias(asked, "missing.test.")],
        "round.test." => vec![alias(asked, "circle.test.")],
        "circle.test." => vec![alias(asked, "round.test.")],
        "long.test." => vec![txt(asked, &["x"; 300])],
        "foreign.test." => vec![txt("else.test.", &["not asked for"])],
        "old.test." => vec![txt(asked, &["old"])],
        "host.test." => vec![host(asked, 1)],
        "led.test." => vec![alias(asked, "HOST.test."), host("host.test.", 1)],
        "sent.test." => vec![alias(asked, "host.test.")],
        "sent-round.test." => vec![alias(asked, "round.test.")],
        "wide.test." => (0..300).map(|n| host(asked, n)).collect(),
        "many.test." => (0..200).map(|n| server(asked, n)).collect(),
        _ if asked.ends_with(".many.test.") => many_addresses(asked),
        _ => Vec::new(),
    }
}

fn host(owner: &str, number: u32) -> Record {
    let address = A(Ipv4Addr::from_bits(0x0a00_0000 + number));
    Record::from_rdata(name(owner), 60, RData::A(address))
}

/// Many addresses, none of which may be connected to.
fn many_addresses(owner: &str) -> Vec<Record> {
    let all = (0..1000_u16).map(|n| {
        let [high, low] = n.to_be_bytes();
        RData::A(A(Ipv4Addr::new(169, 254, high, low)))
    });
    all.map(|data| Record::from_rdata(name(owner), 60, data))
        .collect()
}

fn server(zone: &str, number: u8) -> Record {
    let ns = RData::NS(NS(name(&format!(
        "{}.ns{number}.many.test.",
        "x".repeat(60)
    ))));
    Record::from_rdata(name(zone), 60, ns)
}

async fn dns() -> SocketAddr {
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            break (udp, tcp);
        }
    };
    let address = udp.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        loop {
            let (n, from) = udp.recv_from(&mut buffer).await.unwrap();
            let query = Message::from_vec(&buffer[..n]).unwrap();
            let Some(answer) = respond(&query, false) else {
                continue;
            };
            // What others might slip in first: another id, another question, no answer.
            let mut forged = answer.clone();
            forged.metadata.id = forged.metadata.id.wrapping_add(1);
            let mut other = answer.clone();
            other.queries[0].set_name(name("else.test."));
            let mut echo = answer.clone();
            echo.metadata.message_type = MessageType::Query;
            for message in [forged, other, echo, answer] {
                udp.send_to(&message.to_vec().unwrap(), from).await.unwrap();
            }
            udp.send_to(b"rubbish", from).await.unwrap();
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = tcp.accept().await.unwrap();
            let mut query = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut query).await.unwrap();
            let query = Message::from_vec(&query).unwrap();
            let answer = respond(&query, true).unwrap().to_vec().unwrap();
            stream
                .write_u16(u16::try_from(answer.len()).unwrap())
                .await
                .unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    });
    address
}

async fn prober() -> Prober {
    eyes_of(vec![dns().await], Vec::new())
}

fn eyes_of(resolvers: Vec<SocketAddr>, zones: Vec<Zone>) -> Prober {
    Prober::new(&Options {
        resolvers,
        zones,
        resolv_conf: "/nowhere".into(),
        loopback_names: vec!["txt.test".to_owned()],
        ..Options::default()
    })
}

async fn look(prober: &Prober, name: &str) -> Observation {
    let probe = Probe::Txt(TxtProbe { name: name.into() });
    prober.probe(&probe, Duration::from_secs(30)).await
}

async fn seen(prober: &Prober, name: &str) -> TxtObservation {
    let Observation::Txt(observation) = look(prober, name).await else {
        panic!("{name} was not seen");
    };
    observation
}

async fn failed(prober: &Prober, name: &str) -> Failure {
    let Observation::Failed(failure) = look(prober, name).await else {
        panic!("{name} was seen");
    };
    failure
}

#[tokio::test]
async fn every_record_is_seen_with_its_strings_joined() {
    let observation = seen(&prober().await, "txt.test").await;
    assert_eq!(observation.values, ["one", "two halves"]);
    assert_eq!(observation.trace.answers, ["2 TXT records"]);
    assert!(
        observation
            .trace
            .resolver
            .unwrap()
            .starts_with("127.0.0.1:")
    );
}

#[tokio::test]
async fn aliases_are_followed_whether_or_not_the_resolver_does_it() {
    let prober = prober().await;
    let whole = seen(&prober, "whole.test").await;
    assert_eq!(whole.values, ["one"]);
    assert_eq!(whole.alias.as_deref(), Some("TXT.test"));
    assert_eq!(whole.trace.answers, ["CNAME TXT.test", "a TXT record"]);
    let alias = seen(&prober, "alias.test").await;
    assert_eq!(alias.values, ["one", "two halves"]);
    assert_eq!(alias.alias.as_deref(), Some("txt.test"));
    let answers = ["CNAME txt.test", "2 TXT records for txt.test"];
    assert_eq!(alias.trace.answers, answers);
}

#[tokio::test]
async fn aliases_that_loop_or_never_end_are_reported() {
    let prober = prober().await;
    let round = failed(&prober, "round.test").await;
    assert_eq!(round.kind, FailureKind::Dns);
    assert!(round.words.contains("circle"), "{round:?}");
    let row = failed(&prober, "n1.row.test").await;
    assert!(row.words.contains("more than 10 aliases"), "{row:?}");
}

/// What a name's addresses are, or the answers of the trace.
async fn addresses(name: &str) -> Result<Vec<IpAddr>, Vec<String>> {
    let finder = Finder::new(&Options {
        resolvers: vec![dns().await],
        resolv_conf: "/nowhere".into(),
        ..Options::default()
    });
    let mut trace = Trace::default();
    let found = finder.find(name, &mut trace).await;
    found.map_err(|_| trace.answers)
}

#[tokio::test]
async fn addresses_are_found_behind_aliases_whether_or_not_the_resolver_follows_them() {
    let expected = vec![IpAddr::from([10, 0, 0, 1])];
    for name in ["host.test", "led.test", "sent.test"] {
        assert_eq!(addresses(name).await, Ok(expected.clone()), "{name}");
    }
    for name in ["round.test", "sent-round.test", "n1.row.test"] {
        let words = addresses(name).await.unwrap_err().concat();
        assert_eq!(words, "more than 10 aliases (CNAME) in a row", "{name}");
    }
    assert_eq!(addresses("dangling.test").await.unwrap_err(), ["NXDOMAIN"]);
    assert_eq!(
        addresses("txt.test").await.unwrap_err(),
        ["no AAAA", "no A"]
    );
}

#[tokio::test]
async fn an_answer_that_is_longer_than_was_asked_for_is_read_over_tcp() {
    assert_eq!(addresses("wide.test").await.map(|all| all.len()), Ok(300));
}

#[test]
fn many_addresses_are_reported_in_a_short_message() {
    let all = (0..1000).map(|n| Ipv4Addr::from_bits(0x0a00_0000 + n).into());
    let words = Outcome::Found(all.collect()).words("A");
    assert!(words.starts_with("A 10.0.0.0, A 10.0.0.1, "), "{words}");
    assert!(words.ends_with("A 10.0.0.7 and 992 more"), "{words}");
    let one = Outcome::Found(vec![Ipv4Addr::LOCALHOST.into()]).words("A");
    assert_eq!(one, "A 127.0.0.1");
}

#[tokio::test]
async fn many_authoritative_servers_are_reported_in_a_short_message() {
    let prober = Prober::new(&Options {
        resolvers: vec![dns().await],
        authoritative: true,
        resolv_conf: "/nowhere".into(),
        ..Options::default()
    });
    let failure = failed(&prober, "many.test").await;
    assert_eq!(failure.kind, FailureKind::AddressNotAllowed);
    assert!(failure.words.contains("link-local"), "{}", failure.words);
    assert!(failure.words.len() < 2000, "{} octets", failure.words.len());
}

#[tokio::test]
async fn a_truncated_answer_is_requested_again_over_tcp() {
    let observation = seen(&prober().await, "long.test").await;
    assert_eq!(observation.values, ["x".repeat(300)]);
}

#[tokio::test]
async fn a_server_without_extensions_is_asked_without_them() {
    assert_eq!(seen(&prober().await, "old.test").await.values, ["old"]);
}

#[tokio::test]
async fn no_records_no_name_and_no_answer_are_reported_differently() {
    let prober = prober().await;
    for name in ["bare.test", "foreign.test"] {
        let bare = seen(&prober, name).await;
        assert_eq!(
            (bare.values.len(), bare.trace.answers),
            (0, vec!["no TXT".to_owned()])
        );
    }
    for name in [
        "missing.test",
        "dangling.test",
        "too..many.dots",
        &"a".repeat(300),
    ] {
        assert_eq!(failed(&prober, name).await.kind, FailureKind::NoSuchName);
    }
    for (name, words) in [
        ("broken.test", "SERVFAIL"),
        ("refers.test", "a referral, since it does not ask others"),
    ] {
        let failure = failed(&prober, name).await;
        assert_eq!(failure.kind, FailureKind::Dns);
        assert_eq!(failure.trace.answers, [words]);
    }
    let caa = prober
        .records("txt.test", RecordType::CAA, Duration::from_secs(30))
        .await;
    assert_eq!(caa.unwrap().records, Records::None);
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let resolv_conf = dir.path().join("resolv.conf");
    std::fs::write(&resolv_conf, "options timeout:1\n").unwrap();
    let prober = Prober::new(&Options {
        resolvers: vec![dns().await],
        resolv_conf,
        ..Options::default()
    });
    let failure = failed(&prober, "silent.test").await;
    assert_eq!(failure.kind, FailureKind::Dns);
    let answers = ["nothing in time (time-out)"; 2];
    assert_eq!(failure.trace.answers, answers, "asked twice");
    let asked = prober.records("silent.test", RecordType::TXT, Duration::from_millis(100));
    let cut = asked.await.unwrap_err();
    assert_eq!(cut.words, "no answer in time (time-out)");
}

#[tokio::test]
async fn a_failing_server_is_replaced_by_the_next() {
    let closed = "127.0.0.1:1".parse().unwrap();
    let good = dns().await;
    let observation = seen(&eyes_of(vec![closed, good], Vec::new()), "txt.test").await;
    assert_eq!(observation.values.len(), 2);
    assert_eq!(
        observation.trace.answers,
        [
            "connection refused (127.0.0.1:1)".to_owned(),
            format!("2 TXT records ({good})")
        ]
    );
}

#[tokio::test]
async fn a_zone_is_queried_at_its_own_resolvers_and_the_longest_match_counts() {
    let closed: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let zone = |name: &str, resolver| Zone {
        name: name.to_owned(),
        resolvers: vec![resolver],
    };
    let zones = vec![zone("test", closed), zone("txt.test", dns().await)];
    let prober = eyes_of(vec![closed], zones);
    assert_eq!(seen(&prober, "txt.test").await.values.len(), 2);
    let other = failed(&prober, "alias.test").await;
    assert_eq!(other.trace.answers, ["connection refused"; 1]);
}

#[test]
fn a_zone_has_its_own_name_and_those_below_it() {
    for (name, zone, expected) in [
        ("lab.internal", "lab.internal", true),
        ("a.LAB.internal", "lab.internal", true),
        ("collab.internal", "lab.internal", false),
        ("internal", "lab.internal", false),
        ("é.internal", "internal", true),
    ] {
        assert_eq!(lies_in(name, zone), expected, "{name} in {zone}");
    }
    assert!(matches("*.test", "a.test") && !matches("*.test", "test"));
}

/// A server that reports the port and the id of each question, and knows no names.
async fn reporting() -> (SocketAddr, mpsc::UnboundedReceiver<(u16, u16)>) {
    let (report, reports) = mpsc::unbounded_channel();
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = udp.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        loop {
            let (n, from) = udp.recv_from(&mut buffer).await.unwrap();
            let query = Message::from_vec(&buffer[..n]).unwrap();
            let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
            answer.add_query(query.queries[0].clone());
            answer.metadata.response_code = ResponseCode::NXDomain;
            udp.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
            report.send((from.port(), query.metadata.id)).ok();
        }
    });
    (address, reports)
}

#[tokio::test]
async fn every_question_has_a_port_and_an_id_of_its_own() {
    let (address, mut reports) = reporting().await;
    let prober = eyes_of(vec![address], Vec::new());
    for _ in 0..8 {
        look(&prober, "absent.test").await;
        let probe = Probe::Tls(TlsProbe {
            keys: acme::challenge::KeyKinds::Any,
            host: Host::Name("absent.test".to_owned()),
            port: 443,
            server_name: "absent.test".to_owned(),
        });
        prober.probe(&probe, Duration::from_secs(30)).await;
    }
    let (mut ports, mut ids) = (HashSet::new(), HashSet::new());
    let mut asked = 0;
    while let Ok((port, id)) = reports.try_recv() {
        asked += 1;
        ports.insert(port);
        ids.insert(id);
    }
    // Each look-up of addresses is two questions. Of so many random ports, a pair may be the same.
    assert!(asked >= 24, "{asked}");
    assert!(
        ports.len() + 2 >= asked && ids.len() + 2 >= asked,
        "{ports:?} {ids:?}"
    );
}
