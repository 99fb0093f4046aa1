//! Questions: facts from outside that an admission needs. A question is one file beside this one
//! and one line in the list below; the caller fetches the fact and asks for admission again.
//!
//! A question's file has `Question` (what to fetch), `Facts` (what was fetched so far) and
//! `settle`, which decides by them. Only a fact settles a question: an outage never does.

use super::{IssuancePolicy, IssuanceRequest};
use crate::refusal::Refusal;

macro_rules! questions {
    ($($(#[$cfg:meta])* $name:ident in $module:ident: $doc:literal,)+) => {
        /// A fact that has to be fetched before the decision.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Question {
            $(#[doc = $doc] $(#[$cfg])* $name(super::$module::Question),)+
        }

        /// The facts that were fetched so far.
        #[derive(Debug, Default)]
        pub struct Facts {
            $(#[doc = $doc] $(#[$cfg])* pub $module: super::$module::Facts,)+
        }

        /// Goes through the questions in their order up to the first that is not settled.
        pub(super) fn settle(
            request: &IssuanceRequest,
            policy: &IssuancePolicy<'_>,
            facts: &Facts,
        ) -> Result<Vec<Objection>, Unsettled> {
            let mut objections = Vec::new();
            $($(#[$cfg])* {
                match super::$module::settle(request, policy, &facts.$module) {
                    Settled::Passed => {}
                    Settled::Objected(more) => objections.extend(more),
                    Settled::Refused(refusal) => return Err(Unsettled::Refused(refusal)),
                    Settled::Ask(question) => {
                        return Err(Unsettled::Ask(Question::$name(question)));
                    }
                }
            })+
            Ok(objections)
        }
    };
}

questions! {
    Caa in caa: "CAA records of the names (RFC 8659).",
    #[cfg(test)] Weather in weather: "The weather: a question of the tests.",
}

/// Something that speaks against a certificate that is issued all the same, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The question: `caa`.
    pub question: &'static str,
    /// What speaks against it.
    pub reason: String,
}

/// How one question stands; `Q` is what it would have fetched.
pub(super) enum Settled<Q> {
    /// Nothing speaks against the certificate.
    Passed,
    /// The operator wants a warning only.
    Objected(Vec<Objection>),
    /// The fact forbids the certificate.
    Refused(Refusal),
    /// Facts are missing.
    Ask(Q),
}

/// Why there is no grant yet, or none at all.
pub(super) enum Unsettled {
    Ask(Question),
    Refused(Refusal),
}
