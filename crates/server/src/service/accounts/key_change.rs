//! Key rollover (RFC 8555 §7.3.5): the account goes on with another key; the old one is dead at once.
//! A validation that has begun ends with the key that it began with.

use acme::Problem;
use acme::account::Account;
use acme::key_change::KeyChange;
use jiff::Timestamp;
use store::port::Accounts as _;
use store::{AuditEntry, KeyChanged};
use uuid::Uuid;

use super::{AccountService, Error};

/// What became of a change of key.
pub(crate) enum Rolled {
    /// The account has its new key.
    Over(Box<Account>),
    /// This account has the new key already.
    InUse(Uuid),
}

impl AccountService {
    /// Gives the account its new key.
    ///
    /// # Errors
    /// When another change was faster, or the store fails.
    pub(crate) async fn change_key(
        &self,
        account: &Account,
        change: KeyChange,
    ) -> Result<Rolled, Error> {
        let entry = AuditEntry::account_key_changed(account, &change, Timestamp::now());
        let changed = self.store.change_key(account.id, change, entry);
        match changed.await? {
            KeyChanged::Changed(account) => Ok(Rolled::Over(account)),
            KeyChanged::InUse(holder) => Ok(Rolled::InUse(holder)),
            KeyChanged::Outdated => Err(Problem::malformed(
                "The account's key has just been changed by another request, or the account ended: \
                 sign with the key that it has now.",
            )
            .with_status(409)
            .into()),
        }
    }
}
