//! Rate limits (RFC 8555 §6.6): what is counted, for whom, and the answer to a client that must wait.
//! The counters are `store::memory`'s; a refusal reads and writes no record.

use std::net::IpAddr;
use std::time::Duration;

use acme::identifier::Identifier;
use acme::rate::{Rate, network};
use acme::renewal::CertificateId;
use ca::config::RateLimits;
use pki::Serial;
use store::memory;
use store::port::{Count, CountAction, Counted, Counter, Counters as _};
use uuid::Uuid;

use super::Error;

/// The counters of all limits.
#[derive(Default)]
pub(super) struct Limiter {
    counters: memory::Counters,
}

/// The counters, under the limits of one configuration.
pub(super) struct Limits<'a> {
    limiter: &'a Limiter,
    rates: &'a RateLimits,
}

/// An event to be counted, and how its refusal names it.
struct Claim {
    count: Count,
    what: String,
}

impl Claim {
    /// One event that takes from a limit, if that allows it.
    fn new(counter: Counter, rate: Rate, key: String, what: String) -> Self {
        let count = Count {
            counter,
            key,
            rate,
            action: CountAction::Take,
            weight: 1,
        };
        Self { count, what }
    }

    fn with_action(mut self, action: CountAction) -> Self {
        self.count.action = action;
        self
    }

    fn with_weight(mut self, weight: u32) -> Self {
        self.count.weight = weight;
        self
    }

    /// The setting that limits it, in `[rate_limits]`.
    fn limit(&self) -> &'static str {
        match self.count.counter {
            Counter::Accounts => "accounts_per_address",
            Counter::Orders => "orders_per_account",
            Counter::Names => "orders_per_name",
            Counter::Unfinished => "unfinished_orders_per_account",
            Counter::Finalizations => "finalizations_per_account",
            Counter::CaaLookups => "caa_lookups_per_account",
            Counter::Failures => "failures_per_name",
        }
    }
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
    /// These counters, under the limits of one configuration.
    pub(super) fn under<'a>(&'a self, rates: &'a RateLimits) -> Limits<'a> {
        Limits {
            limiter: self,
            rates,
        }
    }
}

