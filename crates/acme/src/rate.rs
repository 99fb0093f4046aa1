//! Rate limits (RFC 8555 §6.6): how often an event may happen per key, in bounded memory.
//!
//! Each key has a bucket of `count` tokens that fills up evenly over the period; only the time at
//! which it would be full again is stored (the generic cell rate algorithm). Times are counted from
//! any fixed moment by a monotonic clock. Not here: which events are counted, and for which keys.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// A number of events per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The number of events; at least 1.
    pub count: u32,
    /// The period.
    pub per: Duration,
}

impl Rate {
    /// The time in which one token is refilled.
    fn token(self) -> Duration {
        self.per / self.count.max(1)
    }
}

/// The buckets of one limit, by key. Memory is bounded: above the capacity, the buckets that are
/// nearest to full are removed first.
#[derive(Debug)]
pub struct Buckets {
    full_at: HashMap<u64, Duration>,
    keys: RandomState,
    room: usize,
}

impl Buckets {
    /// Creates the buckets for this many keys, at least 2; all are full.
    pub fn new(room: usize) -> Self {
        Self {
            full_at: HashMap::new(),
            keys: RandomState::new(),
            room: room.max(2),
        }
    }

    /// Checks whether the key has a token.
    ///
    /// # Errors
    /// How long it takes until it has one.
    pub fn check<K: Hash>(&self, key: &K, rate: Rate, now: Duration) -> Result<(), Duration> {
        let full_at = self.full_at(self.keys.hash_one(key), rate, now);
        // The bucket has a token if it is full again within the period less the time of one token.
        let latest = now + rate.per.saturating_sub(rate.token());
        match full_at.saturating_sub(latest) {
            Duration::ZERO => Ok(()),
            wait => Err(wait),
        }
    }

    /// Takes tokens, even if there are fewer.
    pub fn take<K: Hash>(&mut self, key: &K, rate: Rate, tokens: u32, now: Duration) {
        let key = self.keys.hash_one(key);
        let full_at = self.full_at(key, rate, now);
        if self.full_at.len() >= self.room && !self.full_at.contains_key(&key) {
            self.make_room(now);
        }
        let taken = rate.token().saturating_mul(tokens).min(rate.per);
        self.full_at.insert(key, full_at + taken);
    }

    /// Gives back tokens that were taken.
    pub fn give_back<K: Hash>(&mut self, key: &K, rate: Rate, tokens: u32, now: Duration) {
        let key = self.keys.hash_one(key);
        let given = rate.token().saturating_mul(tokens);
        let full_at = self.full_at(key, rate, now).saturating_sub(given);
        if full_at > now {
            self.full_at.insert(key, full_at);
        } else {
            self.full_at.remove(&key);
        }
    }

    /// When the bucket is full again; if the period has become shorter, the new one applies.
    fn full_at(&self, key: u64, rate: Rate, now: Duration) -> Duration {
        let stored = self.full_at.get(&key).copied().unwrap_or_default();
        stored.clamp(now, now + rate.per)
    }

    /// Removes the full buckets, and if they are fewer than half, those nearest to full.
    fn make_room(&mut self, now: Duration) {
        self.full_at.retain(|_, full_at| *full_at > now);
        let keep = self.room / 2;
        if self.full_at.len() <= keep {
            return;
        }
        let mut times: Vec<_> = self.full_at.values().copied().collect();
        let cut = times.len() - keep;
        let (_, &mut least, _) = times.select_nth_unstable(cut);
        // Of the buckets that are as full as the last one kept, only as many stay as fit.
        let farther = times.iter().filter(|time| **time > least).count();
        let mut left = keep.saturating_sub(farther);
        self.full_at.retain(|_, full_at| {
            let level = *full_at == least && left > 0;
            left -= usize::from(level);
            *full_at > least || level
        });
    }
}

