//! Orders (RFC 8555 §7.1.3): pending, ready, finalized, valid or invalid, each a
//! type. A [`Pending`] has no `finalize`; only a [`Ready`] makes a [`Finalized`].

mod finalize;
mod open;
mod reuse;

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
    /// Its authorizations, each once, in the order of the identifiers; one may stand for several
    /// (RFC 9444).
    pub authorizations: Vec<Uuid>,
    /// The wished beginning of the certificate.
    pub not_before: Option<Timestamp>,
    /// The wished end of the certificate.
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
    /// The certificate that the new one takes the place of (RFC 9773 §5).
    pub replaces: Option<CertificateId>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Order {
    /// Where it stands at `now`: one that waits for its client is invalid when
    /// its time is over.
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
            own.any(|proof| proof.covers(identifier))
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
        Order {
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
        }
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
        let problem = expired.into_ready().unwrap_err();
        assert!(
            problem.detail.contains("expired at 2026-11-24T12"),
            "{problem}"
        );
    }

    #[test]
    fn only_a_ready_order_can_be_finalized() {
        assert!(
            order(&["a"], Status::Ready)
                .state(now())
                .into_ready()
                .is_ok()
        );
        for (status, word) in [
            (Status::Pending, "pending"),
            (Status::Processing, "being made"),
            (Status::Valid, "already"),
            (Status::Invalid, "invalid"),
        ] {
            let problem = order(&["a"], status).state(now()).into_ready().unwrap_err();
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
