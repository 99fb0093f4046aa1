//! Authorizations (RFC 8555 §7.5): read, and given up.

use acme::Problem;
use acme::account::Account;
use acme::authz::Authorization;
use acme::message::authorization::Update;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Error, Service};

impl Service {
    /// An authorization of this account.
    ///
    /// # Errors
    /// When there is none, or it is another account's.
    pub(crate) async fn authorization(
        &self,
        account: &Account,
        id: Uuid,
    ) -> Result<Authorization, Error> {
        let found = self.store().authorization(id).await?;
        owned(account, found, "authorization")
    }

    /// Gives an authorization up, and with it the orders that need it (RFC 8555 §7.5.2).
    ///
    /// # Errors
    /// When another status is asked for, or the store fails.
    pub(crate) async fn update_authorization(
        &self,
        authorization: Authorization,
        update: &Update,
    ) -> Result<Authorization, Error> {
        match update.status.as_deref() {
            Some("deactivated") => {
                let (id, now) = (authorization.id, Timestamp::now());
                Ok(self.store().deactivate_authorization(id, now).await?)
            }
            _ => Err(Problem::malformed(
                "An authorization can only be read (empty payload) or given up \
                 ({\"status\":\"deactivated\"}).",
            )
            .into()),
        }
    }

    /// A challenge's authorization, with the orders that hang on it.
    ///
    /// # Errors
    /// When there is no such challenge under this authorization, or it is another account's.
    pub(crate) async fn challenge(
        &self,
        account: &Account,
        authorization: Uuid,
        id: Uuid,
    ) -> Result<(Authorization, Vec<Uuid>), Error> {
        let found = self.store().challenge(id).await?;
        let found = found.filter(|found| found.authorization.id == authorization);
        let found = found.ok_or_else(|| Error::unknown("challenge"))?;
        let mine = owned(account, Some(found.authorization), "challenge")?;
        Ok((mine, found.orders))
    }
}

fn owned(
    account: &Account,
    found: Option<Authorization>,
    what: &'static str,
) -> Result<Authorization, Error> {
    match found {
        Some(found) if found.account == account.id => Ok(found),
        Some(_) => Err(Error::Foreign(what)),
        None => Err(Error::unknown(what)),
    }
}
