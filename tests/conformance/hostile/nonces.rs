//! Many nonces, nonces of other provisioners, and nonces from before a restart (RFC 8555 §6.5).

use acceptance::authority::Authority;
use acceptance::https::Response;
use acceptance::namespace::own_harness;
use hyper::Method;
use serde_json::json;

use crate::conformance::key::AnyKey;
use crate::conformance::subject::{refused, subject};

const ORDER: &str = r#"{"identifiers":[{"type":"dns","value":"nonce.conformance.test"}]}"#;

/// A nonce is the server's, whichever provisioner's resource gave it: it is good once, not once for each.
#[test]
fn a_nonce_of_another_provisioner_is_accepted_once_in_total() {
    let subject = subject();
    let account = subject.account();
    let there = subject.url("/acme/other/new-nonce");
    let answer = subject.client.request(Method::HEAD, &there, None, &[]);
    let nonce = answer.unwrap().header("replay-nonce").to_owned();
    let url = account.resource("newOrder");
    let request = account.key.sign(&account.header(&url, &nonce), ORDER);
    assert_eq!(subject.send(&url, &request.to_string()).status, 201);
    refused(&subject.send(&url, &request.to_string()), 400, "badNonce");
    let key = AnyKey::generate("ES256");
    let register = subject.url("/acme/other/new-account");
    let header = json!({"alg": "ES256", "jwk": key.jwk, "nonce": nonce, "url": register});
    let request = key.seal(&header, "{}").to_string();
    refused(&subject.send(&register, &request), 400, "badNonce");
}

/// A second ECDSA signature can be derived that verifies too; it is the same request, and its nonce is used.
#[test]
fn the_second_valid_form_of_a_signature_is_no_second_request() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let header = account.header(&url, &subject.nonce());
    let mut request = account.key.sign(&header, ORDER);
    assert_eq!(subject.send(&url, &request.to_string()).status, 201);
    let text = request["signature"].as_str().unwrap();
    let signature = data_encoding::BASE64URL_NOPAD
        .decode(text.as_bytes())
        .unwrap();
    let (r, s) = signature.split_at(32);
    let derived = [r, &negative(s)].concat();
    request["signature"] = data_encoding::BASE64URL_NOPAD.encode(&derived).into();
    refused(&subject.send(&url, &request.to_string()), 400, "badNonce");
}

/// The order of P-256's group less this number, both big-endian.
fn negative(s: &[u8]) -> Vec<u8> {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let mut difference = data_encoding::HEXLOWER.decode(ORDER.as_bytes()).unwrap();
    let mut borrow = false;
    for (digit, taken) in difference.iter_mut().zip(s).rev() {
        let (rest, first) = digit.overflowing_sub(*taken);
        let (rest, second) = rest.overflowing_sub(u8::from(borrow));
        (*digit, borrow) = (rest, first || second);
    }
    difference
}

/// A nonce from before a restart is refused with a fresh one, which works.
#[test]
fn a_nonce_from_before_a_restart_is_refused_with_a_fresh_one() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let account = server.account();
        let url = account.resource("newOrder");
        let head = |url: &str| {
            account
                .client
                .request(Method::HEAD, url, None, &[])
                .unwrap()
        };
        let old = head(&account.resource("newNonce"))
            .header("replay-nonce")
            .to_owned();
        let server = server.stop().start();
        let send = |nonce: &str| -> Response {
            let body = account.key.sign(&account.header(&url, nonce), ORDER);
            let body = body.to_string();
            account
                .client
                .post(&url, acceptance::acme::JOSE, body.as_bytes())
                .unwrap()
        };
        let answer = send(&old);
        refused(&answer, 400, "badNonce");
        assert_eq!(send(answer.header("replay-nonce")).status, 201);
        server.stop();
    });
}

/// Asking for nonces, and failing with them, writes nothing.
#[test]
fn thousands_of_nonces_do_not_grow_the_store() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let account = server.account();
        let url = account.resource("newNonce");
        let size = || -> u64 {
            let files = std::fs::read_dir(server.authority.path.join("db")).unwrap();
            files
                .map(|file| file.unwrap().metadata().unwrap().len())
                .sum()
        };
        let mut open = account
            .client
            .connect_h2(&server.authority.address)
            .unwrap();
        let before = size();
        let path = url.splitn(4, '/').nth(3).unwrap();
        for _ in 0..3_000 {
            let answer = open.get(&format!("/{path}")).unwrap();
            assert_eq!(answer.status, 204);
        }
        // The log is emptied when nothing is written; it would be longer if each nonce wrote a page.
        let after = size();
        assert!(after <= before, "{after} bytes, {before} before");
    });
}
