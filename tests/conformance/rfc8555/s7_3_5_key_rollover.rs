//! RFC 8555 §7.3.5: an account changes its key.

use std::sync::Arc;
use std::thread;

use acceptance::acme::{Account, Key};
use acceptance::https::Response;
use acceptance::web::{Page, challenge_path};
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

fn url() -> String {
    subject().url("/acme/acme/key-change")
}

/// The protected header of the inner JWS, as it should be.
fn header(new: &Key) -> Value {
    json!({"alg": "ES256", "jwk": new.jwk(), "url": url()})
}

/// What the new key signs, as it should be.
fn message(account: &Account) -> Value {
    json!({"account": account.kid, "oldKey": account.key.jwk()})
}

/// Asks for the change with this inner JWS.
#[track_caller]
fn ask(account: &Account, inner: &Value) -> Response {
    account.post(&url(), Some(inner))
}

#[track_caller]
fn change(account: &Account, new: &Key) -> Response {
    ask(
        account,
        &new.sign(&header(new), &message(account).to_string()),
    )
}

/// The same account with another key.
fn with(account: &Account, key: Key) -> Account {
    let mut account = account.clone();
    account.key = Arc::new(key);
    account
}

/// The directory names the resource (§7.1.1).
#[test]
fn the_directory_has_key_change() {
    let directory = subject().client.get(&subject().directory()).unwrap().json();
    assert_eq!(directory["keyChange"], url());
}

/// The new key acts for the account at once, the old one no more; orders stay.
#[test]
fn only_the_new_key_works_for_the_account_afterwards() {
    let account = subject().account();
    let order = account.order(&["rolled.test"]);
    let new = Key::generate();
    let answer = change(&account, &new);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["status"], "valid");
    let old = account.post(&order.url, None);
    refused(&old, 400, "malformed");
    let rolled = with(&account, new);
    assert_eq!(rolled.post(&order.url, None).json()["status"], "pending");
    let url = subject().url("/acme/acme/new-account");
    let look = |key: &Key| {
        let nonce = subject().nonce();
        let header = json!({"alg": "ES256", "jwk": key.jwk(), "nonce": nonce, "url": url});
        let body = key.sign(&header, r#"{"onlyReturnExisting":true}"#);
        subject().send(&url, &body.to_string())
    };
    let found = look(&rolled.key);
    assert_eq!(
        (found.status, found.header("location")),
        (200, account.kid.as_str())
    );
    refused(&look(&account.key), 400, "accountDoesNotExist");
    let back = with(&rolled, Key::generate());
    assert_eq!(change(&rolled, &back.key).status, 200, "and once more");
}

/// A new key that has an account already is 409, with the URL of that account.
#[test]
fn a_key_in_use_is_a_conflict_that_names_its_account() {
    let (account, other) = (subject().account(), subject().account());
    for (holder, key) in [(&other, &other.key), (&account, &account.key)] {
        let answer = change(&account, key);
        refused(&answer, 409, "malformed");
        assert_eq!(answer.header("location"), holder.kid);
    }
    assert_eq!(account.post(&account.kid, None).status, 200);
    let elsewhere = Account::register(&subject().client, &subject().directory_of("other"));
    let answer = change(&account, &elsewhere.key);
    assert_eq!(
        answer.status,
        200,
        "accounts of other provisioners are no matter: {}",
        answer.text()
    );
}

/// The inner JWS is by the new key, for the same URL, without a nonce, about this account and its key.
#[test]
fn each_fault_of_the_inner_jws_is_refused_and_changes_nothing() {
    let account = subject().account();
    let new = Key::generate();
    let faults = faults_of_the_header(&account, &new)
        .into_iter()
        .chain(faults_of_the_message(&account, &new));
    for (what, kind, inner) in faults {
        let answer = ask(&account, &inner);
        eprintln!("{what}: {}", answer.text());
        refused(&answer, 400, kind);
    }
    refused(&account.post(&url(), None), 400, "malformed");
    assert_eq!(account.post(&account.kid, None).status, 200);
    assert_eq!(change(&account, &new).status, 200, "the key is still free");
}

type Fault = (&'static str, &'static str, Value);

