//! The configuration that was in force last, so that a start judges the files by it.

use crate::error::Error;
use crate::record::AcceptedConfiguration;

/// The verbs on the configuration in force.
pub trait Configurations {
    /// Reads the configuration that was in force last; `None` for a new store.
    fn accepted_configuration(
        &self,
    ) -> impl Future<Output = Result<Option<AcceptedConfiguration>, Error>> + Send;

    /// Replaces it.
    fn accept_configuration(
        &self,
        accepted: AcceptedConfiguration,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}
