//! Permits (`acme::permit`): names that an operator gives to an account, or to the accounts that an external account
//! key binds.

use acme::permit::Record;
use uuid::Uuid;

use crate::error::Error;
use crate::write::{Ending, NewPermit};

/// The verbs on permits.
pub trait Permits {
    /// Stores permits, all of them or none, each with an audit entry.
    ///
    /// # Errors
    /// [`Error::NotFound`] if one is for a valid account or an external account key that its provisioner does not have.
    fn add_permits(
        &self,
        permits: Vec<NewPermit>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Reads a permit of this provisioner. What a permit says never changes.
    fn permit(
        &self,
        provisioner: &str,
        id: Uuid,
    ) -> impl Future<Output = Result<Option<Record>, Error>> + Send;

    /// Lists the permits of a provisioner, oldest first, those that have ended too.
    fn permits(&self, provisioner: &str)
    -> impl Future<Output = Result<Vec<Record>, Error>> + Send;

    /// Deletes a permit; the valid authorizations that it gave become revoked, and the pending, ready and processing
    /// orders that depend on them become invalid. Returns what the permit said.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the provisioner has no such permit.
    fn remove_permit(
        &self,
        provisioner: &str,
        id: Uuid,
        ending: Ending,
    ) -> impl Future<Output = Result<Record, Error>> + Send;
}
