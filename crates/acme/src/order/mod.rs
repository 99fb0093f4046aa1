//! Orders (RFC 8555 §7.1.3): pending, ready, finalized, valid or invalid, each a
//! type. A [`Pending`] has no `finalize`; only a [`Ready`] makes a [`Finalized`], and only
//! [`Pending::ready`] with the proofs makes a [`Ready`], whatever status is stored.

mod finalize;
mod open;
mod reuse;

use std::ops::Deref;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::authz::{self, Authorization};
use crate::challenge::Proof;
use crate::identifier::Identifier;
use crate::problem::{Kind, Problem};
use crate::renewal::CertificateId;

pub use finalize::Finalized;
pub use open::{Allowed, Limits, OrderRequest, Owner, RecordSeed, open, open_ahead};
pub use reuse::{ReusableAuthorization, ReusableAuthorizations, Reuse};

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
///
/// New ones come from [`OrderRequest::create`], stored ones from [`Order::from_record`]. Its record
/// can be read and not changed, so that nobody else decides where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Order(Record);

/// What is stored of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its id, the last segment of its URL.
    pub id: Uuid,
    /// The account that it belongs to.
    pub account: Uuid,
    /// The provisioner that the account belongs to.
    pub provisioner: String,
    /// What the certificate is for; no identifier twice.
    pub identifiers: Vec<Identifier>,
    /// Its authorizations, each once, in the order of the identifiers; one may cover several
    /// (RFC 9444).
    pub authorizations: Vec<Uuid>,
    /// The requested start of the certificate's validity.
    pub not_before: Option<Timestamp>,
    /// The requested end of the certificate's validity.
    pub not_after: Option<Timestamp>,
    /// The profile of the certificate (draft-ietf-acme-profiles §4).
    pub profile: Option<String>,
    /// When it ends if it has no certificate by then.
    pub expires: Timestamp,
    /// Where it stands, as stored: see [`Order::status_at`].
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
    /// Reads an order back from its record. Only the store may call this.
    pub const fn from_record(record: Record) -> Self {
        Self(record)
    }

    /// Where it stands at `now`: one that is pending or ready is invalid when its time is over.
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
                "The order expired at {}, before it had a certificate: create a new one.",
                self.expires
            )));
        }
        self.error.clone()
    }

    /// The state that it is in at `now`.
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

/// An order in the state that it is in.
#[derive(Debug, PartialEq)]
pub enum State {
    /// It has no certificate yet, and its identifiers have to be proven. One that is stored as
    /// ready is here as well: the stored status proves nothing.
    Pending(Pending),
    /// The certificate is being made.
    Processing(Processing),
    /// It has its certificate.
    Valid(Valid),
    /// It failed or expired.
    Invalid(Invalid),
}

impl State {
    /// The order itself.
    pub fn as_order(&self) -> &Order {
        match self {
            Self::Pending(Pending(order))
            | Self::Processing(Processing(order))
            | Self::Valid(Valid(order))
            | Self::Invalid(Invalid(order)) => order,
        }
    }

