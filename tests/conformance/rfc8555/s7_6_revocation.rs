//! RFC 8555 §7.6: a certificate is revoked by its account, by its key, or by an account that has
//! proven all its names; once, and by no other.

use std::sync::{Arc, Barrier};

use acceptance::acme::Account;
use acceptance::https::Response;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::conformance::csr::Csr;
use crate::conformance::key::AnyKey;
use crate::conformance::leaf::{Leaf, first, ordered};
use crate::conformance::subject::{refused, subject};

/// revokeCert as this account.
#[track_caller]
fn by_account(account: &Account, payload: &Value) -> Response {
    account.post(&account.resource("revokeCert"), Some(payload))
}

/// revokeCert signed by a key in the request.
#[track_caller]
fn by_key(key: &AnyKey, payload: &Value) -> Response {
    let url = subject().url("/acme/acme/revoke-cert");
    let header = json!({
        "alg": key.alg, "jwk": key.jwk, "nonce": subject().nonce(), "url": url,
    });
    let body = key.seal(&header, &payload.to_string());
    subject().send(&url, &body.to_string())
}

/// 200 and nothing in it; the second time it was revoked already.
#[track_caller]
fn revoked(answer: &Response) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.body.is_empty(), "{}", answer.text());
}

#[test]
fn an_account_revokes_its_certificate_once() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["account.revoke.test"], "ES256");
    revoked(&by_account(&account, &leaf.revocation(None)));
    let again = by_account(&account, &leaf.revocation(None));
    refused(&again, 400, "alreadyRevoked");
    let by_its_key = by_key(&leaf.key, &leaf.revocation(Some(json!(4))));
    refused(&by_its_key, 400, "alreadyRevoked");
    let still_there = account.post(&leaf.url, None);
    assert_eq!(first(&still_there), leaf.der);
}

#[test]
fn a_certificates_own_key_of_any_kind_revokes_it() {
    let account = subject().account();
    for alg in ["ES256", "ES384", "ES512", "EdDSA", "RS256"] {
        let leaf = Leaf::issued(&account, &["key.revoke.test"], alg);
        revoked(&by_key(&leaf.key, &leaf.revocation(Some(json!(0)))));
    }
}

#[test]
fn an_account_that_has_proven_all_names_revokes() {
    let (first, second) = (subject().account(), subject().account());
    let names = ["one.names.revoke.test", "two.names.revoke.test"];
    let leaf = Leaf::issued(&first, &names, "ES256");
    ordered(&second, &names[..1], &json!({}));
    let payload = leaf.revocation(None);
    refused(&by_account(&second, &payload), 403, "unauthorized");
    ordered(&second, &names[1..], &json!({}));
    revoked(&by_account(&second, &payload));
    refused(&by_account(&first, &payload), 400, "alreadyRevoked");
}

#[test]
fn an_expired_or_deactivated_authorization_revokes_nothing() {
    let directory = subject().directory_of("brief");
    let owner = Account::register(&subject().client, &directory);
    let leaf = Leaf::issued(&owner, &["expiry.revoke.test"], "ES256");
    let other = Account::register(&subject().client, &directory);
    let order = ordered(&other, &["expiry.revoke.test"], &json!({}));
    other.await_status(&order.url, "invalid");
    let late = by_account(&other, &leaf.revocation(None));
    refused(&late, 403, "unauthorized");
    let other = Account::register(&subject().client, &directory);
    let order = ordered(&other, &["expiry.revoke.test"], &json!({}));
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    other.post(authorization, Some(&json!({"status": "deactivated"})));
    let late = by_account(&other, &leaf.revocation(None));
    refused(&late, 403, "unauthorized");
}

#[test]
fn another_account_and_another_key_do_not_revoke() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["others.revoke.test"], "ES256");
    let payload = leaf.revocation(None);
    let another = subject().account();
    refused(&by_account(&another, &payload), 403, "unauthorized");
    for key in [
        AnyKey::generate("ES256"),
        AnyKey::from(Arc::clone(&account.key)),
    ] {
        refused(&by_key(&key, &payload), 403, "unauthorized");
    }
    revoked(&by_account(&account, &payload));
}

#[test]
fn an_account_of_another_provisioner_revokes_nothing() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["provisioner.revoke.test"], "ES256");
    let directory = subject().directory_of("other");
    let other = Account::register(&subject().client, &directory);
    ordered(&other, &["provisioner.revoke.test"], &json!({}));
    let answer = by_account(&other, &leaf.revocation(None));
    let detail = refused(&answer, 403, "unauthorized");
    assert!(detail.contains("provisioner"), "{detail}");
}

#[test]
fn invalid_reasons_are_refused_with_the_list_of_valid_ones() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["reasons.revoke.test"], "ES256");
    for reason in [
        json!(2),
        json!(6),
        json!(7),
        json!(8),
        json!(10),
        json!(11),
        json!(99),
        json!(-1),
        json!(1.5),
        json!("1"),
        json!({}),
    ] {
        let answer = by_account(&account, &leaf.revocation(Some(reason.clone())));
        let detail = refused(&answer, 400, "badRevocationReason");
        for code in [0, 1, 3, 4, 5, 9] {
            assert!(detail.contains(&format!("{code} ")), "{reason}: {detail}");
        }
    }
    revoked(&by_account(&account, &leaf.revocation(None)));
}

#[test]
fn every_reason_that_a_client_may_give_is_accepted() {
    let account = subject().account();
    for reason in [0, 1, 3, 4, 5, 9] {
        let leaf = Leaf::issued(&account, &["reason.revoke.test"], "ES256");
        revoked(&by_account(&account, &leaf.revocation(Some(json!(reason)))));
    }
}

