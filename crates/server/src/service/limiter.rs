//! Rate limits (RFC 8555 §6.6): what is counted, for whom, and what those are told who have to wait.
//! All of it is in memory and bounded; a refusal reads and writes nothing.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use acme::identifier::Identifier;
use acme::rate::{Buckets, Rate};
use acme::renewal::CertificateId;
use ca::config::RateLimits;
use uuid::Uuid;

use super::Error;

/// The counters of all limits.
pub(super) struct Limiter {
    /// Counted from here, by a clock that never goes back.
    began: Instant,
    counted: Mutex<Counted>,
}

struct Counted {
    accounts: Buckets,
    orders: Buckets,
    names: Buckets,
    failures: Buckets,
}

/// The counters, under the limits of one configuration.
pub(super) struct Limits<'a> {
    limiter: &'a Limiter,
    rates: &'a RateLimits,
}

/// A refusal because of a rate limit.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct Limited {
    /// What was too much, for whom, and when to come again.
    pub(crate) detail: String,
    /// When to come again.
    pub(crate) wait: Duration,
    /// Where a person can read more.
    pub(crate) help: Option<String>,
}

impl Limiter {
    /// Nothing is counted yet.
    pub(super) fn new() -> Self {
        let buckets = || Buckets::new(ROOM);
        Self {
            began: Instant::now(),
            counted: Mutex::new(Counted {
                accounts: buckets(),
                orders: buckets(),
                names: buckets(),
                failures: buckets(),
            }),
        }
    }

    /// These counters, under the limits of one configuration.
    pub(super) fn under<'a>(&'a self, rates: &'a RateLimits) -> Limits<'a> {
        Limits {
            limiter: self,
            rates,
        }
    }

    fn counted(&self) -> (MutexGuard<'_, Counted>, Duration) {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        (counted, self.began.elapsed())
    }
}

