//! RFC 9444 §4.3: a client names the domain above a name by which it can prove it.

use acceptance::acme::csr;
use acceptance::dns::{Answer, CaaRecord};
use serde_json::json;

use super::{Name, account, authorizations, new_order, order, prove};
use crate::conformance::leaf::first;
use crate::conformance::rfc8555::{failed, start};
use crate::conformance::subject::{refused, subject};

/// One challenge at the domain proves all names below it that the order has, and the certificate
/// has them all.
#[test]
fn one_challenge_at_the_domain_proves_all_names_below() {
    let account = account();
    let domain = "many.rfc9444.test";
    let names = [
        "many.rfc9444.test",
        "a.many.rfc9444.test",
        "b.c.many.rfc9444.test",
        "*.d.many.rfc9444.test",
    ];
    let wanted = [
        Name::new(names[0], ""),
        Name::new(names[1], domain),
        Name::new(names[2], "Many.rfc9444.test"),
        Name::new(names[3], domain),
    ];
    // RFC 8657 §4: what counts is how the domain was proven.
    let allowed = Answer::caa(&[CaaRecord::new(
        "issue",
        "ca.example; validationmethods=dns-01",
    )]);
    subject().dns.set(domain, allowed);
    let open = order(&account, &wanted);
    assert_eq!(open.body["identifiers"].as_array().unwrap().len(), 4);
    let above = authorizations(&open);
    assert_eq!(above.len(), 1, "{}", open.body);
    prove(&account, &above[0]);
    account.await_status(&open.url, "ready");
    let done = account.try_finalize(&open, &csr(&names)).unwrap();
    let body = done.json();
    assert_eq!(body["status"], "valid", "{body}");
    let leaf = first(&account.post(body["certificate"].as_str().unwrap(), None));
    for name in names {
        let found = leaf
            .windows(name.len())
            .any(|octets| octets == name.as_bytes());
        assert!(found, "{name} is not in the certificate");
    }
    let later = order(&account, &[Name::new(names[1], domain)]);
    assert_eq!(
        later.body["status"], "pending",
        "nothing is used again unasked"
    );
}

/// A name without an ancestor, or with another, is proven by an authorization of its own.
#[test]
fn names_of_other_domains_have_authorizations_of_their_own() {
    let account = account();
    let wanted = [
        Name::new("a.one.rfc9444.test", "one.rfc9444.test"),
        Name::new("a.two.rfc9444.test", "two.rfc9444.test"),
        Name::new("b.one.rfc9444.test", "one.rfc9444.test"),
        Name::new("c.one.rfc9444.test", ""),
    ];
    let open = order(&account, &wanted);
    let all = authorizations(&open);
    let of = |url: &String| account.post(url, None).json()["identifier"]["value"].clone();
    let subjects: Vec<_> = all.iter().map(of).collect();
    let expected = ["one.rfc9444.test", "two.rfc9444.test", "c.one.rfc9444.test"];
    assert_eq!(subjects, expected);
    prove(&account, &all[0]);
    prove(&account, &all[1]);
    assert_eq!(account.post(&open.url, None).json()["status"], "pending");
    prove(&account, &all[2]);
    account.await_status(&open.url, "ready");
}

/// A record at the name itself is not the one at the domain.
#[test]
fn a_record_at_the_name_does_not_prove_the_domain() {
    let account = account();
    let open = order(
        &account,
        &[Name::new("a.wrong.rfc9444.test", "wrong.rfc9444.test")],
    );
    let above = &authorizations(&open)[0];
    let challenge = account.challenge(above, "dns-01").unwrap();
    let right = crate::conformance::rfc8555::value(&account, &challenge);
    subject().dns.set(
        "_acme-challenge.a.wrong.rfc9444.test",
        Answer::Text(vec![right]),
    );
    let (kind, detail) = failed(&start(&account, &challenge));
    assert_eq!(kind, "dns", "{detail}");
    assert!(
        detail.contains("_acme-challenge.wrong.rfc9444.test"),
        "{detail}"
    );
    assert_eq!(account.post(&open.url, None).json()["status"], "invalid");
}

/// A domain that the name does not lie in is refused, and so is any above an address.
#[test]
fn a_domain_that_is_not_above_the_name_is_refused() {
    let account = account();
    for (name, ancestor) in [
        ("a.b.rfc9444.test", "c.rfc9444.test"),
        ("ab.rfc9444.test", "b.rfc9444.test"),
        ("b.rfc9444.test", "a.b.rfc9444.test"),
        ("a.rfc9444.test", "*.rfc9444.test"),
        ("a.rfc9444.test", "rfc9444.test."),
    ] {
        refused(
            &new_order(&account, &[Name::new(name, ancestor)]),
            400,
            "malformed",
        );
    }
    for odd in [
        json!({"type": "ip", "value": "127.0.0.1", "ancestorDomain": "rfc9444.test"}),
        json!({"type": "dns", "value": "a.rfc9444.test", "ancestorDomain": 5}),
    ] {
        let payload = json!({"identifiers": [odd]});
        let answer = account.post(&account.resource("newOrder"), Some(&payload));
        refused(&answer, 400, "malformed");
    }
}

/// Where it is switched off, as it is by default, the ancestors that a client names are ignored.
#[test]
fn where_subdomains_are_off_each_name_is_proven_itself() {
    let account = subject().account();
    for ancestor in [json!("off.rfc9444.test"), json!("elsewhere.test"), json!(5)] {
        let name = "a.off.rfc9444.test";
        let identifier = json!({"type": "dns", "value": name, "ancestorDomain": ancestor});
        let payload = json!({"identifiers": [identifier]});
        let answer = account.post(&account.resource("newOrder"), Some(&payload));
        assert_eq!(answer.status, 201, "{}", answer.text());
        let url = answer.json()["authorizations"][0].clone();
        let body = account.post(url.as_str().unwrap(), None).json();
        assert_eq!(body["identifier"]["value"], name, "{body}");
        assert!(body.get("subdomainAuthAllowed").is_none(), "{body}");
    }
}
