//! Authorizations (RFC 8555 §7.5) with their challenges.

use acme::authz::Authorization;
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::error::Error;
use crate::write::Ending;

/// The verbs on authorizations.
pub trait Authorizations {
    /// Reads an authorization with its challenges.
    fn authorization(
        &self,
        id: Uuid,
    ) -> impl Future<Output = Result<Option<Authorization>, Error>> + Send;

    /// Stores an authorization that its account asks for ahead of any order (RFC 8555 §7.4.1), with its audit entry.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the account is not valid (any more), or an id is taken.
    fn create_authorization(
        &self,
        authorization: Authorization,
        entry: AuditEntry,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Ends a pending or valid authorization; the pending, ready and processing orders that depend on it become invalid.
    /// Writes nothing if it has ended already. Returns it as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn deactivate_authorization(
        &self,
        id: Uuid,
        ending: Ending,
    ) -> impl Future<Output = Result<Authorization, Error>> + Send;
}
