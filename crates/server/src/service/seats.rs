//! Seats for validations: so many look at the same time, and no account keeps the others waiting.
//!
//! An account sits on a quarter of the seats at most, and a seat that comes free goes to the
//! waiting account that sits on the fewest.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use uuid::Uuid;

/// All seats.
pub(super) struct Seats {
    share: usize,
    state: Mutex<State>,
}

struct State {
    free: usize,
    parties: HashMap<Uuid, Party>,
}

/// The validations of one account.
#[derive(Default)]
struct Party {
    seated: usize,
    waiting: VecDeque<oneshot::Sender<Seat>>,
}

/// A seat, until dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    account: Uuid,
}

/// A place in the queue for a seat.
pub(super) struct Turn(oneshot::Receiver<Seat>);

impl Turn {
    /// Waits for the seat.
    pub(super) async fn seat(&mut self) -> Option<Seat> {
        (&mut self.0).await.ok()
    }
}

impl Seats {
    /// So many seats, all free.
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self {
            share: (count / 4).max(1),
            state: Mutex::new(State {
                free: count,
                parties: HashMap::new(),
            }),
        })
    }

    /// Queues for a seat; nothing if the account has `most` validations seated or waiting.
    pub(super) fn queue(self: &Arc<Self>, account: Uuid, most: usize) -> Option<Turn> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        let party = state.parties.entry(account).or_default();
        if party.seated + party.waiting.len() >= most {
            state.tidy(account);
            return None;
        }
        party.waiting.push_back(sender);
        self.fill(state);
        Some(Turn(receiver))
    }

    /// Gives free seats to those who wait.
    fn fill(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let mut left = Vec::new();
        while let Some((account, sender)) = state.next(self.share) {
            let seat = Seat {
                seats: Arc::clone(self),
                account,
            };
            // Who has left meanwhile gives the seat back, when the lock is free again.
            left.extend(sender.send(seat).err());
        }
        drop(state);
        drop(left);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Who is seated next, if anybody can be.
    fn next(&mut self, share: usize) -> Option<(Uuid, oneshot::Sender<Seat>)> {
        if self.free == 0 {
            return None;
        }
        let parties = self.parties.iter_mut();
        let (account, party) = parties
            .filter(|(_, party)| party.seated < share && !party.waiting.is_empty())
            .min_by_key(|(_, party)| party.seated)?;
        let sender = party.waiting.pop_front()?;
        party.seated += 1;
        self.free -= 1;
        Some((*account, sender))
    }

    fn tidy(&mut self, account: Uuid) {
        let empty = |party: &Party| party.seated == 0 && party.waiting.is_empty();
        if self.parties.get(&account).is_some_and(empty) {
            self.parties.remove(&account);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.seats.state();
        state.free += 1;
        if let Some(party) = state.parties.get_mut(&self.account) {
            party.seated -= 1;
        }
        state.tidy(self.account);
        self.seats.fill(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 1000;

    fn account(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn seated(turn: &mut Turn) -> Option<Seat> {
        turn.0.try_recv().ok()
    }

    #[test]
    fn one_account_never_sits_on_more_than_its_share() {
        let seats = Seats::new(8);
        let mut greedy: Vec<_> = (0..20)
            .map(|_| seats.queue(account(1), MANY).unwrap())
            .collect();
        let held: Vec<_> = greedy.iter_mut().filter_map(seated).collect();
        assert_eq!(held.len(), 2);
        let mut other = seats.queue(account(2), MANY).unwrap();
        assert!(
            seated(&mut other).is_some(),
            "a stranger's queue keeps nobody waiting"
        );
    }

    #[test]
    fn a_free_seat_goes_to_the_account_with_the_fewest() {
        let seats = Seats::new(8);
        let mut held = Vec::new();
        for n in 1..=4 {
            for _ in 0..2 {
                held.extend(seated(&mut seats.queue(account(n), MANY).unwrap()));
            }
        }
        assert_eq!(held.len(), 8);
        let mut first = seats.queue(account(1), MANY).unwrap();
        let mut late = seats.queue(account(5), MANY).unwrap();
        drop(held.pop());
        assert!(seated(&mut first).is_none());
        assert!(seated(&mut late).is_some());
    }

    #[test]
    fn who_leaves_the_queue_loses_no_seat_for_the_others() {
        let seats = Seats::new(4);
        let mut first = seats.queue(account(1), MANY).unwrap();
        let held = seated(&mut first);
        drop(seats.queue(account(1), MANY).unwrap());
        let mut last = seats.queue(account(1), MANY).unwrap();
        assert!(seated(&mut last).is_none());
        drop(held);
        assert!(seated(&mut last).is_some());
    }

    #[test]
    fn an_account_queues_so_often_and_no_more_and_nothing_is_left_behind() {
        let seats = Seats::new(4);
        let mut turns: Vec<_> = (0..3)
            .map(|_| seats.queue(account(1), 3).unwrap())
            .collect();
        assert!(seats.queue(account(1), 3).is_none());
        for turn in &mut turns {
            assert!(seated(turn).is_some());
        }
        assert!(seats.queue(account(1), 3).is_some());
        assert!(seats.queue(account(9), 0).is_none());
        let state = seats.state();
        assert_eq!((state.free, state.parties.len()), (4, 0));
    }
}
