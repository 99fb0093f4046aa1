//! Accounts (RFC 8555 §7.3): a key has at most one with each provisioner.

use acme::account::Account;
use acme::key_change::KeyChange;
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::error::Error;
use crate::record::{Created, KeyChanged};
use crate::write::{Ending, Registration};

/// The verbs on accounts.
pub trait Accounts {
    /// Stores an account with its audit entry, or finds the one that its provisioner has with the same key; then nothing
    /// is written. One that an external account key binds is stored only while that key is there, has not expired when
    /// the account is created, and has bound fewer accounts than it may; it is counted for the key.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the id is taken.
    fn create_account(
        &self,
        registration: Registration,
    ) -> impl Future<Output = Result<Created, Error>> + Send;

    /// Reads an account.
    fn account(&self, id: Uuid) -> impl Future<Output = Result<Option<Account>, Error>> + Send;

    /// Reads the account that a provisioner has with the key of this thumbprint (RFC 7638).
    fn account_by_key(
        &self,
        provisioner: &str,
        thumbprint: &str,
    ) -> impl Future<Output = Result<Option<Account>, Error>> + Send;

    /// Replaces the contacts of an account and records the URL of the terms that it agrees to, each if given and only
    /// while the account is valid. Returns the account as it is now, whether or not it was changed.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn update_account(
        &self,
        id: Uuid,
        contact: Option<Vec<String>>,
        terms: Option<String>,
    ) -> impl Future<Output = Result<Account, Error>> + Send;

    /// Gives an account another key (RFC 8555 §7.3.5), only while the account is valid and has the old key, and only if
    /// no account of its provisioner has the new one.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn change_key(
        &self,
        id: Uuid,
        change: KeyChange,
        entry: AuditEntry,
    ) -> impl Future<Output = Result<KeyChanged, Error>> + Send;

    /// Ends a valid account and its pending and valid authorizations; its pending, ready and processing orders become
    /// invalid. Writes nothing if the account has ended already. Returns the account as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn deactivate_account(
        &self,
        id: Uuid,
        ending: Ending,
    ) -> impl Future<Output = Result<Account, Error>> + Send;
}
