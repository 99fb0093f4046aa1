//! Orders (RFC 8555 §7.1.3): each state is a type. Only a [`Ready`] order can be finalized, and only
//! [`Pending::ready`] with the proofs creates a [`Ready`], whatever status is stored.

mod create;
mod finalize;
mod new_order;
mod reuse;
mod state;
mod validity;

use std::ops::Deref;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::authz::{self, Authorization};
use crate::identifier::Identifier;
use crate::problem::Problem;
use crate::renewal::CertificateId;
use crate::requested_time::RequestedTime;

pub use create::{Allowed, Owner, RecordSeed, open_ahead};
pub use finalize::{Finalized, KeyUse};
pub use new_order::{Limits, OrderRequest, open, reusable_subjects};
pub use reuse::{ReusableAuthorization, ReusableAuthorizations, Reuse};
pub use state::{Invalid, Pending, Processing, Ready, State, Valid};

/// The status of an order (RFC 8555 §7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Some identifiers are not proven yet.
    Pending,
    /// All identifiers are proven; the client may finalize it.
    Ready,
    /// The certificate is being issued.
    Processing,
    /// The certificate is issued.
    Valid,
    /// It failed or expired.
    Invalid,
}

impl Status {
    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Processing => "processing",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        }
    }

    /// Finds the status with this name.
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

/// An order as stored. Actions are on its [`State`].
///
/// New ones come from [`OrderRequest::create`], stored ones from [`Order::from_record`]. Its record
/// cannot be changed, so that its status is decided only here.
#[derive(Clone, Debug, PartialEq)]
pub struct Order(Record);

