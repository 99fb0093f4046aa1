//! draft-ietf-acme-dns-account-label: dns-account-01, dns-01's value at a name of
//! the account's own.

use acceptance::acme::Account;
use acceptance::dns::Answer;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE32_NOPAD;

use super::{account, challenge};
use crate::conformance::rfc8555::{failed, start, value};
use crate::conformance::subject::subject;

/// `_<the account's label>._acme-challenge.<name>`, as the draft builds it.
fn record(account: &Account, name: &str) -> String {
    let digest = digest(&SHA256, account.kid.as_bytes());
    let label = BASE32_NOPAD.encode(&digest.as_ref()[..10]).to_lowercase();
    format!("_{label}._acme-challenge.{name}")
}

/// Two accounts prove one name, and its wildcard, side by side.
#[test]
fn two_accounts_prove_one_name_side_by_side() {
    for name in ["side.account01.test", "*.side.account01.test"] {
        let accounts = [account(), account()];
        let base = name.trim_start_matches("*.");
        let challenges = accounts.each_ref().map(|account| {
            let challenge = challenge(account, name, "dns-account-01");
            assert!(challenge["token"].as_str().unwrap().len() >= 22);
            let right = Answer::Text(vec![value(account, &challenge)]);
            subject().dns.set(&record(account, base), right);
            challenge
        });
        for (account, challenge) in accounts.iter().zip(&challenges) {
            assert_eq!(start(account, challenge)["status"], "valid");
        }
    }
}

/// A record at dns-01's name, or at another account's, proves nothing; the answer says which name
/// was asked for.
#[test]
fn the_name_is_the_accounts_own() {
    let (mine, other) = (account(), account());
    let name = "own.account01.test";
    let challenge = challenge(&mine, name, "dns-account-01");
    let right = Answer::Text(vec![value(&mine, &challenge)]);
    subject()
        .dns
        .set(&format!("_acme-challenge.{name}"), right.clone());
    subject().dns.set(&record(&other, name), right);
    let (kind, detail) = failed(&start(&mine, &challenge));
    assert_eq!(kind, "dns", "the name does not exist: {detail}");
    assert!(detail.contains(&record(&mine, name)), "{detail}");
}

/// The account's URL counts as its client knows it, whichever of the server's names that has.
#[test]
fn the_label_follows_the_url_that_the_client_uses() {
    let directory = subject().directory_of("drafts");
    let directory = directory.replace("localhost", "127.0.0.1");
    let account = Account::register(&subject().client, &directory);
    assert!(
        account.kid.starts_with("https://127.0.0.1:"),
        "{}",
        account.kid
    );
    let name = "host.account01.test";
    let challenge = challenge(&account, name, "dns-account-01");
    let right = Answer::Text(vec![value(&account, &challenge)]);
    subject().dns.set(&record(&account, name), right);
    assert_eq!(start(&account, &challenge)["status"], "valid");
}
