//! Who gets the next slot for a validation: a decision on numbers, without clock and tasks.
//!
//! A slot goes to the waiting account that holds the fewest, and among equals to the one that has waited
//! longest. Sources and targets that hold more than their share come after all others, and only then: an
//! address may be a proxy's. A validation that waits for a silent address passes its slot on.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use uuid::Uuid;

/// How much may run and wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How many validations run, those that wait for a silent address not counted.
    pub(super) slots: usize,
    /// How many wait for a silent address without a slot; beyond them, they keep their slots.
    pub(super) silent: usize,
    /// How many wait for a slot.
    pub(super) queue: usize,
}

/// For whom a slot is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Party {
    /// The account.
    pub(super) account: Uuid,
    /// The network that asks for the validation, where it is known.
    pub(super) source: Option<IpAddr>,
    /// The network that is looked at, where it is known.
    pub(super) target: Option<IpAddr>,
}

/// Why nothing more is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The account has as many as it may have.
    Account,
    /// There is no room for what this source wants beyond one validation of an account.
    Queue,
}

/// What runs and what waits, each with its entry `T`.
pub(super) struct Schedule<T> {
    bounds: Bounds,
    /// With a slot.
    active: usize,
    /// Waiting for a silent address, with or without a slot.
    silent: usize,
    waiting: usize,
    arrivals: u64,
    accounts: HashMap<Uuid, AccountQueue<T>>,
    sources: HashMap<IpAddr, Load>,
    targets: HashMap<IpAddr, Load>,
}

/// The validations of one account.
struct AccountQueue<T> {
    held: usize,
    waiting: VecDeque<Waiting<T>>,
}

struct Waiting<T> {
    party: Party,
    arrival: u64,
    entry: T,
}

/// How much one network has.
#[derive(Default)]
struct Load {
    held: usize,
    waiting: usize,
}

impl<T> Schedule<T> {
    /// Nothing runs and nothing waits.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            active: 0,
            silent: 0,
            waiting: 0,
            arrivals: 0,
            accounts: HashMap::new(),
            sources: HashMap::new(),
            targets: HashMap::new(),
        }
    }

    /// Lets an entry wait.
    ///
    /// # Errors
    /// [`Full`] if the account has `most` already, or the queue has no room. A source may fill as much of the queue
    /// as it leaves free, so that others always find room; the first validation of an account is exempt while its source has less
    /// than three quarters of the queue.
    pub(super) fn queue(&mut self, party: Party, most: usize, entry: T) -> Result<(), Full> {
        let account = self.accounts.get(&party.account);
        let own = account.map_or(0, |it| it.held + it.waiting.len());
        if own >= most {
            return Err(Full::Account);
        }
        let room = self.bounds.queue.saturating_sub(self.waiting);
        let source = party.source.and_then(|source| self.sources.get(&source));
        let crowded = source.is_some_and(|source| {
            let exempt = own == 0 && source.waiting < self.bounds.queue / 4 * 3;
            source.waiting >= room && !exempt
        });
        if room == 0 || crowded {
            return Err(Full::Queue);
        }
        self.requeue(party, entry);
        Ok(())
    }

    /// Lets an entry wait that an earlier process had admitted: no bound applies a second time.
    pub(super) fn requeue(&mut self, party: Party, entry: T) {
        self.load(party, |load| load.waiting += 1);
        self.waiting += 1;
        self.arrivals += 1;
        let waiting = Waiting {
            party,
            arrival: self.arrivals,
            entry,
        };
        let account = self.accounts.entry(party.account);
        account.or_default().waiting.push_back(waiting);
    }

    /// Gives a free slot to the entry whose turn it is, if there are both.
    pub(super) fn next(&mut self) -> Option<(Party, T)> {
        if self.occupied() >= self.bounds.slots {
            return None;
        }
        let share = self.share();
        let accounts = self.accounts.iter();
        let heads = accounts.filter_map(|(id, queue)| {
            let head = queue.waiting.front().filter(|_| queue.held < share)?;
            Some((self.is_crowded(head.party), queue.held, head.arrival, *id))
        });
        let (_, _, _, id) = heads.min()?;
        let queue = self.accounts.get_mut(&id)?;
        let Waiting { party, entry, .. } = queue.waiting.pop_front()?;
        queue.held += 1;
        self.waiting -= 1;
        self.active += 1;
        self.load(party, |load| {
            load.waiting -= 1;
            load.held += 1;
        });
        Some((party, entry))
    }

    /// One that runs waits for a silent address from now on.
    pub(super) const fn fall_silent(&mut self) {
        self.active -= 1;
        self.silent += 1;
    }

    /// One that runs has ended; it is `silent` if it had fallen silent.
    pub(super) fn end(&mut self, party: Party, state: Running) {
        match state {
            Running::Active => self.active -= 1,
            Running::Silent => self.silent -= 1,
        }
        self.load(party, |load| load.held -= 1);
        if let Some(queue) = self.accounts.get_mut(&party.account) {
            queue.held -= 1;
            if queue.held == 0 && queue.waiting.is_empty() {
                self.accounts.remove(&party.account);
            }
        }
    }

    /// The slots that are taken.
    fn occupied(&self) -> usize {
        self.active + self.silent.saturating_sub(self.bounds.silent)
    }

    /// What an account holds at most, and a network while others wait.
    fn share(&self) -> usize {
        (self.bounds.slots / 4).max(1)
    }

    /// Whether the source or the target holds its share already.
    fn is_crowded(&self, party: Party) -> bool {
        let full = |loads: &HashMap<IpAddr, Load>, network: Option<IpAddr>| {
            let load = network.and_then(|network| loads.get(&network));
            load.is_some_and(|load| load.held >= self.share())
        };
        full(&self.sources, party.source) || full(&self.targets, party.target)
    }

    /// Changes the loads of both networks of a party.
    fn load(&mut self, party: Party, change: impl Fn(&mut Load)) {
        let networks = [
            (&mut self.sources, party.source),
            (&mut self.targets, party.target),
        ];
        for (loads, network) in networks {
            let Some(network) = network else {
                continue;
            };
            let load = loads.entry(network).or_default();
            change(load);
            if load.held + load.waiting == 0 {
                loads.remove(&network);
            }
        }
    }
}

/// What one that runs does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Running {
    /// It is at work, and takes a slot.
    Active,
    /// It waits for a silent address.
    Silent,
}

impl<T> Default for AccountQueue<T> {
    fn default() -> Self {
        Self {
            held: 0,
            waiting: VecDeque::new(),
        }
    }
}

#[cfg(test)]
mod tests;
