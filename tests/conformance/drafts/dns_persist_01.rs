//! draft-ietf-acme-dns-persist: dns-persist-01, a record that stays and names
//! issuer and account.

use acceptance::acme::{Account, csr};
use acceptance::dns::Answer;
use serde_json::{Value, json};

use super::{account, challenge};
use crate::conformance::rfc8555::{failed, start};
use crate::conformance::subject::subject;

/// Looks at `name` while its records are what `records` makes of the account's own.
fn attempt(name: &str, records: impl FnOnce(&str) -> Vec<String>) -> Value {
    let account = account();
    let challenge = challenge(&account, name, "dns-persist-01");
    publish(name, records(&mine(&account)));
    start(&account, &challenge)
}

fn mine(account: &Account) -> String {
    format!("ca.example; accounturi={}", account.kid)
}

fn publish(name: &str, records: Vec<String>) {
    let base = name.trim_start_matches("*.");
    let record = format!("_validation-persist.{base}");
    subject().dns.set(&record, Answer::Text(records));
}

#[track_caller]
fn refused(name: &str, kind: &str, words: &str, records: impl FnOnce(&str) -> Vec<String>) {
    let (found, detail) = failed(&attempt(name, records));
    assert_eq!(found, kind, "{detail}");
    assert!(detail.contains(words), "{words} is not in: {detail}");
}

#[track_caller]
fn valid(name: &str, records: impl FnOnce(&str) -> Vec<String>) {
    let challenge = attempt(name, records);
    assert_eq!(challenge["status"], "valid", "{challenge}");
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// The challenge says what the record has to name, and has no token.
#[test]
fn the_challenge_names_issuer_and_account_and_has_no_token() {
    let account = account();
    let challenge = challenge(&account, "shape.persist01.test", "dns-persist-01");
    let issuers = json!(["ca.example", "ca2.example"]);
    assert_eq!(challenge["issuer-domain-names"], issuers);
    assert_eq!(challenge["accounturi"], account.kid.as_str());
    assert!(challenge.get("token").is_none(), "{challenge}");
    let read = account.post(challenge["url"].as_str().unwrap(), None);
    assert_eq!(read.json(), challenge);
}

/// One record serves one order after the other, up to the certificate.
#[test]
fn a_persistent_record_proves_every_order() {
    let account = account();
    let names = ["*.stays.persist01.test", "stays.persist01.test"];
    let record = format!("{}; policy=wildcard", mine(&account));
    publish(names[1], vec![record]);
    for _ in 0..2 {
        let order = account.order(&names);
        for url in order.body["authorizations"].as_array().unwrap() {
            let challenge = account.challenge(url.as_str().unwrap(), "dns-persist-01");
            assert_eq!(start(&account, &challenge.unwrap())["status"], "valid");
        }
        let answer = account.try_finalize(&order, &csr(&names)).unwrap();
        assert_eq!(answer.json()["status"], "valid", "{}", answer.text());
    }
}

/// Any of the issuer's names will do, in any case; unknown parameters and records of others are
/// passed over.
#[test]
fn other_issuers_and_unknown_parameters_are_ignored() {
    valid("second.persist01.test", |mine| {
        vec![mine.replace("ca.example", "CA2.Example") + ";Future=1; policy=none"]
    });
    valid("among.persist01.test", |mine| {
        let others = [
            "letsencrypt.org; accounturi=https://x",
            "v=spf1 -all",
            "ca.example; =",
        ];
        others
            .map(str::to_owned)
            .into_iter()
            .chain([mine.to_owned()])
            .collect()
    });
    let issuer = "found the value \"other.example; a=b\", but no record for this issuer";
    refused("others.persist01.test", "unauthorized", issuer, |_| {
        vec!["other.example; a=b".to_owned()]
    });
}

/// A wildcard needs `policy=wildcard`, in any case.
#[test]
fn a_wildcard_needs_its_policy() {
    valid("*.policy.persist01.test", |mine| {
        vec![format!("{mine}; Policy=WILDCARD")]
    });
    let words = "a wildcard requires a record with policy=wildcard";
    refused("*.nopolicy.persist01.test", "unauthorized", words, |mine| {
        vec![mine.to_owned()]
    });
}

/// A record counts until `persistUntil`, in seconds since 1970.
#[test]
fn an_expired_record_proves_nothing() {
    valid("future.persist01.test", |mine| {
        vec![format!("{mine}; persistUntil={}", now() + 3600)]
    });
    refused(
        "past.persist01.test",
        "unauthorized",
        "persistUntil is in the past",
        |mine| vec![format!("{mine}; persistUntil={}", now() - 1)],
    );
}

/// The account has to be named, and be the one that asks.
#[test]
fn another_accounts_record_proves_nothing() {
    let words = "its accounturi is that of another account";
    refused("foreign.persist01.test", "unauthorized", words, |mine| {
        vec![format!("{mine}0"), mine.replace("localhost", "LOCALHOST")]
    });
}

/// A record of ours that breaks the syntax is `malformed`.
#[test]
fn a_broken_record_is_malformed() {
    for (n, (end, words)) in [
        ("; policy=wildcard; policy=wildcard", "policy is repeated"),
        ("; persistUntil=tomorrow", "persistUntil"),
        (";;", "semicolon without a parameter"),
        ("; policy", "has no value"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("broken{n}.persist01.test");
        refused(&name, "malformed", words, |mine| {
            vec![format!("{mine}{end}")]
        });
    }
    refused(
        "bare.persist01.test",
        "malformed",
        "it has no accounturi",
        |_| vec!["ca.example".to_owned()],
    );
}

/// The methods of drafts are offered where they are named, behind the others.
#[test]
fn challenges_of_drafts_are_listed_last() {
    let account = account();
    let order = account.order(&["offer.persist01.test"]);
    let url = order.body["authorizations"][0].as_str().unwrap();
    let body = account.post(url, None).json();
    let offered = body["challenges"].as_array().unwrap().iter();
    let kinds: Vec<_> = offered.map(|c| c["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["http-01", "dns-account-01", "dns-persist-01"]);
}
