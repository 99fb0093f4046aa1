//! Orders (RFC 8555 §7.1.3): pending, ready, finalized, valid or invalid, each a
//! type. A [`Pending`] has no `finalize`; only a [`Ready`] makes a [`Finalized`].

mod finalize;
mod open;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::authz::{self, Authorization};
use crate::challenge::Proof;
use crate::identifier::Identifier;
use crate::problem::{Kind, Problem};

pub use finalize::Finalized;
pub use open::{Fresh, Limits, Opening, Owner, open};

/// Where an order stands (RFC 8555 §7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Identifiers wait to be proven.
    Pending,
    /// Everything is proven; a CSR may come.
    Ready,
    /// The certificate is being made.
    Processing,
    /// The certificate is there.
    Valid,
    /// It came to nothing.
    Invalid,
}

impl Status {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Processing => "processing",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        }
    }

    /// Finds the status of a word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [
            Self::Pending,
            Self::Ready,
            Self::Processing,
            Self::Valid,
            Self::Invalid,
        ];
        all.into_iter().find(|status| status.as_str() == word)
    }
}

/// An order as it is stored. To act on one, take its [`State`].
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Its id, the last segment of its URL.
    pub id: Uuid,
    /// The account that it belongs to.
    pub account: Uuid,
    /// The provisioner that the account belongs to.
    pub provisioner: String,
    /// What the certificate is for; no identifier twice.
    pub identifiers: Vec<Identifier>,
    /// Its authorizations, one for each identifier, in the same order.
    pub authorizations: Vec<Uuid>,
    /// The wished beginning of the certificate.
    pub not_before: Option<Timestamp>,
    /// The wished end of the certificate.
    pub not_after: Option<Timestamp>,
    /// When it ends if it has no certificate by then.
    pub expires: Timestamp,
    /// Where it stands, as stored: see [`Order::status_at`].
    pub status: Status,
    /// Why it is invalid.
    pub error: Option<Problem>,
    /// Its certificate.
    pub certificate: Option<Uuid>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Order {
    /// Where it stands at `now`: one that waits for its client is invalid when
    /// its time is over.
    pub fn status_at(&self, now: Timestamp) -> Status {
        match self.status {
            Status::Pending | Status::Ready if self.expires <= now => Status::Invalid,
            status => status,
        }
    }

    /// Why it is invalid at `now`.
    pub fn error_at(&self, now: Timestamp) -> Option<Problem> {
        let expired = self.status != Status::Invalid && self.status_at(now) == Status::Invalid;
        if expired {
            return Some(Problem::malformed(format!(
                "The order expired at {}, before it had a certificate: create a new one.",
                self.expires
            )));
        }
        self.error.clone()
    }

    /// The state that it is in at `now`.
    pub fn state(mut self, now: Timestamp) -> State {
        self.error = self.error_at(now);
        self.status = self.status_at(now);
        let order = Box::new(self);
        match order.status {
            Status::Pending => State::Pending(Pending(order)),
            Status::Ready => State::Ready(Ready(order)),
            Status::Processing => State::Processing(Processing(order)),
            Status::Valid => State::Valid(Valid(order)),
            Status::Invalid => State::Invalid(Invalid(order)),
        }
    }
}

/// An order in the state that it is in.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Identifiers wait to be proven.
    Pending(Pending),
    /// A CSR may come.
    Ready(Ready),
    /// The certificate is being made.
    Processing(Processing),
    /// The certificate is there.
    Valid(Valid),
    /// It came to nothing.
    Invalid(Invalid),
}

impl State {
    /// The order itself.
    pub fn as_order(&self) -> &Order {
        match self {
            Self::Pending(Pending(order))
            | Self::Ready(Ready(order))
            | Self::Processing(Processing(order))
            | Self::Valid(Valid(order))
            | Self::Invalid(Invalid(order)) => order,
        }
    }

    /// Takes the ready order out, so that it can be finalized.
    ///
    /// # Errors
    /// `orderNotReady` (RFC 8555 §7.4) with what the order waits for, or why it
    /// never will be ready.
    pub fn into_ready(self) -> Result<Ready, Problem> {
        let words = match self {
            Self::Ready(ready) => return Ok(ready),
            Self::Pending(_) => {
                "The order is pending: answer the challenges of its authorizations first."
                    .to_owned()
            }
            Self::Processing(_) => {
                "The order's certificate is being made: fetch the order again in a moment."
                    .to_owned()
            }
            Self::Valid(_) => "The order has its certificate already: download it.".to_owned(),
            Self::Invalid(Invalid(order)) => match order.error {
                Some(error) => format!("The order is invalid: {error}"),
                None => "The order is invalid: create a new one.".to_owned(),
            },
        };
        Err(Problem::new(Kind::OrderNotReady, words))
    }
}

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq)]
            pub struct $name(Box<Order>);

            impl $name {
                /// The order itself.
                pub fn as_order(&self) -> &Order {
                    &self.0
                }
            }
        )*
    };
}

states! {
    /// An order whose identifiers wait to be proven.
    Pending;
    /// An order that a CSR may finalize.
    Ready;
    /// An order whose certificate is being made.
    Processing;
    /// An order with its certificate.
    Valid;
    /// An order that came to nothing.
    Invalid;
}

impl Pending {
    /// Makes it ready if the proofs, all of its own account, cover all identifiers.
    ///
    /// # Errors
    /// Gives the order back as it was if one is not proven.
    pub fn ready(self, proofs: &[Proof]) -> Result<Ready, Self> {
        let order = &self.0;
        let proven = order.identifiers.iter().all(|identifier| {
            let mut own = proofs.iter().filter(|p| p.account() == order.account);
            own.any(|proof| proof.identifier() == identifier)
        });
        if !proven {
            return Err(self);
        }
        let mut order = self.0;
        order.status = Status::Ready;
        Ok(Ready(order))
    }
}

/// What its authorizations make of a pending order.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Some are still pending.
    Pending,
    /// All are valid.
    Ready,
    /// One is of no use any more; this becomes the order's error.
    Invalid(Problem),
}

/// What a pending order becomes at `now`, given all its authorizations
/// (RFC 8555 §7.1.6): one that failed ends it, with the challenge's problem.
pub fn standing(authorizations: &[Authorization], now: Timestamp) -> Standing {
    let mut faults = authorizations.iter().filter_map(|a| a.fault_at(now));
    if let Some(problem) = faults.next() {
        return Standing::Invalid(problem);
    }
    let valid = |a: &Authorization| a.status_at(now) == authz::Status::Valid;
    if authorizations.iter().all(valid) {
        Standing::Ready
    } else {
        Standing::Pending
    }
}