fn faults_of_the_header(account: &Account, new: &Key) -> Vec<Fault> {
    let message = message(account).to_string();
    let mut private = new.jwk();
    private["d"] = json!("AAAA");
    let symmetric = json!({"kty": "oct", "k": "AAAA"});
    let elsewhere = subject().url("/acme/acme/new-order");
    let mut by_kid = header(new);
    by_kid.as_object_mut().unwrap().remove("jwk");
    by_kid["kid"] = json!(account.kid);
    let mut cut = new.sign(&header(new), &message);
    cut.as_object_mut().unwrap().remove("signature");
    let by_the_old_key = account.key.sign(&header(new), &message);
    let mut faults = vec![
        ("no JWS", "malformed", json!({})),
        ("no signature", "malformed", cut),
        ("signed by the old key", "malformed", by_the_old_key),
        ("kid for jwk", "malformed", new.sign(&by_kid, &message)),
    ];
    for (name, value, kind) in [
        ("kid", json!(account.kid), "malformed"),
        ("nonce", json!(subject().nonce()), "malformed"),
        ("url", json!(elsewhere), "malformed"),
        ("crit", json!(["exp"]), "malformed"),
        ("alg", json!("HS256"), "badSignatureAlgorithm"),
        ("alg", json!("none"), "badSignatureAlgorithm"),
        ("alg", json!("ES384"), "malformed"),
        ("jwk", private, "badPublicKey"),
        ("jwk", symmetric, "badPublicKey"),
    ] {
        let mut header = header(new);
        header[name] = value;
        faults.push((name, kind, new.sign(&header, &message)));
    }
    faults
}

fn faults_of_the_message(account: &Account, new: &Key) -> Vec<Fault> {
    let other = subject().account();
    let sealed = |message: &Value| new.sign(&header(new), &message.to_string());
    let with = |name: &str, value: Value| {
        let mut message = message(account);
        message[name] = value;
        sealed(&message)
    };
    vec![
        (
            "another account",
            "malformed",
            with("account", json!(other.kid)),
        ),
        ("no URL", "malformed", with("account", json!("x"))),
        (
            "another oldKey",
            "malformed",
            with("oldKey", other.key.jwk()),
        ),
        (
            "the new key as oldKey",
            "malformed",
            with("oldKey", new.jwk()),
        ),
        (
            "no oldKey",
            "malformed",
            sealed(&json!({"account": account.kid})),
        ),
        ("no object", "malformed", sealed(&json!([account.kid]))),
    ]
}

/// The outer JWS is by the account: a jwk there is refused, and so is another's kid.
#[test]
fn only_the_account_itself_changes_its_key() {
    let (account, other) = (subject().account(), subject().account());
    let new = Key::generate();
    let inner = new.sign(&header(&new), &message(&account).to_string());
    refused(&ask(&other, &inner), 400, "malformed");
    let header =
        json!({"alg": "ES256", "jwk": account.key.jwk(), "nonce": subject().nonce(), "url": url()});
    let outer = account.key.sign(&header, &inner.to_string());
    refused(
        &subject().send(&url(), &outer.to_string()),
        400,
        "malformed",
    );
    let kid = json!({"alg": "ES256", "kid": account.kid, "nonce": subject().nonce(), "url": url()});
    let outer = new.sign(&kid, &inner.to_string());
    refused(
        &subject().send(&url(), &outer.to_string()),
        400,
        "malformed",
    );
}

/// Of many changes at once one wins; the others are refused, none is a server error.
#[test]
fn of_concurrent_key_changes_one_succeeds() {
    let account = subject().account();
    let asked: Vec<_> = (0..8)
        .map(|_| {
            let account = account.clone();
            thread::spawn(move || {
                let new = Key::generate();
                let status = change(&account, &new).status;
                (status, new)
            })
        })
        .collect();
    let answers: Vec<_> = asked.into_iter().map(|it| it.join().unwrap()).collect();
    let (mut won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.0 == 200);
    assert_eq!(won.len(), 1);
    for (status, _) in &lost {
        assert!([400, 409].contains(status), "{status}");
    }
    let rolled = with(&account, won.remove(0).1);
    assert_eq!(rolled.post(&account.kid, None).status, 200);
    for (_, key) in lost {
        refused(
            &with(&account, key).post(&account.kid, None),
            400,
            "malformed",
        );
    }
}

/// A deactivated account keeps its key.
#[test]
fn a_deactivated_account_cannot_change_its_key() {
    let account = subject().account();
    let ended = account.post(&account.kid, Some(&json!({"status": "deactivated"})));
    assert_eq!(ended.status, 200);
    refused(&change(&account, &Key::generate()), 401, "unauthorized");
}

/// A challenge is judged with the key that the account had when it was started; those that are started
/// later, with the new one.
#[test]
fn a_running_validation_ends_with_the_key_that_it_began_with() {
    let subject = subject();
    subject.host(&["before.rolled.test", "after.rolled.test"]);
    let account = subject.account();
    let order = account.order(&["before.rolled.test"]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let path = challenge_path(challenge["token"].as_str().unwrap());
    let page = Page::Body(account.key_authorization(&challenge));
    let late = Page::Late(std::time::Duration::from_millis(2500), Box::new(page));
    subject.web.set(&path, late);
    let started = account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
    assert_eq!(started.json()["status"], "processing", "{}", started.text());
    let new = Key::generate();
    assert_eq!(change(&account, &new).status, 200);
    let rolled = with(&account, new);
    rolled.await_status(&order.url, "ready");
    rolled.ready(&["after.rolled.test"], &subject.web);
}