/// The stored fields of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its id, the last segment of its URL.
    pub id: Uuid,
    /// Its account.
    pub account: Uuid,
    /// The provisioner of the account.
    pub provisioner: String,
    /// The identifiers of the certificate, without duplicates.
    pub identifiers: Vec<Identifier>,
    /// Its authorizations, each once, in the order of the identifiers; one may cover several
    /// (RFC 9444).
    pub authorizations: Vec<Uuid>,
    /// The requested start of the certificate's validity.
    pub not_before: Option<RequestedTime>,
    /// The requested end of the certificate's validity.
    pub not_after: Option<RequestedTime>,
    /// The profile of the certificate (draft-ietf-acme-profiles §4).
    pub profile: Option<String>,
    /// When it expires if it has no certificate by then.
    pub expires: Timestamp,
    /// Its status as stored: see [`Order::status_at`].
    pub status: Status,
    /// Why it is invalid.
    pub error: Option<Problem>,
    /// Its certificate.
    pub certificate: Option<Uuid>,
    /// The certificate that the new one replaces (RFC 9773 §5).
    pub replaces: Option<CertificateId>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Deref for Order {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl Order {
    /// Restores an order from its record. Only the store may call this.
    pub const fn from_record(record: Record) -> Self {
        Self(record)
    }

    /// The order as it is once this certificate is recorded for it.
    #[must_use]
    pub fn issued(mut self, certificate: Uuid) -> Self {
        self.0.status = Status::Valid;
        self.0.certificate = Some(certificate);
        self
    }

    /// Its status at `now`: a pending or ready order is invalid after its expiry.
    pub fn status_at(&self, now: Timestamp) -> Status {
        let waits = matches!(self.status, Status::Pending | Status::Ready);
        if waits && self.expires <= now {
            Status::Invalid
        } else {
            self.status
        }
    }

    /// Why it is invalid at `now`.
    pub fn error_at(&self, now: Timestamp) -> Option<Problem> {
        let expired = self.status != Status::Invalid && self.status_at(now) == Status::Invalid;
        if expired {
            return Some(Problem::malformed(format!(
                "The order expired at {} without a certificate: create a new one.",
                self.expires
            )));
        }
        self.error.clone()
    }

    /// Its state at `now`.
    pub fn state(mut self, now: Timestamp) -> State {
        self.0.error = self.error_at(now);
        self.0.status = self.status_at(now);
        let order = Box::new(self);
        match order.status {
            Status::Pending | Status::Ready => State::Pending(Pending(order)),
            Status::Processing => State::Processing(Processing(order)),
            Status::Valid => State::Valid(Valid(order)),
            Status::Invalid => State::Invalid(Invalid(order)),
        }
    }
}

/// What a pending order becomes by its authorizations.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Some are still pending.
    Pending,
    /// All are valid.
    Ready,
    /// One failed or ended; this becomes the order's error.
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

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;
    use crate::challenge::{self, Challenge, Method, Proof, ProofRecord};
    use crate::problem::Kind;
    use crate::scope::{Scope, Subject};

    pub(crate) fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    pub(super) fn later() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    pub(crate) fn order(names: &[&str], status: Status) -> Order {
        Order::from_record(Record {
            id: Uuid::from_u128(1),
            account: Uuid::from_u128(2),
            provisioner: "acme".into(),
            identifiers: (names.iter())
                .map(|name| Identifier::guess(name).unwrap())
                .collect(),
            authorizations: vec![],
            not_before: None,
            not_after: None,
            expires: later(),
            status,
            error: None,
            certificate: None,
            replaces: None,
            profile: None,
            created_at: now(),
        })
    }

    /// A ready order for these names, proven for its account.
    pub(crate) fn ready(names: &[&str]) -> Ready {
        let proofs: Vec<_> = names.iter().map(|name| proof(name, 2)).collect();
        pending(names).ready(&proofs).unwrap()
    }

    pub(super) fn pending(names: &[&str]) -> Pending {
        let State::Pending(pending) = order(names, Status::Pending).state(now()) else {
            panic!();
        };
        pending
    }

    pub(super) fn proof(name: &str, account: u128) -> Proof {
        reaching(Scope::Name, name, account)
    }

    pub(super) fn reaching(scope: Scope, name: &str, account: u128) -> Proof {
        Proof::from_record(ProofRecord {
            subject: Subject {
                identifier: Identifier::guess(name).unwrap(),
                scope,
            },
            account: Uuid::from_u128(account),
            method: Method::Dns01,
            at: now(),
            evidence: Value::Null,
            attested_key: None,
        })
    }

    fn authorization(status: authz::Status) -> Authorization {
        Authorization {
            id: Uuid::nil(),
            account: Uuid::nil(),
            provisioner: "acme".into(),
            identifier: Identifier::guess("a.lab").unwrap(),
            scope: Scope::Name,
            status,
            expires: later(),
            challenges: vec![Challenge::new(Uuid::nil(), Method::Http01, &[0; 32])],
            origin: authz::Origin::Order,
        }
    }

    #[test]
    fn only_pending_and_ready_orders_expire() {
        for (stored, after) in [
            (Status::Pending, Status::Invalid),
            (Status::Ready, Status::Invalid),
            (Status::Processing, Status::Processing),
            (Status::Valid, Status::Valid),
            (Status::Invalid, Status::Invalid),
        ] {
            let order = order(&["a.lab"], stored);
            assert_eq!(order.status_at(now()), stored);
            assert_eq!(order.status_at(later()), after);
            assert_eq!(order.state(later()).as_order().status, after);
        }
        let expired = order(&["a.lab"], Status::Ready).state(later());
        let problem = expired.into_pending().unwrap_err();
        assert!(
            problem.detail.contains("expired at 2026-11-24T12"),
            "{problem}"
        );
    }

    #[test]
    fn authorizations_decide_what_a_pending_order_becomes() {
        use authz::Status::{Deactivated, Invalid, Pending, Valid};
        let stand = |statuses: &[authz::Status]| {
            let all: Vec<_> = statuses.iter().map(|s| authorization(*s)).collect();
            standing(&all, now())
        };
        assert_eq!(stand(&[Valid, Valid]), Standing::Ready);
        assert_eq!(stand(&[Valid, Pending]), Standing::Pending);
        assert!(matches!(stand(&[Pending, Invalid]), Standing::Invalid(_)));
        assert!(matches!(stand(&[Valid, Deactivated]), Standing::Invalid(_)));
    }

    #[test]
    fn a_failed_challenges_problem_becomes_the_orders() {
        let mut failed = authorization(authz::Status::Invalid);
        let problem = Problem::new(Kind::Connection, "refused");
        failed.challenges[0].status = challenge::Status::Invalid;
        failed.challenges[0].error = Some(problem.clone());
        let all = [authorization(authz::Status::Pending), failed];
        assert_eq!(standing(&all, now()), Standing::Invalid(problem));
    }

    #[test]
    fn names_of_statuses_round_trip() {
        for word in ["pending", "ready", "processing", "valid", "invalid"] {
            assert_eq!(Status::parse(word).map(Status::as_str), Some(word));
        }
    }
}
