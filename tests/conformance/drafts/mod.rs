//! Internet-Drafts: challenges, at a provisioner for which `riser.toml` names them, and profiles.

mod dns_account_01;
mod dns_persist_01;
mod profiles;

use acceptance::acme::Account;
use serde_json::Value;

use crate::conformance::subject::subject;

/// A fresh account at the provisioner that offers the drafts' challenges.
#[track_caller]
fn account() -> Account {
    Account::register(&subject().client, &subject().directory_of("drafts"))
}

/// The challenge of this type that a new order for `name` has.
#[track_caller]
fn challenge(account: &Account, name: &str, kind: &str) -> Value {
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    account.challenge(authorization, kind).unwrap()
}
