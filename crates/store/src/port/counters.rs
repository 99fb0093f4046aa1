//! Counters of rate limits (RFC 8555 §6.6). Which events are counted, and for whom, is decided above.

use std::time::Duration;

use acme::rate::Rate;

use crate::error::Error;

/// The verb on counters.
pub trait Counters {
    /// Applies counts, all of them or none: where one that is limited has had too many events, nothing is counted, and
    /// the first such one is named.
    fn count(&self, counts: &[Count]) -> impl Future<Output = Result<Counted, Error>> + Send;
}

/// An event to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The limit that counts it.
    pub counter: Counter,
    /// For whom it is counted.
    pub key: String,
    /// How many such events are allowed in which time.
    pub rate: Rate,
    /// What is done.
    pub action: CountAction,
    /// For how many events it stands, 1 for most. One that is allowed is counted in full.
    pub weight: u32,
}

/// The limits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// New accounts.
    Accounts,
    /// New orders.
    Orders,
    /// New orders for one name.
    Names,
    /// Failed validations of one name.
    Failures,
    /// Orders that have not ended.
    Unfinished,
    /// Requests to finalize.
    Finalizations,
    /// Look-ups of CAA records.
    CaaLookups,
}

/// What is done with a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountAction {
    /// Only check whether one more event is allowed.
    Check,
    /// Count the event if it is allowed.
    Take,
    /// Count the event whether or not it is allowed.
    Record,
    /// Forget an event that was counted.
    GiveBack,
}

/// What became of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// All were allowed, and are counted.
    Done,
    /// One was not allowed, and none is counted.
    Exceeded {
        /// Its place among the counts.
        index: usize,
        /// How long until it is allowed.
        wait: Duration,
    },
}
