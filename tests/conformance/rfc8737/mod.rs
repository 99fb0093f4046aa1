//! RFC 8737: the tls-alpn-01 challenge.

use acceptance::acme::Account;
use acceptance::alpn::Shown;
use serde_json::{Value, json};

use crate::conformance::subject::subject;

mod s3_certificate;
mod s3_handshake;
mod s4_versions;

/// Shows what `show` makes of the key authorization under `server_name`, starts the challenge for
/// `identifier`, and waits for the end: the challenge as it is then.
pub(super) fn attempt(
    account: &Account,
    (identifier, server_name): (&str, &str),
    show: impl FnOnce(String) -> Option<Shown>,
) -> Value {
    let order = account.order(&[identifier]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.challenge(authorization, "tls-alpn-01").unwrap();
    if let Some(shown) = show(account.key_authorization(&challenge)) {
        subject().tls.set(server_name, &shown);
    }
    let url = challenge["url"].as_str().unwrap();
    account.post(url, Some(&json!({})));
    acceptance::process::eventually("a verdict", || {
        let body = account.post(url, None).json();
        (body["status"] != "pending" && body["status"] != "processing").then_some(body)
    })
}

/// The challenge has failed with this type; its detail.
#[track_caller]
pub(super) fn failed(challenge: &Value, kind: &str) -> String {
    let urn = format!("urn:ietf:params:acme:error:{kind}");
    assert_eq!(challenge["status"], "invalid", "{challenge}");
    assert_eq!(challenge["error"]["type"], urn.as_str(), "{challenge}");
    challenge["error"]["detail"].as_str().unwrap().to_owned()
}
