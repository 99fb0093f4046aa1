//! Whose turn it is, under load, in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::*;

const MANY: usize = 1000;
const BOUNDS: Bounds = Bounds {
    slots: 256,
    silent: 1024,
    queue: 16_384,
};

fn small(slots: usize) -> Bounds {
    Bounds {
        slots,
        silent: 2,
        queue: 12,
    }
}

fn party(account: u128, source: u8, target: u8) -> Party {
    Party {
        account: Uuid::from_u128(account),
        source: Some(Ipv4Addr::new(10, 0, 0, source).into()),
        target: Some(Ipv4Addr::new(10, 1, target, 0).into()),
    }
}

/// The names of the entries that get a slot now.
fn granted(schedule: &mut Schedule<&'static str>) -> Vec<&'static str> {
    std::iter::from_fn(|| schedule.next())
        .map(|(_, name)| name)
        .collect()
}

fn queue(schedule: &mut Schedule<&'static str>, party: Party, name: &'static str) {
    assert_eq!(schedule.queue(party, MANY, name), Ok(()));
}

#[test]
fn among_accounts_that_hold_equally_many_the_first_to_come_is_served_first() {
    let mut schedule = Schedule::new(small(1));
    for (account, name) in [(9, "a"), (3, "b"), (7, "c"), (9, "d"), (1, "e")] {
        queue(&mut schedule, party(account, 1, 1), name);
    }
    let mut order = Vec::new();
    while let Some((party, name)) = schedule.next() {
        order.push(name);
        schedule.end(party, Running::Active);
    }
    assert_eq!(order, ["a", "b", "c", "d", "e"]);
    assert!(schedule.accounts.is_empty() && schedule.sources.is_empty());
    assert!(schedule.targets.is_empty());
}

#[test]
fn an_account_that_holds_fewer_goes_first_and_none_holds_more_than_its_share() {
    let mut schedule = Schedule::new(small(8));
    for name in ["a", "b", "c"] {
        queue(&mut schedule, party(1, 1, 1), name);
    }
    assert_eq!(granted(&mut schedule), ["a", "b"]);
    queue(&mut schedule, party(2, 1, 1), "new");
    assert_eq!(granted(&mut schedule), ["new"]);
}

#[test]
fn a_source_or_target_that_holds_its_share_comes_after_the_others_and_only_then() {
    for crowd in [party(100, 1, 9), party(100, 9, 1)] {
        let mut schedule = Schedule::new(small(8));
        let of_crowd = |account: u128| Party {
            account: Uuid::from_u128(account),
            ..crowd
        };
        for account in 1..=8 {
            queue(&mut schedule, of_crowd(account), "crowd");
        }
        // Nobody else waits: the crowd has all slots.
        assert_eq!(granted(&mut schedule).len(), 8);
        queue(&mut schedule, of_crowd(9), "crowd");
        queue(&mut schedule, party(10, 2, 2), "other");
        schedule.end(of_crowd(1), Running::Active);
        assert_eq!(granted(&mut schedule), ["other"]);
    }
}

#[test]
fn what_waits_for_silence_passes_its_slot_on_as_long_as_there_is_room() {
    let mut schedule = Schedule::new(small(4));
    for account in 1..=8 {
        queue(&mut schedule, party(account, 1, 1), "silent");
    }
    assert_eq!(granted(&mut schedule).len(), 4);
    for _ in 0..4 {
        schedule.fall_silent();
    }
    assert_eq!(granted(&mut schedule).len(), 2, "two fit beside the slots");
    schedule.end(party(1, 1, 1), Running::Silent);
    assert_eq!(granted(&mut schedule).len(), 1);
}

#[test]
fn a_source_never_fills_the_queue_and_an_account_with_nothing_is_admitted_while_its_source_leaves_a_quarter()
 {
    let mut schedule = Schedule::new(small(1));
    let flood = |schedule: &mut Schedule<_>, account| {
        (0..MANY)
            .take_while(|_| schedule.queue(party(account, 1, 1), MANY, "flood").is_ok())
            .count()
    };
    assert_eq!(flood(&mut schedule, 1), 6, "as much as it leaves free");
    assert_eq!(flood(&mut schedule, 2), 1);
    for name in ["other", "too"] {
        queue(&mut schedule, party(3, 2, 1), name);
    }
    assert_eq!(
        schedule.queue(party(3, 2, 1), 2, "third"),
        Err(Full::Account)
    );
    for account in 4..6 {
        queue(&mut schedule, party(account, 1, 1), "first");
    }
    let three_quarters = schedule.queue(party(6, 1, 1), MANY, "first");
    assert_eq!(three_quarters, Err(Full::Queue));
    queue(&mut schedule, party(7, 2, 1), "first");
    assert_eq!(
        schedule.queue(party(8, 3, 1), MANY, "any"),
        Err(Full::Queue)
    );
}

#[test]
fn what_an_earlier_process_had_admitted_waits_beyond_the_bounds_and_leaves_no_room_for_more() {
    let mut schedule = Schedule::new(small(1));
    for _ in 0..MANY {
        schedule.requeue(party(1, 1, 1), "resumed");
    }
    assert_eq!(
        schedule.queue(party(2, 2, 2), MANY, "new"),
        Err(Full::Queue)
    );
    assert_eq!(granted(&mut schedule).len(), 1, "the slots bind as ever");
}

/// A validator under load, in virtual milliseconds.
struct Simulation {
    now: u64,
    schedule: Schedule<bool>,
    events: BinaryHeap<Reverse<(u64, u128, bool)>>,
    sources: HashMap<u128, u8>,
    honest_began: Option<u64>,
}

impl Simulation {
    /// 500 accounts with eight silent names each come at once.
    fn attacked() -> Self {
        let mut simulation = Self {
            now: 0,
            schedule: Schedule::new(BOUNDS),
            events: BinaryHeap::new(),
            sources: HashMap::new(),
            honest_began: None,
        };
        for account in 0..500_u128 {
            for _ in 0..8 {
                simulation.ask(account, 1);
            }
        }
        simulation.fill();
        simulation
    }

    fn ask(&mut self, account: u128, source: u8) {
        self.sources.insert(account, source);
        let honest = account == HONEST;
        let party = party(account, source, u8::from(honest));
        assert_eq!(self.schedule.queue(party, MANY, honest), Ok(()));
    }

    fn fill(&mut self) {
        while let Some((party, honest)) = self.schedule.next() {
            if honest {
                self.honest_began = Some(self.now);
            } else {
                let account = party.account.as_u128();
                for (after, ends) in [(SILENT_AFTER, false), (GIVEN_UP_AFTER, true)] {
                    self.events.push(Reverse((self.now + after, account, ends)));
                }
            }
        }
    }

    /// How long an honest account waits that comes at this time.
    fn wait(mut self, at: u64, source: u8) -> Duration {
        let mut asked = false;
        loop {
            if let Some(began) = self.honest_began {
                return Duration::from_millis(began - at);
            }
            let next = self.events.peek().map_or(at, |event| event.0.0);
            if !asked && at <= next {
                (self.now, asked) = (at, true);
                self.ask(HONEST, source);
            } else if let Some(Reverse((now, account, ends))) = self.events.pop() {
                self.now = now;
                if ends {
                    let party = party(account, self.sources[&account], 0);
                    self.schedule.end(party, Running::Silent);
                } else {
                    self.schedule.fall_silent();
                }
            }
            self.fill();
        }
    }
}

const HONEST: u128 = 10_000;
const SILENT_AFTER: u64 = 2000;
const GIVEN_UP_AFTER: u64 = 10_000;

#[test]
fn four_thousand_silent_names_of_500_accounts_delay_another_by_at_most_two_seconds() {
    for at in [1, 1999, 2001, 8001, 9_999, 15_001, 29_000] {
        for source in [1, 2] {
            let wait = Simulation::attacked().wait(at, source);
            assert!(
                wait <= Duration::from_secs(2),
                "who comes at {at} ms from source {source} waits {wait:?}"
            );
        }
    }
}
