//! RFC 8555 §11.1: an account's key is used for nothing else.

use std::sync::Arc;

use acceptance::acme::Account;

use crate::conformance::csr::Csr;
use crate::conformance::key::AnyKey;
use crate::conformance::subject::{refused, subject};

/// No account's key is in a certificate, whoever orders it and wherever the account is (§11.1).
#[test]
fn a_certificate_does_not_get_the_key_of_an_account() {
    let subject = subject();
    let account = subject.account();
    let name = "own-key.conformance.test";
    let order = subject.ready(&account, &[name]);
    let elsewhere = Account::register(&subject.client, &subject.directory_of("other"));
    for holder in [&account, &subject.account(), &elsewhere] {
        let key = AnyKey::from(Arc::clone(&holder.key));
        let answer = account.try_finalize(&order, &Csr::of(&[name]).signed_by(&key));
        let detail = refused(&answer.unwrap(), 400, "badCSR");
        assert!(detail.contains("account"), "{detail}");
    }
    let answer = account
        .try_finalize(&order, &Csr::of(&[name]).der())
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}
