//! RFC 8555 §6.2: which signature algorithms are accepted, and that an algorithm
//! has to fit its key.

use acceptance::https::Response;
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::conformance::der;
use crate::conformance::key::AnyKey;
use crate::conformance::subject::{refused, subject};

/// newAccount, signed by this key; `change` may alter the header.
#[track_caller]
fn register(key: &AnyKey, change: impl FnOnce(&mut Value)) -> Response {
    let url = subject().url("/acme/acme/new-account");
    let mut header =
        json!({"alg": key.alg, "jwk": key.jwk, "nonce": subject().nonce(), "url": url});
    change(&mut header);
    subject().send(&url, &key.seal(&header, "{}").to_string())
}

/// ES256 has to be accepted, EdDSA should be; the others are widely used (§6.2). Ed25519 is the
/// name of RFC 9864 for EdDSA on that curve.
#[test]
fn accounts_are_made_with_keys_of_every_accepted_kind() {
    for alg in [
        "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "RS256", "RS384", "RS512", "PS256",
    ] {
        let answer = register(&AnyKey::generate(alg), |_| ());
        assert_eq!(answer.status, 201, "{alg}: {}", answer.text());
    }
}

/// `none` and MACs are no signatures, and the problem lists what would do (§6.2).
#[test]
fn an_algorithm_that_is_no_signature_is_refused_with_the_list() {
    let key = AnyKey::generate("ES256");
    for alg in [
        "none", "None", "HS256", "HS384", "HS512", "ES256K", "RS1", "es256", "", "A128KW",
    ] {
        let answer = register(&key, |header| header["alg"] = json!(alg));
        refused(&answer, 400, "badSignatureAlgorithm");
        let body = answer.json();
        let listed = body["algorithms"].as_array().unwrap();
        assert!(listed.contains(&json!("ES256")), "{body}");
        assert!(listed.contains(&json!("EdDSA")), "{body}");
        assert!(!listed.contains(&json!("none")), "{body}");
        assert!(!listed.contains(&json!("HS256")), "{body}");
    }
}

/// A MAC keyed with a public key is no proof of anything (§6.2).
#[test]
fn a_mac_keyed_with_public_octets_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let mut header = account.header(&url, &subject.nonce());
    header["alg"] = json!("HS256");
    let protected = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, account.key.jwk().to_string().as_bytes());
    let tag = hmac::sign(&key, format!("{protected}.e30").as_bytes());
    let body = json!({
        "protected": protected, "payload": "e30",
        "signature": BASE64URL_NOPAD.encode(tag.as_ref()),
    });
    let answer = subject.send(&url, &body.to_string());
    refused(&answer, 400, "badSignatureAlgorithm");
}

/// A request with algorithm `none` and no signature is refused (§6.2).
#[test]
fn a_request_without_a_signature_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let mut header = account.header(&url, &subject.nonce());
    header["alg"] = json!("none");
    let mut body = account.key.sign(&header, "{}");
    body["signature"] = json!("");
    refused(
        &subject.send(&url, &body.to_string()),
        400,
        "badSignatureAlgorithm",
    );
}

/// The algorithm has to be one for keys of that kind (§6.2).
#[test]
fn an_algorithm_for_another_kind_of_key_is_refused() {
    for (own, said) in [
        ("ES256", "ES384"),
        ("ES256", "RS256"),
        ("ES384", "ES256"),
        ("EdDSA", "ES256"),
        ("RS256", "ES256"),
        ("RS256", "EdDSA"),
    ] {
        let answer = register(&AnyKey::generate(own), |header| header["alg"] = json!(said));
        refused(&answer, 400, "malformed");
    }
}

/// A JWK that names its algorithm is for that one (RFC 7517 §4.4).
#[test]
fn a_key_that_names_another_algorithm_is_refused() {
    let key = AnyKey::generate("RS256");
    let other = register(&key, |header| header["jwk"]["alg"] = json!("PS256"));
    refused(&other, 400, "malformed");
    let same = register(&key, |header| header["jwk"]["alg"] = json!("RS256"));
    assert_eq!(same.status, 201, "{}", same.text());
    let key = AnyKey::generate("EdDSA");
    let other_name = register(&key, |header| header["jwk"]["alg"] = json!("Ed25519"));
    assert_eq!(other_name.status, 201, "{}", other_name.text());
}

/// PKCS #1 and PSS are not taken for each other.
#[test]
fn a_signature_of_another_padding_is_refused() {
    let answer = register(&AnyKey::generate("RS256"), |header| {
        header["alg"] = json!("PS256")
    });
    refused(&answer, 400, "malformed");
}

/// JOSE has ECDSA signatures as two numbers of fixed width, not as DER (RFC 7518 §3.4).
#[test]
fn an_ecdsa_signature_in_der_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let mut body = account
        .key
        .sign(&account.header(&url, &subject.nonce()), "{}");
    let fixed = BASE64URL_NOPAD.decode(body["signature"].as_str().unwrap().as_bytes());
    body["signature"] = json!(BASE64URL_NOPAD.encode(&der::ecdsa(&fixed.unwrap())));
    refused(&subject.send(&url, &body.to_string()), 400, "malformed");
}

/// Some platforms drop a leading zero of either number; such clients exist and are served.
#[test]
fn an_ecdsa_signature_without_its_leading_zero_is_accepted() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    let header = account.header(&url, &subject.nonce());
    let order = r#"{"identifiers":[{"type":"dns","value":"short.conformance.test"}]}"#;
    let (mut body, fixed) = (0..100_000)
        .find_map(|_| {
            let body = account.key.sign(&header, order);
            let fixed = BASE64URL_NOPAD.decode(body["signature"].as_str().unwrap().as_bytes());
            fixed
                .ok()
                .filter(|fixed| fixed[0] == 0)
                .map(|fixed| (body, fixed))
        })
        .unwrap();
    body["signature"] = json!(BASE64URL_NOPAD.encode(&fixed[1..]));
    let answer = subject.send(&url, &body.to_string());
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// Zeros are numbers that no signature has.
#[test]
fn a_signature_of_zeros_is_refused() {
    let subject = subject();
    let account = subject.account();
    let url = account.resource("newOrder");
    for length in [0, 1, 62, 63, 64, 65, 128] {
        let mut body = account
            .key
            .sign(&account.header(&url, &subject.nonce()), "{}");
        body["signature"] = json!(BASE64URL_NOPAD.encode(&vec![0; length]));
        refused(&subject.send(&url, &body.to_string()), 400, "malformed");
    }
}
