//! RFC 8657 §3: accounturi.

use acceptance::dns::{Answer, CaaRecord};

use crate::conformance::rfc8659::{account, finalize, issued, ready};
use crate::conformance::subject::{refused, subject};

/// Only the account that is named gets a certificate, by whatever host of the server its URL is
/// written.
#[test]
fn only_the_account_that_is_named_is_served() {
    let (ours, other) = (account(), account());
    let by_address = ours.kid.replace("localhost", "127.0.0.1");
    assert_ne!(by_address, ours.kid);
    for (n, uri) in [&ours.kid, &by_address].into_iter().enumerate() {
        let name = format!("n{n}.uri-caa.test");
        let (mine, theirs) = (ready(&ours, &[&name]), ready(&other, &[&name]));
        let value = format!("ca.example; accounturi={uri}");
        subject()
            .dns
            .set(&name, Answer::caa(&[CaaRecord::new("issue", &value)]));
        let detail = refused(&finalize(&other, &theirs, &[&name]), 403, "caa");
        assert!(detail.contains("another account"), "{detail}");
        issued(&finalize(&ours, &mine, &[&name]));
    }
}

/// The same path elsewhere, or a repeated parameter, permits no account.
#[test]
fn an_account_elsewhere_or_named_twice_is_not_served() {
    let account = account();
    let elsewhere = account.kid.replace("localhost", "elsewhere.example");
    for (n, value) in [
        format!("ca.example; accounturi={elsewhere}"),
        format!("ca.example; accounturi={0}; accounturi={0}", account.kid),
        "ca.example; accounturi=".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("n{n}.nobody-caa.test");
        let order = ready(&account, &[&name]);
        subject()
            .dns
            .set(&name, Answer::caa(&[CaaRecord::new("issue", &value)]));
        refused(&finalize(&account, &order, &[&name]), 403, "caa");
    }
}
