//! External account keys (RFC 8555 §7.3.4), which an operator hands out and which bind accounts.

use acme::eab::MacKey;
use ca::external_key::ExternalKey;

use crate::audit::AuditEntry;
use crate::error::Error;
use crate::record::BindingKey;
use crate::write::Ending;

/// The verbs on external account keys.
pub trait ExternalKeys {
    /// Stores a new key with its secret and its audit entry.
    ///
    /// # Errors
    /// [`Error::Conflict`] if its id is taken, or its reference at this provisioner.
    fn create_external_key(
        &self,
        key: ExternalKey,
        secret: MacKey,
        entry: AuditEntry,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Reads a key of this provisioner.
    fn external_key(
        &self,
        provisioner: &str,
        id: &str,
    ) -> impl Future<Output = Result<Option<ExternalKey>, Error>> + Send;

    /// Reads a key of this provisioner with its secret, for a request that an account be bound.
    fn binding_key(
        &self,
        provisioner: &str,
        id: &str,
    ) -> impl Future<Output = Result<Option<BindingKey>, Error>> + Send;

    /// Reads at most `limit` keys of this provisioner after the one with the id `after` (empty to begin with the first),
    /// in the order of their ids.
    fn external_keys(
        &self,
        provisioner: &str,
        after: &str,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<ExternalKey>, Error>> + Send;

    /// Reads the key of this provisioner that has this reference. An empty reference is none.
    fn external_key_called(
        &self,
        provisioner: &str,
        reference: &str,
    ) -> impl Future<Output = Result<Option<ExternalKey>, Error>> + Send;

    /// Deletes a key of this provisioner; the pending, ready and processing orders of the accounts that it bound become
    /// invalid. Returns how many those were.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn remove_external_key(
        &self,
        provisioner: &str,
        id: &str,
        ending: Ending,
    ) -> impl Future<Output = Result<u64, Error>> + Send;
}
