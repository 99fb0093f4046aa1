//! Locks on orders, so that one order makes one signature.

use uuid::Uuid;

use crate::error::Error;

/// The verb that locks an order.
pub trait OrderLocks {
    /// A lock on one order, held until it is dropped.
    type Lock<'a>: Send
    where
        Self: 'a;

    /// Waits for the lock on `order`, which one caller holds at a time, on any node. Whether there is such an order is
    /// not asked.
    fn lock(&self, order: Uuid) -> impl Future<Output = Result<Self::Lock<'_>, Error>> + Send;
}
