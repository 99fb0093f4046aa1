//! RFC 8737 §3: the handshake: one protocol offered, the name asked for, and who answers.

use std::io::{Read, Write};
use std::net::TcpListener;

use acceptance::alpn::{Responder, Shown};

use super::{Target, attempt, failed};
use crate::conformance::subject::subject;

/// The server offers acme-tls/1 and nothing else, and asks for the name in its A-labels (§3).
#[test]
fn one_protocol_is_offered_and_the_name_is_sent() {
    let subject = subject();
    let account = subject.account();
    let wanted = "xn--mnchen-3ya.alpn.test";
    subject.host(&[wanted]);
    let challenge = attempt(&account, Target::name(wanted), |text| {
        Some(Shown::of(wanted, &text))
    });
    assert_eq!(challenge["status"], "valid", "{challenge}");
    let asked = subject.tls.asked();
    let asked: Vec<_> = asked.iter().filter(|a| a.starts_with(wanted)).collect();
    assert_eq!(
        asked,
        [&format!("{wanted} acme-tls/1")],
        "asked once is enough"
    );
}

/// A server that knows other protocols only, or none, is distinguished from one that presents a wrong
/// certificate (§3).
#[test]
fn a_server_without_acme_tls_1_proves_nothing() {
    let subject = subject();
    let account = subject.account();
    let port = subject.tls.address().port();
    for (address, protocols, kind, words) in [
        (
            "127.0.0.4",
            &["h2", "http/1.1"][..],
            "tls",
            "no_application_protocol",
        ),
        (
            "127.0.0.5",
            &[],
            "unauthorized",
            "selected no protocol, not even acme-tls/1",
        ),
    ] {
        let server = Responder::start_with(&format!("{address}:{port}"), protocols);
        let wanted = format!("plain{}.alpn.test", protocols.len());
        subject.dns.addresses(&wanted, &[address]);
        let challenge = attempt(&account, Target::name(&wanted), |text| {
            server.set(&wanted, &Shown::of(&wanted, &text));
            None
        });
        let detail = failed(&challenge, kind);
        assert!(detail.contains(words), "{detail}");
        assert!(detail.contains("web server"), "{detail}");
    }
}

/// Who shows a certificate without holding its key proves nothing (RFC 8446 §4.4.3).
#[test]
fn a_certificate_without_its_key_proves_nothing() {
    let subject = subject();
    let account = subject.account();
    subject.host(&["stolen.alpn.test"]);
    let target = Target::name("stolen.alpn.test");
    let challenge = attempt(&account, target, |text| {
        let mut shown = Shown::of("stolen.alpn.test", &text);
        shown.own_key = false;
        Some(shown)
    });
    failed(&challenge, "tls");
}

/// A closed port, another protocol and a name without address have their own types (RFC 8555 §6.7).
#[test]
fn a_server_that_does_not_speak_tls_is_reported() {
    let subject = subject();
    let account = subject.account();
    let port = subject.tls.address().port();
    let closed = "closed.alpn.test";
    subject.dns.addresses(closed, &["127.0.0.6"]);
    let detail = failed(
        &attempt(&account, Target::name(closed), |_| None),
        "connection",
    );
    assert!(detail.contains(&format!("127.0.0.6:{port}")), "{detail}");
    let plain = TcpListener::bind(format!("127.0.0.7:{port}")).unwrap();
    std::thread::spawn(move || {
        for mut stream in plain.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    subject.dns.addresses("http.alpn.test", &["127.0.0.7"]);
    let target = Target::name("http.alpn.test");
    let detail = failed(&attempt(&account, target, |_| None), "tls");
    assert!(detail.contains("not TLS"), "{detail}");
    let nowhere = Target::name("nowhere.alpn.test");
    let detail = failed(&attempt(&account, nowhere, |_| None), "dns");
    assert!(detail.contains("NXDOMAIN"), "{detail}");
    subject
        .dns
        .addresses("metadata.alpn.test", &["169.254.169.254"]);
    let forbidden = Target::name("metadata.alpn.test");
    failed(&attempt(&account, forbidden, |_| None), "connection");
}

/// A wildcard is not offered the challenge (§3: it proves one name).
#[test]
fn a_wildcard_is_not_offered_the_challenge() {
    let account = subject().account();
    let payload = serde_json::json!({"identifiers": [{"type": "dns", "value": "*.alpn.test"}]});
    let answer = account.post(&account.resource("newOrder"), Some(&payload));
    if answer.status == 201 {
        let url = answer.json()["authorizations"][0]
            .as_str()
            .unwrap()
            .to_owned();
        let body = account.post(&url, None).json();
        let offered = body["challenges"].as_array().unwrap();
        assert!(offered.iter().all(|c| c["type"] != "tls-alpn-01"), "{body}");
    } else {
        crate::conformance::subject::refused(&answer, 400, "rejectedIdentifier");
    }
}

/// A server with certificates for RSA and ECDSA keys may have the answer for one of them only; both
/// are asked for before the challenge fails.
#[test]
fn a_server_with_certificates_for_two_keys_is_asked_for_both() {
    let account = subject().account();
    for (wanted, answers) in [("both.alpn.test", true), ("rsa.alpn.test", false)] {
        subject().host(&[wanted]);
        subject().tls.prefer_rsa(wanted);
        let challenge = attempt(&account, Target::name(wanted), |text| {
            answers.then(|| Shown::of(wanted, &text))
        });
        if answers {
            assert_eq!(challenge["status"], "valid", "{challenge}");
        } else {
            let detail = failed(&challenge, "unauthorized");
            assert!(detail.contains("no acmeIdentifier"), "{detail}");
            assert!(detail.contains("another kind of key"), "{detail}");
        }
    }
}
