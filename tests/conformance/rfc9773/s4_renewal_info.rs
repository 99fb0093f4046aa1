//! RFC 9773 §4: every client may ask when a certificate should be renewed.

use acceptance::acme::Account;
use acceptance::https::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{joined, name, parts};
use crate::conformance::der;
use crate::conformance::leaf::Leaf;
use crate::conformance::subject::{refused, subject};

#[track_caller]
pub(super) fn info(name: &str) -> Response {
    subject()
        .client
        .get(&subject().url(&format!("/acme/acme/renewal-info/{name}")))
        .unwrap()
}

/// The two ends of the window.
#[track_caller]
pub(super) fn window(answer: &Response) -> (Timestamp, Timestamp) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let at = |end: &str| -> Timestamp {
        let text = body["suggestedWindow"][end].as_str().unwrap();
        text.parse().unwrap()
    };
    (at("start"), at("end"))
}

fn pause(answer: &Response) -> i64 {
    answer.header("retry-after").parse().unwrap()
}

/// Beginning and end of a certificate's life.
fn life(leaf: &Leaf) -> (Timestamp, Timestamp) {
    let validity = der::elements(der::certificate(&leaf.der)[3].1);
    let at = |which: usize| {
        let text = std::str::from_utf8(validity[which].1).unwrap();
        let text = text.replace('Z', "+0000");
        Timestamp::strptime("%y%m%d%H%M%S%z", text).unwrap()
    };
    (at(0), at(1))
}

#[test]
fn the_directory_says_where_renewal_information_is() {
    let account = subject().account();
    let url = account.resource("renewalInfo");
    assert_eq!(url, subject().url("/acme/acme/renewal-info"));
}

#[test]
fn anyone_reads_when_a_certificate_should_be_renewed() {
    let leaf = Leaf::issued(&subject().account(), &["ari.conformance.test"], "ES256");
    let answer = info(&name(&leaf));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let (start, end) = window(&answer);
    let (begin, expiry) = life(&leaf);
    let hours = |from: Timestamp, to: Timestamp| to.duration_since(from).as_hours();
    assert!((12..=17).contains(&hours(begin, start)), "{start}");
    assert!(start < end && end < expiry, "{start} {end}");
    assert!((60..=6 * 3600).contains(&pause(&answer)));
    assert_eq!(
        window(&info(&name(&leaf))),
        (start, end),
        "it stays the same"
    );
}

#[test]
fn certificates_of_one_moment_have_windows_of_their_own() {
    let account = subject().account();
    let starts: std::collections::BTreeSet<_> = (0..4)
        .map(|_| Leaf::issued(&account, &["spread.ari.conformance.test"], "ES256"))
        .map(|leaf| window(&info(&name(&leaf))).0)
        .collect();
    let (first, last) = (starts.first().unwrap(), starts.last().unwrap());
    assert!(last.duration_since(*first).as_secs() > 10, "{starts:?}");
}

#[test]
fn a_certificate_with_a_lifetime_of_seconds_has_a_window_too() {
    let directory = subject().directory_of("short");
    let account = Account::register(&subject().client, &directory);
    let now = Timestamp::now().as_second();
    let expiry = Timestamp::from_second(now + 20).unwrap();
    let requested = json!({"notAfter": expiry.to_string()});
    let leaf = Leaf::ordered(&account, &["brief.ari.test"], &requested, "ES256");
    let url = format!("{}/{}", account.resource("renewalInfo"), name(&leaf));
    let answer = subject().client.get(&url).unwrap();
    let (start, end) = window(&answer);
    assert!(
        start.as_second() > now && start < end && end < expiry,
        "{start} {end}"
    );
    assert_eq!(pause(&answer), 1);
}

#[test]
fn a_name_of_wrong_shape_is_refused() {
    let leaf = Leaf::issued(
        &subject().account(),
        &["shape.ari.conformance.test"],
        "ES256",
    );
    let (authority, serial) = parts(&leaf.der);
    let right = joined(&authority, &serial);
    let longer = [&[0, 0], serial.as_slice()].concat();
    for name in [
        "x".to_owned(),
        ".".to_owned(),
        right.replace('.', ""),
        format!("{right}="),
        format!("{right}.AQ"),
        format!("{right}%2f"),
        joined(&authority, &[]),
        joined(&authority, &longer),
        joined(&authority, &[1; 70]),
        "A".repeat(4000),
    ] {
        refused(&info(&name), 400, "malformed");
    }
}

#[test]
fn a_name_of_no_certificate_of_the_provisioner_is_not_found() {
    let leaf = Leaf::issued(
        &subject().account(),
        &["unknown.ari.conformance.test"],
        "ES256",
    );
    let (authority, serial) = parts(&leaf.der);
    let mut foreign = authority.clone();
    foreign[0] ^= 1;
    for name in [joined(&authority, &[1, 2, 3]), joined(&foreign, &serial)] {
        refused(&info(&name), 404, "malformed");
    }
    let url = subject().url(&format!("/acme/other/renewal-info/{}", name(&leaf)));
    refused(&subject().client.get(&url).unwrap(), 404, "malformed");
}

/// Some clients leave out the zero octet that DER puts before a first bit that is set: here, none is.
#[test]
fn serial_numbers_need_no_leading_zero() {
    let account = subject().account();
    for _ in 0..16 {
        let leaf = Leaf::issued(&account, &["zero.ari.conformance.test"], "ES256");
        let (authority, serial) = parts(&leaf.der);
        assert!((1..0x80).contains(&serial[0]), "{serial:x?}");
        window(&info(&joined(&authority, &serial)));
    }
}

#[test]
fn a_revoked_certificate_should_have_been_renewed_already() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["revoked.ari.conformance.test"], "ES256");
    let revoke = account.resource("revokeCert");
    let answer = account.post(&revoke, Some(&leaf.revocation(Some(json!(4)))));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (start, end) = window(&info(&name(&leaf)));
    assert!(start < end && end < Timestamp::now(), "{start} {end}");
}

#[test]
fn renewal_information_is_only_read() {
    let leaf = Leaf::issued(
        &subject().account(),
        &["read.ari.conformance.test"],
        "ES256",
    );
    let url = subject().url(&format!("/acme/acme/renewal-info/{}", name(&leaf)));
    let answer =
        subject()
            .client
            .post(&url, "application/json", Value::Null.to_string().as_bytes());
    refused(&answer.unwrap(), 405, "malformed");
}
