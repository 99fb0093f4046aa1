//! Authorizations (RFC 8555 §7.5) with their challenges.

use acme::account::Account;
use acme::authz::Authorization;
use acme::order::ReusableAuthorizations;
use acme::scope::Subject;
use jiff::Timestamp;
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

    /// Reads what an account has for these subjects: its permits, and, if `earlier` names a moment, its valid
    /// authorizations that live beyond it and have their scope or a wider one, and those of its pending ones that it
    /// asked for ahead.
    fn reusable_authorizations(
        &self,
        account: &Account,
        subjects: Vec<Subject>,
        earlier: Option<Timestamp>,
    ) -> impl Future<Output = Result<ReusableAuthorizations, Error>> + Send;
}
