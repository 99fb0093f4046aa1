//! The audit log: entries are added by the transaction that they describe, and never changed.

use crate::audit::AuditEntry;
use crate::error::Error;
use crate::record::AuditLine;

/// The verbs on the audit log. Entries about a change of other records are written by the verb that makes the change.
pub trait AuditLog {
    /// Adds an entry that belongs to no other change of the store.
    fn record(&self, entry: AuditEntry) -> impl Future<Output = Result<(), Error>> + Send;

    /// Reads at most `limit` lines after the one with the number `after` (0 to begin with the first), oldest first.
    fn audit(
        &self,
        after: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<AuditLine>, Error>> + Send;
}
