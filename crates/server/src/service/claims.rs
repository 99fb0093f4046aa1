//! Who is finalizing which order: a claim in memory, so that one order makes one signature.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use uuid::Uuid;

/// Claims on orders, held while a certificate is made for one.
pub(crate) struct Claims {
    turns: Mutex<HashMap<Uuid, Arc<Turn<()>>>>,
}

/// A claim on one order; the next in line gets it when this is dropped.
pub(crate) struct Claim<'a> {
    claims: &'a Claims,
    order: Uuid,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Claims {
    /// No order is claimed.
    pub(crate) fn new() -> Self {
        Self {
            turns: Mutex::new(HashMap::new()),
        }
    }

    /// Waits for the turn on `order`.
    pub(crate) async fn claim(&self, order: Uuid) -> Claim<'_> {
        let turn = self.turns().entry(order).or_default().clone();
        Claim {
            claims: self,
            order,
            turn: Some(turn.lock_owned().await),
        }
    }

    fn turns(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Turn<()>>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.turn = None;
        let mut turns = self.claims.turns();
        // Turns are handed out under this lock only: with one owner left nobody waits.
        if turns
            .get(&self.order)
            .is_some_and(|turn| Arc::strong_count(turn) == 1)
        {
            turns.remove(&self.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_claim_waits_and_nothing_is_left_behind() {
        let claims = Arc::new(Claims::new());
        let order = Uuid::from_u128(1);
        let first = claims.claim(order).await;
        let second = tokio::spawn({
            let claims = claims.clone();
            async move { drop(claims.claim(order).await) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap();
        assert!(claims.turns().is_empty());
    }
}
