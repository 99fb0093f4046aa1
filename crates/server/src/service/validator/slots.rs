//! Slots for validations: a fixed number run at the same time. Whose turn it is, `schedule.rs` decides.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::schedule::{Bounds, Full, Party, Running, Schedule};

/// All slots.
pub(super) struct ValidationSlots(Mutex<Schedule<oneshot::Sender<ValidationSlot>>>);

/// A slot, until dropped.
pub(super) struct ValidationSlot {
    slots: Arc<ValidationSlots>,
    party: Party,
    state: Running,
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
    /// Creates the slots, all free.
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Schedule::new(bounds))))
    }

    /// Queues for a slot.
    ///
    /// # Errors
    /// [`Full`] if the account has `most` validations running or waiting, or the queue has no room.
    pub(super) fn queue(self: &Arc<Self>, party: Party, most: usize) -> Result<Ticket, Full> {
        let (sender, receiver) = oneshot::channel();
        let mut schedule = self.schedule();
        schedule.queue(party, most, sender)?;
        self.fill(schedule);
        Ok(Ticket(receiver))
    }

    /// Queues for a slot once more, after a restart.
    pub(super) fn requeue(self: &Arc<Self>, party: Party) -> Ticket {
        let (sender, receiver) = oneshot::channel();
        let mut schedule = self.schedule();
        schedule.requeue(party, sender);
        self.fill(schedule);
        Ticket(receiver)
    }

    /// Gives free slots to those who wait.
    fn fill(
        self: &Arc<Self>,
        mut schedule: MutexGuard<'_, Schedule<oneshot::Sender<ValidationSlot>>>,
    ) {
        let mut left = Vec::new();
        while let Some((party, sender)) = schedule.next() {
            let slot = ValidationSlot {
                slots: Arc::clone(self),
                party,
                state: Running::Active,
            };
            // A receiver that is gone returns its slot, which needs the lock.
            left.extend(sender.send(slot).err());
        }
        drop(schedule);
        drop(left);
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule<oneshot::Sender<ValidationSlot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ValidationSlot {
    /// Passes the slot on: what is waited for from now on is an address that may stay silent.
    pub(super) fn fall_silent(&mut self) {
        if self.state == Running::Active {
            self.state = Running::Silent;
            let mut schedule = self.slots.schedule();
            schedule.fall_silent();
            self.slots.fill(schedule);
        }
    }
}

impl Drop for ValidationSlot {
    fn drop(&mut self) {
        let mut schedule = self.slots.schedule();
        schedule.end(self.party, self.state);
        self.slots.fill(schedule);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const MANY: usize = 1000;

    fn slots(count: usize) -> Arc<ValidationSlots> {
        ValidationSlots::new(Bounds {
            slots: count,
            silent: 1,
            queue: 100,
        })
    }

    fn party(n: u128) -> Party {
        Party {
            account: Uuid::from_u128(n),
            source: None,
            target: None,
        }
    }

    fn occupied(ticket: &mut Ticket) -> Option<ValidationSlot> {
        ticket.0.try_recv().ok()
    }

    #[test]
    fn leaving_the_queue_loses_no_slot_for_the_others() {
        let slots = slots(4);
        let mut first = slots.queue(party(1), MANY).unwrap();
        let held = occupied(&mut first);
        drop(slots.queue(party(1), MANY).unwrap());
        let mut last = slots.queue(party(1), MANY).unwrap();
        assert!(occupied(&mut last).is_none());
        drop(held);
        assert!(occupied(&mut last).is_some());
    }

    #[test]
    fn a_slot_is_passed_on_once_and_comes_back_once() {
        let slots = slots(1);
        let mut first = occupied(&mut slots.queue(party(1), MANY).unwrap()).unwrap();
        let mut second = slots.queue(party(2), MANY).unwrap();
        assert!(occupied(&mut second).is_none());
        first.fall_silent();
        first.fall_silent();
        let second = occupied(&mut second);
        assert!(second.is_some());
        let mut third = slots.queue(party(3), MANY).unwrap();
        drop(first);
        assert!(occupied(&mut third).is_none());
        drop(second);
        assert!(occupied(&mut third).is_some());
    }
}
