//! Unusual requests: HTTP/1.1 request smuggling, ambiguous JSON, large quantities, and paths that do
//! not exist.

use acceptance::https::Response;
use data_encoding::BASE64URL_NOPAD;
use hyper::Method;
use serde_json::json;

use crate::conformance::subject::{refused, subject};

/// newOrder with these octets as payload, rightly signed.
#[track_caller]
fn order(payload: &[u8]) -> Response {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let header = account.header(&url, &subject.nonce()).to_string();
    let body = account.key.seal(header.as_bytes(), payload);
    subject.send(&url, &body.to_string())
}

/// JSON that two readers may read differently, or that is none, is refused and not guessed at.
#[test]
fn a_payload_that_can_be_read_two_ways_is_refused() {
    const GOOD: &str = r#"{"identifiers":[{"type":"dns","value":"two.conformance.test"}]}"#;
    assert_eq!(order(GOOD.as_bytes()).status, 201);
    let one = r#"{"type":"dns","value":"two.conformance.test"}"#;
    let twice = format!(r#"{{"identifiers":[{one}],"identifiers":[]}}"#);
    let value = r#"{"identifiers":[{"type":"dns","value":"a.test","value":"b.test"}]}"#;
    let kind = r#"{"identifiers":[{"type":"dns","type":"ip","value":"127.0.0.1"}]}"#;
    for payload in [
        twice.as_bytes(),
        value.as_bytes(),
        kind.as_bytes(),
        b"{\"identifiers\":[{\"type\":\"dns\",\"value\":\"\xff.test\"}]}",
        b"{\"identifiers\":[{\"type\":\"dns\",\"value\":\"\\ud800.test\"}]}",
        b"\xef\xbb\xbf{}",
        b"{'identifiers':[]}",
        b"{\"identifiers\":[],}",
        b"{\"identifiers\":1e400}",
        b"{\"identifiers\":[]}{}",
        b"/**/{}",
        b"NaN",
        b"\0",
    ] {
        refused(&order(payload), 400, "malformed");
    }
}

/// Two keys in one header leave open which of them signed (RFC 7515 §4).
#[test]
fn a_header_with_two_keys_is_refused() {
    let subject = subject();
    let key = acceptance::acme::Key::generate();
    let url = subject.url("/acme/acme/new-account");
    let header = json!({"alg": "ES256", "jwk": key.jwk(), "nonce": subject.nonce(), "url": url});
    let other = acceptance::acme::Key::generate().jwk();
    let header = header
        .to_string()
        .replacen('{', &format!(r#"{{"jwk":{other},"#), 1);
    let body = key.seal(header.as_bytes(), b"{}");
    refused(&subject.send(&url, &body.to_string()), 400, "malformed");
}

/// Ten thousand names are refused by their number or by the size of the request, in few words.
#[test]
fn ten_thousand_identifiers_are_refused_in_a_short_message() {
    let short = (0..3_000).map(|_| json!({"type": "", "value": ""}));
    let payload = json!({"identifiers": short.collect::<Vec<_>>()}).to_string();
    let answer = order(payload.as_bytes());
    assert!(matches!(answer.status, 400 | 413), "{}", answer.text());
    assert!(answer.body.len() < 10_000, "{} octets", answer.body.len());

    let subject = subject();
    let account = subject.account();
    let names = (0..10_000).map(|n| json!({"type": "dns", "value": format!("n{n}.test")}));
    let payload = json!({"identifiers": names.collect::<Vec<_>>()});
    match account.try_post(&account.resource("newOrder"), Some(&payload)) {
        Ok(answer) => drop(refused(&answer, 413, "malformed")),
        // The server may close while the client still writes.
        Err(broken) => assert!(!broken.to_string().contains("nonces"), "{broken}"),
    }
}

/// A signature of great length is no signature, and costs no arithmetic.
#[test]
fn signatures_of_any_length_are_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    for length in [0, 1, 61, 63, 65, 128, 20_000] {
        let header = account.header(&url, &subject.nonce()).to_string();
        let body = json!({
            "protected": BASE64URL_NOPAD.encode(header.as_bytes()), "payload": "",
            "signature": BASE64URL_NOPAD.encode(&vec![1; length]),
        });
        refused(&subject.send(&url, &body.to_string()), 400, "malformed");
    }
}

/// Every path and method that the server does not have is refused.
#[test]
fn paths_and_methods_that_do_not_exist_are_refused() {
    let subject = subject();
    for path in [
        "/scep/acme",
        "/scep/acme?operation=PKIOperation",
        "/acme/acme/new-account/",
        "/acme/acme//new-account",
        "/acme/acme/../acme/new-account",
        "/acme/acme/new-account%2f",
        "/acme//new-account",
        "/acme/unknown/new-account",
        "/acme/acme/admin",
        "/admin/provisioners",
        "/1.0/ssh/sign",
        "/ssh/sign",
        "/rekey",
        "/.well-known/acme-challenge/x",
        "/%00",
    ] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            let url = subject.url(path);
            let kind = Some("application/json");
            let answer = subject
                .client
                .request(method.clone(), &url, kind, b"{}")
                .unwrap();
            let closed = (400..500).contains(&answer.status) || answer.status == 501;
            assert!(
                closed,
                "{method} {path}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
    for method in ["TRACE", "CONNECT", "PATCH", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = subject.url("/acme/acme/new-account");
        if let Ok(answer) = subject.client.request(method, &url, None, b"") {
            assert!((400..502).contains(&answer.status), "{}", answer.status);
        }
    }
}

/// Two lengths for one body, or a length beside chunks, is how requests are smuggled past a proxy
/// (RFC 9112 §6.3, §11.2): nothing behind such a request is answered as a request of its own.
#[test]
fn a_request_with_two_lengths_smuggles_nothing() {
    let subject = subject();
    let host = &subject.authority;
    let inner = format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for lengths in [
        "Content-Length: 0\r\nContent-Length: 5",
        "Content-Length: +5",
        "Content-Length: 5, 6",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Content-Length : 5",
    ] {
        let request = format!(
            "POST /acme/acme/new-account HTTP/1.1\r\nHost: {host}\r\n\
             Content-Type: application/jose+json\r\n{lengths}\r\n\r\n{inner}"
        );
        let pieces = std::iter::once(request.into_bytes());
        let (_, answer) = subject.client.pour(host, b"http/1.1", pieces).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.starts_with("HTTP/1.1 4") || answer.is_empty(),
            "{lengths}: {answer}"
        );
        assert!(!answer.contains("HTTP/1.1 200"), "{lengths}: {answer}");
    }
}

/// A header of odd shape is refused before anything is done with it.
#[test]
fn odd_headers_and_targets_are_refused_without_a_crash() {
    let subject = subject();
    let host = &subject.authority;
    let many = "X: y\r\n".repeat(500);
    let long = format!("X: {}\r\n", "y".repeat(200_000));
    for head in [
        format!("GET /health HTTP/1.1\r\nHost: {host}\r\n folded\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nHost: {host}\r\nX\0: y\r\n\r\n"),
        format!("GET /he\0alth HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("GET /health HTTP/9.9\r\nHost: {host}\r\n\r\n"),
        format!("GET health HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nHost: {host}\r\n{many}\r\n"),
        format!("GET /health HTTP/1.1\r\nHost: {host}\r\n{long}\r\n"),
        "\x16\x03\x01\0\x05hello\r\n\r\n".to_owned(),
    ] {
        let pieces = std::iter::once(head.clone().into_bytes());
        let shown = head.chars().take(60).collect::<String>();
        let (_, answer) = subject.client.pour(host, b"http/1.1", pieces).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.starts_with("HTTP/1.1 4") || answer.is_empty(),
            "{shown}: {answer}"
        );
    }
    assert_eq!(
        subject.client.get(&subject.directory()).unwrap().status,
        200
    );
}
