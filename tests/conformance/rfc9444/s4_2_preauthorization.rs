//! RFC 9444 §4.2: a domain is authorized with all names below ahead of any order.

use acceptance::acme::{Account, csr};
use serde_json::json;

use super::{Name, account, authorizations, new_authz, order, prove};
use crate::conformance::subject::{refused, subject};

/// Orders for names below are ready at once, whether they name the domain (§4.3) or not.
#[test]
fn orders_below_a_preauthorized_domain_are_ready_at_once() {
    let account = account();
    let domain = "ahead.rfc9444.test";
    let made = new_authz(&account, domain, &json!(true));
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["subdomainAuthAllowed"], true, "{}", made.text());
    let url = made.header("location").to_owned();
    let found = new_authz(&account, domain, &json!(true));
    assert_eq!(
        (found.status, found.header("location")),
        (200, url.as_str())
    );
    let early = order(&account, &[Name::new("early.ahead.rfc9444.test", domain)]);
    assert_eq!(authorizations(&early), std::slice::from_ref(&url));
    prove(&account, &url);
    account.await_status(&early.url, "ready");
    for (name, ancestor) in [
        ("a.ahead.rfc9444.test", domain),
        ("b.c.ahead.rfc9444.test", ""),
        ("*.d.ahead.rfc9444.test", ""),
        (domain, ""),
    ] {
        let order = order(&account, &[Name::new(name, ancestor)]);
        assert_eq!(order.body["status"], "ready", "{}", order.body);
        assert_eq!(authorizations(&order), std::slice::from_ref(&url));
        let done = account.try_finalize(&order, &csr(&[name])).unwrap();
        assert_eq!(done.json()["status"], "valid", "{}", done.text());
    }
    let outside = order(&account, &[Name::new("xahead.rfc9444.test", "")]);
    assert_eq!(outside.body["status"], "pending");
    let foreign = order(
        &self::account(),
        &[Name::new("a.ahead.rfc9444.test", domain)],
    );
    assert_eq!(foreign.body["status"], "pending", "another account's");
}

/// One for the domain alone is another authorization, and does not stand for the names below.
#[test]
fn a_domain_proven_without_subdomains_does_not_cover_them() {
    let account = account();
    let domain = "alone.rfc9444.test";
    let made = new_authz(&account, domain, &json!(false));
    let url = made.header("location").to_owned();
    assert!(made.json().get("subdomainAuthAllowed").is_none());
    prove(&account, &url);
    assert_eq!(
        order(&account, &[Name::new(domain, "")]).body["status"],
        "ready"
    );
    for ancestor in ["", domain] {
        let below = order(&account, &[Name::new("a.alone.rfc9444.test", ancestor)]);
        assert_eq!(below.body["status"], "pending", "{}", below.body);
        assert_ne!(authorizations(&below), std::slice::from_ref(&url));
    }
    let wide = new_authz(&account, domain, &json!(true));
    assert_eq!(wide.status, 201, "{}", wide.text());
    assert_ne!(wide.header("location"), url);
}

/// Only host names have subdomains, and the member is true or false.
#[test]
fn an_invalid_subdomain_request_is_refused() {
    let account = account();
    let answer = new_authz(&account, "odd.rfc9444.test", &json!("yes"));
    refused(&answer, 400, "malformed");
    let identifier = json!({"type": "ip", "value": "127.0.0.1", "subdomainAuthAllowed": true});
    let payload = json!({"identifier": identifier});
    let answer = account.post(&account.resource("newAuthz"), Some(&payload));
    refused(&answer, 400, "malformed");
}

/// Where it is switched off, the member is ignored: the authorization is for the domain alone.
#[test]
fn where_subdomains_are_off_the_domain_is_authorized_alone() {
    let account = Account::register(&subject().client, &subject().directory_of("ahead"));
    let made = new_authz(&account, "off.rfc9444.test", &json!(true));
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(made.json().get("subdomainAuthAllowed").is_none());
    prove(&account, made.header("location"));
    let below = order(
        &account,
        &[Name::new("a.off.rfc9444.test", "off.rfc9444.test")],
    );
    assert_eq!(below.body["status"], "pending");
    let above = account.post(&authorizations(&below)[0], None).json();
    assert_eq!(above["identifier"]["value"], "a.off.rfc9444.test");
}