#[test]
fn a_foreign_certificate_is_refused_and_never_a_server_error() {
    let account = subject().account();
    let key = rcgen::KeyPair::generate().unwrap();
    let foreign = rcgen::CertificateParams::new(vec!["foreign.revoke.test".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let leaf = Leaf::issued(&account, &["unknown.revoke.test"], "ES256");
    let mut altered = leaf.der.clone();
    *altered.last_mut().unwrap() ^= 1;
    let encode = |der: &[u8]| json!(BASE64URL_NOPAD.encode(der));
    let mut details = Vec::new();
    for certificate in [
        encode(foreign.der()),
        encode(&altered),
        encode(&leaf.der[..leaf.der.len() - 1]),
        encode(b"not a certificate"),
        json!(""),
        json!("-----BEGIN CERTIFICATE-----"),
        json!("a+b/"),
    ] {
        let answer = by_account(&account, &json!({"certificate": certificate}));
        details.push(refused(&answer, 400, "malformed"));
    }
    assert!(details[0].contains("not issued by this CA"), "{details:?}");
    assert!(details[5].contains("PEM"), "{details:?}");
    for payload in [
        json!({}),
        json!({"certificate": 1}),
        json!({"certificate": null}),
    ] {
        refused(&by_account(&account, &payload), 400, "malformed");
    }
    let root = std::fs::read_to_string(&subject().root).unwrap();
    let root = root.split("-----").nth(2).unwrap().replace('\n', "");
    let root = data_encoding::BASE64.decode(root.as_bytes()).unwrap();
    let answer = by_account(&account, &json!({"certificate": encode(&root)}));
    refused(&answer, 400, "malformed");
}

#[test]
fn an_expired_certificate_can_be_revoked() {
    let directory = subject().directory_of("short");
    let account = Account::register(&subject().client, &directory);
    let end = jiff::Timestamp::now().as_second() + 3;
    let end = jiff::Timestamp::from_second(end).unwrap();
    let requested = json!({"notAfter": end.to_string()});
    let leaf = Leaf::ordered(&account, &["expired.revoke.test"], &requested, "ES256");
    acceptance::process::eventually("the certificate to expire", || {
        (jiff::Timestamp::now() > end).then_some(())
    });
    revoked(&by_account(&account, &leaf.revocation(Some(json!(4)))));
}

#[test]
fn of_many_revocations_at_once_one_succeeds() {
    const AT_ONCE: usize = 8;
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["race.revoke.test"], "ES256");
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let askers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (account, barrier) = (account.clone(), Arc::clone(&barrier));
            let payload = leaf.revocation(None);
            std::thread::spawn(move || {
                barrier.wait();
                by_account(&account, &payload)
            })
        })
        .collect();
    let answers: Vec<_> = askers.into_iter().map(|one| one.join().unwrap()).collect();
    let (done, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status == 200);
    assert_eq!(done.len(), 1);
    for answer in late {
        refused(&answer, 400, "alreadyRevoked");
    }
}

#[test]
fn a_compromised_key_is_not_certified_again() {
    let account = subject().account();
    let name = "compromised.revoke.test";
    for (reason, again) in [(Some(json!(4)), true), (Some(json!(1)), false)] {
        let leaf = Leaf::issued(&account, &[name], "ES256");
        revoked(&by_account(&account, &leaf.revocation(reason)));
        // Another account gets the same refusal: it concerns the key.
        let account = subject().account();
        let order = ordered(&account, &[name], &json!({}));
        let csr = Csr::of(&[name]).signed_by(&leaf.key);
        let answer = account.try_finalize(&order, &csr).unwrap();
        if again {
            assert_eq!(answer.status, 200, "{}", answer.text());
            continue;
        }
        let detail = refused(&answer, 400, "badCSR");
        assert!(detail.contains("compromised"), "{detail}");
        let fresh = account.try_finalize(&order, &Csr::of(&[name]).der());
        assert_eq!(fresh.unwrap().status, 200);
    }
}

/// Also of a certificate that was revoked for another reason before; once.
#[test]
fn a_key_that_turns_out_to_be_compromised_is_not_certified_again() {
    let account = subject().account();
    let name = "later.revoke.test";
    let leaf = Leaf::issued(&account, &[name], "ES256");
    revoked(&by_account(&account, &leaf.revocation(Some(json!(4)))));
    revoked(&by_key(&leaf.key, &leaf.revocation(Some(json!(1)))));
    let again = by_key(&leaf.key, &leaf.revocation(Some(json!(1))));
    refused(&again, 400, "alreadyRevoked");
    let order = ordered(&account, &[name], &json!({}));
    let csr = Csr::of(&[name]).signed_by(&leaf.key);
    let detail = refused(&account.try_finalize(&order, &csr).unwrap(), 400, "badCSR");
    assert!(detail.contains("compromised"), "{detail}");
}

#[test]
fn a_revocation_is_signed() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["signed.revoke.test"], "ES256");
    let url = account.resource("revokeCert");
    let header = json!({
        "alg": "ES256", "jwk": leaf.key.jwk, "nonce": account.nonce().unwrap(), "url": url,
    });
    let forger = AnyKey::generate("ES256");
    let body = forger.seal(&header, &leaf.revocation(None).to_string());
    let answer = subject().send(&url, &body.to_string());
    assert_eq!(answer.status, 400, "{}", answer.text());
    refused(&subject().client.get(&url).unwrap(), 405, "malformed");
    revoked(&by_account(&account, &leaf.revocation(None)));
}
