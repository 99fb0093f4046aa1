//! RFC 8555 §6.1: HTTPS, and scripts of other origins.

use acceptance::https::Header;
use hyper::Method;

use crate::conformance::subject::{over_tcp, subject};

/// All requests go over HTTPS (§6.1).
#[test]
fn a_request_without_tls_gets_no_directory() {
    let request =
        "GET /acme/acme/directory HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = over_tcp(&subject().authority, request.as_bytes());
    assert!(!String::from_utf8_lossy(&answer).contains("newNonce"));
}

/// Pages of any origin may use the server, and read the headers that ACME needs (§6.1).
#[test]
fn pages_of_any_origin_may_read_answers() {
    let subject = subject();
    let origin = Header::new("origin", "https://page.example");
    let url = subject.directory();
    let answer = subject
        .client
        .request_with(Method::GET, &url, &[origin], &[]);
    let answer = answer.unwrap();
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let exposed = answer.header("access-control-expose-headers");
    for name in ["Link", "Location", "Replay-Nonce", "Retry-After"] {
        assert!(exposed.contains(name), "{exposed}");
    }
}

/// A browser sends a preflight request before it posts `application/jose+json` (§6.1).
#[test]
fn a_browser_may_post_signed_requests() {
    let subject = subject();
    let headers = [
        Header::new("origin", "https://page.example"),
        Header::new("access-control-request-method", "POST"),
        Header::new("access-control-request-headers", "content-type"),
    ];
    let url = subject.url("/acme/acme/new-order");
    let answer = subject
        .client
        .request_with(Method::OPTIONS, &url, &headers, &[]);
    let answer = answer.unwrap();
    assert_eq!(answer.status, 204);
    assert!(
        answer
            .header("access-control-allow-methods")
            .contains("POST")
    );
    let allowed = answer.header("access-control-allow-headers");
    assert!(allowed.eq_ignore_ascii_case("content-type"), "{allowed}");
}
