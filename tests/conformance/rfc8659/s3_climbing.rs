//! RFC 8659 §3: which records apply to a name.

use acceptance::dns::{Answer, CaaRecord};

use super::{account, finalize, issued, ready, with_records};
use crate::conformance::subject::{refused, subject};

/// A name without records anywhere above it may be issued for; every name up to the child of the
/// root is asked for.
#[test]
fn a_name_without_records_is_climbed_to_the_top() {
    let account = account();
    let name = "deep.down.none-caa.test";
    let order = ready(&account, &[name]);
    issued(&finalize(&account, &order, &[name]));
    let asked = subject().dns.asked();
    for name in [name, "down.none-caa.test", "none-caa.test", "test"] {
        assert!(asked.contains(&format!("{name} CAA")), "{name}: {asked:?}");
    }
}

/// Records above a name apply to it, and the refusal names their place; nearer ones take precedence.
#[test]
fn the_nearest_records_count() {
    let (account, dns) = (account(), &subject().dns);
    let name = "www.climb-caa.test";
    let order = ready(&account, &[name]);
    dns.set(
        "climb-caa.test",
        Answer::caa(&[CaaRecord::new("issue", "other.example")]),
    );
    let detail = refused(&finalize(&account, &order, &[name]), 403, "caa");
    assert!(
        detail.contains("at climb-caa.test, a parent of www"),
        "{detail}"
    );
    assert!(
        detail.contains("`CAA 0 issue \"other.example\"`"),
        "{detail}"
    );
    dns.set(name, Answer::caa(&[CaaRecord::new("issue", "ca.example")]));
    issued(&finalize(&account, &order, &[name]));
}

/// An alias has the records of its target; where that has none, the search continues above the alias.
#[test]
fn aliases_are_followed() {
    let (account, dns) = (account(), &subject().dns);
    let name = "alias.alias-caa.test";
    let order = ready(&account, &[name]);
    dns.set(name, Answer::alias("target.elsewhere-caa.test"));
    dns.set(
        "target.elsewhere-caa.test",
        Answer::caa(&[CaaRecord::new("issue", ";")]),
    );
    refused(&finalize(&account, &order, &[name]), 403, "caa");
    dns.set("target.elsewhere-caa.test", Answer::Addresses(Vec::new()));
    dns.set(
        "elsewhere-caa.test",
        Answer::caa(&[CaaRecord::new("issue", ";")]),
    );
    dns.set(
        "alias-caa.test",
        Answer::caa(&[CaaRecord::new("issue", "ca.example")]),
    );
    issued(&finalize(&account, &order, &[name]));
}

/// Each name of an order is checked, and the refusal names the one that is forbidden (the first
/// alone would not do).
#[test]
fn every_name_is_checked() {
    let (account, dns) = (account(), &subject().dns);
    let names = ["first.every-caa.test", "second.every-caa.test"];
    let order = ready(&account, &names);
    dns.set(
        names[0],
        Answer::caa(&[CaaRecord::new("issue", "ca.example")]),
    );
    dns.set(names[1], Answer::caa(&[CaaRecord::new("issue", ";")]));
    let answer = finalize(&account, &order, &names);
    refused(&answer, 403, "caa");
    let body = answer.json();
    let subproblems = body["subproblems"].as_array().unwrap();
    assert_eq!(subproblems.len(), 1, "{body}");
    assert_eq!(subproblems[0]["identifier"]["value"], names[1], "{body}");
    let kind = "urn:ietf:params:acme:error:caa";
    assert_eq!(subproblems[0]["type"], kind, "{body}");
}

/// Records are asked for at finalize, whatever they were when the name was proven, and the order
/// stays ready for when they have changed.
#[test]
fn records_are_checked_when_the_certificate_is_requested() {
    let name = "later.when-caa.test";
    refused(
        &with_records(name, &[CaaRecord::new("issue", ";")]),
        403,
        "caa",
    );
    let account = account();
    subject().dns.set(
        "when-caa.test",
        Answer::caa(&[CaaRecord::new("issue", ";")]),
    );
    let order = ready(&account, &["again.when-caa.test"]);
    subject().dns.set("when-caa.test", Answer::NoSuchName);
    issued(&finalize(&account, &order, &["again.when-caa.test"]));
}

/// A provisioner that does not check CAA never queries it, and an address has no records.
#[test]
fn a_provisioner_that_does_not_check_caa_does_not_query_it() {
    let subject = subject();
    let plain = subject.account();
    let name = "off.off-caa.test";
    let order = ready(&plain, &[name]);
    subject
        .dns
        .set("off-caa.test", Answer::caa(&[CaaRecord::new("issue", ";")]));
    issued(&finalize(&plain, &order, &[name]));
    let asked = subject.dns.asked();
    assert!(
        !asked.iter().any(|a| a.contains("off-caa.test CAA")),
        "{asked:?}"
    );
    let account = account();
    let order = ready(&account, &["127.0.0.1"]);
    issued(&finalize(&account, &order, &["127.0.0.1"]));
}
