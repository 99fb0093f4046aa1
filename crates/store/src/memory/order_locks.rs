//! Locks on orders that are being finalized, in memory, so that one order makes one signature.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::error::Error;
use crate::port::{self, OrderKey};

/// The locks, each held while a certificate is made for one.
#[derive(Default)]
pub struct OrderLocks {
    held: Mutex<HashMap<OrderKey, Arc<AsyncMutex<()>>>>,
}

/// A lock on one order; the next waiting task gets it when this is dropped.
pub struct OrderLock {
    locks: Arc<OrderLocks>,
    key: OrderKey,
    guard: Option<OwnedMutexGuard<()>>,
}

impl port::OrderLocks for OrderLocks {
    type Lock = OrderLock;

    async fn lock(self: &Arc<Self>, key: OrderKey) -> Result<OrderLock, Error> {
        // Made before it is awaited: where the wait is given up, it clears what the wait has left.
        let mut lock = OrderLock {
            locks: Arc::clone(self),
            key,
            guard: None,
        };
        let guard = self.held().entry(key).or_default().clone();
        lock.guard = Some(guard.lock_owned().await);
        Ok(lock)
    }
}

impl OrderLocks {
    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<OrderKey, Arc<AsyncMutex<()>>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OrderLock {
    fn drop(&mut self) {
        self.guard = None;
        let mut held = self.locks.held();
        // Guards are cloned under this mutex only: with one owner left nothing waits.
        if held
            .get(&self.key)
            .is_some_and(|guard| Arc::strong_count(guard) == 1)
        {
            held.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::port::OrderLocks as _;

    #[tokio::test]
    async fn a_second_claim_waits_and_nothing_is_left_behind() {
        let locks = Arc::new(OrderLocks::default());
        let key = OrderKey {
            account: Uuid::from_u128(2),
            order: Uuid::from_u128(1),
        };
        let first = locks.lock(key).await.unwrap();
        let second = tokio::spawn({
            let locks = locks.clone();
            async move { drop(locks.lock(key).await.unwrap()) }
        });
        tokio::task::yield_now().await;
        let of_another_account = OrderKey {
            account: Uuid::from_u128(3),
            ..key
        };
        drop(locks.lock(of_another_account).await.unwrap());
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap();
        assert!(locks.held().is_empty());
    }

    #[tokio::test]
    async fn who_no_longer_waits_leaves_nothing_behind() {
        let locks = Arc::new(OrderLocks::default());
        let key = OrderKey {
            account: Uuid::from_u128(2),
            order: Uuid::from_u128(1),
        };
        let first = locks.lock(key).await.unwrap();
        let second = tokio::spawn({
            let locks = locks.clone();
            async move { drop(locks.lock(key).await.unwrap()) }
        });
        tokio::task::yield_now().await;
        second.abort();
        assert!(second.await.unwrap_err().is_cancelled());
        drop(first);
        assert!(locks.held().is_empty());
    }
}
