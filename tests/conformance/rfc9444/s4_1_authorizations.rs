//! RFC 9444 §4.1: an authorization says whether it stands for the names below.

use acceptance::acme::csr;
use serde_json::json;

use super::{Name, account, authorizations, kinds, order, prove};
use crate::conformance::leaf::Leaf;
use crate::conformance::subject::{refused, subject};

/// One for a domain with all below is for the domain and says so, and only records in the DNS prove
/// it; any other says nothing.
#[test]
fn an_authorization_for_a_domain_shows_that_it_covers_subdomains() {
    let account = account();
    let wide = order(
        &account,
        &[Name::new("www.says.rfc9444.test", "says.rfc9444.test")],
    );
    let wide = account.post(&authorizations(&wide)[0], None).json();
    let domain = json!({"type": "dns", "value": "says.rfc9444.test"});
    assert_eq!(wide["identifier"], domain, "{wide}");
    assert_eq!(wide["subdomainAuthAllowed"], true, "{wide}");
    assert_eq!(kinds(&wide), ["dns-01", "dns-account-01"]);
    let plain = order(&account, &[Name::new("www.says.rfc9444.test", "")]);
    let plain = account.post(&authorizations(&plain)[0], None).json();
    assert_eq!(plain["identifier"]["value"], "www.says.rfc9444.test");
    assert!(plain.get("subdomainAuthAllowed").is_none(), "{plain}");
    assert!(kinds(&plain).contains(&"http-01".to_owned()), "{plain}");
}

/// Given up, it takes the orders for the names below with it, whatever they were (RFC 8555 §7.5.2).
#[test]
fn deactivating_an_authorization_ends_the_orders_of_its_subdomains() {
    let account = account();
    let domain = "gone.rfc9444.test";
    let names = ["a.gone.rfc9444.test", "b.gone.rfc9444.test"];
    let open = order(
        &account,
        &[Name::new(names[0], domain), Name::new(names[1], domain)],
    );
    let above = authorizations(&open)[0].clone();
    prove(&account, &above);
    account.await_status(&open.url, "ready");
    account.post(&above, Some(&json!({"status": "deactivated"})));
    assert_eq!(account.post(&open.url, None).json()["status"], "invalid");
    let answer = account.try_finalize(&open, &csr(&names)).unwrap();
    refused(&answer, 403, "orderNotReady");
    let again = order(&account, &[Name::new(names[0], domain)]);
    assert_eq!(again.body["status"], "pending", "{}", again.body);
}

/// An account that has proven a domain with its subdomains may revoke other accounts' certificates for
/// them (RFC 8555 §7.6); one that has proven the domain alone may not.
#[test]
fn an_account_that_has_proven_a_domain_with_subdomains_may_revoke_for_them() {
    let name = "www.revoke.rfc9444.test";
    let leaf = Leaf::issued(&account(), &[name], "ES256");
    let payload = leaf.revocation(None);
    let other = account();
    let revoke = || other.post(&other.resource("revokeCert"), Some(&payload));
    subject().host(&["revoke.rfc9444.test"]);
    other.ready(&["revoke.rfc9444.test"], &subject().web);
    refused(&revoke(), 403, "unauthorized");
    let wide = order(
        &other,
        &[Name::new("x.revoke.rfc9444.test", "revoke.rfc9444.test")],
    );
    prove(&other, &authorizations(&wide)[0]);
    let answer = revoke();
    assert_eq!(answer.status, 200, "{}", answer.text());
}
