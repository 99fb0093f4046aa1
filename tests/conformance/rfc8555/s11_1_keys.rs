//! RFC 8555 §11.1: an account's key is used for nothing else.

use std::sync::Arc;

use crate::conformance::csr::Csr;
use crate::conformance::key::AnyKey;
use crate::conformance::subject::{refused, subject};

/// A certificate has another key than the account that orders it (§11.1).
#[test]
fn a_certificate_does_not_get_the_accounts_own_key() {
    let subject = subject();
    let account = subject.account();
    let name = "own-key.conformance.test";
    let order = subject.ready(&account, &[name]);
    let own = AnyKey::from(Arc::clone(&account.key));
    let answer = account.try_finalize(&order, &Csr::of(&[name]).signed_by(&own));
    let detail = refused(&answer.unwrap(), 400, "badCSR");
    assert!(detail.contains("account"), "{detail}");
    let answer = account
        .try_finalize(&order, &Csr::of(&[name]).der())
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}
