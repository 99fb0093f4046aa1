//! External account binding (RFC 8555 §7.3.4): checks the binding of a new account, and reads what
//! the key of an account says when the account orders.

use acme::Problem;
use acme::account::Account;
use acme::eab::{Bound, Parsed};
use ca::external_key::{self, ExternalKey, ExternalKeyRules};
use jiff::Timestamp;
use pki::jose::Jwk;
use serde_json::Value;
use store::port::ExternalKeys as _;

use super::{AccountService, Error};

impl AccountService {
    /// Checks the binding that a newAccount request to `url` brings for its key.
    ///
    /// # Errors
    /// A refusal for whatever is wrong with it; see the problem's words.
    pub(super) async fn bound(
        &self,
        provisioner: &str,
        sent: &Value,
        url: &str,
        account: &Jwk,
    ) -> Result<Bound, Error> {
        let parsed = Parsed::parse(sent)?;
        let kid = parsed.kid().to_owned();
        let found = self.store.binding_key(provisioner, &kid).await?;
        let found = found.ok_or_else(|| external_key::unknown(&kid))?;
        let bound = parsed.verify(&found.secret, url, account)?;
        found.key.may_bind(Timestamp::now())?;
        Ok(bound)
    }

    /// Why a key that would bind a moment ago does not any more.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn binds_no_more(
        &self,
        provisioner: &str,
        kid: &str,
    ) -> Result<Problem, Error> {
        let Some(key) = self.store.external_key(provisioner, kid).await? else {
            return Ok(external_key::unknown(kid));
        };
        let why = key.may_bind(Timestamp::now()).err();
        Ok(why.unwrap_or_else(|| external_key::unknown(kid)))
    }
}

/// What the external account key of an account says about its orders. `found` is the key where the
/// store has it.
///
/// # Errors
/// `unauthorized` if the operator has removed the key.
pub(in crate::service) fn rules_of(
    account: &Account,
    found: Option<ExternalKey>,
) -> Result<Option<ExternalKeyRules>, Problem> {
    match (&account.external, found) {
        (None, _) => Ok(None),
        (Some(_), Some(key)) => Ok(Some(key.into_rules())),
        (Some(external), None) => Err(external_key::removed(&external.key)),
    }
}
