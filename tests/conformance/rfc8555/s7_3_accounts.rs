//! RFC 8555 §7.3: accounts are created, found, changed and deactivated.

use std::thread;

use acceptance::acme::{Account, Key};
use acceptance::https::Response;
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

/// newAccount at a provisioner, signed by this key.
#[track_caller]
fn register(provisioner: &str, key: &Key, payload: &Value) -> Response {
    let subject = subject();
    let url = subject.url(&format!("/acme/{provisioner}/new-account"));
    let header = json!({"alg": "ES256", "jwk": key.jwk(), "nonce": subject.nonce(), "url": url});
    subject.send(&url, &key.sign(&header, &payload.to_string()).to_string())
}

/// A new account is 201 with its URL and its state (§7.3).
#[test]
fn a_new_account_has_a_url_and_is_valid() {
    let contact = json!(["mailto:cert-admin@example.org", "mailto:admin@example.org"]);
    let payload = json!({"termsOfServiceAgreed": true, "contact": contact});
    let answer = register("acme", &Key::generate(), &payload);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    let url = answer.header("location");
    assert!(
        url.starts_with(&subject().url("/acme/acme/account/")),
        "{url}"
    );
    assert_eq!(
        (&body["status"], &body["contact"]),
        (&json!("valid"), &contact)
    );
    assert_eq!(body["orders"], format!("{url}/orders"));
}

/// The same key again finds its account, unchanged, with 200 (§7.3).
#[test]
fn a_known_key_returns_its_account_unchanged() {
    let key = Key::generate();
    let first = register("acme", &key, &json!({"contact": ["mailto:a@example.org"]}));
    let second = register("acme", &key, &json!({"contact": ["mailto:b@example.org"]}));
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(second.json()["contact"], json!(["mailto:a@example.org"]));
}

/// Of many requests with one new key at the same moment, one makes the account (§7.3).
#[test]
fn one_key_at_the_same_moment_gets_one_account() {
    let key = Key::generate();
    let answers: Vec<Response> = thread::scope(|scope| {
        let sent: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| register("acme", &key, &json!({}))))
            .collect();
        sent.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let made = answers.iter().filter(|a| a.status == 201).count();
    let found = answers.iter().filter(|a| a.status == 200).count();
    assert_eq!((made, found), (1, 7));
    for answer in &answers {
        assert_eq!(answer.header("location"), answers[0].header("location"));
    }
}

/// One key may have an account at each provisioner, and they are not the same.
#[test]
fn one_key_has_an_account_at_each_provisioner() {
    let key = Key::generate();
    let here = register("acme", &key, &json!({}));
    let there = register("other", &key, &json!({}));
    assert_eq!((here.status, there.status), (201, 201));
    assert_ne!(here.header("location"), there.header("location"));
}

/// `onlyReturnExisting` finds and never makes (§7.3.1).
#[test]
fn looking_up_an_account_creates_none() {
    let key = Key::generate();
    let only = json!({"onlyReturnExisting": true});
    for _ in 0..2 {
        refused(&register("acme", &key, &only), 400, "accountDoesNotExist");
    }
    let made = register("acme", &key, &json!({}));
    let with_contact = json!({"onlyReturnExisting": true, "contact": ["mailto:x@example.org"]});
    for payload in [only, with_contact] {
        let found = register("acme", &key, &payload);
        assert_eq!(
            (found.status, found.header("location")),
            (200, made.header("location"))
        );
        assert!(found.json().get("contact").is_none(), "{}", found.text());
    }
}

/// Without agreement to the terms there is no account; the refusal has their URL (§7.3, §7.3.3).
#[test]
fn terms_have_to_be_agreed_to() {
    let key = Key::generate();
    for payload in [json!({}), json!({"termsOfServiceAgreed": false})] {
        let answer = register("terms", &key, &payload);
        refused(&answer, 403, "userActionRequired");
        let mut links = answer.headers.get_all("link").iter();
        let wanted = "<https://ca.example/terms>;rel=\"terms-of-service\"";
        assert!(links.any(|link| link == wanted), "{:?}", answer.headers);
        assert_eq!(answer.json()["instance"], "https://ca.example/terms");
    }
    let agreed = register("terms", &key, &json!({"termsOfServiceAgreed": true}));
    assert_eq!(agreed.status, 201, "{}", agreed.text());
}

/// Where an external account is required, no account is created without one (§7.3.4).
#[test]
fn an_account_without_the_required_binding_is_refused() {
    let key = Key::generate();
    let answer = register("bound", &key, &json!({"termsOfServiceAgreed": true}));
    refused(&answer, 403, "externalAccountRequired");
}

/// Other schemes than mailto are unsupportedContact (§7.3).
#[test]
fn contacts_of_other_schemes_are_unsupported() {
    for contact in [
        "tel:+12025551212",
        "https://example.org",
        "not a url",
        "",
        "MAILTO",
    ] {
        let answer = register("acme", &Key::generate(), &json!({"contact": [contact]}));
        let detail = refused(&answer, 400, "unsupportedContact");
        assert!(detail.contains("mailto:"), "{detail}");
    }
}

