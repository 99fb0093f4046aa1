//! RFC 8738 §3: addresses as identifiers, and the one form that each has
//! (RFC 1123 §2.1, RFC 5952 §4).

use acceptance::https::Response;
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

#[track_caller]
fn order(values: &[&str]) -> Response {
    let account = subject().account();
    let identifiers: Vec<Value> = values
        .iter()
        .map(|value| json!({"type": "ip", "value": value}))
        .collect();
    let payload = json!({"identifiers": identifiers});
    account.post(&account.resource("newOrder"), Some(&payload))
}

/// Every way to write an address ends in the same one (§3, RFC 5952 §4).
#[test]
fn an_address_has_one_form() {
    for (sent, kept) in [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:0db8::0001", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::1"),
    ] {
        let answer = order(&[sent]);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let identifier = json!({"type": "ip", "value": kept});
        assert_eq!(answer.json()["identifiers"], json!([identifier]));
    }
}

/// Two ways to write an address are one identifier (§3).
#[test]
fn one_address_written_twice_is_one_identifier() {
    let answer = order(&[
        "2001:db8::1",
        "2001:DB8::0:1",
        "192.0.2.1",
        "::ffff:192.0.2.1",
    ]);
    let body = answer.json();
    assert_eq!(body["identifiers"].as_array().unwrap().len(), 2, "{body}");
    assert_eq!(body["authorizations"].as_array().unwrap().len(), 2);
}

/// Zones, brackets, ports, prefixes and the numbers of old are no addresses (§3).
#[test]
fn what_is_not_a_plain_address_is_refused() {
    for value in [
        "",
        "example.com",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.01",
        "0300.0.2.1",
        "0x7f.0.0.1",
        "2130706433",
        "192.0.2.1.",
        " 192.0.2.1",
        "192.0.2.0/24",
        "192.0.2.1:80",
        "[::1]",
        "::1/128",
        "fe80::1%eth0",
        "2001:db8::1::1",
        "2001:db8",
        "*.192.0.2.1",
    ] {
        refused(&order(&[value]), 400, "malformed");
    }
}

/// An address in reverse is a name, and no way to order an address (§6).
#[test]
fn a_reverse_name_is_only_a_name() {
    refused(&order(&["1.2.0.192.in-addr.arpa"]), 400, "malformed");
}
