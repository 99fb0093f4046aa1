//! RFC 8737: the tls-alpn-01 challenge.

use acceptance::acme::Account;
use acceptance::alpn::Shown;
use serde_json::{Value, json};

use crate::conformance::subject::subject;

mod s3_certificate;
mod s3_handshake;
mod s4_versions;

/// What a challenge is started for, and the name under which the responder is asked.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub identifier: &'a str,
    pub server_name: &'a str,
}

impl<'a> Target<'a> {
    /// A DNS name, which is its own server name.
    pub fn name(name: &'a str) -> Self {
        Self {
            identifier: name,
            server_name: name,
        }
    }
}

/// Shows what `show` makes of the key authorization under the target's server name, starts
/// the challenge, and waits for the end: the challenge as it is then.
pub(super) fn attempt(
    account: &Account,
    target: Target<'_>,
    show: impl FnOnce(String) -> Option<Shown>,
) -> Value {
    let order = account.order(&[target.identifier]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.challenge(authorization, "tls-alpn-01").unwrap();
    if let Some(shown) = show(account.key_authorization(&challenge)) {
        subject().tls.set(target.server_name, &shown);
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
