//! The counters of rate limits of one node, in bounded memory.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use acme::rate::Buckets;

use crate::error::Error;
use crate::port::{self, Count, CountAction, Counted, Counter};

/// The counters, which begin at nothing.
pub struct Counters {
    /// Counted from here, by a clock that never goes back.
    began: Instant,
    buckets: Mutex<BucketsByCounter>,
}

struct BucketsByCounter {
    accounts: Buckets,
    orders: Buckets,
    names: Buckets,
    failures: Buckets,
    unfinished: Buckets,
    finalizations: Buckets,
    caa_lookups: Buckets,
}

impl BucketsByCounter {
    const fn of(&mut self, counter: Counter) -> &mut Buckets {
        match counter {
            Counter::Accounts => &mut self.accounts,
            Counter::Orders => &mut self.orders,
            Counter::Names => &mut self.names,
            Counter::Failures => &mut self.failures,
            Counter::Unfinished => &mut self.unfinished,
            Counter::Finalizations => &mut self.finalizations,
            Counter::CaaLookups => &mut self.caa_lookups,
        }
    }
}

impl Counters {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new() -> Self {
        let buckets = || Buckets::new(ROOM);
        Self {
            began: Instant::now(),
            buckets: Mutex::new(BucketsByCounter {
                accounts: buckets(),
                orders: buckets(),
                names: buckets(),
                failures: buckets(),
                unfinished: buckets(),
                finalizations: buckets(),
                caa_lookups: buckets(),
            }),
        }
    }

    fn buckets(&self) -> MutexGuard<'_, BucketsByCounter> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, counts: &[Count]) -> Counted {
        let mut buckets = self.buckets();
        let now = self.began.elapsed();
        for (index, count) in counts.iter().enumerate() {
            if matches!(count.action, CountAction::Record | CountAction::GiveBack) {
                continue;
            }
            let bucket = buckets.of(count.counter);
            if let Err(wait) = bucket.check(&count.key, count.rate, now) {
                return Counted::Exceeded { index, wait };
            }
        }
        for count in counts {
            let bucket = buckets.of(count.counter);
            match count.action {
                CountAction::Check => {}
                CountAction::Take | CountAction::Record => {
                    bucket.take(&count.key, count.rate, count.weight, now);
                }
                CountAction::GiveBack => {
                    bucket.give_back(&count.key, count.rate, count.weight, now);
                }
            }
        }
        Counted::Done
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

impl port::Counters for Counters {
    async fn count(&self, counts: &[Count]) -> Result<Counted, Error> {
        Ok(self.apply(counts))
    }
}

/// Keys that one limit remembers.
const ROOM: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use acme::rate::Rate;

    use super::*;

    fn count(counter: Counter, action: CountAction) -> Count {
        Count {
            counter,
            key: "a".to_owned(),
            rate: Rate {
                count: 1,
                per: Duration::from_secs(3600),
            },
            action,
            weight: 1,
        }
    }

    #[test]
    fn of_counts_that_come_together_all_or_none_are_taken() {
        let counters = Counters::new();
        let [order, name] = [Counter::Orders, Counter::Names];
        let both = [
            count(order, CountAction::Take),
            count(name, CountAction::Take),
        ];
        let name_only = [count(name, CountAction::Take)];
        assert_eq!(counters.apply(&name_only), Counted::Done);
        let refused = counters.apply(&both);
        assert!(matches!(refused, Counted::Exceeded { index: 1, .. }));
        assert_eq!(counters.apply(&both[..1]), Counted::Done);
    }

    #[test]
    fn a_check_counts_nothing_and_a_record_is_never_refused() {
        let counters = Counters::new();
        let check = [count(Counter::Failures, CountAction::Check)];
        let record = [count(Counter::Failures, CountAction::Record)];
        assert_eq!(counters.apply(&check), Counted::Done);
        assert_eq!(counters.apply(&record), Counted::Done);
        assert_eq!(counters.apply(&record), Counted::Done);
        assert_ne!(counters.apply(&check), Counted::Done);
    }

    #[test]
    fn an_event_that_is_given_back_was_not_counted() {
        let counters = Counters::new();
        let take = [count(Counter::Unfinished, CountAction::Take)];
        assert_eq!(counters.apply(&take), Counted::Done);
        assert_ne!(counters.apply(&take), Counted::Done);
        let back = [count(Counter::Unfinished, CountAction::GiveBack)];
        assert_eq!(counters.apply(&back), Counted::Done);
        assert_eq!(counters.apply(&take), Counted::Done);
    }
}