/// A mailto URL has one address and no header fields, however it is written (§7.3, RFC 6068).
#[test]
fn contacts_that_are_not_one_plain_address_are_invalid() {
    for contact in [
        "mailto:",
        "mailto:@example.org",
        "mailto:nobody",
        "mailto:a@example.org,b@example.org",
        "mailto:a@example.org%2Cb@example.org",
        "mailto:a@example.org?subject=x",
        "mailto:a@example.org?",
        "mailto:a@example.org\r\nBcc: b@example.org",
        "mailto:a@example.org%0D%0ABcc:b",
        "mailto:a%zz@example.org",
        "mailto:ä@example.org",
        "mailto:%C3%A4@example.org",
    ] {
        let payload = json!({"contact": ["mailto:good@example.org", contact]});
        refused(
            &register("acme", &Key::generate(), &payload),
            400,
            "invalidContact",
        );
    }
}

/// Contacts have a number and a length that suffice, and no more (§7.3).
#[test]
fn too_many_or_too_long_contacts_are_invalid() {
    let many = vec!["mailto:a@example.org"; 11];
    let long = format!("mailto:a@{}example.org", "long.".repeat(60));
    for contact in [json!(many), json!([long])] {
        let answer = register("acme", &Key::generate(), &json!({"contact": contact}));
        refused(&answer, 400, "invalidContact");
    }
    let fit = register("acme", &Key::generate(), &json!({"contact": many[..10]}));
    assert_eq!(fit.status, 201, "{}", fit.text());
}

/// A percent sign in an address, and a scheme in capitals, are accepted (RFC 6068, RFC 3986).
#[test]
fn unusual_but_plain_addresses_are_contacts() {
    let contact = json!([
        "mailto:gorby%25kremvax@example.com",
        "MAILTO:a+b@example.org"
    ]);
    let answer = register("acme", &Key::generate(), &json!({"contact": contact}));
    assert_eq!((answer.status, &answer.json()["contact"]), (201, &contact));
}

/// What the server decides is not the client's to set (§7.3).
#[test]
fn fields_of_the_server_are_ignored_in_a_new_account() {
    let payload = json!({"status": "deactivated", "orders": "x", "unknown": [1]});
    let answer = register("acme", &Key::generate(), &payload);
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (201, &json!("valid"))
    );
}

/// Contacts are replaced by an update, also by none; what is unknown is ignored (§7.3.2).
#[test]
fn contacts_are_changed_and_cleared() {
    let account = subject().account();
    let contact = |body: &Response| body.json()["contact"].clone();
    for (payload, kept) in [
        (
            json!({"contact": ["mailto:a@example.org"]}),
            json!(["mailto:a@example.org"]),
        ),
        (json!({}), json!(["mailto:a@example.org"])),
        (
            json!({"unknown": 1, "orders": "x"}),
            json!(["mailto:a@example.org"]),
        ),
        (json!({"contact": []}), Value::Null),
    ] {
        let answer = account.post(&account.kid, Some(&payload));
        assert_eq!(
            (answer.status, contact(&answer)),
            (200, kept.clone()),
            "{payload}"
        );
        assert_eq!(
            contact(&account.post(&account.kid, None)),
            kept,
            "{payload}"
        );
    }
    let bad = json!({"contact": ["tel:1"]});
    refused(
        &account.post(&account.kid, Some(&bad)),
        400,
        "unsupportedContact",
    );
}

/// An account is read and changed by itself only (§7.3).
#[test]
fn the_account_of_another_key_is_neither_read_nor_changed() {
    let (mine, theirs) = (subject().account(), subject().account());
    for payload in [None, Some(json!({"status": "deactivated"}))] {
        refused(
            &mine.post(&theirs.kid, payload.as_ref()),
            403,
            "unauthorized",
        );
    }
    let orders = format!("{}/orders", theirs.kid);
    refused(&mine.post(&orders, None), 403, "unauthorized");
    assert_eq!(theirs.post(&theirs.kid, None).json()["status"], "valid");
}

/// The only status that a client may set is deactivated (§7.3.2, §7.3.6).
#[test]
fn an_account_takes_no_other_status() {
    let account = subject().account();
    for status in ["revoked", "invalid", "Deactivated", ""] {
        let payload = json!({"status": status});
        refused(
            &account.post(&account.kid, Some(&payload)),
            400,
            "malformed",
        );
    }
    assert_eq!(account.post(&account.kid, None).json()["status"], "valid");
}

/// A deactivated account can do nothing more: 401, permanently (§7.3.6).
#[test]
fn a_deactivated_account_can_do_nothing_more() {
    let subject = subject();
    let account = subject.account();
    let order = account.order(&["deactivated.conformance.test"]);
    let answer = account.post(&account.kid, Some(&json!({"status": "deactivated"})));
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (200, &json!("deactivated"))
    );
    let new = json!({"identifiers": [{"type": "dns", "value": "x.conformance.test"}]});
    for (url, payload) in [
        (account.kid.as_str(), None),
        (order.url.as_str(), None),
        (&account.resource("newOrder"), Some(&new)),
        (&account.kid, Some(&json!({"status": "valid"}))),
    ] {
        refused(&account.post(url, payload), 401, "unauthorized");
    }
    for payload in [json!({}), json!({"onlyReturnExisting": true})] {
        refused(
            &register("acme", &account.key, &payload),
            401,
            "unauthorized",
        );
    }
}

/// Two accounts never share a key (§7.3).
#[test]
fn two_keys_are_two_accounts() {
    let subject = subject();
    let (one, two): (Account, Account) = (subject.account(), subject.account());
    assert_ne!(one.kid, two.kid);
}
