//! Slots for validations: a fixed number run at the same time, and no account keeps the others waiting.
//!
//! An account occupies a quarter of the slots at most, and a slot that becomes free goes to the
//! waiting account that occupies the fewest.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use uuid::Uuid;

/// All slots.
pub(super) struct ValidationSlots {
    share: usize,
    state: Mutex<State>,
}

struct State {
    free: usize,
    queues: HashMap<Uuid, AccountQueue>,
}

/// The validations of one account.
#[derive(Default)]
struct AccountQueue {
    occupied: usize,
    waiting: VecDeque<oneshot::Sender<ValidationSlot>>,
}

/// A slot, until dropped.
pub(super) struct ValidationSlot {
    slots: Arc<ValidationSlots>,
    account: Uuid,
}

/// A place in the queue for a slot.
pub(super) struct Ticket(oneshot::Receiver<ValidationSlot>);

impl Ticket {
    /// Waits for the slot.
    pub(super) async fn slot(&mut self) -> Option<ValidationSlot> {
        (&mut self.0).await.ok()
    }
}

impl ValidationSlots {
    /// Creates `count` slots, all free.
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self {
            share: (count / 4).max(1),
            state: Mutex::new(State {
                free: count,
                queues: HashMap::new(),
            }),
        })
    }

    /// Queues for a slot; `None` if the account has `most` validations running or waiting.
    pub(super) fn queue(self: &Arc<Self>, account: Uuid, most: usize) -> Option<Ticket> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        let queue = state.queues.entry(account).or_default();
        if queue.occupied + queue.waiting.len() >= most {
            state.tidy(account);
            return None;
        }
        queue.waiting.push_back(sender);
        self.fill(state);
        Some(Ticket(receiver))
    }

    /// Gives free slots to those who wait.
    fn fill(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let mut left = Vec::new();
        while let Some((account, sender)) = state.next(self.share) {
            let slot = ValidationSlot {
                slots: Arc::clone(self),
                account,
            };
            // A receiver that is gone returns its slot, which needs the lock.
            left.extend(sender.send(slot).err());
        }
        drop(state);
        drop(left);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The account that gets the next free slot, if one may have it.
    fn next(&mut self, share: usize) -> Option<(Uuid, oneshot::Sender<ValidationSlot>)> {
        if self.free == 0 {
            return None;
        }
        let queues = self.queues.iter_mut();
        let (account, queue) = queues
            .filter(|(_, queue)| queue.occupied < share && !queue.waiting.is_empty())
            .min_by_key(|(_, queue)| queue.occupied)?;
        let sender = queue.waiting.pop_front()?;
        queue.occupied += 1;
        self.free -= 1;
        Some((*account, sender))
    }

    fn tidy(&mut self, account: Uuid) {
        let empty = |queue: &AccountQueue| queue.occupied == 0 && queue.waiting.is_empty();
        if self.queues.get(&account).is_some_and(empty) {
            self.queues.remove(&account);
        }
    }
}

impl Drop for ValidationSlot {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        state.free += 1;
        if let Some(queue) = state.queues.get_mut(&self.account) {
            queue.occupied -= 1;
        }
        state.tidy(self.account);
        self.slots.fill(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 1000;

    fn account(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn occupied(ticket: &mut Ticket) -> Option<ValidationSlot> {
        ticket.0.try_recv().ok()
    }

    #[test]
    fn one_account_never_has_more_than_its_share_of_slots() {
        let slots = ValidationSlots::new(8);
        let mut greedy: Vec<_> = (0..20)
            .map(|_| slots.queue(account(1), MANY).unwrap())
            .collect();
        let held: Vec<_> = greedy.iter_mut().filter_map(occupied).collect();
        assert_eq!(held.len(), 2);
        let mut other = slots.queue(account(2), MANY).unwrap();
        assert!(
            occupied(&mut other).is_some(),
            "the queue of one account does not delay another"
        );
    }

    #[test]
    fn a_free_slot_goes_to_the_account_with_the_fewest() {
        let slots = ValidationSlots::new(8);
        let mut held = Vec::new();
        for n in 1..=4 {
            for _ in 0..2 {
                held.extend(occupied(&mut slots.queue(account(n), MANY).unwrap()));
            }
        }
        assert_eq!(held.len(), 8);
        let mut first = slots.queue(account(1), MANY).unwrap();
        let mut late = slots.queue(account(5), MANY).unwrap();
        drop(held.pop());
        assert!(occupied(&mut first).is_none());
        assert!(occupied(&mut late).is_some());
    }

    #[test]
    fn leaving_the_queue_loses_no_slot_for_the_others() {
        let slots = ValidationSlots::new(4);
        let mut first = slots.queue(account(1), MANY).unwrap();
        let held = occupied(&mut first);
        drop(slots.queue(account(1), MANY).unwrap());
        let mut last = slots.queue(account(1), MANY).unwrap();
        assert!(occupied(&mut last).is_none());
        drop(held);
        assert!(occupied(&mut last).is_some());
    }

    #[test]
    fn the_queue_of_an_account_is_limited_and_leaves_nothing_behind() {
        let slots = ValidationSlots::new(4);
        let mut turns: Vec<_> = (0..3)
            .map(|_| slots.queue(account(1), 3).unwrap())
            .collect();
        assert!(slots.queue(account(1), 3).is_none());
        for ticket in &mut turns {
            assert!(occupied(ticket).is_some());
        }
        assert!(slots.queue(account(1), 3).is_some());
        assert!(slots.queue(account(9), 0).is_none());
        let state = slots.state();
        assert_eq!((state.free, state.queues.len()), (4, 0));
    }
}
