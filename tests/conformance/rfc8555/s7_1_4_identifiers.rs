//! RFC 8555 §7.1.3, §7.1.4: identifiers of type dns, and the one form that names
//! have (RFC 1035 §2.3.4, RFC 1123 §2.1, RFC 5890 §2.3).

use acceptance::acme::Account;
use acceptance::https::Response;
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

#[track_caller]
fn order(values: &[&str]) -> Response {
    let account = subject().account();
    let identifiers: Vec<Value> = values
        .iter()
        .map(|value| json!({"type": "dns", "value": value}))
        .collect();
    let payload = json!({"identifiers": identifiers});
    account.post(&account.resource("newOrder"), Some(&payload))
}

/// Names are lower-cased, and a repeated one counts once (§7.1.3).
#[test]
fn names_become_lower_case_and_duplicates_one_identifier() {
    let answer = order(&[
        "WWW.Example.COM",
        "www.example.com",
        "example.com",
        "EXAMPLE.com",
    ]);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    assert_eq!(
        body["identifiers"],
        json!([
            {"type": "dns", "value": "www.example.com"},
            {"type": "dns", "value": "example.com"},
        ])
    );
    assert_eq!(body["authorizations"].as_array().unwrap().len(), 2);
}

/// Lengths up to the limits are fine: 63 octets a label, 253 a name (RFC 1035 §2.3.4).
#[test]
fn the_longest_names_are_accepted() {
    let label = format!("{}.example", "a".repeat(63));
    let name = ["abcd"; 50].join(".") + ".efg";
    assert_eq!(name.len(), 253);
    for name in [
        label.as_str(),
        &name,
        "localhost",
        "1.example",
        "a--b.example",
    ] {
        let answer = order(&[name]);
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
}

/// Names that are longer, or have empty labels or a final dot, are no names (RFC 1035 §2.3.4).
#[test]
fn names_of_wrong_shape_are_refused() {
    let label = format!("{}.example", "a".repeat(64));
    let name = ["abcd"; 50].join(".") + ".efgh";
    for name in [
        "",
        ".",
        "..",
        "example.com.",
        ".example.com",
        "www..example.com",
        &label,
        &name,
    ] {
        refused(&order(&[name]), 400, "malformed");
    }
}

/// Host names have letters, digits and hyphens (RFC 1123 §2.1).
#[test]
fn names_with_other_characters_are_refused() {
    for name in [
        "a_b.example",
        "_acme-challenge.example",
        "a b.example",
        " example.com",
        "example.com\n",
        "a.example\0.b",
        "a%2eb.example",
        "a/b.example",
        "example.com:80",
        "user@example.com",
        "https://example.com",
        "-a.example",
        "a-.example",
        "a,b.example",
        "{{.example",
        "\".example",
    ] {
        refused(&order(&[name]), 400, "malformed");
    }
}

/// Internationalised names are A-labels; the refusal of others names the A-label (§7.1.4, RFC 5890 §2.3.2.1).
#[test]
fn names_beyond_ascii_are_refused_with_their_a_label() {
    let detail = refused(&order(&["müller.example"]), 400, "malformed");
    assert!(detail.contains("xn--mller-kva.example"), "{detail}");
    for name in [
        "a\u{3002}b",
        "a\u{ff0e}b",
        "\u{ff11}.example",
        "\u{200d}.example",
        "ﬀ.example",
    ] {
        refused(&order(&[name]), 400, "malformed");
    }
    let kept = order(&["XN--Mller-KVA.example"]);
    assert_eq!(
        kept.json()["identifiers"][0]["value"],
        "xn--mller-kva.example"
    );
}

/// An `xn--` label that is no A-label may look like anything (RFC 5890 §2.3.2.1).
#[test]
fn false_a_labels_are_refused() {
    for name in [
        "xn--.example",
        "xn--abc.example",
        "xn--zzzzzz999.example",
        "xn--mller-KVA1.example",
        "ab--c.example",
        "zz--abc.example",
    ] {
        refused(&order(&[name]), 400, "malformed");
    }
}

/// An address is no name, however it is written (RFC 8738 §3).
#[test]
fn addresses_are_refused_as_names() {
    for name in [
        "192.0.2.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0300.0.2.1",
        "::1",
        "[::1]",
        "2001:db8::1",
        "1.2.3.4.5",
        "*.192.0.2.1",
    ] {
        refused(&order(&[name]), 400, "malformed");
    }
}

/// An asterisk is the whole first label before a name, and appears once (§7.1.3).
#[test]
fn asterisks_elsewhere_are_refused() {
    for name in [
        "*",
        "*.",
        "**.example",
        "*.*.example",
        "a.*.example",
        "a*.example",
        "*a.example",
        "*.example.com.",
    ] {
        refused(&order(&[name]), 400, "malformed");
    }
}

/// No challenge that is offered proves a wildcard: the order is refused, not left to fail (§7.1.3).
#[test]
fn a_wildcard_that_nothing_can_prove_is_rejected() {
    let directory = subject().directory_of("webonly");
    let account = Account::register(&subject().client, &directory);
    let payload = json!({"identifiers": [{"type": "dns", "value": "*.example.com"}]});
    let answer = account.post(&account.resource("newOrder"), Some(&payload));
    refused(&answer, 400, "rejectedIdentifier");
}

/// A type that is unknown is unsupportedIdentifier; the type is exact (§6.7, §9.7.7).
#[test]
fn other_types_are_unsupported() {
    let account = subject().account();
    for kind in ["email", "DNS", "dns ", "", "TNAuthList"] {
        let payload = json!({"identifiers": [{"type": kind, "value": "a.example"}]});
        let answer = account.post(&account.resource("newOrder"), Some(&payload));
        refused(&answer, 400, "unsupportedIdentifier");
    }
}
