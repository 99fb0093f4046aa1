//! External account keys: what the operator has said about one, and whether it may bind another
//! account (RFC 8555 §7.3.4).
//!
//! Not here: the MAC key itself, and the binding's own form.

use acme::problem::{Kind, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::policy::Policy;

/// A key that was handed out, without its secret.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalKey {
    /// Its id, the `kid` of bindings.
    pub id: String,
    /// The provisioner whose accounts it may bind.
    pub provisioner: String,
    /// What the operator calls it; empty for nothing. No two keys of a provisioner are called the same.
    pub reference: String,
    /// What it says about the orders of its accounts.
    pub rules: Rules,
    /// Until when it binds, and how many accounts.
    pub limits: Limits,
    /// What it has bound.
    pub use_made: UseMade,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a key says about the orders of its accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Which names they may be for.
    pub policy: Policy,
    /// The profile that they get, whatever others are offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// What the external account key of an ACME account says about the account's certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalKeyRules {
    /// The key's id.
    pub key: String,
    /// Which names the account may have.
    pub policy: Policy,
    /// The profile that its orders get, whatever others are offered.
    pub profile: Option<String>,
}

/// Until when a key binds accounts, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most accounts.
    pub accounts: u32,
    /// From then on it binds none.
    pub expires_at: Option<Timestamp>,
}

/// What a key has bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UseMade {
    /// How many accounts.
    pub accounts: u32,
    /// The first of them.
    pub first: Option<Uuid>,
    /// When it bound the latest.
    pub latest_at: Option<Timestamp>,
}

impl ExternalKey {
    /// Checks that the key may bind another account.
    ///
    /// # Errors
    /// `unauthorized` if it has expired or is used up.
    pub fn may_bind(&self, now: Timestamp) -> Result<(), Problem> {
        if let Some(end) = self.limits.expires_at.filter(|end| *end <= now) {
            let why = format!("ended at {end}");
            return Err(refuse(&self.id, &why));
        }
        if self.use_made.accounts >= self.limits.accounts {
            return Err(refuse(&self.id, "has bound as many accounts as it may"));
        }
        Ok(())
    }

    /// What the orders of its accounts are judged by.
    #[must_use]
    pub fn into_rules(self) -> ExternalKeyRules {
        ExternalKeyRules {
            key: self.id,
            policy: self.rules.policy,
            profile: self.rules.profile,
        }
    }
}

/// The answer to a binding by an unknown key.
#[must_use]
pub fn unknown(id: &str) -> Problem {
    let id: String = id.chars().take(SHOWN).collect();
    refuse(&format!("{id:?}"), "is not known to this provisioner")
}

/// The answer to an account whose key the operator has removed.
#[must_use]
pub fn removed(id: &str) -> Problem {
    Problem::unauthorized(removed_words(id))
}

pub(crate) fn removed_words(id: &str) -> String {
    format!(
        "The external account key {id} of this account was removed by the operator: ask for a new \
         one, and register another account with it."
    )
}

/// The answer to a newAccount request that brings no binding where one is needed.
#[must_use]
pub fn required() -> Problem {
    Problem::new(
        Kind::ExternalAccountRequired,
        "This provisioner makes accounts only for those who bring an external account key: ask the \
         operator for one (`step ca acme eab add`).",
    )
}

fn refuse(id: &str, why: &str) -> Problem {
    Problem::unauthorized(format!(
        "The external account key {id} {why}: ask the operator for another."
    ))
}

/// Characters of a client's text that an answer repeats.
const SHOWN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ExternalKey {
        ExternalKey {
            id: "k".into(),
            provisioner: "acme".into(),
            reference: String::new(),
            rules: Rules::default(),
            limits: Limits {
                accounts: 2,
                expires_at: Timestamp::from_second(100).ok(),
            },
            use_made: UseMade::default(),
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_key_binds_until_it_is_used_up_or_over() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut key = key();
        assert_eq!(key.may_bind(at(99)), Ok(()));
        let over = key.may_bind(at(100)).unwrap_err();
        assert_eq!((over.kind, over.status), (Kind::Unauthorized, 403));
        assert!(over.detail.contains("ended at"), "{over}");
        key.use_made.accounts = 2;
        let used = key.may_bind(at(99)).unwrap_err();
        assert!(used.detail.contains("as many accounts"), "{used}");
    }

    #[test]
    fn an_unknown_id_is_cut_and_escaped() {
        let detail = unknown(&"\n".repeat(500)).detail;
        assert!(detail.len() < 400 && !detail.contains('\n'), "{detail}");
    }
}