impl Limits<'_> {
    /// Counts a new account from this address.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many.
    pub(super) fn count_account(&self, address: Option<IpAddr>) -> Result<(), Error> {
        let (Some(rate), Some(address)) = (self.rates.accounts_per_address, address) else {
            return Ok(());
        };
        let network = network(address);
        let (mut counted, now) = self.limiter.counted();
        match counted.accounts.look(&network, rate, now) {
            Ok(()) => counted.accounts.take(&network, rate, now),
            Err(wait) => {
                let whom = format!("new accounts from {address}");
                return Err(self.limited("accounts_per_address", rate, &whom, wait));
            }
        }
        Ok(())
    }

    /// Counts a new order, for all of its names or not at all.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many, or too many failures with one of the names.
    pub(super) fn count_order<'a>(
        &self,
        account: Uuid,
        names: impl Iterator<Item = &'a Identifier> + Clone,
    ) -> Result<(), Error> {
        let (mut counted, now) = self.limiter.counted();
        if let Some(rate) = self.rates.orders_per_account
            && let Err(wait) = counted.orders.look(&account, rate, now)
        {
            let whom = format!("new orders of account {}", account.simple());
            return Err(self.limited("orders_per_account", rate, &whom, wait));
        }
        for name in names.clone() {
            if let Some(rate) = self.rates.orders_per_name
                && let Err(wait) = counted.names.look(&(account, name), rate, now)
            {
                let whom = format!("new orders of account {} for {name}", account.simple());
                return Err(self.limited("orders_per_name", rate, &whom, wait));
            }
            if let Some(rate) = self.rates.failures_per_name
                && let Err(wait) = counted.failures.look(&(account, name), rate, now)
            {
                return Err(self.failed_too_often(account, name, rate, wait));
            }
        }
        if let Some(rate) = self.rates.orders_per_account {
            counted.orders.take(&account, rate, now);
        }
        if let Some(rate) = self.rates.orders_per_name {
            names.for_each(|name| counted.names.take(&(account, name), rate, now));
        }
        Ok(())
    }

    /// Whether an account may try to prove a name (once more).
    ///
    /// # Errors
    /// [`Error::Limited`] if it has failed too often.
    pub(super) fn check_failure_limit(
        &self,
        account: Uuid,
        name: &Identifier,
    ) -> Result<(), Error> {
        let Some(rate) = self.rates.failures_per_name else {
            return Ok(());
        };
        let (counted, now) = self.limiter.counted();
        let looked = counted.failures.look(&(account, name), rate, now);
        looked.map_err(|wait| self.failed_too_often(account, name, rate, wait))
    }

    /// Counts an order that renews a certificate: not among the account's orders, but for itself. An order that ends
    /// frees the certificate for the next, so that there would be no end of them.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many for this certificate, or too many failures with one of the names.
    pub(super) fn count_renewal<'a>(
        &self,
        account: Uuid,
        old: &CertificateId,
        mut names: impl Iterator<Item = &'a Identifier>,
    ) -> Result<(), Error> {
        names.try_for_each(|name| self.check_failure_limit(account, name))?;
        let Some(rate) = self.rates.orders_per_account else {
            return Ok(());
        };
        let count = rate.count.max(RENEWAL_ORDERS);
        let rate = Rate { count, ..rate };
        let (mut counted, now) = self.limiter.counted();
        if let Err(wait) = counted.orders.look(&(account, old), rate, now) {
            let whom = format!(
                "new orders of account {} that replace {old}",
                account.simple()
            );
            return Err(self.limited("orders_per_account", rate, &whom, wait));
        }
        counted.orders.take(&(account, old), rate, now);
        Ok(())
    }

    /// Counts a validation that failed.
    pub(super) fn count_failure(&self, account: Uuid, name: &Identifier) {
        if let Some(rate) = self.rates.failures_per_name {
            let (mut counted, now) = self.limiter.counted();
            counted.failures.take(&(account, name), rate, now);
        }
    }

    /// The refusal of one validation more, where an account has so many at a time.
    pub(super) fn too_many_at_once(&self, account: Uuid, most: usize) -> Error {
        self.refuse(
            "validations_per_account",
            format!(
                "{most} validations of account {} are under way, which is the most at a time \
                 (validations_per_account)",
                account.simple()
            ),
            SLOT_COMES_FREE,
        )
    }

    fn failed_too_often(
        &self,
        account: Uuid,
        name: &Identifier,
        rate: Rate,
        wait: Duration,
    ) -> Error {
        let whom = format!(
            "failed validations of account {} for {name}",
            account.simple()
        );
        self.limited("failures_per_name", rate, &whom, wait)
    }

    fn limited(&self, limit: &'static str, rate: Rate, whom: &str, wait: Duration) -> Error {
        let per = jiff::SignedDuration::try_from(rate.per).unwrap_or(jiff::SignedDuration::MAX);
        let what = format!(
            "Too many {whom}: {} in {per:#} is the limit ({limit})",
            rate.count
        );
        self.refuse(limit, what, wait)
    }

    fn refuse(&self, limit: &'static str, what: String, wait: Duration) -> Error {
        // Whole seconds, up: who comes then is not too early.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let wait = Duration::from_secs(seconds.max(1));
        tracing::warn!(
            event = "rate_limited",
            limit,
            retry_after = wait.as_secs(),
            reason = what
        );
        Error::Limited(Limited {
            detail: format!("{what}: try again in {} s.", wait.as_secs()),
            wait,
            help: self.rates.help.clone(),
        })
    }
}

/// What counts as one place: an IPv4 address, or the /64 that one IPv6 subscriber has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
    }
}

/// How many orders may renew one certificate where an account may have fewer.
const RENEWAL_ORDERS: u32 = 5;
/// Keys that one limit remembers.
const ROOM: usize = 1 << 16;
/// When a silent address is given up.
const SLOT_COMES_FREE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    #[test]
    fn an_ipv6_subscriber_is_one_network_and_a_mapped_address_is_ipv4() {
        let network = |text: &str| super::network(text.parse().unwrap());
        assert_eq!(
            network("2001:db8:1:2:3::4"),
            network("2001:db8:1:2:ffff::1")
        );
        assert_ne!(network("2001:db8:1:2::4"), network("2001:db8:1:3::4"));
        assert_eq!(network("::ffff:10.0.0.7"), network("10.0.0.7"));
        assert_ne!(network("10.0.0.7"), network("10.0.0.8"));
    }
}
