//! RFC 8555 §8.4: dns-01, a TXT record with a digest of the key authorization.

use acceptance::acme::{Account, csr};
use acceptance::dns::Answer;
use acceptance::process::eventually;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::conformance::subject::subject;

/// The record value that answers a challenge.
pub(in crate::conformance) fn value(account: &Account, challenge: &Value) -> String {
    let text = account.key_authorization(challenge);
    BASE64URL_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

/// Starts a challenge and waits for its end: the challenge as it is then.
pub(in crate::conformance) fn start(account: &Account, challenge: &Value) -> Value {
    let url = challenge["url"].as_str().unwrap();
    account.post(url, Some(&json!({})));
    eventually("a verdict", || {
        let body = account.post(url, None).json();
        (body["status"] != "pending" && body["status"] != "processing").then_some(body)
    })
}

/// The problem of a challenge that has failed: its type, without the prefix, and its detail.
#[track_caller]
pub(in crate::conformance) fn failed(challenge: &Value) -> (String, String) {
    assert_eq!(challenge["status"], "invalid", "{challenge}");
    let text = |key: &str| challenge["error"][key].as_str().unwrap().to_owned();
    let kind = text("type").replace("urn:ietf:params:acme:error:", "");
    (kind, text("detail"))
}

/// Orders `name`, publishes what `answer` derives from the right value, and validates.
fn attempt(name: &str, answer: impl FnOnce(String) -> Answer) -> Value {
    let account = subject().account();
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.challenge(authorization, "dns-01").unwrap();
    let record = format!("_acme-challenge.{}", name.trim_start_matches("*."));
    subject()
        .dns
        .set(&record, answer(value(&account, &challenge)));
    start(&account, &challenge)
}

#[track_caller]
fn valid(name: &str, answer: impl FnOnce(String) -> Answer) {
    let challenge = attempt(name, answer);
    assert_eq!(challenge["status"], "valid", "{challenge}");
}

/// The digest of the key authorization proves the name, and the host itself is never asked for.
#[test]
fn the_digest_in_a_txt_record_proves_the_name() {
    let name = "right.dns01.test";
    valid(name, |value| Answer::Text(vec![value]));
    let asked = subject().dns.asked();
    let mine: Vec<_> = asked.iter().filter(|asked| asked.contains(name)).collect();
    assert_eq!(
        mine,
        ["_acme-challenge.right.dns01.test TXT"],
        "asked once is enough"
    );
}

/// A wildcard and its base are proven at one name, where both values stand side by side, and one
/// certificate has both.
#[test]
fn a_wildcard_is_proven_beside_its_base() {
    let account = subject().account();
    let names = ["*.wild.dns01.test", "wild.dns01.test"];
    let order = account.order(&names);
    let urls = order.body["authorizations"].as_array().unwrap().clone();
    let mut values = Vec::new();
    let mut challenges = Vec::new();
    for url in &urls {
        let body = account.post(url.as_str().unwrap(), None).json();
        assert_eq!(body["identifier"]["value"], "wild.dns01.test");
        let offered = body["challenges"].as_array().unwrap();
        if body["wildcard"] == true {
            assert!(
                offered
                    .iter()
                    .all(|c| c["type"].as_str().unwrap().starts_with("dns-"))
            );
        }
        let challenge = offered.iter().find(|c| c["type"] == "dns-01").unwrap();
        values.push(value(&account, challenge));
        challenges.push(challenge.clone());
    }
    subject()
        .dns
        .set("_acme-challenge.wild.dns01.test", Answer::Text(values));
    for challenge in &challenges {
        assert_eq!(start(&account, challenge)["status"], "valid");
    }
    let answer = account.try_finalize(&order, &csr(&names)).unwrap();
    assert_eq!(answer.json()["status"], "valid", "{}", answer.text());
}

/// Of several records one right one is enough, and the strings of a record are one value.
#[test]
fn several_records_and_split_strings_are_read() {
    valid("several.dns01.test", |value| {
        Answer::Text(vec!["v=spf1 -all".to_owned(), value, String::new()])
    });
    valid("split.dns01.test", |value| {
        let (front, back) = value.split_at(17);
        Answer::split_text(&[&["an", "other"], &[front, "", back]])
    });
}

/// Aliases are followed, also from a resolver that leaves that to its client.
#[test]
fn aliases_are_followed() {
    valid("alias.dns01.test", |value| {
        let dns = &subject().dns;
        dns.set("deeper.elsewhere.test", Answer::Text(vec![value]));
        dns.set(
            "there.elsewhere.test",
            Answer::alias("deeper.elsewhere.test"),
        );
        Answer::alias("there.elsewhere.test")
    });
    let challenge = attempt("circle.dns01.test", |_| {
        let back = Answer::alias("_acme-challenge.circle.dns01.test");
        subject().dns.set("circle.elsewhere.test", back);
        Answer::alias("circle.elsewhere.test")
    });
    let (kind, detail) = failed(&challenge);
    assert_eq!(kind, "dns");
    assert!(detail.contains("CNAME circle.elsewhere.test"), "{detail}");
    assert!(detail.contains("circle"), "{detail}");
}

/// An alias may lead to a zone that the client does not see (§10.4): its values are not shown.
#[test]
fn values_of_another_zone_are_not_shown() {
    let challenge = attempt("zone.dns01.test", |_| {
        let values = Answer::Text(vec!["internal".into(), "values".into()]);
        subject().dns.set("txt.internal.test", values);
        Answer::alias("txt.internal.test")
    });
    let (kind, detail) = failed(&challenge);
    assert_eq!(kind, "unauthorized");
    assert!(
        detail.contains("2 values at \"txt.internal.test\""),
        "{detail}"
    );
    assert!(!detail.contains("\"internal\""), "{detail}");
}

/// An answer that UDP cuts is asked for over TCP.
#[test]
fn a_truncated_answer_is_requested_again_over_tcp() {
    valid("cut.dns01.test", |value| {
        let many = (0..40)
            .map(|n| format!("{n}{}", "x".repeat(60)))
            .chain([value]);
        Answer::Cut(Box::new(Answer::Text(many.collect())))
    });
    let asked = subject().dns.asked();
    assert!(asked.contains(&"_acme-challenge.cut.dns01.test TXT over TCP".to_owned()));
}

/// A record that appears during validation is found by a retry.
#[test]
fn nothing_is_cached_between_two_queries() {
    let account = subject().account();
    let name = "late.dns01.test";
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.challenge(authorization, "dns-01").unwrap();
    let record = "_acme-challenge.late.dns01.test";
    let asked = || {
        let asked = subject().dns.asked();
        asked.iter().filter(|asked| asked.contains(record)).count()
    };
    let poster = {
        let (account, challenge) = (account.clone(), challenge.clone());
        std::thread::spawn(move || start(&account, &challenge))
    };
    eventually("the first query", || (asked() > 0).then_some(()));
    let right = value(&account, &challenge);
    subject().dns.set(record, Answer::Text(vec![right]));
    let challenge = poster.join().unwrap();
    assert_eq!(challenge["status"], "valid", "{challenge}");
    assert!(asked() >= 2);
}

/// Wrong values are `unauthorized` (§6.7), and the answer shows the first of them, the value
/// wanted, and a command to try.
#[test]
fn wrong_values_are_shown() {
    let challenge = attempt("wrong.dns01.test", |value| {
        let upper = value.to_uppercase();
        Answer::Text(vec![
            "left over".into(),
            upper,
            format!("{value} "),
            "fourth".into(),
        ])
    });
    let (kind, detail) = failed(&challenge);
    assert_eq!(kind, "unauthorized");
    let server = subject().dns.address();
    let command = format!(
        "dig +short TXT _acme-challenge.wrong.dns01.test @{} -p {}`",
        server.ip(),
        server.port()
    );
    for words in [
        "found 4 values",
        "\"left over\"",
        "the expected value",
        command.as_str(),
    ] {
        assert!(detail.contains(words), "{words} is not in: {detail}");
    }
    assert!(!detail.contains("fourth"), "{detail}");
}

/// A name without the record is `unauthorized`; a name that does not exist, and a resolver that
/// fails, refuses or is silent, are problems of the `dns` (§6.7), distinguished in the detail.
#[test]
fn absence_and_failure_are_reported_differently() {
    for (name, answer, kind, words) in [
        (
            "none",
            Answer::Text(Vec::new()),
            "unauthorized",
            "has no TXT record",
        ),
        (
            "absent",
            Answer::NoSuchName,
            "dns",
            "the name does not exist",
        ),
        ("fails", Answer::Fails, "dns", "SERVFAIL"),
        ("refuses", Answer::Refuses, "dns", "REFUSED"),
        ("silent", Answer::Silence, "dns", "nothing in time"),
    ] {
        let challenge = attempt(&format!("{name}.dns01.test"), |_| answer);
        let (found, detail) = failed(&challenge);
        assert_eq!(found, kind, "{detail}");
        assert!(detail.contains(words), "{words} is not in: {detail}");
        assert!(detail.contains("resolver 127.0.0.1:"), "{detail}");
    }
}

/// The value of another account's key, or of another token, is not the value.
#[test]
fn another_accounts_value_proves_nothing() {
    let another = subject().account();
    let challenge = attempt("another.dns01.test", |_| {
        let challenge = json!({"token": "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"});
        Answer::Text(vec![value(&another, &challenge)])
    });
    assert_eq!(failed(&challenge).0, "unauthorized");
}

/// A provisioner that names no challenges offers these and no other, in this order.
#[test]
fn the_usual_challenges_are_offered() {
    let account = subject().account();
    let order = account.order(&["offer.dns01.test"]);
    let url = order.body["authorizations"][0].as_str().unwrap();
    let body = account.post(url, None).json();
    let offered = body["challenges"].as_array().unwrap().iter();
    let kinds: Vec<_> = offered.map(|c| c["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["dns-01", "http-01", "tls-alpn-01"]);
}
