//! The states of an order, each a type with the permitted transitions.

use pki::PublicKey;

use super::{Order, Status};
use crate::challenge::Proof;
use crate::identifier::Identifier;
use crate::problem::{Kind, Problem};

/// An order in its state.
#[derive(Debug, PartialEq)]
pub enum State {
    /// It has no certificate yet. An order that is stored as ready is here as well: only the proofs
    /// make it ready.
    Pending(Pending),
    /// The certificate is being issued.
    Processing(Processing),
    /// It has its certificate.
    Valid(Valid),
    /// It failed or expired.
    Invalid(Invalid),
}

impl State {
    /// The order.
    pub fn as_order(&self) -> &Order {
        match self {
            Self::Pending(Pending(order))
            | Self::Processing(Processing(order))
            | Self::Valid(Valid(order))
            | Self::Invalid(Invalid(order)) => order,
        }
    }

    /// The order, if it can still become ready.
    ///
    /// # Errors
    /// `orderNotReady` (RFC 8555 §7.4) with the reason.
    pub fn into_pending(self) -> Result<Pending, Problem> {
        let words = match self {
            Self::Pending(pending) => return Ok(pending),
            Self::Processing(_) => {
                "The order's certificate is being issued: fetch the order again in a moment."
                    .to_owned()
            }
            Self::Valid(_) => "The order already has its certificate: download it.".to_owned(),
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
            pub struct $name(pub(super) Box<Order>);

            impl $name {
                /// The order.
                pub fn as_order(&self) -> &Order {
                    &self.0
                }
            }
        )*
    };
}

states! {
    /// An order that is not proven yet.
    Pending;
    /// An order with a certificate that is being issued.
    Processing;
    /// An order with its certificate.
    Valid;
    /// An order that failed or expired.
    Invalid;
}

/// An order with all identifiers proven, which can be finalized.
#[derive(Debug, PartialEq)]
pub struct Ready {
    pub(super) order: Box<Order>,
    /// The keys that devices attested: the certificate's is each of them.
    pub(super) attested: Vec<PublicKey>,
}

impl Ready {
    /// The order.
    pub fn as_order(&self) -> &Order {
        &self.order
    }
}

impl Pending {
    /// Makes it ready if proofs of its own account cover all identifiers.
    ///
    /// # Errors
    /// The unchanged order if an identifier is not proven; [`Pending::not_ready`] is its problem.
    pub fn ready(self, proofs: &[Proof]) -> Result<Ready, Self> {
        let proven = |identifier| is_proven(&self.0, identifier, proofs);
        if !self.0.identifiers.iter().all(proven) {
            return Err(self);
        }
        let mut order = self.0;
        order.0.status = Status::Ready;
        let of_order = |proof: &&Proof| order.identifiers.iter().any(|it| proof.covers(it));
        let attested = proofs
            .iter()
            .filter(of_order)
            .filter_map(Proof::attested_key);
        let attested = attested.cloned().collect();
        Ok(Ready { order, attested })
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
                     was revoked. Create a new order.",
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
    // A device is bound to the key that it attested.
    let is_bound = |proof: &Proof| match identifier {
        Identifier::Device(_) => proof.attested_key().is_some(),
        Identifier::Dns(_) | Identifier::Wildcard(_) | Identifier::Ip(_) => true,
    };
    own.any(|proof| proof.covers(identifier) && is_bound(proof))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::{now, order, pending, proof, reaching};
    use crate::scope::Scope;

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
    fn a_proof_of_a_name_does_not_cover_its_wildcard_nor_the_reverse() {
        assert!(pending(&["*.a.lab"]).ready(&[proof("a.lab", 2)]).is_err());
        assert!(pending(&["a.lab"]).ready(&[proof("*.a.lab", 2)]).is_err());
    }

    #[test]
    fn only_a_proof_for_subdomains_covers_the_names_below_for_its_account() {
        let order = || pending(&["a.lab", "b.a.lab", "*.b.a.lab"]);
        let proven = |proof: Proof| order().ready(&[proof]).is_ok();
        assert!(proven(reaching(Scope::Subdomains, "a.lab", 2)));
        assert!(proven(reaching(Scope::Subdomains, "lab", 2)));
        assert!(!proven(reaching(Scope::Subdomains, "a.lab", 3)));
        assert!(!proven(reaching(Scope::Subdomains, "b.a.lab", 2)));
        assert!(!proven(proof("a.lab", 2)));
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
            (Status::Processing, "being issued"),
            (Status::Valid, "already"),
            (Status::Invalid, "invalid"),
        ] {
            let problem = state(status).into_pending().unwrap_err();
            assert_eq!((problem.kind, problem.status), (Kind::OrderNotReady, 403));
            assert!(problem.detail.contains(word), "{problem}");
        }
    }
}