impl Limits<'_> {
    /// Counts a new account from this address.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many.
    pub(super) async fn count_account(&self, address: Option<IpAddr>) -> Result<(), Error> {
        let (Some(rate), Some(address)) = (self.rates.accounts_per_address, address) else {
            return Ok(());
        };
        let claim = Claim::new(
            Counter::Accounts,
            rate,
            network(address).to_string(),
            format!("new accounts from {address}"),
        );
        self.take(vec![claim]).await
    }

    /// Counts a new order, for all of its names or not at all.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many, too many that have not ended, or too many failures with one of the
    /// names.
    pub(super) async fn count_order<'n>(
        &self,
        account: Uuid,
        names: impl IntoIterator<Item = &'n Identifier>,
    ) -> Result<(), Error> {
        let mut claims = self.order_claims(account, names);
        claims.extend(self.unfinished(account, CountAction::Take));
        self.take(claims).await
    }

    /// Counts an authorization ahead of any order as an order that never waits for anything.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many, or too many failures with the name.
    pub(super) async fn count_ahead(&self, account: Uuid, name: &Identifier) -> Result<(), Error> {
        self.take(self.order_claims(account, [name])).await
    }

    /// Counts a renewal over mutual TLS with the orders of its account, and for its lineage: who has the key of one
    /// certificate does not use up what the account may have.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many, or too many failures with one of the names.
    pub(super) async fn count_renewed<'n>(
        &self,
        account: Uuid,
        lineage: &Serial,
        names: impl IntoIterator<Item = &'n Identifier>,
    ) -> Result<(), Error> {
        let mut claims: Vec<_> = self.lineage(lineage).into_iter().collect();
        claims.extend(self.order_claims(account, names));
        self.take(claims).await
    }

    fn order_claims<'n>(
        &self,
        account: Uuid,
        names: impl IntoIterator<Item = &'n Identifier>,
    ) -> Vec<Claim> {
        let mut claims = Vec::new();
        if let Some(rate) = self.rates.orders_per_account {
            claims.push(Claim::new(
                Counter::Orders,
                rate,
                account.to_string(),
                format!("new orders of account {}", account.simple()),
            ));
        }
        for name in names {
            if let Some(rate) = self.rates.orders_per_name {
                claims.push(Claim::new(
                    Counter::Names,
                    rate,
                    key(account, name),
                    format!("new orders of account {} for {name}", account.simple()),
                ));
            }
            claims.extend(self.failures(account, name, CountAction::Check));
        }
        claims
    }

    /// Counts a renewal of a certificate that no account has ordered, for its lineage.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many.
    pub(super) async fn count_lineage(&self, lineage: &Serial) -> Result<(), Error> {
        self.take(self.lineage(lineage).into_iter().collect()).await
    }

    fn lineage(&self, lineage: &Serial) -> Option<Claim> {
        let rate = self.rates.orders_per_account?;
        let count = (rate.count / LINEAGES).max(RENEWAL_ORDERS).min(rate.count);
        Some(Claim::new(
            Counter::Orders,
            Rate { count, ..rate },
            format!("lineage {lineage}"),
            format!("renewals of the certificate with serial number {lineage}"),
        ))
    }

    /// Whether an account may try to prove a name (once more).
    ///
    /// # Errors
    /// [`Error::Limited`] if it has failed too often.
    pub(super) async fn check_failure_limit(
        &self,
        account: Uuid,
        name: &Identifier,
    ) -> Result<(), Error> {
        let claim = self.failures(account, name, CountAction::Check);
        self.take(claim.into_iter().collect()).await
    }

    /// Counts an order that renews a certificate: not among the account's orders, but for itself. An order that ends
    /// frees the certificate for the next, so that there would be no end of them.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many for this certificate, or too many failures with one of the names.
    pub(super) async fn count_renewal<'n>(
        &self,
        account: Uuid,
        old: &CertificateId,
        names: impl Iterator<Item = &'n Identifier>,
    ) -> Result<(), Error> {
        let failures = names.filter_map(|name| self.failures(account, name, CountAction::Check));
        let mut claims: Vec<_> = failures.collect();
        claims.extend(self.unfinished(account, CountAction::Record));
        if let Some(rate) = self.rates.orders_per_account {
            let count = rate.count.max(RENEWAL_ORDERS);
            claims.push(Claim::new(
                Counter::Orders,
                Rate { count, ..rate },
                format!("{account} {old}"),
                format!(
                    "new orders of account {} that replace {old}",
                    account.simple()
                ),
            ));
        }
        self.take(claims).await
    }

    /// Counts a validation that failed and has ended so many orders.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn count_failure(
        &self,
        account: Uuid,
        name: &Identifier,
        ended: usize,
    ) -> Result<(), Error> {
        let failure = self.failures(account, name, CountAction::Record);
        let ended = u32::try_from(ended).unwrap_or(u32::MAX);
        let orders = self.unfinished(account, CountAction::GiveBack);
        let orders = orders.map(|claim| claim.with_weight(ended));
        self.take(failure.into_iter().chain(orders).collect()).await
    }

    /// Counts a request to finalize an order.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many.
    pub(super) async fn count_finalization(&self, account: Uuid) -> Result<(), Error> {
        let claim = self.rates.finalizations_per_account.map(|rate| {
            Claim::new(
                Counter::Finalizations,
                rate,
                account.to_string(),
                format!("requests of account {} to finalize", account.simple()),
            )
        });
        self.take(claim.into_iter().collect()).await
    }

    /// Counts no longer an order that has come to its certificate.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn count_finished(&self, account: Uuid) -> Result<(), Error> {
        let claim = self.unfinished(account, CountAction::GiveBack);
        self.take(claim.into_iter().collect()).await
    }

    /// Counts the look-ups of the CAA records of so many names.
    ///
    /// # Errors
    /// [`Error::Limited`] if there were too many before.
    pub(super) async fn count_caa_lookups(&self, account: Uuid, names: u32) -> Result<(), Error> {
        let claim = self.rates.caa_lookups_per_account.map(|rate| {
            Claim::new(
                Counter::CaaLookups,
                rate,
                account.to_string(),
                format!("look-ups of CAA records for account {}", account.simple()),
            )
            .with_weight(names)
        });
        self.take(claim.into_iter().collect()).await
    }

    /// Applies the claims, all of them or none.
    async fn take(&self, claims: Vec<Claim>) -> Result<(), Error> {
        if claims.is_empty() {
            return Ok(());
        }
        let counts: Vec<_> = claims.iter().map(|it| it.count.clone()).collect();
        match self.limiter.counters.count(&counts).await? {
            Counted::Done => Ok(()),
            Counted::Exceeded { index, wait } => Err(self.limited(&claims[index], wait)),
        }
    }

    /// The orders that have not ended; nothing where they have no limit.
    fn unfinished(&self, account: Uuid, action: CountAction) -> Option<Claim> {
        Some(
            Claim::new(
                Counter::Unfinished,
                self.rates.unfinished_orders_per_account?,
                account.to_string(),
                format!(
                    "orders of account {} that were not finished",
                    account.simple()
                ),
            )
            .with_action(action),
        )
    }

    /// The failed validations of a name; nothing where they have no limit.
    fn failures(&self, account: Uuid, name: &Identifier, action: CountAction) -> Option<Claim> {
        Some(
            Claim::new(
                Counter::Failures,
                self.rates.failures_per_name?,
                key(account, name),
                format!(
                    "failed validations of account {} for {name}",
                    account.simple()
                ),
            )
            .with_action(action),
        )
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

    /// The refusal of one validation more, where too many wait.
    pub(super) fn queue_is_full(&self) -> Error {
        self.refuse(
            "validations",
            "Too many validations wait for their turn".to_owned(),
            SLOT_COMES_FREE,
        )
    }

    fn limited(&self, claim: &Claim, wait: Duration) -> Error {
        let (rate, limit, what) = (claim.count.rate, claim.limit(), &claim.what);
        let per = jiff::SignedDuration::try_from(rate.per).unwrap_or(jiff::SignedDuration::MAX);
        let what = format!(
            "Too many {what}: {} in {per:#} is the limit ({limit})",
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

/// An account and a name.
fn key(account: Uuid, name: &Identifier) -> String {
    format!("{account} {}:{name}", name.kind())
}

/// How many orders may renew one certificate where an account may have fewer.
const RENEWAL_ORDERS: u32 = 5;
/// What part of an account's orders the renewals of one certificate may be.
const LINEAGES: u32 = 100;
/// When a silent address is given up.
const SLOT_COMES_FREE: Duration = Duration::from_secs(10);
