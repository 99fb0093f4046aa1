//! Locks on orders, so that one order makes one signature.

use std::sync::Arc;

use uuid::Uuid;

use crate::error::Error;

/// What a lock is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderKey {
    /// The account that asks for it.
    pub account: Uuid,
    /// The order.
    pub order: Uuid,
}

/// The verb that locks an order.
pub trait OrderLocks {
    /// A lock on one order, held until it is dropped.
    type Lock: Send + 'static;

    /// Waits for the lock on an order of an account, which one caller holds at a time, on any node. Whether the account
    /// has such an order is not asked: an account neither holds nor awaits the lock of another account's order. Who no
    /// longer awaits it leaves nothing behind.
    fn lock(
        self: &Arc<Self>,
        key: OrderKey,
    ) -> impl Future<Output = Result<Self::Lock, Error>> + Send;
}