/// What counts as one place: an IPv4 address, or the /64 that one IPv6 subscriber has.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_AN_HOUR: Rate = Rate {
        count: 10,
        per: Duration::from_secs(3600),
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn drained(now: Duration) -> Buckets {
        let mut buckets = Buckets::new(100);
        for _ in 0..10 {
            assert_eq!(buckets.check(&"a", TEN_AN_HOUR, now), Ok(()));
            buckets.take(&"a", TEN_AN_HOUR, 1, now);
        }
        buckets
    }

    #[test]
    fn a_key_may_use_its_count_at_once_and_then_one_at_a_time() {
        let mut buckets = drained(at(100));
        assert_eq!(buckets.check(&"a", TEN_AN_HOUR, at(100)), Err(at(360)));
        assert_eq!(buckets.check(&"a", TEN_AN_HOUR, at(400)), Err(at(60)));
        assert_eq!(buckets.check(&"a", TEN_AN_HOUR, at(460)), Ok(()));
        buckets.take(&"a", TEN_AN_HOUR, 1, at(460));
        assert_eq!(buckets.check(&"a", TEN_AN_HOUR, at(460)), Err(at(360)));
    }

    #[test]
    fn after_the_period_the_bucket_is_full_again() {
        let mut buckets = drained(at(0));
        for _ in 0..10 {
            assert_eq!(buckets.check(&"a", TEN_AN_HOUR, at(3600)), Ok(()));
            buckets.take(&"a", TEN_AN_HOUR, 1, at(3600));
        }
        assert!(buckets.check(&"a", TEN_AN_HOUR, at(3600)).is_err());
    }

    #[test]
    fn keys_have_separate_buckets() {
        assert_eq!(drained(at(0)).check(&"b", TEN_AN_HOUR, at(0)), Ok(()));
    }

    #[test]
    fn the_wait_is_never_longer_than_the_period() {
        let mut buckets = drained(at(0));
        for _ in 0..1000 {
            buckets.take(&"a", TEN_AN_HOUR, 1, at(0));
        }
        let wait = buckets.check(&"a", TEN_AN_HOUR, at(0)).unwrap_err();
        assert!(wait <= at(3600), "{wait:?}");
    }

    #[test]
    fn a_changed_rate_applies_immediately() {
        let buckets = drained(at(0));
        let more = Rate {
            count: 20,
            ..TEN_AN_HOUR
        };
        assert_eq!(buckets.check(&"a", more, at(0)), Err(at(180)));
        let shorter = Rate {
            per: at(10),
            ..TEN_AN_HOUR
        };
        assert_eq!(buckets.check(&"a", shorter, at(0)), Err(at(1)));
    }

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let mut buckets = Buckets::new(100);
        for _ in 0..10 {
            buckets.take(&u32::MAX, TEN_AN_HOUR, 1, at(0));
        }
        for key in 0..10_000_u32 {
            buckets.take(&key, TEN_AN_HOUR, 1, at(1));
            assert!(buckets.full_at.len() <= 100);
        }
        // The key that has taken the most tokens is kept.
        assert!(buckets.check(&u32::MAX, TEN_AN_HOUR, at(1)).is_err());
    }

    #[test]
    fn full_buckets_are_removed_first() {
        let mut buckets = Buckets::new(100);
        for key in 0..100_u32 {
            buckets.take(&key, TEN_AN_HOUR, 1, at(0));
        }
        buckets.take(&1000_u32, TEN_AN_HOUR, 1, at(360));
        assert_eq!(buckets.full_at.len(), 1);
    }

    #[test]
    fn a_token_that_is_given_back_can_be_taken_again_and_never_makes_more() {
        let mut buckets = drained(at(0));
        buckets.give_back(&"a", TEN_AN_HOUR, 1, at(0));
        assert_eq!(buckets.check(&"a", TEN_AN_HOUR, at(0)), Ok(()));
        buckets.take(&"a", TEN_AN_HOUR, 1, at(0));
        assert!(buckets.check(&"a", TEN_AN_HOUR, at(0)).is_err());
        buckets.give_back(&"b", TEN_AN_HOUR, 1, at(0));
        assert!(!buckets.full_at.contains_key(&buckets.keys.hash_one("b")));
    }

    #[test]
    fn many_tokens_taken_at_once_leave_a_debt_of_at_most_the_period() {
        let mut buckets = Buckets::new(100);
        buckets.take(&"a", TEN_AN_HOUR, 9, at(0));
        assert_eq!(buckets.check(&"a", TEN_AN_HOUR, at(0)), Ok(()));
        buckets.take(&"a", TEN_AN_HOUR, 5000, at(0));
        let wait = buckets.check(&"a", TEN_AN_HOUR, at(0)).unwrap_err();
        assert!(wait <= at(3600), "{wait:?}");
    }

    #[test]
    fn an_ipv6_subscriber_is_one_network_and_a_mapped_address_is_ipv4() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(
            network("2001:db8:1:2:3::4"),
            network("2001:db8:1:2:ffff::1")
        );
        assert_ne!(network("2001:db8:1:2::4"), network("2001:db8:1:3::4"));
        assert_eq!(network("::ffff:10.0.0.7"), network("10.0.0.7"));
        assert_ne!(network("10.0.0.7"), network("10.0.0.8"));
    }
}
