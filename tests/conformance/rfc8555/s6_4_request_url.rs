//! RFC 8555 §6.4: a request is valid only for the URL in its signature.

use serde_json::json;

use crate::conformance::subject::{refused, subject};

/// A `url` that differs from the request's in any way is unauthorized (§6.4).
#[test]
fn a_request_signed_for_another_url_is_unauthorized() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let port = subject.authority.split(':').next_back().unwrap();
    for said in [
        account.resource("newAccount"),
        format!("{url}?a=b"),
        format!("{url}#"),
        format!("{url}/"),
        url.replace("https:", "http:"),
        url.replace("localhost", "LOCALHOST"),
        url.replace("localhost", "127.0.0.1"),
        url.replace("localhost", "ca.example"),
        url.replace(&format!(":{port}"), ""),
        url.replace("/acme/acme/", "/acme/other/"),
        url.replace("new-order", "new%2Dorder"),
        String::new(),
    ] {
        let header = account.header(&said, &subject.nonce());
        let answer = subject.send(&url, &account.key.sign(&header, "{}").to_string());
        refused(&answer, 403, "unauthorized");
    }
}

/// The query is part of the URL (§6.4).
#[test]
fn a_query_that_was_not_signed_is_unauthorized() {
    let subject = subject();
    let account = subject.account();
    let orders = account.post(&account.kid, None).json()["orders"].clone();
    let orders = orders.as_str().unwrap();
    let header = account.header(orders, &subject.nonce());
    let body = account.key.sign(&header, "").to_string();
    let longer = format!("{orders}?cursor=00000000000000000000000000000000");
    refused(&subject.send(&longer, &body), 403, "unauthorized");
}

/// There is always a `url`, and it is a string (§6.4).
#[test]
fn a_request_without_a_url_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let mut header = account.header(&url, &subject.nonce());
    header["url"] = json!(["x"]);
    let answer = subject.send(&url, &account.key.sign(&header, "{}").to_string());
    refused(&answer, 400, "malformed");
    header.as_object_mut().unwrap().remove("url");
    let answer = subject.send(&url, &account.key.sign(&header, "{}").to_string());
    refused(&answer, 400, "malformed");
}

/// What was signed for one order does nothing at another (§6.4, §10.1).
#[test]
fn a_request_for_one_order_does_not_finalize_another() {
    let subject = subject();
    let account = subject.account();
    let first = subject.ready(&account, &["one.url.conformance.test"]);
    let second = subject.ready(&account, &["two.url.conformance.test"]);
    let finalize =
        |order: &acceptance::acme::Order| order.body["finalize"].as_str().unwrap().to_owned();
    let header = account.header(&finalize(&first), &subject.nonce());
    let csr = acceptance::acme::csr(&["two.url.conformance.test"]);
    let csr = data_encoding::BASE64URL_NOPAD.encode(&csr);
    let body = account.key.sign(&header, &json!({"csr": csr}).to_string());
    let answer = subject.send(&finalize(&second), &body.to_string());
    refused(&answer, 403, "unauthorized");
    assert_eq!(account.post(&second.url, None).json()["status"], "ready");
}
