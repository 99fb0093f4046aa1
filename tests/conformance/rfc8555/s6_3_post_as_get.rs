//! RFC 8555 §6.3: GET for the directory and nonces only; all else is read by a
//! signed POST with an empty payload.

use hyper::Method;
use serde_json::json;

use crate::conformance::subject::{refused, subject};

/// Resources are not returned without a signature (§6.3).
#[test]
fn resources_are_not_read_by_get() {
    let subject = subject();
    let account = subject.account();
    let order = subject.ready(&account, &["get.conformance.test"]);
    let finalize = order.body["finalize"].as_str().unwrap();
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    for url in [
        account.resource("newAccount").as_str(),
        &account.resource("newOrder"),
        &account.kid,
        &order.url,
        finalize,
        authorization,
        challenge["url"].as_str().unwrap(),
    ] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = subject.client.request(method, url, None, &[]).unwrap();
            refused(&answer, 405, "malformed");
            assert!(
                !answer.text().contains("get.conformance.test"),
                "{}",
                answer.text()
            );
        }
    }
}

/// The directory and a nonce can also be had by POST-as-GET (§6.3).
#[test]
fn the_directory_and_nonces_are_also_read_by_post_as_get() {
    let subject = subject();
    let account = subject.account();
    let directory = account.post(&subject.directory(), None);
    assert_eq!(
        (directory.status, directory.json()),
        (200, account.directory.clone())
    );
    let nonce = account.post(&account.resource("newNonce"), None);
    assert_eq!((nonce.status, nonce.body.len()), (204, 0));
    assert_ne!(nonce.header("replay-nonce"), "");
}

/// Reading has an empty payload, which is not the same as an empty object (§6.3).
#[test]
fn reading_with_a_payload_is_refused() {
    let subject = subject();
    let account = subject.account();
    let name = "reading.conformance.test";
    let order = subject.ready(&account, &[name]);
    let answer = account
        .try_finalize(&order, &acceptance::acme::csr(&[name]))
        .unwrap();
    let certificate = answer.json()["certificate"].as_str().unwrap().to_owned();
    let orders = account.post(&account.kid, None).json()["orders"].clone();
    for url in [order.url.as_str(), &certificate, orders.as_str().unwrap()] {
        refused(&account.post(url, Some(&json!({}))), 400, "malformed");
        assert_eq!(account.post(url, None).status, 200, "{url}");
    }
}

/// What creates or finalizes needs an object (§6.3, §7.4).
#[test]
fn an_empty_payload_creates_nothing() {
    let subject = subject();
    let account = subject.account();
    refused(
        &account.post(&account.resource("newOrder"), None),
        400,
        "malformed",
    );
    let order = subject.ready(&account, &["nothing.conformance.test"]);
    let finalize = order.body["finalize"].as_str().unwrap();
    refused(&account.post(finalize, None), 400, "malformed");
    assert_eq!(account.post(&order.url, None).json()["status"], "ready");
}

/// A payload is a JSON object, and nothing that only resembles one.
#[test]
fn a_payload_that_is_no_object_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    for payload in [
        &b"[]"[..],
        b"null",
        b"1",
        b"\"x\"",
        b"{",
        b"{}{}",
        b"\xff",
        br#"[[{"type":"dns","value":"a.test"}]]"#,
        br#"{"identifiers":[{"type":"dns","value":"a.test"}],"identifiers":[]}"#,
        br#"{"identifiers":{"type":"dns","value":"a.test"}}"#,
        br#"{"identifiers":[{"type":"dns"}]}"#,
        br#"{"identifiers":[{"type":"dns","value":1}]}"#,
    ] {
        let header = account.header(&url, &subject.nonce()).to_string();
        let body = account.key.seal(header.as_bytes(), payload);
        refused(&subject.send(&url, &body.to_string()), 400, "malformed");
    }
}
