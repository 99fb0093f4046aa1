//! Retention: expired orders and authorizations are deleted; certificates and the audit log stay.

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::record::Swept;

/// The verb that deletes what has expired.
pub trait Retention {
    /// Deletes the orders, and the authorizations with their challenges that no order is left of, that expired more than
    /// `keep` before `now`. Not one transaction but many small ones, so that other writers need not wait for it.
    fn sweep(
        &self,
        now: Timestamp,
        keep: SignedDuration,
    ) -> impl Future<Output = Result<Swept, Error>> + Send;
}