    /// Takes out the order that can still become ready.
    ///
    /// # Errors
    /// `orderNotReady` (RFC 8555 §7.4) with why it never will be ready, or is so no longer.
    pub fn into_pending(self) -> Result<Pending, Problem> {
        let words = match self {
            Self::Pending(pending) => return Ok(pending),
            Self::Processing(_) => {
                "The order's certificate is being made: fetch the order again in a moment."
                    .to_owned()
            }
            Self::Valid(_) => "The order has its certificate already: download it.".to_owned(),
            Self::Invalid(Invalid(order)) => match &order.error {
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
            #[derive(Debug, PartialEq)]
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
    /// An order whose identifiers have to be proven.
    Pending;
    /// An order whose identifiers are all proven: a CSR may finalize it.
    Ready;
    /// An order whose certificate is being made.
    Processing;
    /// An order with its certificate.
    Valid;
    /// An order that failed or expired.
    Invalid;
}

impl Pending {
    /// Makes it ready if the proofs, all of its own account, cover all identifiers.
    ///
    /// # Errors
    /// Gives the order back as it was if one is not proven; [`Pending::not_ready`] says so.
    pub fn ready(self, proofs: &[Proof]) -> Result<Ready, Self> {
        let proven = |identifier| is_proven(&self.0, identifier, proofs);
        if !self.0.identifiers.iter().all(proven) {
            return Err(self);
        }
        let mut order = self.0;
        order.0.status = Status::Ready;
        Ok(Ready(order))
    }

    /// Why it cannot be finalized with these proofs (RFC 8555 §7.4).
    pub fn not_ready(&self, proofs: &[Proof]) -> Problem {
        let words = match self.0.status {
            Status::Ready => {
                let unproven = |it: &&Identifier| !is_proven(&self.0, it, proofs);
                let names = self.0.identifiers.iter().filter(unproven);
                let names: Vec<_> = names.map(ToString::to_string).collect();
                format!(
                    "The order was ready, but its authorizations no longer prove {}: one of them \
                     was taken back. Create a new order.",
                    names.join(", ")
                )
            }
            Status::Pending | Status::Processing | Status::Valid | Status::Invalid => {
                "The order is pending: answer the challenges of its authorizations first."
                    .to_owned()
            }
        };
        Problem::new(Kind::OrderNotReady, words)
    }
}

fn is_proven(order: &Order, identifier: &Identifier, proofs: &[Proof]) -> bool {
    let mut own = proofs.iter().filter(|p| p.account() == order.account);
    own.any(|proof| proof.covers(identifier))
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

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;
    use crate::challenge::{self, Challenge, Method, ProofRecord};
    use crate::scope::{Scope, Subject};

    pub(crate) fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn later() -> Timestamp {
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

    fn pending(names: &[&str]) -> Pending {
        let State::Pending(pending) = order(names, Status::Pending).state(now()) else {
            panic!();
        };
        pending
    }

    fn proof(name: &str, account: u128) -> Proof {
        reaching(Scope::Name, name, account)
    }

    fn reaching(scope: Scope, name: &str, account: u128) -> Proof {
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
    fn an_order_is_ready_when_each_identifier_is_proven_by_its_account() {
        let all = [proof("a.lab", 2), proof("10.0.0.7", 2)];
        let ready = pending(&["a.lab", "10.0.0.7"]).ready(&all).unwrap();
        assert_eq!(ready.as_order().status, Status::Ready);
        for proofs in [
            vec![],
            vec![proof("a.lab", 2)],
            vec![proof("a.lab", 2), proof("10.0.0.7", 3)],
            vec![proof("b.lab", 2), proof("10.0.0.7", 2)],
        ] {
            let back = pending(&["a.lab", "10.0.0.7"]).ready(&proofs).unwrap_err();
            assert_eq!(back, pending(&["a.lab", "10.0.0.7"]));
        }
    }

    #[test]
    fn a_proof_of_a_name_is_none_for_its_wildcard_nor_the_reverse() {
        assert!(pending(&["*.a.lab"]).ready(&[proof("a.lab", 2)]).is_err());
        assert!(pending(&["a.lab"]).ready(&[proof("*.a.lab", 2)]).is_err());
    }

    #[test]
    fn a_proof_for_subdomains_proves_the_names_below_for_its_account_and_a_plain_one_never() {
        let order = || pending(&["a.lab", "b.a.lab", "*.b.a.lab"]);
        let proven = |proof: Proof| order().ready(&[proof]).is_ok();
        assert!(proven(reaching(Scope::Subdomains, "a.lab", 2)));
        assert!(proven(reaching(Scope::Subdomains, "lab", 2)));
        assert!(!proven(reaching(Scope::Subdomains, "a.lab", 3)));
        assert!(!proven(reaching(Scope::Subdomains, "b.a.lab", 2)));
        assert!(!proven(proof("a.lab", 2)));
    }

    #[test]
    fn time_ends_what_waits_for_its_client_and_nothing_else() {
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
    fn an_order_that_is_stored_as_ready_is_ready_only_with_its_proofs() {
        let stored = |names: &[&str]| {
            let state = order(names, Status::Ready).state(now());
            state.into_pending().unwrap()
        };
        let both = [proof("a.lab", 2), proof("b.lab", 2)];
        assert!(stored(&["a.lab", "b.lab"]).ready(&both).is_ok());
        for proofs in [vec![], vec![proof("a.lab", 2), proof("b.lab", 3)]] {
            let back = stored(&["a.lab", "b.lab"]).ready(&proofs).unwrap_err();
            let problem = back.not_ready(&proofs);
            assert_eq!((problem.kind, problem.status), (Kind::OrderNotReady, 403));
            assert!(problem.detail.contains("no longer prove"), "{problem}");
            assert!(problem.detail.contains("b.lab: one"), "{problem}");
            let named = problem.detail.contains("a.lab");
            assert_eq!(named, proofs.is_empty(), "{problem}");
        }
    }

    #[test]
    fn only_an_order_without_certificate_or_fault_can_become_ready() {
        let state = |status| order(&["a"], status).state(now());
        let pending = state(Status::Pending).into_pending().unwrap();
        assert!(pending.not_ready(&[]).detail.contains("is pending"));
        assert!(state(Status::Ready).into_pending().is_ok());
        for (status, word) in [
            (Status::Processing, "being made"),
            (Status::Valid, "already"),
            (Status::Invalid, "invalid"),
        ] {
            let problem = state(status).into_pending().unwrap_err();
            assert_eq!((problem.kind, problem.status), (Kind::OrderNotReady, 403));
            assert!(problem.detail.contains(word), "{problem}");
        }
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
    fn the_words_of_a_status_are_read_back() {
        for word in ["pending", "ready", "processing", "valid", "invalid"] {
            assert_eq!(Status::parse(word).map(Status::as_str), Some(word));
        }
    }
}
