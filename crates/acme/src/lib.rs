//! ACME as data and decisions: the messages of RFC 8555 and related RFCs, the verification of
//! signed requests, the states of orders and authorizations, and the probes and verdicts of
//! challenges.
//!
//! Not here: sockets, clocks, stores and randomness (all are arguments), nor provisioners and
//! certificates (see the crate `ca`).

pub mod account;
pub mod authz;
pub mod caa;
pub mod challenge;
pub mod contact;
pub mod eab;
pub mod envelope;
pub mod identifier;
pub mod issue_value;
pub mod key_change;
pub mod message;
pub mod order;
pub mod permit;
pub mod problem;
pub mod rate;
pub mod renewal;
pub mod requested_time;
pub mod revocation;
pub mod scope;
mod unchecked;

pub use identifier::Identifier;
pub use problem::Problem;

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    /// An inherent constant takes precedence over the constant of the trait.
    struct Copied<T>(PhantomData<T>);

    trait Fallback {
        const ALLOWED: bool = false;
    }

    impl<T> Fallback for Copied<T> {}

    impl<T: Clone> Copied<T> {
        const ALLOWED: bool = true;
    }

    macro_rules! clonable {
        ($($token:ty),* $(,)?) => {
            [$((stringify!($token), Copied::<$token>::ALLOWED)),*]
        };
    }

    #[test]
    fn no_token_of_proof_can_be_copied() {
        let tokens = clonable![
            crate::challenge::Proof,
            crate::eab::Bound,
            crate::envelope::Verified,
            crate::key_change::KeyChange,
            crate::order::Finalized,
            crate::order::Ready,
            crate::permit::Permit,
        ];
        for (token, clonable) in tokens {
            assert!(!clonable, "{token} is Clone");
        }
        let [(_, clonable)] = clonable![crate::order::Order];
        assert!(clonable, "the check detects Clone");
    }
}
