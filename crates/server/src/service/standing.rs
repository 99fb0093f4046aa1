//! What was read of accounts and keys, as `ca` judges by it.

use acme::account::{Account, Status};
use ca::admission::{KeyStanding, Right};
use ca::external_key::ExternalKeyRules;

/// The standing of an account.
pub(super) fn account(account: &Account) -> Right {
    match account.status {
        Status::Valid => Right::Valid,
        Status::Deactivated | Status::Revoked => Right::Ended,
    }
}

/// The standing of an account's external account key, whose rules are there while it stands.
pub(super) fn external_key(account: &Account, rules: Option<&ExternalKeyRules>) -> Right {
    match (&account.external, rules) {
        (None, _) => Right::NotNeeded,
        (Some(_), Some(_)) => Right::Valid,
        (Some(_), None) => Right::Ended,
    }
}

/// The standing of a key that is barred as compromised, or not.
pub(super) fn key(compromised: bool) -> KeyStanding {
    match compromised {
        true => KeyStanding::Compromised,
        false => KeyStanding::Good,
    }
}
