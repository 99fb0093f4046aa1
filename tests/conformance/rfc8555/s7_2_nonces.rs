//! RFC 8555 §7.2: getting a nonce.

use std::collections::HashSet;

use hyper::Method;

use crate::conformance::subject::{refused, subject};

/// HEAD answers 200, GET 204 without a body; both are never cached (§7.2).
#[test]
fn head_and_get_return_a_nonce() {
    let subject = subject();
    let url = subject.url("/acme/acme/new-nonce");
    for (method, status) in [(Method::HEAD, 200), (Method::GET, 204)] {
        let answer = subject.client.request(method, &url, None, &[]).unwrap();
        assert_eq!((answer.status, answer.body.len()), (status, 0));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("replay-nonce").len() >= 16);
    }
}

/// All nonces differ, and none reveals the next (§6.5.1).
#[test]
fn nonces_are_all_different() {
    let nonces: HashSet<String> = (0..50).map(|_| subject().nonce()).collect();
    assert_eq!(nonces.len(), 50);
}

/// Where there is no directory there are no nonces.
#[test]
fn a_provisioner_that_does_not_exist_gives_no_nonce() {
    let subject = subject();
    let url = subject.url("/acme/nobody/new-nonce");
    let answer = subject.client.request(Method::GET, &url, None, &[]);
    refused(&answer.unwrap(), 404, "malformed");
}
