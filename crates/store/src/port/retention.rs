//! Retention: expired orders and authorizations are deleted, certificates by a rule of their own; the audit log stays.

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::record::Swept;

/// The verb that deletes what has expired.
pub trait Retention {
    /// Deletes the orders, and the authorizations with their challenges that no order is left of, that expired more than
    /// `keep` before `now`. Ids of version 7 are expected, made before their record expires. Not one transaction but many small ones, so that other writers need not wait for it.
    fn sweep(
        &self,
        now: Timestamp,
        keep: SignedDuration,
    ) -> impl Future<Output = Result<Swept, Error>> + Send;

    /// Deletes the certificates that ended before `before` and have no order any more; how many. One whose predecessor, which it
    /// was renewed from, is still there stays with it. Revocations, barred keys and ends of renewals stay, and a certificate that
    /// was deleted is not renewed. Many small transactions, as for a sweep.
    fn sweep_certificates(
        &self,
        before: Timestamp,
    ) -> impl Future<Output = Result<usize, Error>> + Send;
}
