//! RFC 8555 §6.5: each request has a nonce of the server, which is valid once.

use std::thread;

use acceptance::acme::Account;
use acceptance::https::{Header, Response};
use hyper::Method;
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

fn order(account: &Account, nonce: &Value) -> String {
    let mut header = account.header(&account.resource("newOrder"), "");
    match nonce {
        Value::Null => drop(header.as_object_mut().unwrap().remove("nonce")),
        nonce => header["nonce"] = nonce.clone(),
    }
    let payload = r#"{"identifiers":[{"type":"dns","value":"replay.conformance.test"}]}"#;
    account.key.sign(&header, payload).to_string()
}

#[track_caller]
fn send(account: &Account, nonce: &Value) -> Response {
    subject().send(&account.resource("newOrder"), &order(account, nonce))
}

/// Every answer to a POST has a fresh nonce, refusals too (§6.5).
#[test]
fn every_answer_to_a_post_has_a_nonce() {
    let subject = subject();
    let account = subject.account();
    let good = send(&account, &json!(subject.nonce()));
    assert_eq!(good.status, 201, "{}", good.text());
    let url = account.resource("newOrder");
    let mut nonces = vec![good.header("replay-nonce").to_owned()];
    for answer in [
        send(&account, &Value::Null),
        subject.send(&url, "no JWS"),
        subject.client.post(&url, "text/plain", b"").unwrap(),
        subject.send(&subject.url("/acme/acme/order/1"), "no JWS"),
        subject.send(&subject.url("/acme/acme/nothing"), "no JWS"),
    ] {
        assert!(answer.status >= 400, "{}", answer.text());
        nonces.push(answer.header("replay-nonce").to_owned());
    }
    for nonce in &nonces {
        assert_ne!(nonce, "");
        let url_safe = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        assert!(
            nonce.bytes().all(url_safe),
            "not base64url (§6.5.1): {nonce}"
        );
    }
    let count = nonces.len();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), count, "no nonce twice");
}

/// The directory has none, as it may be cached (§6.5).
#[test]
fn the_directory_has_no_nonce() {
    let subject = subject();
    let answer = subject.client.get(&subject.directory()).unwrap();
    assert_eq!((answer.status, answer.header("replay-nonce")), (200, ""));
}

/// A nonce is valid once; the refusal contains a new one (§6.5).
#[test]
fn a_used_nonce_is_refused_with_a_fresh_one() {
    let account = subject().account();
    let nonce = json!(subject().nonce());
    assert_eq!(send(&account, &nonce).status, 201);
    let again = send(&account, &nonce);
    refused(&again, 400, "badNonce");
    let fresh = send(&account, &json!(again.header("replay-nonce")));
    assert_eq!(fresh.status, 201, "{}", fresh.text());
}

/// Of many requests with one nonce at the same moment, one is accepted (§6.5).
#[test]
fn one_nonce_in_sixteen_concurrent_requests_is_accepted_once() {
    let account = subject().account();
    for _ in 0..4 {
        let nonce = json!(subject().nonce());
        let statuses: Vec<u16> = thread::scope(|scope| {
            let sent: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| send(&account, &nonce)))
                .collect();
            let answers = sent.into_iter().map(|one| one.join().unwrap());
            answers
                .map(|answer| match answer.status {
                    201 => 201,
                    _ => {
                        refused(&answer, 400, "badNonce");
                        400
                    }
                })
                .collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
    }
}

/// Without a nonce there is no protection from replay: badNonce (§6.5).
#[test]
fn a_missing_nonce_is_a_bad_one() {
    refused(&send(&subject().account(), &Value::Null), 400, "badNonce");
}

/// Nonces that the server did not make are bad ones (§6.5).
#[test]
fn an_invented_nonce_is_refused() {
    let account = subject().account();
    let good = subject().nonce();
    let mut altered = good.clone();
    let last = if altered.pop() == Some('A') { 'Q' } else { 'A' };
    altered.push(last);
    for nonce in [
        "AAAA".to_owned(),
        "A".repeat(43),
        "A".repeat(5_000),
        altered,
        good[1..].to_owned(),
        format!("{good}A"),
        format!("{good}{good}"),
    ] {
        refused(&send(&account, &json!(nonce)), 400, "badNonce");
    }
    assert_eq!(send(&account, &json!(good)).status, 201);
}

/// A nonce that is not base64url is malformed (§6.5.2).
#[test]
fn a_nonce_of_other_characters_is_malformed() {
    let account = subject().account();
    for nonce in [
        json!(""),
        json!("a b"),
        json!("AA=="),
        json!("+/+/"),
        json!(17),
        json!([]),
    ] {
        refused(&send(&account, &nonce), 400, "malformed");
    }
}

/// A nonce belongs in the protected header, not in a header of the request (§6.5.1).
#[test]
fn a_nonce_in_a_request_header_is_refused() {
    let subject = subject();
    let account = subject.account();
    let nonce = subject.nonce();
    let headers = [
        Header::new("content-type", acceptance::acme::JOSE),
        Header::new("replay-nonce", nonce.as_str()),
    ];
    let body = order(&account, &json!(nonce));
    let url = account.resource("newOrder");
    let answer = subject
        .client
        .request_with(Method::POST, &url, &headers, body.as_bytes());
    refused(&answer.unwrap(), 400, "malformed");
}

/// A client that cannot sign cannot use up another's nonce (§6.5, §10.1).
#[test]
fn a_forged_request_does_not_use_up_a_nonce() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let nonce = json!(subject.nonce());
    let good = order(&account, &nonce);
    let mut forged: Value = serde_json::from_str(&good).unwrap();
    forged["payload"] = json!("e30");
    refused(&subject.send(&url, &forged.to_string()), 400, "malformed");
    let elsewhere = subject.send(&subject.url("/acme/acme/new-account"), &good);
    assert!(elsewhere.status >= 400, "{}", elsewhere.text());
    assert_eq!(subject.send(&url, &good).status, 201);
}

/// A request that was refused for what it asked has used its nonce all the same (§6.5).
#[test]
fn a_refused_request_has_used_its_nonce() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let body = account.key.sign(
        &account.header(&url, &subject.nonce()),
        r#"{"identifiers":[]}"#,
    );
    refused(&subject.send(&url, &body.to_string()), 400, "malformed");
    refused(&subject.send(&url, &body.to_string()), 400, "badNonce");
}
