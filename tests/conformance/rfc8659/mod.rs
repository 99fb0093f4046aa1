//! RFC 8659: CAA, at the provisioner `caa`, which enforces it, and `caawarn`, which only warns.
//! Both are `ca.example` in records.

use acceptance::acme::{Account, Order, csr};
use acceptance::dns::{Answer, CaaRecord};
use acceptance::https::Response;

use crate::conformance::subject::subject;

mod s3_climbing;
mod s3_outages;
mod s4_properties;

/// A fresh account at the provisioner that enforces CAA.
#[track_caller]
pub(super) fn account() -> Account {
    Account::register(&subject().client, &subject().directory_of("caa"))
}

/// A ready order for these names; their DNS records can still change.
#[track_caller]
pub(super) fn ready(account: &Account, names: &[&str]) -> Order {
    subject().ready(account, names)
}

/// Finalizes an order of these names.
#[track_caller]
pub(super) fn finalize(account: &Account, order: &Order, names: &[&str]) -> Response {
    account.try_finalize(order, &csr(names)).unwrap()
}

/// What finalize answers for `name` that has these CAA records itself.
#[track_caller]
pub(super) fn with_records(name: &str, records: &[CaaRecord<'_>]) -> Response {
    let account = account();
    let order = ready(&account, &[name]);
    subject().dns.set(name, Answer::caa(records));
    finalize(&account, &order, &[name])
}

/// The certificate is issued.
#[track_caller]
pub(super) fn issued(answer: &Response) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["status"], "valid", "{}", answer.text());
}
