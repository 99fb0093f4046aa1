//! RFC 8555 §7.4.1: names are authorized before an order.

use acceptance::acme::Account;
use acceptance::https::Response;
use acceptance::web::{Page, challenge_path};
use serde_json::{Value, json};

use crate::conformance::subject::{Subject, refused, subject};

fn account(subject: &Subject) -> Account {
    Account::register(&subject.client, &subject.directory_of("ahead"))
}

fn new_authz(account: &Account, kind: &str, value: &str) -> Response {
    let payload = json!({"identifier": {"type": kind, "value": value}});
    account.post(&account.resource("newAuthz"), Some(&payload))
}

/// Serves and answers the challenge of an authorization.
fn prove(subject: &Subject, account: &Account, authorization: &str) -> Value {
    let challenge = account.http01(authorization).unwrap();
    let path = challenge_path(challenge["token"].as_str().unwrap());
    let page = Page::Body(account.key_authorization(&challenge));
    subject.web.set(&path, page);
    account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
    account.await_status(authorization, "valid")
}

/// The directory has newAuthz where names are authorized ahead, and only there (§7.1.1).
#[test]
fn new_authz_is_in_the_directory_where_it_is_enabled() {
    let subject = subject();
    let (on, off) = (account(subject), subject.account());
    assert_eq!(
        on.resource("newAuthz"),
        subject.url("/acme/ahead/new-authz")
    );
    assert!(off.directory.get("newAuthz").is_none(), "{}", off.directory);
    let payload = json!({"identifier": {"type": "dns", "value": "off.ahead.conformance.test"}});
    let answer = off.post(&subject.url("/acme/acme/new-authz"), Some(&payload));
    refused(&answer, 404, "malformed");
}

/// A new authorization is 201, with its URL and its challenges; asked for again it is found (§7.4.1).
#[test]
fn an_authorization_is_created_once_and_then_found() {
    let subject = subject();
    let account = account(subject);
    let made = new_authz(&account, "dns", "Once.ahead.conformance.test");
    assert_eq!(made.status, 201, "{}", made.text());
    let body = made.json();
    let wanted = json!({"type": "dns", "value": "once.ahead.conformance.test"});
    assert_eq!(
        (&body["status"], &body["identifier"]),
        (&json!("pending"), &wanted)
    );
    assert!(!body["challenges"].as_array().unwrap().is_empty());
    assert_eq!(account.post(made.header("location"), None).json(), body);
    let found = new_authz(&account, "dns", "once.ahead.conformance.test");
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(found.header("location"), made.header("location"));
    let other = new_authz(
        &self::account(subject),
        "dns",
        "once.ahead.conformance.test",
    );
    assert_eq!(other.status, 201);
}

/// An order for a name that was proven ahead is ready at once (§7.4.1).
#[test]
fn an_order_for_a_preauthorized_name_is_ready_at_once() {
    let subject = subject();
    let account = account(subject);
    let name = "proven.ahead.conformance.test";
    subject.host(&[name]);
    let made = new_authz(&account, "dns", name);
    let url = made.header("location").to_owned();
    prove(subject, &account, &url);
    for _ in 0..2 {
        let order = account.order(&[name]);
        assert_eq!(order.body["status"], "ready", "{}", order.body);
        assert_eq!(order.body["authorizations"], json!([url]));
        let csr = acceptance::acme::csr(&[name]);
        let done = account.try_finalize(&order, &csr).unwrap();
        assert_eq!(done.json()["status"], "valid", "{}", done.text());
    }
}

/// An order for a name whose authorization is still pending waits for that one.
#[test]
fn an_order_waits_for_a_pending_preauthorization() {
    let subject = subject();
    let account = account(subject);
    let name = "waits.ahead.conformance.test";
    subject.host(&[name]);
    let url = new_authz(&account, "dns", name)
        .header("location")
        .to_owned();
    let order = account.order(&[name]);
    assert_eq!(order.body["authorizations"], json!([url]));
    assert_eq!(order.body["status"], "pending");
    prove(subject, &account, &url);
    account.await_status(&order.url, "ready");
}

/// A wildcard cannot be authorized ahead, and a bad name is refused as in an order (§7.4.1).
#[test]
fn wildcards_and_invalid_names_are_not_preauthorized() {
    let account = account(subject());
    let answer = new_authz(&account, "dns", "*.ahead.conformance.test");
    let detail = refused(&answer, 400, "malformed");
    assert!(detail.contains("wildcard"), "{detail}");
    refused(&new_authz(&account, "dns", "a..b"), 400, "malformed");
    refused(
        &new_authz(&account, "email", "a@b"),
        400,
        "unsupportedIdentifier",
    );
    let nothing = account.post(&account.resource("newAuthz"), Some(&json!({})));
    refused(&nothing, 400, "malformed");
}

/// What was asked for ahead and given up is made anew (§7.5.2).
#[test]
fn a_deactivated_authorization_is_created_anew() {
    let account = account(subject());
    let made = new_authz(&account, "ip", "127.0.0.1");
    let gone = json!({"status": "deactivated"});
    account.post(made.header("location"), Some(&gone));
    let again = new_authz(&account, "ip", "127.0.0.1");
    assert_eq!(again.status, 201);
    assert_ne!(again.header("location"), made.header("location"));
}
